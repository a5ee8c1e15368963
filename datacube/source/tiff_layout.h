/* Where the blocks of an open GeoTIFF lie, for the plain kind of file that tiff_blocks reads. Internal. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_LAYOUT_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_LAYOUT_H

#include "datacube/source/tiff_codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gdal.h>

struct remote_file; /* datacube/remote/remote_file.h */

enum { TIFF_BLOCK_MOST = 16 << 20 }; /* bytes of the largest block, decoded */

struct tiff_table {   /* values of one tag */
  uint64_t at;        /* byte of the file where they start */
  uint64_t count;     /* 0: the tag is absent */
  unsigned item_size; /* bytes of a value: 1, 2, 4 or 8 */
  bool big_endian;
  bool is_known;  /* there is one, and it lies in the directory: */
  uint64_t value; /* this */
};

struct tiff_layout {
  size_t width, height;             /* of the image, pixels */
  size_t block_width, block_height; /* of a tile, or of a strip; the last strip may be lower */
  size_t across, down;              /* blocks of a plane */
  size_t planes;                    /* bands, each with blocks of its own; 1 where they lie side by side */
  size_t samples;                   /* bands that lie side by side: values of a pixel of a block */
  size_t size;                      /* bytes of a value */
  size_t swap;                      /* bytes to be turned round, of each such many; 1: none */
  bool tiled;                       /* else strips */
  enum tiff_packing packing;
  unsigned predictor;                 /* 1 none, 2 differences, 3 differences of the bytes of floats */
  struct tiff_table offsets, lengths; /* of the blocks: bytes */
};

struct tiff_bytes {           /* of an open file */
  int descriptor;             /* … of remote, if there is one, to read blocks by; for directories -1 suffices then */
  struct remote_file *remote; /* or NULL: then the descriptor is its own */
  const unsigned char *head;  /* its first bytes, where they were read before, or NULL */
  size_t head_length;
};

struct tiff_image; /* tiff_image.h */

enum { TIFF_ENTRIES_MOST = 256 };

struct tiff_directory { /* as it is, whatever the tags */
  struct tiff_entry {
    uint64_t tag, type;
    struct tiff_table table; /* its values; item_size 0: of a type that the standards do not have */
  } entries[TIFF_ENTRIES_MOST];
  size_t count;
  bool big_endian;
  struct tiff_table next; /* where the place of the next one is told */
};

/* Reads the directory at byte `at`, or the file's first where that is 0. False where the file is no TIFF, or the
 * directory is longer than this. */
bool tiff_directory_read(const struct tiff_bytes *file, uint64_t at, struct tiff_directory *out);
/* Where the directory behind it lies; 0: it is the last. False where that cannot be read. */
bool tiff_directory_next(const struct tiff_bytes *file, const struct tiff_directory *directory, uint64_t *at);

/* Reads the directory of the dataset's image from the file. False where the file is of another kind or odd in
 * any way: then GDAL has to read the pixels. */
bool tiff_layout_read(const struct tiff_bytes *file, GDALDatasetH dataset, struct tiff_layout *out);
/* Reads the file's first directory alone, and what it says of its image. False where GDAL has to be asked. */
bool tiff_layout_read_image(const struct tiff_bytes *file, struct tiff_image *image, struct tiff_layout *out);

/* Value `index` of a table. False where there is none. */
bool tiff_table_value(const struct tiff_bytes *file, const struct tiff_table *table, uint64_t index, uint64_t *out);

/* Fills `to` from the file. False where the file ends before, or a remote one cannot be
 * read: then CPLError has been told. */
bool tiff_file_bytes(const struct tiff_bytes *file, uint64_t offset, size_t length, void *to);

#endif
