/* The head of a GeoTIFF: everything but the pixels.
 *
 * GDAL writes a file without pixels (all tags, GeoTIFF keys and its own metadata), tiff_tiles appends the tiles, and
 * the arrays of places and lengths in the head are filled in at the end. */
#ifndef TWINCUBE_DATACUBE_SINK_TIFF_HEADER_H
#define TWINCUBE_DATACUBE_SINK_TIFF_HEADER_H

#include "datacube/sink/layout.h"
#include "datacube/sink/tiff_tiles.h"

/* Writes the head to path (which may exist). Errors: StorageFailure, CRSInvalid. */
int tiff_header_write(const char *path, const struct cube *cube, const struct layout *layout,
                      const struct tiff_shape *shape, const char *history, struct error *error);

/* Fills in where the tiles are: `count` places and lengths, in tiff_tiles' order. */
int tiff_header_set_tiles(int file, const uint64_t *offsets, const uint64_t *lengths, size_t count,
                          struct error *error);

#endif
