/* Open files of one reader: at most RASTER_OPEN_FILES, the one longest unused is closed first. Internal to the raster
 * series. One thread at a time. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_HANDLES_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_HANDLES_H

#include "datacube/base/error.h"
#include "datacube/source/raster_overview.h"
#include "datacube/source/tiff_image.h"

#include <gdal.h>
#include <stdint.h>

enum { RASTER_OPEN_FILES = 128 };

struct raster_handle {
  bool is_open;                 /* else free */
  GDALDatasetH dataset;         /* NULL: GDAL has not opened it */
  struct tiff_image image;      /* then: what its tags say */
  struct tiff_file *tiff;       /* its pixels without GDAL; NULL where that is not possible */
  struct raster_levels *levels; /* its overviews; NULL: out of memory, or no dataset */
  size_t file;                  /* index into the paths */
  uint64_t used;                /* clock of the last use */
};

struct raster_handles {
  const char *const *paths; /* borrowed */
  struct raster_handle slots[RASTER_OPEN_FILES];
  size_t *slot_of_file; /* index into slots, SIZE_MAX where it is not open; one a path */
  uint64_t clock;
  struct tiff_blocks *blocks; /* decoded blocks of all */
};

/* Handles of files at these paths, none open yet; the paths are borrowed. After an error, free as after success. */
int raster_handles_init(struct raster_handles *handles, const char *const *paths, size_t count, struct error *error);
void raster_handles_free(struct raster_handles *handles);
/* The file at paths[file], opened by its tags alone if it is not open; valid until the next call. NULL where GDAL has
 * to open it, or has done so. */
const struct raster_handle *raster_handles_image(struct raster_handles *handles, size_t file);
/* The same, opened by GDAL. Error FileContentInvalid. */
int raster_handles_get(struct raster_handles *handles, size_t file, const struct raster_handle **out,
                       struct error *error);
/* Asks the system for the head of a file that is not open: tags and tables. */
void raster_handles_ahead(const struct raster_handles *handles, size_t file);

#endif
