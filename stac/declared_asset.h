/* What documents say about an asset, wherever they say it.
 *
 * A band of an asset is described by the first of these places that has the member that is asked for:
 *
 *   the asset's own "bands" (STAC 1.1), "eo:bands" and "raster:bands" (1.0; 0.8: numbers of the item's "eo:bands")
 *   the same arrays of its pattern: the collection's "item_assets", of old versions its "assets" without files
 *   "bands" and "eo:bands" of the item's properties, then of the collection and its summaries: the band of that name
 *   the asset as a whole, its pattern, the item's properties
 *
 * A band of a pattern is the one of the same name, or where one of them has no names the one in the same place. */
#ifndef TWINCUBE_STAC_DECLARED_ASSET_H
#define TWINCUBE_STAC_DECLARED_ASSET_H

#include "stac/json_tree.h"

#include "datacube/cube.h"

struct declared_asset { /* borrows from the documents */
  const char *key;
  const json_t *asset, *pattern; /* the pattern may be NULL, and so may what follows */
  const json_t *properties;      /* of the item */
  const json_t *collection;
};

struct declared_asset declared_asset(const char *key, const json_t *asset, const json_t *properties,
                                     const json_t *collection);

/* Bands that the asset or its pattern lists; 0: they list none. `named`: those alone that tell what the bands are. */
size_t declared_bands(const struct declared_asset *d);
size_t declared_named_bands(const struct declared_asset *d);

enum { DECLARED_PLACES = 16 };

struct declared_band {
  const struct declared_asset *asset; /* borrowed */
  size_t index;
  const char *name;                      /* or NULL; one alone is looked for by its asset's key then */
  const json_t *places[DECLARED_PLACES]; /* objects that describe the band itself, in order */
  size_t count;
};

struct declared_band declared_band(const struct declared_asset *d, size_t index);

/* Of a band, under either name (each may be NULL). Nothing: NULL, or `other`. */
const char *declared_text(const struct declared_band *band, const char *plain, const char *prefixed);
double declared_number(const struct declared_band *band, const char *plain, const char *prefixed, double other);
/* The first readable "nodata", or "file:nodata" of the whole asset. */
bool declared_nodata(const struct declared_band *band, double *out);
/* ELEMENT_TYPE_COUNT: they do not tell, or it is none of ours. */
enum element_type declared_type(const struct declared_band *band);

/* Of the asset, else of its pattern. */
const char *declared_media_type(const struct declared_asset *d);
const json_t *declared_roles(const struct declared_asset *d); /* array or NULL */

#endif
