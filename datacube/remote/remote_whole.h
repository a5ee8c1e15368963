/* Remote files for libraries that open files by name (netCDF, HDF5, features): fetched whole, before they are opened.
 */
#ifndef TWINCUBE_DATACUBE_REMOTE_REMOTE_WHOLE_H
#define TWINCUBE_DATACUBE_REMOTE_REMOTE_WHOLE_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"

/* The name here of the file at a path, which is the path itself unless it is of a remote file: that one is fetched, and
 * lies there until the arena is freed. Errors as remote_open; FileSizeExceeded above 8 GB. */
int remote_whole(struct arena *arena, const char *path, const char **out, struct error *error);

/* An error about the file's name here is one about its address. Returns -1. */
int remote_whole_error(const char *path, const char *place, struct error *error);

#endif
