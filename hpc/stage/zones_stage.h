/* Statistics by zone: see zones_stage.c. */
#ifndef TWINCUBE_HPC_STAGE_ZONES_STAGE_H
#define TWINCUBE_HPC_STAGE_ZONES_STAGE_H

#include "datacube/geometry.h"
#include "hpc/stage/stage.h"

struct zones {
  size_t count;                 /* zones; some may have no pixel */
  const struct zone_span *runs; /* sorted by row, then zone, then first; those of a zone do not overlap */
  size_t run_count;
};

/* What a program gives for each zone. input: y and x are its last two dimensions. cube: the input's other dimensions,
 * then one of zones->count indexes; its type fits `result`. The program's input 0 is the array of a zone's pixels, row
 * by row of squares of 512 pixels. All given is borrowed and must live in the arena. Zones are pulled in one pass over
 * the pixels where the program's reducers have accumulators, else their pixels are gathered first. NULL: error set. */
struct zonal_program {
  const struct program *program; /* made for arrays of `length` elements; see remake */
  struct lanes result;
};
struct zonal {
  const struct node *input;
  const struct cube *cube;
  const struct zones *zones;
  /* The program for arrays of `length` elements, in the arena; -1: error set. */
  int (*make)(void *context, size_t length, struct zonal_program *out, struct error *error);
  void *context;
  size_t probe; /* a length for which `make` works: that of the largest zone */
};
const struct node *node_zones(struct arena *arena, struct node_origin origin, const struct zonal *zonal,
                              struct error *error);

/* The pixels of zones, one zone behind the other. */
struct zone_pixels {
  const struct node *node; /* the input with a dimension of pixels in place of y and x */
  const size_t *start;     /* the first pixel of each zone, and behind the last */
};
/* input and zones as above, borrowed; what is made lives in the arena. */
int zone_pixels_make(struct arena *arena, struct node_origin origin, const struct node *input,
                     const struct zones *zones, struct zone_pixels *out, struct error *error);
/* Those of one zone. NULL: out of memory. */
const struct node *zone_pixels_of(struct arena *arena, struct node_origin origin, const struct zone_pixels *pixels,
                                  size_t zone);

extern const struct stage_ops zones_stage, gather_stage;

#endif
