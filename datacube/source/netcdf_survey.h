/* The data variables of an open netCDF file, in all its groups, and which of them make a cube. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_SURVEY_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_SURVEY_H

#include "datacube/box.h"
#include "datacube/element.h"
#include "datacube/source/netcdf_group.h"

struct candidate { /* one data variable */
  const struct netcdf_group *group;
  int id;
  int nc_type;
  enum element_type pair; /* of a compound of two floats: complex; ELEMENT_TYPE_COUNT: a plain number */
  int rank;
  int dimension_ids[CUBE_MAX_DIMENSIONS];
  bool horizontal; /* has x and y */
  bool described;  /* says what it is */
  double elements;
};

struct file_survey {
  struct arena *arena;
  const struct netcdf_group *groups; /* [0] is the root */
  struct group_survey *group;
  size_t group_count;
  struct candidate *candidates;
  size_t candidate_count;
  const struct zarr_store *zarr; /* what the dataset stands for, or NULL */
  const char *unreadable;        /* the first variable whose filter is not there, and that filter; or NULL */
};

/* Data variables are numeric variables that are no coordinate, bounds, grid mapping or auxiliary coordinate and that
 * can be read. Caller holds the lock. Errors: FileContentInvalid (too many variables or groups). */
int netcdf_survey(struct arena *arena, int file, struct file_survey *out, struct error *error);

/* Whether both lie over the same dimensions, and are of one kind, real or complex. */
bool netcdf_same_list(const struct candidate *a, const struct candidate *b);
size_t netcdf_count_like(const struct file_survey *survey, const struct candidate *model);

/* The first variable over the dimensions that make the cube: lists with x and y come first, then the list with the most
 * variables, then one whose first variable says what it is, then the largest, then the first. With a name ("name",
 * "/group/name"): that variable. NULL where there is none. */
const struct candidate *netcdf_choose_list(const struct file_survey *survey, const char *name);

/* "a, b (y, x); c (z, y, x)": the data variables over other dimensions than the list; NULL where there are none. */
const char *netcdf_left_out(const struct file_survey *survey, const struct candidate *list);

#endif
