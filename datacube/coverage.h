/* Coverage: the pixels of a cube's plane that geometries cover, in the cube's own order of labels.
 *
 * The rule is that of geometry.h. Axes may run either way, the geometries may have any CRS, and where the cube's CRS
 * repeats itself round the globe a geometry is found wherever the cube counts its longitudes: 350 is -10. */
#ifndef TWINCUBE_DATACUBE_COVERAGE_H
#define TWINCUBE_DATACUBE_COVERAGE_H

#include "datacube/cube.h"
#include "datacube/geometry.h"

struct pixel_box { /* y and x; count 0: nothing */
  size_t start[2], count[2];
};

struct coverage {
  size_t rows, columns;         /* of the plane */
  size_t zones;                 /* geometries */
  const struct zone_span *runs; /* by row, then zone, then first; those of a zone neither overlap nor touch */
  size_t run_count;
  const struct pixel_box *boxes; /* per geometry: the pixels whose centres its bounding box holds, and all it covers */
  struct pixel_box box;          /* the same of all geometries together */
};

/* The cube has axes x and y whose labels rise or fall throughout, and a CRS, else ProcessParameterInvalid. */
int coverage_make(const struct geometry_set *set, const struct cube *cube, struct arena *arena, struct coverage *out,
                  struct error *error);

/* One zone of all that is covered: runs by row and first, apart from each other. shared, unless NULL: one of the
 * pixels that two geometries cover, as their numbers; SIZE_MAX twice where there is none. */
int coverage_unite(const struct coverage *coverage, struct arena *arena, struct coverage *out, size_t shared[2],
                   struct error *error);
/* What a coverage of one zone leaves out. */
int coverage_invert(const struct coverage *united, struct arena *arena, struct coverage *out, struct error *error);
/* What lies in the box, counted from its corner; the boxes are left out. */
int coverage_crop(const struct coverage *coverage, const struct pixel_box *box, struct arena *arena,
                  struct coverage *out, struct error *error);
/* For a coverage of one zone: rows + 1 indexes, of the first run of each row and behind the last. NULL: no memory. */
const size_t *coverage_row_starts(const struct coverage *coverage, struct arena *arena);

#endif
