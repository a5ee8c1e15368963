/* Points sampled from the geometries of a vector cube, on their way to a cube of points. */
#ifndef TWINCUBE_PROCESSES_VECTOR_POINT_SAMPLE_H
#define TWINCUBE_PROCESSES_VECTOR_POINT_SAMPLE_H

#include "processes/vector/vector_cube.h"

struct point_sample {
  struct call *call;
  struct vector_cube cube;
  bool group;    /* a MultiPoint for each geometry, else a Point for each point */
  double *x, *y; /* of all points, geometry by geometry */
  size_t count, capacity_x, capacity_y;
  size_t *end;   /* of each geometry: behind its last point */
  uint64_t work; /* done so far: edges looked at, points made */
};

/* Reads `data` and `group`. */
int point_sample_begin(struct call *call, struct point_sample *out);
/* Adds a point to the geometry at work. Error ProcessGraphComplexity past four million of them. */
int point_sample_add(struct point_sample *sample, double x, double y);
/* Adds the first position of the geometry, for one that holds no other point. */
int point_sample_add_first(struct point_sample *sample, const struct geometry *geometry);
/* To be called now and then with what was done meanwhile: ends what is too much (ProcessGraphComplexity), or no longer
 * wanted (RequestTimeout). */
int point_sample_pay(struct point_sample *sample, uint64_t work);
/* The cube of points: ids (of groups), properties and values stay. Sets result. */
int point_sample_finish(struct point_sample *sample, struct value *result);

#endif
