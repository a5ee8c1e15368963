/* What a warper keeps: shared by its parts. Internal to warp.c and warp_need.c. */
#ifndef TWINCUBE_DATACUBE_WARP_STATE_H
#define TWINCUBE_DATACUBE_WARP_STATE_H

#include "datacube/locate.h"
#include "datacube/warp.h"
#include "datacube/warp_kernels.h"

enum { SEGMENT = LOCATE_SIDE };

struct range { /* [first, end) of source rows and columns; empty while end is 0 */
  size_t first[2], end[2];
};

struct warper {
  struct grid from, to; /* crs not kept */
  enum resampling method;
  struct transform *transform; /* to -> from */
  bool owns_transform;
  struct locator locator;
  struct resampler resampler;
  bool known; /* whether the locator's cells are those of the box below */
  size_t start[2], count[2];
  bool range_known; /* whether range is what the box needs */
  struct range range;
  double *window; /* source window as doubles */
  size_t window_room;
};

/* Cells of a box, unless they are those of the last one. */
int warper_locate(struct warper *w, const size_t start[2], const size_t count[2], struct error *error);
/* Footprints of n pixels of a cell from (row, column) on, at most SEGMENT. */
void warper_feet(const struct warper *w, const struct located_cell *cell, const size_t at[2], size_t n,
                 union foot *feet);

static inline size_t least(size_t a, size_t b)
{
  return a < b ? a : b;
}

static inline double larger(double a, double b)
{
  return a > b ? a : b;
}

static inline double smaller(double a, double b)
{
  return a < b ? a : b;
}

#endif
