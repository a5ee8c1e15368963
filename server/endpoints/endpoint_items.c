/* Items of collections, as OGC API Features and STAC ask for them: bbox, datetime, limit, and pages. */
#include "server/endpoints/endpoints.h"

#include "server/federation/federated_items.h"
#include "server/publish/published_links.h"
#include "server/stac_api/stac_api.h"
#include "server/stac_api/stac_items_reply.h"

#include "datacube/base/instant.h"
#include "datacube/lonlat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ITEMS = 100, MOST_ITEMS = 1000, QUERY_SIZE = 256, TOKEN_SIZE = 16384 };

/* ---- bbox -------------------------------------------------------------------------------------------------------- */

/* Numbers with commas between; how many, 0 where it is something else. */
static size_t read_numbers(const char *text, double numbers[6])
{
  for (size_t count = 0; count < 6; text++) {
    char *end;
    numbers[count] = strtod(text, &end);
    if (end == text || !isfinite(numbers[count]))
      return 0;
    count++;
    text = end;
    if (*text == '\0')
      return count;
    if (*text != ',')
      return 0;
  }
  return 0;
}

static int read_bbox(const char *text, struct items_query *out, struct error *error)
{
  double n[6];
  size_t count = read_numbers(text, n), half = count / 2;
  bool fits = count == 4 || count == 6;
  struct extent box = {0};
  if (fits)
    box = (struct extent){n[0], n[1], n[half], n[half + 1], NULL};
  if (!fits || box.south > box.north || fabs(box.south) > 90 || fabs(box.north) > 90 || fabs(box.west) > 360 ||
      fabs(box.east) > 360)
    return error_parameter(error, ERROR_QueryParameterInvalid, "bbox",
                           "wants west,south,east,north in degrees of longitude and latitude, not '%s'", text);
  box.east += box.west > box.east ? 360 : 0;
  out->box = lonlat_normal(&box);
  out->has_box = true;
  return 0;
}

/* ---- datetime ---------------------------------------------------------------------------------------------------- */

/* One side of an interval: "" and ".." are open. A day's end is its last moment. */
static int read_instant(const char *text, bool is_end, bool *has, int64_t *out)
{
  *has = *text != '\0' && strcmp(text, "..") != 0;
  if (!*has)
    return 0;
  if (instant_parse(text, CALENDAR_GREGORIAN, out) != 0)
    return -1;
  if (is_end && strlen(text) == strlen("YYYY-MM-DD"))
    *out += MS_PER_DAY - 1;
  return 0;
}

static int read_datetime(char *text, struct items_query *out, struct error *error)
{
  char *slash = strchr(text, '/'), *end = slash ? slash + 1 : text;
  if (slash)
    *slash = '\0';
  bool fits = read_instant(text, false, &out->has_start, &out->start) == 0 &&
              read_instant(end, true, &out->has_end, &out->end) == 0 && (slash || out->has_start) &&
              (out->has_start || out->has_end) && !(out->has_start && out->has_end && out->start > out->end);
  return fits ? 0
              : error_parameter(error, ERROR_QueryParameterInvalid, "datetime",
                                "wants an instant or an interval as RFC 3339 writes them, such as "
                                "2020-01-01T00:00:00Z/..");
}

/* ---- the query --------------------------------------------------------------------------------------------------- */

/* 1: there; 0: not; -1: it is no text. What is there is kept for the link to the next page. */
static int read_parameter(const struct exchange *exchange, const char *name, char text[QUERY_SIZE], struct buffer *kept,
                          struct error *error)
{
  int given = http_query(exchange->http, name, text, QUERY_SIZE);
  if (given < 0)
    return error_parameter(error, ERROR_QueryParameterInvalid, name, "is too long, or no text");
  if (given && kept) {
    buffer_printf(kept, "&%s=", name);
    http_encode(text, kept);
  }
  return given;
}

/* The token, which has room for TOKEN_SIZE, is kept in place. */
static int read_query(const struct exchange *exchange, struct items_query *out, char *token, struct buffer *kept,
                      struct error *error)
{
  char text[QUERY_SIZE];
  if (read_limit(exchange, &out->limit, error) != 0)
    return -1;
  out->limit = out->limit == 0 ? PAGE_ITEMS : out->limit > MOST_ITEMS ? MOST_ITEMS : out->limit;
  int given = read_parameter(exchange, "bbox", text, kept, error);
  if (given < 0 || (given && read_bbox(text, out, error) != 0))
    return -1;
  given = read_parameter(exchange, "datetime", text, kept, error);
  if (given < 0 || (given && read_datetime(text, out, error) != 0))
    return -1;
  if (http_query(exchange->http, "token", token, TOKEN_SIZE) != 0)
    out->token = token;
  out->kept = kept->data ? kept->data : "";
  return kept->failed ? error_memory(error) : 0;
}

/* Where memory is short the buffer has failed, which the reply tells. */
static void show_published(const struct exchange *exchange, struct buffer *json)
{
  if (json->failed || !published_are_named(json->data, json->length))
    return;
  struct buffer shown = {0};
  published_write_links(exchange->base, json->data, json->length, &shown);
  buffer_free(json);
  *json = shown;
}

/* Takes the buffer. */
static void reply_features(struct exchange *exchange, int status, struct buffer *json, const struct error *error)
{
  if (status == 0) {
    show_published(exchange, json);
    reply_typed(exchange, "application/geo+json", json);
    return;
  }
  struct error told = *error;
  buffer_free(json);
  tell_items_elsewhere(exchange, &told);
  reply_error(exchange, &told);
}

/* Whether the collection is another back-end's, whose items can be had. */
static bool is_elsewhere(const struct exchange *exchange, const struct error *error)
{
  struct federation *federation = asked_federation(exchange);
  return federation != NULL && error_is(error, ERROR_CollectionNotFound) &&
         federated_items_wanted(federation, NULL, exchange->parameters[0]);
}

void get_items(struct exchange *exchange)
{
  struct buffer json = {0}, kept = {0};
  struct error error = {0};
  struct items_query query = {.collection = exchange->parameters[0]};
  char token[TOKEN_SIZE] = "";
  int status = read_query(exchange, &query, token, &kept, &error);
  if (status == 0)
    status = catalogue_items_json(exchange->catalogue, exchange->base, &query, &json, &error);
  buffer_free(&kept);
  if (status != 0 && is_elsewhere(exchange, &error)) {
    buffer_free(&json);
    stac_get_items(exchange); /* the same pages as there, with links that lead here */
    return;
  }
  reply_features(exchange, status, &json, &error);
}

void get_item(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  int status = catalogue_item_json(exchange->catalogue, exchange->base, exchange->parameters[0],
                                   exchange->parameters[1], &json, &error);
  if (status != 0 && error_is(&error, ERROR_CollectionNotFound) &&
      federated_has_collection(exchange, exchange->parameters[0])) {
    struct json_writer w = {.out = &json};
    error = (struct error){{0}, {0}, {0}, {0}};
    status = federated_write_item(exchange, &w, &error);
  }
  reply_features(exchange, status, &json, &error);
}
