/* A cube whose elements lie in memory: inline cubes of a graph, constants, tests. */
#ifndef TWINCUBE_DATACUBE_SOURCE_MEMORY_SOURCE_H
#define TWINCUBE_DATACUBE_SOURCE_MEMORY_SOURCE_H

#include "datacube/source.h"

/* data: the cube's elements, row-major, in its type; borrowed for the arena's life. NULL when out of memory. */
const struct source *memory_source(struct arena *arena, const struct cube *cube, const void *data, const char *origin);

#endif
