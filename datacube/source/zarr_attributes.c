/* JSON values as attributes: see the header. */
#include "datacube/source/zarr_attributes.h"

#include "datacube/source/zarr_chunk.h"

#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <string.h>

enum { MOST_VALUES = 65536 };

static size_t count_of(const struct zarr_json *value)
{
  size_t count = 0;
  if (!zarr_json_is(value, ZARR_JSON_ARRAY))
    return 1;
  for (const struct zarr_json *v = value->first; v; v = v->next)
    count++;
  return count;
}

static const struct zarr_json *first_of(const struct zarr_json *value)
{
  return zarr_json_is(value, ZARR_JSON_ARRAY) ? value->first : value;
}

static bool is_number(const struct zarr_json *value)
{
  return value->kind == ZARR_JSON_NUMBER || value->kind == ZARR_JSON_TRUE || value->kind == ZARR_JSON_FALSE;
}

static void put_text(const struct zarr_variable *v, const char *name, const char *text)
{
  nc_put_att_text(v->group, v->id, name, strlen(text), text);
}

/* Whole numbers stay whole, as signed ones where these hold all of them; else all are doubles. */
static int put_numbers(struct arena *arena, const struct zarr_variable *v, const char *name,
                       const struct zarr_json *first, size_t count, struct error *error)
{
  double *numbers = ARENA_ARRAY(arena, double, count);
  uint64_t *words = ARENA_ARRAY(arena, uint64_t, count);
  bool whole = true, any_negative = false, any_large = false;
  size_t i = 0;
  if (!numbers || !words)
    return error_memory(error);
  for (const struct zarr_json *n = first; i < count; n = n->next, i++) {
    bool negative = false;
    numbers[i] = n->kind == ZARR_JSON_NUMBER ? n->number : n->kind == ZARR_JSON_TRUE;
    words[i] = n->kind == ZARR_JSON_TRUE;
    whole = whole && (n->kind != ZARR_JSON_NUMBER || zarr_json_integer(n, &words[i], &negative));
    any_negative = any_negative || negative;
    any_large = any_large || (!negative && words[i] > INT64_MAX);
  }
  if (whole && !any_large)
    nc_put_att(v->group, v->id, name, NC_INT64, count, words);
  else if (whole && !any_negative)
    nc_put_att(v->group, v->id, name, NC_UINT64, count, words);
  else
    nc_put_att_double(v->group, v->id, name, NC_DOUBLE, count, numbers);
  return 0;
}

static int put_value(struct arena *arena, const struct zarr_variable *v, const char *name,
                     const struct zarr_json *value, struct error *error)
{
  const struct zarr_json *first = first_of(value);
  const size_t count = count_of(value);
  bool numbers = count > 0 && count <= MOST_VALUES;
  size_t i = 0;
  if (zarr_json_is(first, ZARR_JSON_TEXT) && count == 1)
    put_text(v, name, first->text);
  for (const struct zarr_json *n = first; n && numbers && i < count; n = n->next, i++)
    numbers = is_number(n);
  return numbers ? put_numbers(arena, v, name, first, count, error) : 0;
}

int zarr_attributes_put_all(struct arena *arena, const struct zarr_json *attributes, const struct zarr_variable *v,
                            struct error *error)
{
  for (const struct zarr_json *m = zarr_json_is(attributes, ZARR_JSON_OBJECT) ? attributes->first : NULL; m;
       m = m->next)
    if (strcmp(m->key, "_FillValue") != 0 && strcmp(m->key, "_ARRAY_DIMENSIONS") != 0 &&
        put_value(arena, v, m->key, m, error) != 0)
      return -1;
  return 0;
}

/* ---- what is missing --------------------------------------------------------------------------------------------- */

/* The eight bytes that twelve letters of base64 stand for. */
static bool from_base64(const char *text, double *out)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned char bytes[9];
  if (strlen(text) != 12 || text[11] != '=')
    return false;
  for (size_t i = 0; i < 3; i++) {
    unsigned three = 0;
    for (size_t k = 0; k < 4; k++) {
      const char *digit = strchr(digits, text[4 * i + k] == '=' ? 'A' : text[4 * i + k]);
      if (!digit)
        return false;
      three = three << 6 | (unsigned)(digit - digits);
    }
    for (size_t k = 0; k < 3; k++)
      bytes[3 * i + k] = (unsigned char)(three >> (16 - 8 * k));
  }
  memcpy(out, bytes, sizeof *out); /* least byte first, as on the machines that this runs on */
  return true;
}

