/* What a request to the STAC API asks for, as one JSON object: the body of a POST, or what the query of a GET would be
 * as such a body.
 *
 * A table says which parameters there are and who takes them; any other one is an error, so that a slip of the pen does
 * not widen a search. Values are checked by the readers below, which name the parameter. */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_QUERY_H
#define TWINCUBE_SERVER_STAC_API_STAC_QUERY_H

#include "server/http/route_table.h"
#include "server/server.h"

#include <jansson.h>

enum stac_taker { /* bits: the kinds of requests */
                  STAC_SEARCH = 1,
                  STAC_ITEMS = 2, /* of one collection */
                  STAC_COLLECTIONS = 4,
                  STAC_AGGREGATE = 8,
                  STAC_OF_COLLECTION = 16, /* aggregations of one collection */
                  STAC_CHILDREN = 32,
};

struct stac_parameter {
  const char *name;
  unsigned takers; /* bits of stac_taker */
  enum {
    STAC_TEXT,
    STAC_LIST,    /* in a query with commas */
    STAC_NUMBERS, /* likewise */
    STAC_INTEGER,
    STAC_OBJECT, /* in a query JSON text */
    STAC_FIELDS, /* in a query "id,-geometry" */
    STAC_SORT,   /* in a query "+id,-datetime" */
    STAC_FILTER, /* text, or JSON */
  } kind;
  const char *schema; /* for the OpenAPI document */
};

extern const struct stac_parameter stac_parameters[];
extern const size_t stac_parameter_count;

/* Which parameters a route takes: bits; 0: none. */
unsigned stac_query_of(const struct route *route);

/* The caller owns the object. Errors QueryParameterInvalid, RequestBodyInvalid, ContentTooLarge. */
json_t *stac_query_read(const struct exchange *exchange, unsigned taker, struct error *error);

/* ---- values of the object: 1: there; 0: absent or null; -1: error QueryParameterInvalid ---- */

/* A text; borrowed. */
int stac_query_text(const json_t *query, const char *name, const char **out, struct error *error);
/* An array of texts; borrowed. */
int stac_query_texts(const json_t *query, const char *name, const json_t **out, struct error *error);
/* From 1 on; what is above `most` is `most`. */
int stac_query_limit(const json_t *query, long standard, long most, long *out, struct error *error);
/* west, south, [lowest,] east, north [, highest]: sides[0] to [3] are west, south, east, north, west above east where
 * the box crosses the antimeridian; heights where there are six numbers. */
struct stac_box {
  double sides[4];
  bool has_heights;
  double heights[2];
};
int stac_query_box(const json_t *query, struct stac_box *out, struct error *error);
/* An instant or an interval as RFC 3339 has them; both ends belong to it. */
struct stac_interval {
  bool has_start, has_end;
  int64_t start, end;
};
int stac_query_interval(const json_t *query, struct stac_interval *out, struct error *error);
/* [{field, direction}] of 1 to STAC_SORT_KEYS keys: checked, borrowed. */
enum { STAC_SORT_KEYS = 8 };
int stac_query_sort(const json_t *query, const json_t **out, struct error *error);

/* Writes the query as the address of a page: "?limit=…", but with `token` as its token (NULL: without). */
void stac_query_write(const struct exchange *exchange, const char *token, struct buffer *out);

#endif
