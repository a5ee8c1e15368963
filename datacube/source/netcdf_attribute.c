/* Attributes of netCDF variables, of whatever type the writer chose. */
#include "datacube/source/netcdf_attribute.h"

#include <netcdf.h>
#include <stdlib.h>
#include <string.h>

enum { ATTRIBUTE_LIMIT = 1 << 20 }; /* characters or numbers; longer attributes count as absent */

static const char *trimmed(char *text, size_t length)
{
  while (length > 0 && (text[length - 1] == '\0' || text[length - 1] == ' ' || text[length - 1] == '\n'))
    length--;
  text[length] = '\0';
  return text;
}

static const char *string_text(struct arena *arena, int file, int variable, const char *name)
{
  char *string = NULL;
  size_t count = 0;
  if (nc_inq_attlen(file, variable, name, &count) != NC_NOERR || count != 1 ||
      nc_get_att_string(file, variable, name, &string) != NC_NOERR)
    return NULL;
  char *copy = string != NULL && strlen(string) <= ATTRIBUTE_LIMIT ? arena_strdup(arena, string) : NULL;
  nc_free_string(1, &string);
  return copy == NULL ? NULL : trimmed(copy, strlen(copy));
}

const char *netcdf_attribute_text(struct arena *arena, int file, int variable, const char *name)
{
  nc_type type;
  size_t length;
  if (nc_inq_att(file, variable, name, &type, &length) != NC_NOERR)
    return NULL;
  if (type == NC_STRING)
    return string_text(arena, file, variable, name);
  if (type != NC_CHAR || length > ATTRIBUTE_LIMIT)
    return NULL;
  char *text = arena_alloc(arena, length + 1);
  if (text == NULL || nc_get_att_text(file, variable, name, text) != NC_NOERR)
    return NULL;
  text[length] = '\0';
  return trimmed(text, strlen(text));
}

/* Numbers in a text, as some writers leave them: "-999", "-999.f", "0, 250". */
static size_t numbers_of_text(const char *text, double *out, size_t room)
{
  size_t count = 0;
  while (*(text += strspn(text, " ,\t\n")) != '\0' && count < room) {
    char *end;
    out[count] = strtod(text, &end);
    end += end != text ? strspn(end, "bBsSfFdDuUlL") : 0;
    if (end == text || (*end != '\0' && strchr(" ,\t\n", *end) == NULL))
      return 0;
    text = end;
    count++;
  }
  return count;
}

static size_t text_numbers(int file, int variable, const char *name, double *out, size_t room)
{
  struct arena *arena = arena_new(1 << 20);
  const char *text = arena != NULL ? netcdf_attribute_text(arena, file, variable, name) : NULL;
  const size_t count = text != NULL ? numbers_of_text(text, out, room) : 0;
  arena_free(arena);
  return count;
}

size_t netcdf_attribute_numbers(int file, int variable, const char *name, double *out, size_t room)
{
  nc_type type;
  size_t length;
  double many[64];
  if (nc_inq_att(file, variable, name, &type, &length) != NC_NOERR)
    return 0;
  if (type == NC_CHAR || type == NC_STRING)
    return text_numbers(file, variable, name, out, room);
  if (type > NC_UINT64 || length > sizeof many / sizeof many[0] ||
      nc_get_att_double(file, variable, name, many) != NC_NOERR)
    return 0;
  const size_t count = length < room ? length : room;
  memcpy(out, many, count * sizeof *out);
  return count;
}

size_t netcdf_attribute_words(int file, int variable, const char *name, uint64_t *out, size_t room)
{
  nc_type type;
  size_t length;
  uint64_t many[64];
  if (nc_inq_att(file, variable, name, &type, &length) != NC_NOERR || (type != NC_INT64 && type != NC_UINT64) ||
      length > sizeof many / sizeof many[0] || nc_get_att(file, variable, name, many) != NC_NOERR)
    return 0;
  const size_t count = length < room ? length : room;
  memcpy(out, many, count * sizeof *out);
  return count;
}

double netcdf_attribute_number(int file, int variable, const char *name, double otherwise)
{
  double number;
  return netcdf_attribute_numbers(file, variable, name, &number, 1) == 1 ? number : otherwise;
}

bool netcdf_list_has(const char *list, const char *word)
{
  const size_t length = strlen(word);
  while (list != NULL && *list != '\0') {
    list += strspn(list, " \t\n");
    const size_t span = strcspn(list, " \t\n");
    const size_t bare = span > 0 && list[span - 1] == ':' ? span - 1 : span;
    if (bare == length && memcmp(list, word, length) == 0)
      return true;
    list += span;
  }
  return false;
}
