/* Counting items by what they have: for aggregations. */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_TALLY_H
#define TWINCUBE_SERVER_STAC_API_STAC_TALLY_H

#include "datacube/base/buffer.h"
#include "stac/search/search.h"

#include <jansson.h>

enum stac_count_kind {
  COUNT_TOTAL,
  COUNT_FIRST,       /* earliest datetime */
  COUNT_LAST,        /* latest */
  COUNT_COLLECTIONS, /* by collection … */
  COUNT_YEARS,
  COUNT_MONTHS,
  COUNT_PLATFORMS,
  COUNT_CLOUDS,  /* by ranges of eo:cloud_cover */
  COUNT_GEOHASH, /* by the cell of a grid that the middle of the box lies in */
  COUNT_KINDS
};

struct stac_count_row {
  const char *name, *data_type; /* as they are called in answers */
  const char *key_type;         /* of the buckets' keys; NULL: a value alone */
};
extern const struct stac_count_row stac_count_rows[COUNT_KINDS];

struct stac_tally {
  bool wanted[COUNT_KINDS];
  unsigned precision; /* characters of a geohash */
  int64_t total, first, last;
  bool has_dates;
  json_t *buckets[COUNT_KINDS]; /* key → count; or NULL */
};

enum { GEOHASH_MOST = 12 };

int stac_tally_start(struct stac_tally *tally, struct error *error); /* once it is told what is wanted */
void stac_tally_free(struct stac_tally *tally);
/* Whether the months of the items tell all that is wanted. */
bool stac_tally_wants_months(const struct stac_tally *tally);
int stac_tally_add_month(struct stac_tally *tally, const struct item_month *month, struct error *error);
int stac_tally_add(struct stac_tally *tally, const struct found_item *item, struct error *error);
/* [{name, data_type, value or buckets}, …] of what is wanted. */
void stac_tally_write(const struct stac_tally *tally, struct json_writer *w);

/* The cell of the geohash grid that holds a position, of 1 to GEOHASH_MOST characters. */
void geohash_write(double longitude, double latitude, unsigned precision, char out[GEOHASH_MOST + 1]);

#endif
