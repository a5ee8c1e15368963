/* What a source of files has: names below it, and where each file is read. */
#ifndef TWINCUBE_SERVER_SOURCES_SOURCE_LISTING_H
#define TWINCUBE_SERVER_SOURCES_SOURCE_LISTING_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"
#include "datacube/base/hash.h"

#include "stac/catalogue.h"

enum { LISTED_FILES_MOST = 1000000 };

struct listed_file {
  const char *name;    /* its path below the source, for dates and bands */
  const char *address; /* http, https or s3; or a path of this machine */
  const char *stamp;   /* changes when its content does: ETag or date; NULL: not told */
  uint64_t size;       /* bytes; 0: not told */
};

struct source_listing {
  struct arena *arena; /* borrowed; the texts lie there */
  struct listed_file *files;
  size_t count, room, left_out;
};

/* Copies the texts. What has a name or an address that cannot stand in a catalogue is left out, and counted. Errors:
 * FileSizeExceeded (more than LISTED_FILES_MOST), Internal. */
int source_listing_add(struct source_listing *listing, const struct listed_file *file, struct error *error);
/* By name, and each address once. */
void source_listing_sort(struct source_listing *listing);
/* Of all that is told of the files. */
struct hash source_listing_digest(const struct source_listing *listing);
/* What catalogue_add wants to know of them, in the arena. NULL: out of memory. */
const struct catalogue_file *source_listing_files(const struct source_listing *listing);

#endif
