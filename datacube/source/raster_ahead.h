/* Reading ahead: what the next planes of a series need is asked of the system while others are decoded. Internal to the
 * raster series. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_AHEAD_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_AHEAD_H

#include "datacube/box.h"
#include "datacube/source/raster_handles.h"
#include "datacube/source/raster_series_state.h"

struct raster_ahead; /* of one reader; one thread at a time */
struct transform;

/* All are borrowed. transforms: from the cube's CRS to the scenes', one a CRS; where there is none yet, and one is
 * needed, it is made. */
int raster_ahead_new(const struct series_state *state, struct raster_handles *handles, struct transform **transforms,
                     struct raster_ahead **out, struct error *error);
void raster_ahead_free(struct raster_ahead *ahead); /* NULL is allowed */
/* Asks for the part of planes from `first` on of a box (t, bands, y, x), counted date by date, as many as are sensible
 * at a time; the first plane that was not asked for. What goes wrong here is met again, and told, by who reads. */
size_t raster_ahead_ask(struct raster_ahead *ahead, const struct box *box, const struct raster_region *part,
                        size_t first);

#endif
