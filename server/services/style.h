/* How numbers become colours: what a service's configuration says about it, made into tables.
 *
 * Travels to the worker as it is. */
#ifndef TWINCUBE_SERVER_SERVICES_STYLE_H
#define TWINCUBE_SERVER_SERVICES_STYLE_H

#include "server/services/colour_ramp.h"

#include "datacube/base/error.h"
#include "datacube/sink/tile_picture.h"
#include "processes/map/map.h"

#include <jansson.h>

enum style_kind {
  STYLE_RAMP,       /* one band: min … max along the palette from 1 on */
  STYLE_CATEGORIES, /* one band: a colour a value */
  STYLE_COLOUR      /* three bands: min … max of each, red, green and blue */
};

enum { STYLE_COLOURS = 256, STYLE_BANDS = 3 };

struct style {
  uint32_t kind;
  uint32_t colours; /* of the palette */
  double min[STYLE_BANDS], max[STYLE_BANDS];
  double values[STYLE_COLOURS];         /* STYLE_CATEGORIES: of the colours from 1 on, ascending */
  struct colour palette[STYLE_COLOURS]; /* the first: of what is missing, else transparent */
};

/* Reads min, max, colormap and categories of a configuration for so many bands that are shown (1 or 3). `range`: what
 * min and max are where it does not say, a pair a band. Errors ServiceConfigInvalid naming the option. */
int style_read(const json_t *configuration, size_t bands, const double range[][2], struct style *out,
               struct error *error);

/* The window's values as a file of a format. The pixels have the planes that the style is for. */
int style_paint(const struct style *style, const struct map_pixels *pixels, enum tile_format format, struct buffer *out,
                struct error *error);
/* What a style means, as a picture: a bar of the ramp with its ends, or a square a category; nothing for three bands.
 */
int style_legend(const struct style *style, enum tile_format format, struct buffer *out, struct error *error);

#endif
