/* From a query or a body to one object: see the header. */
#include "server/stac_api/stac_query.h"

#include "server/http/json_check.h"
#include "server/http/request_json.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_MOST = 1 << 20 };

#define ITEMS (STAC_SEARCH | STAC_ITEMS)
#define AGGREGATES (STAC_AGGREGATE | STAC_OF_COLLECTION)
#define TEXT_SCHEMA "{\"type\":\"string\"}"
#define TEXTS_SCHEMA "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"

const struct stac_parameter stac_parameters[] = {
    {"ids", ITEMS | AGGREGATES, STAC_LIST, TEXTS_SCHEMA},
    {"collections", ITEMS | AGGREGATES, STAC_LIST, TEXTS_SCHEMA},
    {"bbox", ITEMS | STAC_COLLECTIONS | AGGREGATES, STAC_NUMBERS,
     "{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"minItems\":4,\"maxItems\":6}"},
    {"datetime", ITEMS | STAC_COLLECTIONS | AGGREGATES, STAC_TEXT, TEXT_SCHEMA},
    {"intersects", STAC_SEARCH | AGGREGATES, STAC_OBJECT, TEXT_SCHEMA},
    {"limit", ITEMS | STAC_COLLECTIONS | STAC_CHILDREN, STAC_INTEGER,
     "{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000}"},
    {"token", ITEMS | STAC_COLLECTIONS | STAC_CHILDREN, STAC_TEXT, TEXT_SCHEMA},
    {"fields", ITEMS | STAC_COLLECTIONS, STAC_FIELDS, TEXT_SCHEMA},
    {"sortby", ITEMS | STAC_COLLECTIONS, STAC_SORT, TEXT_SCHEMA},
    {"query", ITEMS | AGGREGATES, STAC_OBJECT, TEXT_SCHEMA},
    {"filter", ITEMS | AGGREGATES, STAC_FILTER, TEXT_SCHEMA},
    {"filter-lang", ITEMS | AGGREGATES, STAC_TEXT, "{\"type\":\"string\",\"enum\":[\"cql2-text\",\"cql2-json\"]}"},
    {"filter-crs", ITEMS | AGGREGATES, STAC_TEXT, TEXT_SCHEMA},
    {"q", STAC_COLLECTIONS, STAC_LIST, TEXTS_SCHEMA},
    {"aggregations", AGGREGATES, STAC_LIST, TEXTS_SCHEMA},
    {"grid_geohash_frequency_precision", AGGREGATES, STAC_INTEGER,
     "{\"type\":\"integer\",\"minimum\":1,\"maximum\":12}"},
};
const size_t stac_parameter_count = sizeof stac_parameters / sizeof stac_parameters[0];

static const struct stac_parameter *find_parameter(const char *name, unsigned taker)
{
  for (size_t i = 0; i < stac_parameter_count; i++)
    if (strcmp(stac_parameters[i].name, name) == 0 && (stac_parameters[i].takers & taker) != 0)
      return &stac_parameters[i];
  return NULL;
}

unsigned stac_query_of(const struct route *route)
{
  static const struct {
    const char *end;
    unsigned taker;
  } rows[] = {
      {"/search", STAC_SEARCH},           {"/items", STAC_ITEMS},
      {"/collections", STAC_COLLECTIONS}, {"}/aggregate", STAC_OF_COLLECTION},
      {"/aggregate", STAC_AGGREGATE},     {"/children", STAC_CHILDREN},
  };
  const size_t length = strlen(route->path);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const size_t end = strlen(rows[i].end);
    if (length > end && strcmp(route->path + length - end, rows[i].end) == 0)
      return rows[i].taker;
  }
  return 0;
}

/* ---- a query ---------------------------------------------------------------------------------------------------- */

/* Each text between commas; empty ones do not count. */
static json_t *split(const char *text, json_t *(*make)(const char *text, size_t length))
{
  json_t *list = json_array();
  for (; *text != '\0';) {
    const size_t length = strcspn(text, ",");
    if (length > 0 && json_array_append_new(list, make(text, length)) != 0) {
      json_decref(list);
      return NULL;
    }
    text += length + (text[length] == ',');
  }
  return list;
}

static json_t *make_text(const char *text, size_t length)
{
  return json_stringn(text, length);
}

static json_t *make_number(const char *text, size_t length)
{
  char *end;
  const double number = strtod(text, &end);
  return (size_t)(end - text) == length ? json_real(number) : NULL; /* neither NaN nor infinite: refused */
}

/* A plus that was not escaped may have become a space. */
static json_t *make_sort(const char *text, size_t length)
{
  const bool is_down = text[0] == '-', is_signed = is_down || text[0] == '+' || text[0] == ' ';
  return json_pack("{s:s%, s:s}", "field", text + is_signed, length - is_signed, "direction", is_down ? "desc" : "asc");
}

static json_t *make_fields(const char *text)
{
  json_t *include = json_array(), *exclude = json_array();
  for (; *text != '\0';) {
    const size_t length = strcspn(text, ",");
    const bool is_signed = length > 0 && strchr("+- ", text[0]) != NULL;
    if (length > is_signed)
      json_array_append_new(text[0] == '-' ? exclude : include, json_stringn(text + is_signed, length - is_signed));
    text += length + (text[length] == ',');
  }
  json_t *out = json_object();
  if (json_array_size(include) > 0)
    json_object_set(out, "include", include);
  if (json_array_size(exclude) > 0)
    json_object_set(out, "exclude", exclude);
  json_decref(include);
  json_decref(exclude);
  return out;
}

