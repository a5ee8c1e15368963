/* The GTiff file in which a server without netCDF answers with a cube of bands, y and x. */
#ifndef TWINCUBE_PROCESSES_LOAD_FAR_RASTER_H
#define TWINCUBE_PROCESSES_LOAD_FAR_RASTER_H

#include "processes/local_files.h"

#include "datacube/source.h"

/* Bands are called as the file describes them, else as the part's, in order; a cube that has lost its bands has one.
 * `title` and `origin` as of sources. Errors: NoDataAvailable where the file cannot be read; FileContentInvalid where
 * it has another number of bands. */
struct far_raster {
  const struct elsewhere_part *part;
  const char *path, *title, *origin;
};
int far_raster_source(struct arena *arena, const struct far_raster *file, const struct source **out,
                      struct error *error);

#endif
