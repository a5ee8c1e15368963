/* What is known about a result file, in the words of STAC 1.1: place, time, dimensions, bands. */
#ifndef TWINCUBE_PROCESSES_RESULT_METADATA_H
#define TWINCUBE_PROCESSES_RESULT_METADATA_H

#include "datacube/base/buffer.h"
#include "datacube/sink.h"

/* A JSON object:
 *
 *   bbox, geometry, proj:code                 where the cube has a place
 *   datetime, or start_datetime, end_datetime where it has dates
 *   cube:dimensions                           always
 *   data_type, nodata                         of the cube's elements
 *   bands                                     one per band of the file: name, data_type, nodata, statistics
 *
 * What the cube does not tell is left out; nothing is made up. `sink` has written the file and is finished. */
void result_metadata_write(const struct cube *cube, const struct sink_format *format, const struct sink *sink,
                           struct buffer *out);

#endif
