/* Where the pixels of an asset lie, as its document tells by the projection extension (proj:*), of the asset itself,
 * its pattern, or the item. */
#ifndef TWINCUBE_STAC_DECLARED_GRID_H
#define TWINCUBE_STAC_DECLARED_GRID_H

#include "stac/declared_asset.h"

#include "datacube/grid.h"

/* proj:code, proj:epsg, proj:wkt2 or proj:projjson as a canonical CRS in the arena, or NULL. */
const char *declared_crs(struct arena *arena, const struct declared_asset *d);

/* proj:shape with proj:transform of the same place, or with proj:bbox. False where they do not tell a north-up grid.
 * Its crs is that of declared_crs, which may be NULL. */
bool declared_grid(struct arena *arena, const struct declared_asset *d, struct grid *out);

#endif
