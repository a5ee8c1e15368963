/* What is asked of items beyond place and time: see the header. */
#include "server/stac_api/stac_condition.h"

#include "server/stac_api/stac_query.h"

#include "datacube/base/buffer.h"

#include <string.h>

static const char crs84[] = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

/* ---- the query extension: {"eo:cloud_cover": {"lt": 10}} -------------------------------------------------------- */

static const struct query_operator {
  const char *name, *op;
  enum { PLAIN, BEGINS, ENDS, HOLDS } kind; /* how a text is made a pattern */
} query_operators[] = {
    {"eq", "=", PLAIN},         {"neq", "<>", PLAIN},        {"lt", "<", PLAIN},  {"lte", "<=", PLAIN},
    {"gt", ">", PLAIN},         {"gte", ">=", PLAIN},        {"in", "in", PLAIN}, {"startsWith", "like", BEGINS},
    {"endsWith", "like", ENDS}, {"contains", "like", HOLDS},
};

/* The text with its wildcards escaped, and one around it. */
static json_t *make_pattern(const struct query_operator *row, const char *text)
{
  struct buffer pattern = {0};
  if (row->kind == ENDS || row->kind == HOLDS)
    buffer_text(&pattern, "%");
  for (; *text != '\0'; text++) {
    if (strchr("%_\\", *text) != NULL)
      buffer_text(&pattern, "\\");
    buffer_add(&pattern, text, 1);
  }
  if (row->kind == BEGINS || row->kind == HOLDS)
    buffer_text(&pattern, "%");
  json_t *out = pattern.failed ? NULL : json_stringn(pattern.length > 0 ? pattern.data : "", pattern.length);
  buffer_free(&pattern);
  return out;
}

static int add_comparison(json_t *all, const char *property, const struct query_operator *row, json_t *value,
                          struct error *error)
{
  json_t *operand = row->kind == PLAIN ? json_incref(value) : NULL;
  if (row->kind != PLAIN && !json_is_string(value))
    return error_parameter(error, ERROR_QueryParameterInvalid, "query", "%s: %s wants a text", property, row->name);
  if (strcmp(row->op, "in") == 0 && !json_is_array(value)) {
    json_decref(operand);
    return error_parameter(error, ERROR_QueryParameterInvalid, "query", "%s: in wants an array", property);
  }
  if (row->kind != PLAIN)
    operand = make_pattern(row, json_string_value(value));
  json_t *comparison = json_pack("{s:s, s:[{s:s}, o]}", "op", row->op, "args", "property", property, operand);
  return json_array_append_new(all, comparison) == 0 ? 0 : error_memory(error);
}

static int add_property(json_t *all, const char *property, json_t *wanted, struct error *error)
{
  const char *name;
  json_t *value;
  if (!json_is_object(wanted) || json_object_size(wanted) == 0)
    return error_parameter(error, ERROR_QueryParameterInvalid, "query", "%s: wants an object such as {\"lt\": 10}",
                           property);
  json_object_foreach(wanted, name, value)
  {
    const struct query_operator *row = NULL;
    for (size_t i = 0; i < sizeof query_operators / sizeof query_operators[0] && row == NULL; i++)
      row = strcmp(query_operators[i].name, name) == 0 ? &query_operators[i] : NULL;
    if (row == NULL)
      return error_parameter(error, ERROR_QueryParameterInvalid, "query", "%s: there is no operator '%.40s'", property,
                             name);
    if (add_comparison(all, property, row, value, error) != 0)
      return -1;
  }
  return 0;
}

/* As CQL2 JSON; the caller owns it. */
static json_t *query_as_filter(json_t *given, struct error *error)
{
  const char *property;
  json_t *wanted, *all = json_array();
  json_object_foreach(given, property, wanted) if (add_property(all, property, wanted, error) != 0)
  {
    json_decref(all);
    return NULL;
  }
  if (json_array_size(all) == 1) {
    json_t *one = json_incref(json_array_get(all, 0));
    json_decref(all);
    return one;
  }
  return json_pack("{s:s, s:o}", "op", "and", "args", all);
}

static int read_query(const json_t *query, struct arena *arena, const struct cql2_filter **out, struct error *error)
{
  json_t *given = json_object_get(query, "query");
  if (given == NULL || json_is_null(given) || (json_is_object(given) && json_object_size(given) == 0))
    return 0;
  if (!json_is_object(given))
    return error_parameter(error, ERROR_QueryParameterInvalid, "query", "wants an object of properties");
  json_t *filter = query_as_filter(given, error);
  if (filter == NULL)
    return -1;
  int status = cql2_of_json(arena, filter, out, error);
  json_decref(filter);
  return status == 0 ? 0 : error_at_parameter(error, "query");
}

/* ---- the filter ------------------------------------------------------------------------------------------------- */

static int check_crs(const json_t *query, struct error *error)
{
  const char *crs;
  int given = stac_query_text(query, "filter-crs", &crs, error);
  if (given == 1 && strcmp(crs, crs84) != 0)
    return error_parameter(error, ERROR_QueryParameterInvalid, "filter-crs", "can be %s only", crs84);
  return given < 0 ? -1 : 0;
}

static int read_filter(const json_t *query, struct arena *arena, const struct cql2_filter **out, struct error *error)
{
  const json_t *filter = json_object_get(query, "filter");
  const char *language, *text = json_string_value(filter);
  const int given = stac_query_text(query, "filter-lang", &language, error);
  if (given < 0 || check_crs(query, error) != 0)
    return -1;
  const bool wants_text = given == 1 ? strcmp(language, "cql2-text") == 0 : text != NULL;
  if (given == 1 && !wants_text && strcmp(language, "cql2-json") != 0)
    return error_parameter(error, ERROR_QueryParameterInvalid, "filter-lang", "can be cql2-text or cql2-json");
  if (filter == NULL || json_is_null(filter))
    return 0;
  if (wants_text && text == NULL)
    return error_parameter(error, ERROR_QueryParameterInvalid, "filter", "wants a text in cql2-text");
  int status = wants_text     ? cql2_of_text(arena, text, json_string_length(filter), out, error)
               : text != NULL ? cql2_of_json_text(arena, text, json_string_length(filter), out, error)
                              : cql2_of_json(arena, filter, out, error);
  return status == 0 ? 0 : error_at_parameter(error, "filter");
}

int stac_condition_read(const json_t *query, struct arena *arena, const struct cql2_filter **out, struct error *error)
{
  const struct cql2_filter *filter = NULL, *of_query = NULL;
  *out = NULL;
  if (read_filter(query, arena, &filter, error) != 0 || read_query(query, arena, &of_query, error) != 0)
    return -1;
  if (filter != NULL && of_query != NULL)
    return cql2_both(arena, filter, of_query, out, error);
  *out = filter != NULL ? filter : of_query;
  return 0;
}
