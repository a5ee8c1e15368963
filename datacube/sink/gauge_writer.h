/* The bytes of files of gauge fields, as datacube/source/gauge_file.h reads them: header, checksums, links. */
#ifndef TWINCUBE_DATACUBE_SINK_GAUGE_WRITER_H
#define TWINCUBE_DATACUBE_SINK_GAUGE_WRITER_H

#include "datacube/source/gauge_file.h"

#include <stdio.h>

struct gauge_writer {
  struct gauge_file file; /* extent, is_double, and what the format makes of the rest */
  const double *elements; /* as in gauge_file.h, complex128 */
  FILE *stream;
};

/* Writes all of the file; what went wrong is the stream's. */
typedef void gauge_file_writer(struct gauge_writer *writer);
gauge_file_writer gauge_write_nersc, gauge_write_ildg, gauge_write_milc, gauge_write_openqcd;

#endif
