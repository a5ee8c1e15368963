/* Many small files as one result: a folder, or a ZIP file whose members are stored as they are.
 *
 * The name decides: what ends with ".zip" is one. Members lie in the order of archive_add, without dates, so the same
 * members give the same bytes. */
#ifndef TWINCUBE_DATACUBE_SINK_ARCHIVE_H
#define TWINCUBE_DATACUBE_SINK_ARCHIVE_H

#include "datacube/base/error.h"

#include <stddef.h>

struct archive;

/* Errors: StorageFailure, also where there is a folder of that name. */
int archive_new(const char *path, struct archive **out, struct error *error);
/* A member by its name with '/' between folders; no two of one name. One caller at a time. */
int archive_add(struct archive *archive, const char *name, const void *bytes, size_t length, struct error *error);
int archive_finish(struct archive *archive, struct error *error); /* makes it visible */
void archive_free(struct archive *archive);                       /* removes what was not finished; NULL is allowed */

#endif
