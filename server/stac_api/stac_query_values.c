/* Values of what is asked for, checked: see stac_query.h. */
#include "server/stac_api/stac_query.h"

#include "datacube/base/instant.h"

#include <math.h>
#include <string.h>

static int wrong(struct error *error, const char *name, const char *wants)
{
  return error_parameter(error, ERROR_QueryParameterInvalid, name, "wants %s", wants);
}

int stac_query_text(const json_t *query, const char *name, const char **out, struct error *error)
{
  const json_t *value = json_object_get(query, name);
  *out = json_string_value(value);
  if (value == NULL || json_is_null(value))
    return 0;
  return *out != NULL ? 1 : wrong(error, name, "a text");
}

int stac_query_texts(const json_t *query, const char *name, const json_t **out, struct error *error)
{
  const json_t *value = json_object_get(query, name);
  *out = value;
  if (value == NULL || json_is_null(value))
    return 0;
  for (size_t i = 0; i < json_array_size(value); i++)
    if (!json_is_string(json_array_get(value, i)))
      return wrong(error, name, "an array of texts");
  return json_is_array(value) ? 1 : wrong(error, name, "an array of texts");
}

int stac_query_limit(const json_t *query, long standard, long most, long *out, struct error *error)
{
  const json_t *value = json_object_get(query, "limit");
  *out = standard;
  if (value == NULL || json_is_null(value))
    return 0;
  if (!json_is_integer(value) || json_integer_value(value) < 1)
    return wrong(error, "limit", "a positive integer");
  *out = json_integer_value(value) > most ? most : (long)json_integer_value(value);
  return 1;
}

/* ---- bbox ------------------------------------------------------------------------------------------------------- */

int stac_query_box(const json_t *query, struct stac_box *out, struct error *error)
{
  static const char wants[] = "west,south,east,north in degrees, or with lowest and highest behind south and north";
  const json_t *value = json_object_get(query, "bbox");
  double n[6] = {0};
  *out = (struct stac_box){.has_heights = false};
  if (value == NULL || json_is_null(value))
    return 0;
  const size_t count = json_array_size(value), half = count / 2;
  if (!json_is_array(value) || (count != 4 && count != 6))
    return wrong(error, "bbox", wants);
  for (size_t i = 0; i < count; i++) {
    const json_t *side = json_array_get(value, i);
    n[i] = json_number_value(side);
    if (!json_is_number(side) || !isfinite(n[i]))
      return wrong(error, "bbox", wants);
  }
  *out = (struct stac_box){
      .sides = {n[0], n[1], n[half], n[half + 1]}, .has_heights = count == 6, .heights = {n[2], n[5]}};
  if (out->sides[1] > out->sides[3] || (out->has_heights && n[2] > n[5]))
    return wrong(error, "bbox", "its south below its north, and its lowest below its highest");
  if (fabs(n[0]) > 360 || fabs(n[half]) > 360 || fabs(n[1]) > 90 || fabs(n[half + 1]) > 90)
    return wrong(error, "bbox", wants);
  return 1;
}

/* ---- datetime --------------------------------------------------------------------------------------------------- */

/* Whether a text has the form of RFC 3339: "9999-99-99T99:99:99", with a fraction and a zone; `instant_parse` knows the
 * numbers, and takes more forms. */
static bool is_rfc3339(const char *text)
{
  static const char form[] = "9999-99-99T99:99:99";
  for (size_t i = 0; form[i] != '\0'; i++, text++) {
    const bool is_digit = *text >= '0' && *text <= '9';
    const bool fits = form[i] == '9' ? is_digit : form[i] == 'T' ? *text == 'T' || *text == 't' : *text == form[i];
    if (!fits)
      return false;
  }
  if (*text == '.') {
    const size_t digits = strspn(text + 1, "0123456789");
    if (digits == 0)
      return false;
    text += 1 + digits;
  }
  if ((*text == 'Z' || *text == 'z') && text[1] == '\0')
    return true;
  return (*text == '+' || *text == '-') && strlen(text) == strlen("+00:00") && text[3] == ':';
}

/* One side of an interval: "" and ".." are open. */
static int read_side(const char *text, size_t length, bool *has, int64_t *out)
{
  char copy[64];
  *has = !(length == 0 || (length == 2 && memcmp(text, "..", 2) == 0));
  if (!*has)
    return 0;
  if (length >= sizeof copy)
    return -1;
  memcpy(copy, text, length);
  copy[length] = '\0';
  if (!is_rfc3339(copy))
    return -1;
  for (char *c = copy; *c != '\0'; c++)
    *c = *c == 'z' ? 'Z' : *c == 't' ? 'T' : *c;
  return instant_parse(copy, CALENDAR_GREGORIAN, out);
}

int stac_query_interval(const json_t *query, struct stac_interval *out, struct error *error)
{
  const char *text;
  int given = stac_query_text(query, "datetime", &text, error);
  *out = (struct stac_interval){.has_start = false};
  if (given != 1)
    return given;
  const char *slash = strchr(text, '/'), *end = slash != NULL ? slash + 1 : text;
  const size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
  const bool fits = read_side(text, length, &out->has_start, &out->start) == 0 &&
                    read_side(end, strlen(end), &out->has_end, &out->end) == 0 && (out->has_start || out->has_end);
  if (!fits)
    return wrong(error, "datetime",
                 "an instant or an interval as RFC 3339 writes them, such as 2020-01-01T00:00:00Z/..");
  if (out->has_start && out->has_end && out->start > out->end)
    return wrong(error, "datetime", "an interval that ends after it begins");
  return 1;
}

/* ---- sortby ----------------------------------------------------------------------------------------------------- */

int stac_query_sort(const json_t *query, const json_t **out, struct error *error)
{
  const json_t *value = json_object_get(query, "sortby");
  *out = value;
  if (value == NULL || json_is_null(value))
    return 0;
  if (!json_is_array(value) || json_array_size(value) > STAC_SORT_KEYS)
    return wrong(error, "sortby", "an array of at most 8 keys");
  for (size_t i = 0; i < json_array_size(value); i++) {
    const json_t *key = json_array_get(value, i), *direction = json_object_get(key, "direction");
    const char *field = json_string_value(json_object_get(key, "field")), *way = json_string_value(direction);
    const bool fits = direction == NULL || (way != NULL && (strcmp(way, "asc") == 0 || strcmp(way, "desc") == 0));
    if (field == NULL || field[0] == '\0' || !fits)
      return wrong(error, "sortby", "for each key a `field` and as `direction` asc or desc");
  }
  return json_array_size(value) > 0;
}
