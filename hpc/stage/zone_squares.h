/* The pixels of zones by squares of the plane: what one pull of the input serves. For the stages of zones. */
#ifndef TWINCUBE_HPC_STAGE_ZONE_SQUARES_H
#define TWINCUBE_HPC_STAGE_ZONE_SQUARES_H

#include "datacube/base/arena.h"
#include "hpc/kernel/accumulate.h"
#include "hpc/stage/zones_stage.h"

enum { ZONE_SQUARE = 512 };

struct zone_square {         /* pixels of one square that belong to a zone */
  size_t start[2], count[2]; /* its box in the plane: the smallest that holds them; y and x */
  size_t first, last;        /* its pixels: entries of the lists below */
};

struct zone_squares {
  const struct zone_square *squares; /* row by row of squares; those without a pixel are left out */
  size_t count;
  const uint32_t *pixel; /* index in the box's dense plane */
  const uint32_t *zone;
  size_t pixels;
};

struct zones_data {               /* node->data */
  struct accumulator accumulator; /* zones */
  const struct zones *zones;
  const struct zone_squares *squares;
  const size_t *start; /* gather: place of the first pixel of each zone, and behind the last */
};

/* Error ProcessGraphComplexity where the zones have too many pixels. */
int zone_squares_make(struct arena *arena, const struct zones *zones, const struct zone_squares **out,
                      struct error *error);

#endif
