/* Reading ahead: what the next planes of a series need is asked of the system while others are decoded. Internal to the
 * raster series. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_AHEAD_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_AHEAD_H

#include "datacube/box.h"
#include "datacube/source/raster_handles.h"
#include "datacube/source/raster_series_state.h"

enum { RASTER_AHEAD = 32 }; /* planes that are asked for at a time: no more files than stay open */

/* Asks for the part of planes `first` to `last` - 1 of a box (t, bands, y, x), counted date by date. What goes wrong
 * here is met again, and told, by who reads. */
void raster_ahead(const struct series_state *state, struct raster_handles *handles, const struct box *box,
                  const struct raster_region *part, size_t first, size_t last);

#endif
