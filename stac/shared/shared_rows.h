/* Rows of a catalogue on their way between a copy of it and the database, by ranges of keys.
 *
 * What is sent is how the rows of a range are now, not what was done to them: those that are there leave, those of the
 * other side come. So sending a range again, or one that is too wide, is no mistake. */
#ifndef TWINCUBE_STAC_SHARED_SHARED_ROWS_H
#define TWINCUBE_STAC_SHARED_SHARED_ROWS_H

#include "stac/index.h"
#include "stac/shared/postgres_link.h"

/* What has keys of its own. With a collection go its bands and its owner; with an item its document and its assets.
 * Sources go all together, under the key 0. */
enum shared_kind { SHARED_COLLECTION, SHARED_GRID, SHARED_ITEM, SHARED_SOURCE, SHARED_KINDS };

struct key_range {
  int64_t low, high; /* both included */
};

struct key_ranges {      /* in order, apart from each other */
  struct key_range *all; /* owned */
  size_t count, room;
};

/* The range that holds every key. */
static inline struct key_range key_range_all(void)
{
  return (struct key_range){0, INT64_MAX};
}

void key_ranges_free(struct key_ranges *ranges);
/* Keys from low to high, whose low one is no less than that of those before. */
int key_ranges_add(struct key_ranges *ranges, int64_t low, int64_t high, struct error *error);
/* Makes them few: those that lie close together become one. */
void key_ranges_join(struct key_ranges *ranges);

/* The statement that makes the tables of the database. */
void shared_rows_schema(struct buffer *out);
/* Within transactions of both sides: the database's rows become those of the copy, the copy's become those of the
 * database. */
int shared_rows_push(struct index *index, struct postgres_link *link, enum shared_kind kind,
                     const struct key_ranges *ranges, struct error *error);
int shared_rows_pull(struct index *index, struct postgres_link *link, enum shared_kind kind,
                     const struct key_ranges *ranges, struct error *error);

#endif
