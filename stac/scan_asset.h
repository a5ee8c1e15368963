/* Assets of STAC items as bands. */
#ifndef TWINCUBE_STAC_SCAN_ASSET_H
#define TWINCUBE_STAC_SCAN_ASSET_H

#include "stac/scan.h"

/* Absolute path of a link's or asset's href, relative to its document. Errors: FeatureUnsupported for remote ones,
 * FileNotFound. */
int stac_local_path(struct arena *arena, const char *document, const char *href, const char **out, struct error *error);

/* Adds the assets with data of an item (row `index` of the scan). An item whose data is a netCDF file makes the scan a
 * netCDF collection; more than one such item is an error FeatureUnsupported. */
int stac_item_assets(struct scan *scan, const char *document, const json_t *item, size_t index, struct error *error);

#endif
