/* Putting a cube on another horizontal grid. */
#ifndef TWINCUBE_PROCESSES_RESAMPLE_REGRID_H
#define TWINCUBE_PROCESSES_RESAMPLE_REGRID_H

#include "processes/cube/shape.h"

/* The cube on `grid`; what lies outside the cube is no-data. Types without a no-data value become floats. error names
 * parameter "data" where the cube has no regular grid. */
int regrid(struct call *call, const struct node *data, const struct grid *grid, enum resampling method,
           const struct node **out);

/* The cube on the pixels of `like`, whose axes run as those of `like` do; only turned where they are the same pixels.
 * error names parameter "target" where `like` has no regular grid with a CRS. */
int regrid_onto(struct call *call, const struct node *data, const struct node *like, enum resampling method,
                const struct node **out);

/* `data` on the grid of `like` where their x and y labels differ (nearest neighbour); data itself where they agree or
 * one of them has no x and y. */
int regrid_like(struct call *call, const struct node *data, const struct node *like, const char *parameter,
                const struct node **out);

#endif
