/* The grid of a cube made from scenes. */
#ifndef TWINCUBE_STAC_PIXEL_LATTICE_H
#define TWINCUBE_STAC_PIXEL_LATTICE_H

#include "stac/select.h"

/* Where the chosen scenes share a lattice, and --crs and --resolution do not ask for another one, it is the cube's:
 * their footprints' union, cropped to the region. Otherwise the collection's CRS and resolution, anchored to the CRS
 * origin. Errors: NoDataAvailable where no pixel's centre lies in the region, ProcessParameterInvalid for too many
 * pixels. */
int lattice_choose(struct selection *selection, struct grid *out, struct error *error);

/* Drops the scenes (of the cube's own CRS) that hold no pixel centre of the grid. */
void lattice_drop_outside(struct selection *selection, const struct grid *grid);

#endif
