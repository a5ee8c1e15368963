/* Several files that are one cube: the netCDF files of a document's items (datacube/source/file_set_source.h), or
 * lattice gauge fields, a configuration each (datacube/source/gauge_source.h).
 *
 * Where a collection has one file, its cube_path is the file's path; where it has several, a line for each: the id of
 * its item, a tab, the path, a newline. */
#ifndef TWINCUBE_STAC_CUBE_FILES_H
#define TWINCUBE_STAC_CUBE_FILES_H

#include "stac/scan.h"
#include "stac/select.h"

struct cube_file {
  const char *item, *path; /* the id of its item */
};

/* Adds a file of an item to those of the scan. Error FeatureUnsupported where it cannot be one of several. */
int cube_files_add(struct scan *scan, const char *path, size_t item, struct error *error);
const char *cube_files_format(const char *path);
bool cube_files_are_several(const char *cube_path);
/* Whether the file, or the first of several, is a gauge field. */
bool cube_files_are_gauge(struct arena *arena, const char *cube_path);

/* Describes all of them, as scan_netcdf does one, or (scan_gauge.c) scan_gauge. */
int cube_files_scan(struct scan *scan, struct error *error);
int scan_gauge_files(struct scan *scan, const struct cube_file *files, size_t count, struct error *error);
/* The cube of a request: of the items that were selected, where it has a filter, and the files that have anything. */
int cube_files_load(struct selection *selection, const struct source **out, struct error *error);

#endif
