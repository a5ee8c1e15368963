/* Writing the pixel data of a TIFF: planes cut into tiles or strips, encoded by whoever brings the pixels.
 *
 * Tiles are compressed where they arrive, in the calling thread, outside any lock, and wait in memory until they are
 * placed, one after the other: where a tile lies does not depend on who was faster. Parts of tiles wait until the tile
 * is whole. */
#ifndef TWINCUBE_DATACUBE_SINK_TIFF_TILES_H
#define TWINCUBE_DATACUBE_SINK_TIFF_TILES_H

#include "datacube/base/error.h"
#include "datacube/sink/layout.h"
#include "datacube/sink/predictor.h"
#include "datacube/sink/statistics.h"

#include <stdint.h>

struct tiff_shape {
  size_t width, height, planes; /* pixels, pixels, count */
  size_t tile_width, tile_height;
  bool strips;            /* tile_width == width, and the last strip of a plane ends with the picture */
  size_t element_size;    /* bytes of a sample */
  unsigned char fill[16]; /* sample of no-data: padding, and pixels that nobody brings */
  enum predictor predictor;
  int level;                   /* deflate level 1 … 12; 0: no compression; see tiff_tiles_new */
  bool adaptive;               /* tiles that would not shrink to a quarter are stored inside the deflate stream */
  struct statistics_rule rule; /* of the samples */
};

struct tiff_tiles;

/* New writer of tiles into `file` (borrowed), from byte `start` on. */
int tiff_tiles_new(const struct tiff_shape *shape, int file, uint64_t start, struct tiff_tiles **out,
                   struct error *error);
void tiff_tiles_free(struct tiff_tiles *tiles);

/* Thread safe. Every pixel is put once. */
int tiff_tiles_put(struct tiff_tiles *tiles, const struct plane_view *view, struct error *error);
/* Writes the tiles that are whole with this view; its data are not looked at. One caller at a time, each view after it
 * was put: the order of the calls is the order of the file. */
int tiff_tiles_place(struct tiff_tiles *tiles, const struct plane_view *view, struct error *error);
/* Writes the tiles that were not placed and those that have stayed incomplete. Nobody puts any more. */
int tiff_tiles_flush(struct tiff_tiles *tiles, struct error *error);

/* Of all pixels of a plane, once it is flushed; the same bits in whatever order the tiles came. */
void tiff_tiles_statistics(const struct tiff_tiles *tiles, size_t plane, struct statistics *out);

/* Number of tiles; place and length of each, plane by plane, row by row; 0 where none was written. Borrowed. */
size_t tiff_tiles_count(const struct tiff_tiles *tiles);
const uint64_t *tiff_tiles_offsets(const struct tiff_tiles *tiles);
const uint64_t *tiff_tiles_lengths(const struct tiff_tiles *tiles);

#endif
