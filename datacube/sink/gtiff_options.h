/* What save_result's options ask of a GeoTIFF: ours, and those that clients of other services send. */
#ifndef TWINCUBE_DATACUBE_SINK_GTIFF_OPTIONS_H
#define TWINCUBE_DATACUBE_SINK_GTIFF_OPTIONS_H

#include "datacube/sink/options.h"
#include "datacube/sink/predictor.h"

enum gtiff_compression {
  GTIFF_DEFLATE,
  GTIFF_NONE,
  GTIFF_LZW,
  GTIFF_ZSTD,
  GTIFF_PACKBITS,
  GTIFF_LZMA,
  GTIFF_LERC,
  GTIFF_LERC_DEFLATE,
  GTIFF_LERC_ZSTD,
  GTIFF_WEBP,
  GTIFF_JPEG,
  GTIFF_COMPRESSIONS
};

struct gtiff_options {
  bool cog, tiled, overviews;
  enum gtiff_compression compression;
  int level;                 /* effort of the compression; 0: not given */
  int quality;               /* of jpeg and webp, 1 … 100; 0: not given */
  int predictor;             /* enum predictor; 0: not given */
  int tile;                  /* pixels a side, of tiles and of the overviews' tiles */
  const char *resampling;    /* of overviews, GDAL's name */
  struct sink_options file;  /* metadata items of the file */
  struct sink_options bands; /* for bands by label: their items in each one's `items` */
};

extern const char gtiff_parameters[];          /* for /file_formats */
extern const char *const gtiff_option_names[]; /* NULL-terminated */

/* format: the name that the user has given; "COG" asks for one. Errors ProcessParameterInvalid. */
int gtiff_options_read(struct sink_options options, const char *format, struct gtiff_options *out, struct error *error);
/* Whether a file of so many bands of the cube's type can be compressed like that, by this GDAL. bands: 0 where it is
 * not known yet. Errors ProcessParameterInvalid, FormatUnsuitable. */
int gtiff_options_suit(const struct gtiff_options *options, const struct cube *cube, size_t bands, struct error *error);
/* Whether all labels that `bands_metadata` names are the cube's. Error ProcessParameterInvalid. */
int gtiff_options_know(const struct gtiff_options *options, const struct cube *cube, struct error *error);

/* GDAL's name of a compression, in small letters. */
const char *gtiff_compression_name(enum gtiff_compression compression);
/* The predictor for samples of the type where they are compressed: the one that is asked for, else the best. */
enum predictor gtiff_predictor(const struct gtiff_options *options, enum element_type type);
/* How the level is called among GDAL's creation options; NULL where the compression has none. */
const char *gtiff_level_name(enum gtiff_compression compression);

#endif
