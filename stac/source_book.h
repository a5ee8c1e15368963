/* Where collections come from, kept beside them in the catalogue, so that they can be made again: what was said when
 * they were added, what was listed then, how often to look. */
#ifndef TWINCUBE_STAC_SOURCE_BOOK_H
#define TWINCUBE_STAC_SOURCE_BOOK_H

#include "stac/catalogue.h"

struct kept_source {
  const char *name;    /* of its collection; of items that came as documents, what they were loaded under */
  const char *kind;    /* a row of the sources, or "" */
  const char *address; /* or a path, absolute */
  const char *options; /* JSON of whoever keeps it */
  const char *digest;  /* of what was there the last time, or "" */
  const char *failure; /* of the latest refresh, or ""; NULL where one is put: it was read just now */
  int64_t every;       /* seconds; 0: only when it is asked for */
  int64_t refreshed;   /* when that was last tried, in seconds of the clock */
};

/* Makes the table where there is none. */
struct index;
int source_book_make(struct index *index, struct error *error);
/* In place of one of that name. */
int source_book_put(struct catalogue *catalogue, const struct kept_source *source, struct error *error);
/* How a refresh ended: the digest of what is there now (NULL: as before), and what went wrong, or "". */
int source_book_note(struct catalogue *catalogue, const struct kept_source *source, const char *digest,
                     const char *failure, struct error *error);
/* All of them by name, in the arena. */
int source_book_read(struct catalogue *catalogue, struct arena *arena, const struct kept_source **out, size_t *count,
                     struct error *error);
/* Forgets one, if there is such; inside a transaction of the caller's. */
int source_book_forget(struct catalogue *catalogue, const char *name, struct error *error);

#endif
