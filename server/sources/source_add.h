/* A source becomes a collection, and becomes it again when it is refreshed: what is there is listed, and where the
 * listing differs from the latest one the catalogue reads the heads of the files. Readers see the collection as it was
 * or as it is; cubes that are open keep what they have chosen. */
#ifndef TWINCUBE_SERVER_SOURCES_SOURCE_ADD_H
#define TWINCUBE_SERVER_SOURCES_SOURCE_ADD_H

#include "server/fetch/account_settings.h"
#include "stac/search/bulk_load.h"

struct source_spec {
  const char *kind;                            /* name of a row (source_kind.h); NULL: by the address */
  const char *address;                         /* or a path of this machine */
  const struct catalogue_add_options *options; /* without files */
  struct account_settings *remotes;            /* other hosts that may be read beside the address's own */
  const char *data;                            /* the data folder */
  const char *digest;         /* of the latest listing: nothing is read where it is the same; or NULL */
  const volatile int *cancel; /* or NULL */
};

struct source_outcome {
  bool is_unchanged;
  char digest[40]; /* "": what is there cannot be listed */
};

/* The report is one line. Errors name the address. */
int source_add(struct catalogue *catalogue, const struct source_spec *spec, struct source_outcome *outcome,
               struct buffer *report, struct error *error);
/* Takes STAC items of another host as they are (source_load.h). Where there is a digest, of whatever value, items that
 * are there no longer go. */
int source_add_items(struct catalogue *catalogue, const struct source_spec *spec, const struct bulk_load *load,
                     struct buffer *report, struct error *error);

/* Keeps the source with what was said, to be refreshed every so many seconds (0: on demand). `report` is that of
 * source_add: it begins with the collection's id. */
int source_keep(struct catalogue *catalogue, const struct source_spec *spec, const struct source_outcome *outcome,
                int64_t every, const char *report, struct error *error);

#endif