static json_t *parse(const char *text, struct error *error, const char *name)
{
  size_t line;
  const char *wrong = json_check(text, strlen(text), &line);
  json_t *tree = wrong == NULL ? json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL) : NULL;
  if (tree == NULL)
    error_parameter(error, ERROR_QueryParameterInvalid, name, "is no JSON: %s",
                    wrong != NULL ? wrong : "it cannot be read");
  return tree;
}

static json_t *make_value(const struct stac_parameter *parameter, const char *text, struct error *error)
{
  char *end;
  switch (parameter->kind) {
  case STAC_LIST:
    return split(text, make_text);
  case STAC_NUMBERS:
    return split(text, make_number);
  case STAC_SORT:
    return split(text, make_sort);
  case STAC_FIELDS:
    return make_fields(text);
  case STAC_OBJECT:
    return parse(text, error, parameter->name);
  case STAC_INTEGER: {
    const long long number = strtoll(text, &end, 10);
    return end != text && *end == '\0' ? json_integer(number) : NULL;
  }
  case STAC_FILTER: /* the language says; a brace can only be JSON's */
    return text[strspn(text, " ")] == '{' ? parse(text, error, parameter->name) : json_string(text);
  default:
    return json_string(text);
  }
}

struct query_reading {
  json_t *out;
  unsigned taker;
  struct error *error;
};

static int take_argument(const struct query_reading *r, const char *name, const char *text)
{
  const struct stac_parameter *parameter = find_parameter(name, r->taker);
  if (parameter == NULL)
    return error_parameter(r->error, ERROR_QueryParameterInvalid, name, "there is no such parameter here");
  if (text == NULL)
    return error_parameter(r->error, ERROR_QueryParameterInvalid, name, "is too long, or no text");
  if (text[0] == '\0')
    return 0;
  json_t *value = make_value(parameter, text, r->error), *before = json_object_get(r->out, name);
  if (value == NULL && !error_is_set(r->error))
    return error_parameter(r->error, ERROR_QueryParameterInvalid, name, "'%.100s' is not what it wants", text);
  if (value == NULL)
    return -1;
  if (before != NULL && (!json_is_array(before) || json_array_extend(before, value) != 0))
    error_parameter(r->error, ERROR_QueryParameterInvalid, name, "is given twice");
  else if (before == NULL)
    json_object_set(r->out, name, value);
  json_decref(value);
  return error_is_set(r->error) ? -1 : 0;
}

static bool visit_argument(void *data, const char *name, const char *text)
{
  return take_argument(data, name, text) == 0;
}

/* ---- a body ----------------------------------------------------------------------------------------------------- */

static json_t *read_body(const struct exchange *exchange, unsigned taker, struct error *error)
{
  const char *name;
  json_t *value;
  if (http_body(exchange->http)->length > BODY_MOST) {
    error_set(error, ERROR_ContentTooLarge, "a search takes at most %d bytes", (int)BODY_MOST);
    return NULL;
  }
  json_t *body = request_read_members(exchange, error);
  json_object_foreach(body, name, value)
  {
    if (find_parameter(name, taker) != NULL)
      continue;
    error_parameter(error, ERROR_QueryParameterInvalid, name, "there is no such member here");
    json_decref(body);
    return NULL;
  }
  return body;
}

/* One text where a list is wanted becomes a list; what a filter is written in is said, whoever reads it next. */
static json_t *made_plain(json_t *query)
{
  const json_t *filter = json_object_get(query, "filter");
  if (filter != NULL && !json_is_null(filter) && json_object_get(query, "filter-lang") == NULL)
    json_object_set_new(query, "filter-lang", json_string(json_is_string(filter) ? "cql2-text" : "cql2-json"));
  for (size_t i = 0; i < stac_parameter_count; i++) {
    json_t *value = json_object_get(query, stac_parameters[i].name);
    if (stac_parameters[i].kind == STAC_LIST && json_is_string(value))
      json_object_set_new(query, stac_parameters[i].name, json_pack("[O]", value));
  }
  return query;
}

json_t *stac_query_read(const struct exchange *exchange, unsigned taker, struct error *error)
{
  if (strcmp(http_method(exchange->http), "POST") == 0)
    return made_plain(read_body(exchange, taker, error));
  struct query_reading reading = {json_object(), taker, error};
  http_query_each(exchange->http, visit_argument, &reading);
  if (!error_is_set(error))
    return made_plain(reading.out);
  json_decref(reading.out);
  return NULL;
}

/* ---- back to an address ----------------------------------------------------------------------------------------- */

static bool copy_argument(void *data, const char *name, const char *text)
{
  struct buffer *out = data;
  if (text == NULL || text[0] == '\0' || strcmp(name, "token") == 0)
    return true;
  buffer_text(out, out->length > 0 ? "&" : "?");
  http_encode(name, out);
  buffer_text(out, "=");
  http_encode(text, out);
  return true;
}

void stac_query_write(const struct exchange *exchange, const char *token, struct buffer *out)
{
  struct buffer query = {0};
  http_query_each(exchange->http, copy_argument, &query);
  if (token != NULL) {
    buffer_printf(&query, "%stoken=", query.length > 0 ? "&" : "?");
    http_encode(token, &query);
  }
  if (query.length > 0)
    buffer_add(out, query.data, query.length);
  out->failed = out->failed || query.failed;
  buffer_free(&query);
}
