/* A result's file as a static STAC item, and the catalogue of such items. */
#ifndef TWINCUBE_STAC_RESULT_ITEM_H
#define TWINCUBE_STAC_RESULT_ITEM_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <stddef.h>
#include <stdint.h>

#define RESULT_CATALOGUE_NAME "catalog.json"

struct result_item {
  const char *id;
  const char *file; /* beside the item */
  const char *media_type;
  uint64_t size;                 /* bytes of the file */
  const struct buffer *metadata; /* JSON: bbox, geometry, dates, proj:code, cube:dimensions, bands … */
  const char *changes;           /* a JSON array of merge patches to the item, in order; NULL: none */
};

/* Where nothing is known of a place the geometry is null, where nothing is known of a date all three dates are. */
int result_item_write(const struct result_item *item, struct buffer *out, struct error *error);
/* Items are files beside the catalogue, in order. */
int result_catalogue_write(const char *id, const char *const *items, size_t count, struct buffer *out,
                           struct error *error);

#endif
