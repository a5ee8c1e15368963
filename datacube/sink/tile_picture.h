/* Small pictures as bytes in memory, quickly: tiles of maps.
 *
 * PNG is written here: one block, no filters, a palette where there is one. JPEG and WebP are GDAL's. */
#ifndef TWINCUBE_DATACUBE_SINK_TILE_PICTURE_H
#define TWINCUBE_DATACUBE_SINK_TILE_PICTURE_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

enum tile_format { TILE_PNG, TILE_JPEG, TILE_WEBP, TILE_FORMATS };

struct tile_picture {
  size_t width, height;         /* pixels, at least 1 */
  const unsigned char *pixels;  /* rows from the top: numbers of colours, or red, green, blue, opacity */
  const unsigned char *palette; /* four bytes a colour: red, green, blue, opacity; NULL: pixels are colours */
  size_t colours;               /* of the palette, at most 256 */
};

const char *tile_format_name(enum tile_format format);       /* "png", "jpeg", "webp" */
const char *tile_format_media_type(enum tile_format format); /* "image/png", … */
/* By name, "jpg" and media type as well, in any case; TILE_FORMATS where there is none. */
enum tile_format tile_format_find(const char *text);

/* Adds the file's bytes. JPEG has no transparency: what is transparent is white. Errors: FormatUnsuitable where GDAL
 * lacks the format. */
int tile_picture_encode(enum tile_format format, const struct tile_picture *picture, struct buffer *out,
                        struct error *error);

#endif
