/* Aggregations: what the items of a search have in common, counted. All of them are gone through, page by page, within
 * the time of a search; where only dates are asked for, the index of dates tells. */
#include "server/stac_api/stac_api.h"
#include "server/stac_api/stac_search.h"
#include "server/stac_api/stac_tally.h"

#include "server/clock.h"

#include <string.h>

enum { COUNTED_PAGE = 50000, STANDARD_PRECISION = 3 };

/* ---- what is wanted --------------------------------------------------------------------------------------------- */

static int find_kind(const char *name)
{
  for (int i = 0; i < COUNT_KINDS; i++)
    if (strcmp(stac_count_rows[i].name, name) == 0)
      return i;
  return -1;
}

static int read_precision(const json_t *query, unsigned *out, struct error *error)
{
  const json_t *value = json_object_get(query, "grid_geohash_frequency_precision");
  *out = STANDARD_PRECISION;
  if (value == NULL || json_is_null(value))
    return 0;
  if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > GEOHASH_MOST)
    return error_parameter(error, ERROR_QueryParameterInvalid, "grid_geohash_frequency_precision",
                           "wants an integer from 1 to %d", (int)GEOHASH_MOST);
  *out = (unsigned)json_integer_value(value);
  return 0;
}

/* Without names it is the number alone. */
static int read_wanted(const json_t *query, struct stac_tally *out, struct error *error)
{
  const json_t *names;
  const int given = stac_query_texts(query, "aggregations", &names, error);
  if (given < 0 || read_precision(query, &out->precision, error) != 0)
    return -1;
  out->wanted[COUNT_TOTAL] = given == 0;
  for (size_t i = 0; given == 1 && i < json_array_size(names); i++) {
    const char *name = json_string_value(json_array_get(names, i));
    const int kind = find_kind(name);
    if (kind < 0)
      return error_parameter(error, ERROR_QueryParameterInvalid, "aggregations",
                             "there is no aggregation '%.60s'; /aggregations lists them", name);
    out->wanted[kind] = true;
  }
  return stac_tally_start(out, error);
}

static bool wants_items(const struct stac_tally *tally)
{
  for (size_t i = 0; i < COUNT_KINDS; i++)
    if (tally->wanted[i] && i != COUNT_TOTAL)
      return true;
  return false;
}

/* ---- counting --------------------------------------------------------------------------------------------------- */

static int count_item(void *data, const struct found_item *item, struct error *error)
{
  return stac_tally_add(data, item, error);
}

static int count_all(const struct catalogue *catalogue, struct item_search *search, struct stac_tally *tally,
                     struct error *error)
{
  const double end = steady_seconds() + STAC_SEARCH_MS / 1000.;
  struct buffer token = {0};
  int status = 0;
  search->limit = COUNTED_PAGE;
  do {
    struct item_page page = {.data = tally, .take = count_item};
    const double left = end - steady_seconds();
    search->milliseconds = left > 0 ? (unsigned)(1000 * left) + 1 : 1;
    status = left > 0 ? item_search_page(catalogue, search, &page, error)
                      : error_set(error, ERROR_RequestTimeout, "there are too many items to count them in %d s",
                                  (int)(STAC_SEARCH_MS / 1000));
    buffer_free(&token);
    token = page.token;
    search->token = token.data;
  } while (status == 0 && token.length > 0);
  buffer_free(&token);
  return status;
}

static int count_month(void *data, const struct item_month *month, struct error *error)
{
  return stac_tally_add_month(data, month, error);
}

static int count(const struct catalogue *catalogue, struct item_search *search, struct stac_tally *tally,
                 struct error *error)
{
  struct item_months months = {.data = tally, .take = count_month};
  if (!wants_items(tally))
    return item_search_count(catalogue, search, INT64_MAX, &tally->total, error);
  search->token = NULL; /* all pages */
  if (stac_tally_wants_months(tally) && item_search_months(catalogue, search, &months, error) != 0)
    return -1;
  return months.are_told ? 0 : count_all(catalogue, search, tally, error);
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static const char *collection_of(const struct exchange *exchange)
{
  return strstr(exchange->route->path, "{collection_id}") != NULL ? exchange->parameters[0] : NULL;
}

static void write_links(const struct exchange *exchange, const char *end, struct json_writer *w)
{
  const char *collection = collection_of(exchange);
  json_key(w, "links");
  json_write_array(w);
  stac_write_link(exchange, w, "self", "application/json",
                  collection != NULL ? (const char *const[]){"collections", collection, end, NULL}
                                     : (const char *const[]){end, NULL});
  write_link(w, "root", exchange->base, "/", "application/json", NULL);
  if (collection != NULL)
    stac_write_link(exchange, w, "collection", "application/json",
                    (const char *const[]){"collections", collection, NULL});
  json_end_array(w);
}

void stac_get_aggregate(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  struct json_writer w = {.out = &json};
  struct stac_search search = {.arena = NULL};
  struct stac_tally tally = {.precision = 0};
  const char *collection = collection_of(exchange);
  json_t *query = stac_query_read(exchange, collection != NULL ? STAC_OF_COLLECTION : STAC_AGGREGATE, &error);
  int status = query == NULL ? -1 : read_wanted(query, &tally, &error);
  if (status == 0)
    status = stac_search_make(query, collection, &search, &error);
  if (status == 0 && collection != NULL)
    status = stac_check_collection(exchange, collection, &error);
  if (status == 0)
    status = count(exchange->catalogue, &search.items, &tally, &error);
  json_write_object(&w);
  json_kv_string(&w, "type", "AggregationCollection");
  json_key(&w, "aggregations");
  stac_tally_write(&tally, &w);
  write_links(exchange, "aggregate", &w);
  json_end_object(&w);
  stac_tally_free(&tally);
  stac_search_free(&search);
  json_decref(query);
  stac_reply(exchange, status, "application/json", &json, &error);
}

void stac_post_aggregate(struct exchange *exchange)
{
  stac_get_aggregate(exchange);
}

void stac_get_aggregations(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  struct json_writer w = {.out = &json};
  const char *collection = collection_of(exchange);
  int status = collection != NULL ? stac_check_collection(exchange, collection, &error) : 0;
  json_write_object(&w);
  json_key(&w, "aggregations");
  json_write_array(&w);
  for (size_t i = 0; i < COUNT_KINDS; i++) {
    json_write_object(&w);
    json_kv_string(&w, "name", stac_count_rows[i].name);
    json_kv_string(&w, "data_type", stac_count_rows[i].data_type);
    if (stac_count_rows[i].key_type != NULL)
      json_kv_string(&w, "frequency_distribution_data_type", stac_count_rows[i].key_type);
    json_end_object(&w);
  }
  json_end_array(&w);
  write_links(exchange, "aggregations", &w);
  json_end_object(&w);
  stac_reply(exchange, status, "application/json", &json, &error);
}