static bool is_float(const struct zarr_array *a)
{
  return a->kind == ZARR_NUMBER && (element_info(a->type)->is_float || element_info(a->type)->is_complex);
}

/* Words of 64 bits as they are written: a double would round the largest beyond them. */
static bool type_holds(enum element_type type, const struct zarr_json *number)
{
  uint64_t word;
  bool negative;
  if (!element_is_word(type) || !zarr_json_integer(number, &word, &negative))
    return element_holds(type, number->number);
  return type == ELEMENT_U64 ? !negative || word == 0 : negative || word <= INT64_MAX;
}

/* The attribute _FillValue, an element; false where there is none that the type could hold. */
static bool declared_fill(const struct zarr_array *a, unsigned char out[16])
{
  const struct zarr_json *value = first_of(zarr_json_member(a->attributes, "_FillValue"));
  struct zarr_array with = *a;
  struct zarr_json number = {.kind = ZARR_JSON_NUMBER, .text = ""};
  if (!value || value->kind == ZARR_JSON_NULL)
    return false;
  if (value->kind == ZARR_JSON_TEXT && is_float(a) && from_base64(value->text, &number.number))
    value = &number;
  else if (value->kind == ZARR_JSON_NUMBER && !is_float(a) && !type_holds(a->type, value))
    return false;
  with.fill = value;
  zarr_fill(&with, out);
  return true;
}

static void put_fill(const struct zarr_array *a, const struct zarr_variable *v)
{
  const struct zarr_json nan = {.kind = ZARR_JSON_TEXT, .text = "NaN"};
  struct zarr_array floats = *a;
  unsigned char element[16];
  floats.fill = &nan;
  if (declared_fill(a, element))
    nc_put_att(v->group, v->id, "_FillValue", v->type, 1, element);
  else if (a->version == 2 && a->fill && a->kind == ZARR_NUMBER) {
    zarr_fill(a, element);
    nc_put_att(v->group, v->id, "_FillValue", v->type, 1, element);
  } else if (is_float(a)) {
    zarr_fill(&floats, element);
    nc_put_att(v->group, v->id, "_FillValue", v->type, 1, element);
  }
}

static void put_kind(const struct zarr_array *a, const struct zarr_variable *v)
{
  const unsigned char none = 255;
  if (a->kind == ZARR_BOOL) { /* as our own files have it */
    put_text(v, "flag_meanings", "false true");
    nc_put_att(v->group, v->id, "_FillValue", NC_UBYTE, 1, &none);
  } else if (a->kind == ZARR_TIME && !zarr_json_member(a->attributes, "units")) {
    char units[64];
    snprintf(units, sizeof units, "%s since 1970-01-01", a->time_unit);
    put_text(v, "units", units);
  }
}

/* ---- the CRS ----------------------------------------------------------------------------------------------------- */

/* As GDAL writes it (_CRS), and the convention "proj" of GeoZarr. */
static const char *crs_in(const struct zarr_json *attributes)
{
  const struct zarr_json *crs = zarr_json_member(attributes, "_CRS");
  const char *texts[] = {zarr_json_text(crs, "wkt"), zarr_json_text(attributes, "proj:code"),
                         zarr_json_text(attributes, "proj:wkt2")};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (texts[i])
      return texts[i];
  return NULL;
}

int zarr_attributes_put(struct arena *arena, const struct zarr_store *store, const struct zarr_array *a,
                        const struct zarr_variable *v, struct error *error)
{
  const char *own = crs_in(a->attributes), *crs = own ? own : crs_in(store->attributes);
  if (zarr_attributes_put_all(arena, a->attributes, v, error) != 0)
    return -1;
  if (v->type != NC_STRING)
    put_fill(a, v);
  put_kind(a, v);
  if (crs && a->rank >= 2)
    put_text(v, "crs", crs);
  return 0;
}
