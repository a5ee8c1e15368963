/* No-data on runs of pixels of one type: fill, replace, merge. Internal to the raster series. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_PIXELS_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_PIXELS_H

#include "datacube/element.h"

struct pixel_format {
  enum element_type type;
  bool has_nodata;
  double nodata; /* marks in the type; complex pixels carry it in both parts */
};

/* Fills with no-data, or zeros where there is none. */
void pixels_fill(const struct pixel_format *format, size_t n, void *to);
/* Whether a pixel is missing: no-data, or NaN in floats. False where the format has no no-data. */
bool pixels_any_missing(const struct pixel_format *format, size_t n, const void *pixels);
/* Takes from `from` what is missing in `to`. */
void pixels_merge(const struct pixel_format *format, size_t n, const void *from, void *to);
/* Pixels of value `stored` become the format's no-data. */
void pixels_replace(const struct pixel_format *format, double stored, size_t n, void *pixels);
/* 64-bit integers: the same for the value that the eight bytes of `stored` are. */
void pixels_replace_word(const struct pixel_format *format, uint64_t stored, size_t n, void *pixels);
/* Floats: pixels become pixel * scale + offset, rounded once. */
void pixels_unpack(enum element_type type, double scale, double offset, size_t n, void *pixels);
/* Bytes that were read as unsigned and are signed: values from 128 on become negative. */
void pixels_sign_bytes(enum element_type type, size_t n, void *pixels);

#endif
