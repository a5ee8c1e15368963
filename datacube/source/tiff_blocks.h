/* Pixels of plain GeoTIFFs, read without GDAL's block cache and libtiff's decoders. Internal to the raster series. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_BLOCKS_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_BLOCKS_H

#include "datacube/source/block_cache.h"

#include <gdal.h>
#include <stddef.h>
#include <stdint.h>

struct tiff_blocks; /* a reader's decoder and scratch, and where its blocks are kept */
struct tiff_image;  /* tiff_image.h */
struct tiff_file;   /* a descriptor and where the blocks lie */

struct tiff_window {
  size_t row, column, height, width; /* pixels of the image; not empty, inside */
};

struct tiff_counts {
  uint64_t decoded, left; /* blocks so far: unpacked here; read by GDAL, each window that meets one counts */
};

int tiff_blocks_new(struct tiff_blocks **out, struct error *error);
void tiff_blocks_free(struct tiff_blocks *blocks); /* NULL is allowed */
/* Blocks are kept in `cache`, which outlives them; without that, in a cache of its own. Before the first window. */
void tiff_blocks_share(struct tiff_blocks *blocks, struct block_cache *cache);
struct tiff_counts tiff_blocks_counts(const struct tiff_blocks *blocks);

/* A file whose pixels can be read here; NULL where GDAL has to read them. The dataset, opened
 * from `path`, is borrowed. */
struct tiff_file *tiff_file_open(GDALDatasetH dataset, const char *path);
/* The same for a file that GDAL has not opened, and what its tags say of it. The path is borrowed: GDAL opens the file
 * when it has to read a block of it. */
struct tiff_file *tiff_file_open_image(const char *path, struct tiff_image *out);
void tiff_file_close(struct tiff_file *file); /* NULL is allowed */

/* Reads a window of a band, counted from 1, in its own type, into rows of `stride` bytes. Blocks that cannot be read
 * here (absent ones) are read by GDAL. A failure is told by CPLError, as GDAL's are.
 */
CPLErr tiff_window_read(struct tiff_blocks *blocks, struct tiff_file *file, int band, const struct tiff_window *window,
                        size_t stride, unsigned char *to);
/* Asks the system for the blocks of a window, which will be read soon; of a file of this machine. */
void tiff_window_ahead(struct tiff_blocks *blocks, const struct tiff_file *file, int band,
                       const struct tiff_window *window);

#endif
