/* A box: start and count per dimension of a cube, half-open. By value. */
#ifndef TWINCUBE_DATACUBE_BOX_H
#define TWINCUBE_DATACUBE_BOX_H

#include <stdbool.h>
#include <stddef.h>

enum { CUBE_MAX_DIMENSIONS = 16 };

struct box {
  size_t dimensions;
  size_t start[CUBE_MAX_DIMENSIONS];
  size_t count[CUBE_MAX_DIMENSIONS];
};

/* Number of elements, SIZE_MAX on overflow. */
size_t box_elements(const struct box *box);
bool box_contains(const struct box *outer, const struct box *inner);

#endif
