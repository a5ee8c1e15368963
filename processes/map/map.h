/* A graph's cube as a map: an open run whose output lies on a grid that the asker chooses, read box by box.
 *
 * Making one parses, binds, lowers and plans the graph; reading a box of it computes what the box shows, nothing else.
 * So a tile of a map costs a box. The pixels of a map lie on a lattice that has no end: the asker counts columns and
 * rows from the lattice's origin, and finds missing values outside the cube. */
#ifndef TWINCUBE_PROCESSES_MAP_MAP_H
#define TWINCUBE_PROCESSES_MAP_MAP_H

#include "datacube/base/buffer.h"
#include "datacube/base/hash.h"
#include "hpc/run/run.h"
#include "processes/graph/graph.h"

struct map;

struct map_lattice { /* squares of pixels, from the corner of column 0 and row 0 to the east and to the south */
  const char *crs;   /* canonical; NULL: the cube's own grid, whose first pixel is column 0, row 0 */
  double west, north, res_x, res_y;
};

struct map_label { /* which label of a dimension is shown */
  const char *dimension;
  const char *label;
};

struct map_choice {               /* what of the cube is shown */
  const char *datetime;           /* an instant, or START/END of which ".." is open; NULL: the last date */
  const char *const *bands;       /* by name, in this order */
  size_t band_count;              /* 0: all */
  const struct map_label *labels; /* of the other dimensions; else each one's first */
  size_t label_count;
};

struct map_request {
  const char *graph; /* JSON text */
  size_t graph_length;
  struct graph_options options; /* parameters, catalogue, cancel, log, memory, threads */
  struct map_lattice lattice;
  struct map_choice choice;
  enum resampling method;
};

/* Borrows the request until it returns. Errors: those of the graph; FormatUnsuitable where the result is no cube with
 * regular x and y and a CRS; QueryParameterInvalid where the choice names what is not there. */
int map_open(const struct map_request *request, struct map **out, struct error *error);
void map_close(struct map *map);                    /* NULL is allowed */
const struct cube *map_cube(const struct map *map); /* what is shown: x, y and, where there are several, bands */
struct hash map_hash(const struct map *map);        /* same hash, same values */
size_t map_memory(const struct map *map);           /* bytes that the plan may take while it runs */

struct map_window { /* pixels of the lattice */
  int64_t column, row;
  size_t width, height;
};

struct map_pixels { /* map_pixels_free frees */
  size_t planes;    /* bands */
  size_t width, height;
  double *values; /* planes x rows x columns, from the north and the west; NaN: missing */
};

/* The values under a window. */
int map_read(struct map *map, const struct map_window *window, const volatile int *cancel, struct map_pixels *out,
             struct error *error);
void map_pixels_free(struct map_pixels *pixels);

/* What the graph's cube is, as a JSON object: crs, bbox and bbox in longitude and latitude, resolution, size, type,
 * dimensions with their labels, and what files of it hold. Errors as map_open. */
int map_describe(const struct map_request *request, struct buffer *out, struct error *error);

#endif
