/* Names in a netCDF file with groups: what a group does not hold itself, it takes from those around it. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_GROUP_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_GROUP_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"

#include <stdbool.h>

/* Callers hold the lock. A group's id serves as a file's id in every call of NetCDF-C. */

struct netcdf_place { /* of a variable */
  int group, id;      /* id -1: none */
};

/* The variable of that name in the group, else in the nearest group around it that has one. "/a/b" counts from the
 * root. */
struct netcdf_place netcdf_find(int group, const char *name);

struct netcdf_group {
  int id;
  const char *path; /* "/" for the root */
};

/* The group of a path, "/" or "" for the root. 0 or -1. */
int netcdf_group_find(int file, const char *path, int *out);

/* The file's root group and all groups in it, outer before inner. Errors: FileContentInvalid (more than there is room
 * for). */
int netcdf_groups(struct arena *arena, int file, const struct netcdf_group **out, size_t *count, struct error *error);

#endif
