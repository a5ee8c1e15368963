/* What GDAL does to a GeoTIFF that tiff_tiles has written: the copy that is a COG or is compressed as we do not, and
 * overviews. */
#ifndef TWINCUBE_DATACUBE_SINK_GTIFF_COPY_H
#define TWINCUBE_DATACUBE_SINK_GTIFF_COPY_H

#include "datacube/sink/gtiff_options.h"
#include "datacube/sink/output.h"

struct gtiff_copy {
  const struct gtiff_options *options;
  enum element_type type;
  size_t width, height; /* pixels */
  unsigned threads;     /* that may encode */
};

/* Whether the file as the tiles make it is not yet what was asked for. */
bool gtiff_copy_needed(const struct gtiff_options *options);
/* Replaces the temporary file by GDAL's copy of it. Errors: StorageFailure. */
int gtiff_copy_make(const struct gtiff_copy *copy, struct output *output, struct error *error);
/* Adds overviews to a file that is no COG. Errors: StorageFailure. */
int gtiff_copy_overviews(const struct gtiff_copy *copy, const char *path, struct error *error);

#endif
