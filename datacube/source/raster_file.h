/* Opening raster files: allowed drivers, quiet errors, types. Internal to the raster series. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_FILE_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_FILE_H

#include "datacube/base/error.h"
#include "datacube/element.h"

#include <gdal.h>

/* GDAL's messages are collected, not printed, between begin and end; calls nest per thread. */
void raster_quiet_begin(void);
void raster_quiet_end(void);
/* Error of the given code from GDAL's last message; names the file without its folder. Returns -1. */
int raster_error(struct error *error, enum error_code code, const char *path);

/* Opens read-only with an allowed driver; the caller closes. Error code as given. */
int raster_open(const char *path, enum error_code code, GDALDatasetH *out, struct error *error);

/* ELEMENT_TYPE_COUNT where the band's type has no element type. */
enum element_type raster_element_type(GDALRasterBandH band);
/* Type that GDALRasterIO fills a buffer of ours with. int8 is read as bytes (GDAL 3.6 knows no signed byte). */
GDALDataType raster_buffer_type(enum element_type type);
/* Whether GDAL hands the band's signed bytes out as unsigned ones. */
bool raster_unsigned_bytes(GDALRasterBandH band);
/* The no-data value of a band of 64-bit integers as eight bytes: what the file declares, where that is `nodata` as far
 * as a double tells, else what `nodata` stands for. */
uint64_t raster_nodata_word(GDALRasterBandH band, enum element_type type, double nodata);

#endif
