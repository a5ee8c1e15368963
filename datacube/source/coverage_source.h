/* A coverage as a cube of y and x: 1 where a pixel is covered, else 0. */
#ifndef TWINCUBE_DATACUBE_SOURCE_COVERAGE_SOURCE_H
#define TWINCUBE_DATACUBE_SOURCE_COVERAGE_SOURCE_H

#include "datacube/coverage.h"
#include "datacube/source.h"

/* cube: whose x and y the coverage (of one zone) was laid on. Made a box at a time from the runs; all given is borrowed
 * for the arena's life. NULL when out of memory. */
const struct source *coverage_source(struct arena *arena, const struct cube *cube, const struct coverage *united);

#endif
