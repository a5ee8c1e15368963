/* A part of a graph's cube as a file: what coverage services answer.
 *
 * The part is what filter_bands, filter_temporal, filter_bbox and resample_spatial would leave, in this order, and has
 * the same values: a box chooses the pixels whose centres lie in it. Only where the box is in the result's own CRS and
 * the result's size is told, the result is the box itself, cut into so many pixels. */
#ifndef TWINCUBE_PROCESSES_MAP_MAP_PART_H
#define TWINCUBE_PROCESSES_MAP_MAP_PART_H

#include "datacube/grid.h"
#include "processes/graph/graph.h"

struct map_interval { /* of a dimension's labels: dates, numbers, or texts in the order of the labels */
  const char *dimension;
  const char *from, *to; /* both ends count; a day is all of it; "" and ".." are open. `to` NULL: the label `from`
                            alone, and the dimension goes */
};

#define MAP_PART_VALUE "value" /* name of the field of a cube without bands */

struct map_part {
  const char *const *bands;             /* names, or FIRST:LAST; they come in this order */
  size_t band_count;                    /* 0: all */
  const struct map_interval *intervals; /* of dimensions beside x and y */
  size_t interval_count;
  bool has_box;
  struct extent box;    /* edges, infinite where they are open */
  const char *crs;      /* of the result, canonical; NULL: the cube's */
  size_t width, height; /* of the result in pixels; 0: as it comes */
  double across, down;  /* how many pixels become of one, along x and y; 0: 1 */
  enum resampling method;
  const char *format; /* that sink_format_find knows, with its options */
  const struct sink_option *options;
  size_t option_count;
  size_t most; /* bytes of the result; 0: any number */
};

/* Puts the part in the place of the output's node, with its format. What is borrowed lives until the plan is made.
 * Errors: FormatUnsuitable where the cube has no regular x and y with a CRS, or does not suit the format;
 * QueryParameterInvalid naming properties, bbox, a dimension or a size; ContentTooLarge. */
int map_part_take(struct arena *arena, const struct map_part *part, const volatile int *cancel,
                  struct outcome_output *output, struct error *error);

#endif
