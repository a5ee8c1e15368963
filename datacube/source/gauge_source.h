/* Files of gauge fields as a cube: dimensions configuration, x0, x1, x2, x3, direction, row, column.
 *
 * Configurations are the files in their order, all of one shape; elements are complex64 where all are of single
 * precision, else complex128. A reader holds one configuration, which is read and verified as a whole
 * (gauge_file.h). */
#ifndef TWINCUBE_DATACUBE_SOURCE_GAUGE_SOURCE_H
#define TWINCUBE_DATACUBE_SOURCE_GAUGE_SOURCE_H

#include "datacube/source.h"

/* Paths are borrowed for the arena's life. Errors as those of gauge_file_inspect, and FileContentInvalid where the
 * shapes differ: both files are named. */
int gauge_source(struct arena *arena, const char *const *paths, size_t count, const struct source **out,
                 struct error *error);

#endif
