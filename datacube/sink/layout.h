/* A cube seen as a stack of pictures: x and y, and every other dimension flattened in cube order into planes.
 *
 * Pictures are north-up and west-left: where an axis of the cube runs the other way (y ascending, x descending), rows
 * or columns come in reverse. */
#ifndef TWINCUBE_DATACUBE_SINK_LAYOUT_H
#define TWINCUBE_DATACUBE_SINK_LAYOUT_H

#include "datacube/base/buffer.h"
#include "datacube/cube.h"
#include "datacube/base/error.h"

struct layout {
  size_t x, y;          /* indexes of the cube's dimensions */
  size_t width, height; /* pixels */
  size_t planes;        /* product of the other dimensions' sizes */
  size_t dimensions;
  size_t plane_step[CUBE_MAX_DIMENSIONS]; /* planes per index of each dimension; 0 for x and y */
  bool reverse_x, reverse_y;
  double west, north;  /* outer edges, CRS units */
  double res_x, res_y; /* positive */
};

/* Error FormatUnsuitable where the cube has no x and y with regular steps; `format` and `instead` are for its text. */
int layout_of_cube(const struct cube *cube, const char *format, const char *instead, struct layout *out,
                   struct error *error);

/* The part of one plane that a box holds: pixels of the picture, and where they lie in memory. */
struct plane_view {
  size_t plane;
  size_t column, row, width, height;   /* in the picture */
  const char *data;                    /* pixel (column, row) */
  ptrdiff_t column_stride, row_stride; /* bytes to the next one */
};

/* Walks through the planes of a box: plane_walk_start, then plane_walk_next while it is true. Without data (NULL), the
 * views have none either. */
struct plane_walk {
  const struct layout *layout;
  const struct box *box;
  size_t stride[CUBE_MAX_DIMENSIONS]; /* bytes, of the box in memory */
  size_t index[CUBE_MAX_DIMENSIONS];
  const char *data;
  bool started;
};
void plane_walk_start(struct plane_walk *walk, const struct layout *layout, const struct box *box, const void *data,
                      size_t element_size);
bool plane_walk_next(struct plane_walk *walk, struct plane_view *view);

/* Indexes of a plane in every dimension (x and y: 0). */
void layout_plane_index(const struct layout *layout, const struct cube *cube, size_t plane,
                        size_t index[CUBE_MAX_DIMENSIONS]);
/* "2018-01-06T00:00:00Z B4": the labels of a plane; empty for a cube of x and y alone. */
void layout_plane_name(const struct layout *layout, const struct cube *cube, size_t plane, struct buffer *out);

#endif
