/* Folders of the server: making, emptying, removing; no link is ever followed. */
#ifndef TWINCUBE_SERVER_STORE_FOLDER_H
#define TWINCUBE_SERVER_STORE_FOLDER_H

#include "datacube/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Makes the folder and those above it, readable by the owner alone. Error StorageFailure. */
int folder_make(const char *path, struct error *error);
/* Removes what is in it. */
void folder_clear(const char *path);
/* Removes the folder with all that is in it; one that is not there is fine. */
void folder_remove(const char *path);
/* Calls `visit` with the name of each entry. */
void folder_each(const char *path, void (*visit)(void *data, const char *name), void *data);
/* Writes files and names through to the disk. */
int folder_sync(const char *path, struct error *error);
/* Writes to disk that the folder is where it is, under the name that it has. */
int folder_sync_name(const char *path, struct error *error);

/* Opens a regular file that lies directly in a folder, for reading: the descriptor and its size, or -1. `path` is the
 * file's full name as a worker reported it; anything outside the folder, or a link, is refused. */
int folder_open_file(const char *folder, const char *path, uint64_t *size);

#endif
