/* A cube on the grid of a map.
 *
 * A warp of the result computes every pixel of it first, which a map that shows a country in a few tiles cannot wait
 * for. What works pixel by pixel (kernels without windows along x and y, views, stacks) gives the same when its inputs
 * are put on the grid: so the grid goes down to the sources, which read no more than they show. It stops above what
 * looks at neighbours, counts pixels or has a grid of its own (windows, statistics along x and y, resampling, masks of
 * polygons): that is computed on its own pixels and warped. With nearest neighbours both ways give the same values. */
#ifndef TWINCUBE_PROCESSES_MAP_MAP_NODE_H
#define TWINCUBE_PROCESSES_MAP_MAP_NODE_H

#include "hpc/plan/node.h"

struct map_target {
  struct grid grid;
  enum resampling method;
  bool overviews; /* where the grid is coarser than a raster, the file's overviews may stand for its pixels */
  const volatile int *cancel; /* or NULL */
};

/* The node's cube has x and y, of regular steps, and a CRS; target->grid lives as long as the arena. Outside the cube,
 * and where nothing is known, the result is missing. */
int map_node(struct arena *arena, const struct node *node, const struct map_target *target, const struct node **out,
             struct error *error);

#endif
