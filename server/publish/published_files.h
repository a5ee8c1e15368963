/* The folder of published results (serve --publish DIR): DIR/ID holds the files of one collection, and ".owner", the
 * name of who published it. Files are links to those of the job, or copies where the disks differ: they stay when the
 * job is gone. */
#ifndef TWINCUBE_SERVER_PUBLISH_PUBLISHED_FILES_H
#define TWINCUBE_SERVER_PUBLISH_PUBLISHED_FILES_H

#include "datacube/base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { PUBLISHED_MOST = 1000 /* collections of all users together */, PUBLISHED_PATH_SIZE = 2048 };

/* Waits until nobody else publishes into the folder: a descriptor, whose closing ends that. Error StorageFailure. */
int published_lock(const char *folder, int *out, struct error *error);
/* Whether the id can be that of a published collection: letters, digits and - _ ., at most 100, none at first a dot.
 * Error RequestBodyInvalid. */
int published_check_id(const char *id, struct error *error);
/* Makes the folder of a collection for its owner, empty. Errors StacConflict (it is another's), StorageFailure,
 * StorageQuotaExceeded. */
int published_make(const char *folder, const char *id, const char *owner, struct error *error);
/* Whose collection it is. Error PermissionsInsufficient where it is another's, CollectionNotFound where nobody
 * published one of that id. */
int published_check_owner(const char *folder, const char *id, const char *owner, struct error *error);
struct published_source {
  const char *folder, *name; /* a file that lies directly in a folder, which ends with "/" */
};
/* Adds a file, in place of one of that name; `is_new`: there was none. */
int published_add(const char *folder, const char *id, const struct published_source *from, const char *name,
                  bool *is_new, struct error *error);
/* … and takes it away again. */
void published_drop(const char *folder, const char *id, const char *name);
/* Bytes of an owner's published files that nobody else holds: while the job has its results, they count there. */
uint64_t published_bytes(const char *folder, const char *owner);
void published_remove(const char *folder, const char *id);
/* The file's descriptor and size, or -1. */
int published_open(const char *folder, const char *id, const char *name, uint64_t *size);

#endif
