/* Assets of STAC items as bands. */
#ifndef TWINCUBE_STAC_SCAN_ASSET_H
#define TWINCUBE_STAC_SCAN_ASSET_H

#include "stac/scan.h"

/* Absolute path, without links, of a link's or asset's href, relative to its document; of what is on the web the path
 * of a remote file (datacube/remote/remote_file.h). Errors: FeatureUnsupported for what is neither, and where nothing
 * remote may be read; FileNotFound, also for what the scan may not read. */
int stac_path(struct scan *scan, const char *document, const char *href, const char **out, struct error *error);

/* Adds one asset, where it holds data, to a row of the scan's items. */
int stac_asset(struct scan *scan, const char *document, const char *key, const json_t *asset, size_t index,
               struct error *error);
/* Adds the assets with data of an item (row `index` of the scan). An item whose data is a netCDF file or
 * one of features makes the scan that file's cube; more than one such file is an error FeatureUnsupported. Assets of
 * several bands that repeat those of others (pictures in true colours) are left out. */
int stac_item_assets(struct scan *scan, const char *document, const json_t *item, size_t index, struct error *error);

/* Lets what stac_item_assets will read of other hosts be fetched meanwhile; false where that is to be asked again. */
bool stac_item_prefetch(struct scan *scan, const char *document, const json_t *item);

#endif
