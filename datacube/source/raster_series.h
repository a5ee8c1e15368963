/* Raster series: GDAL rasters in time and bands as one cube (t, bands, y, x), or (bands, y, x) where nothing has a
 * date.
 *
 * Scenes that share the cube's lattice are read as they are; others are resampled once, on the fly. Scenes of one date
 * mosaic: the first valid pixel in scene order wins. Reads are windowed. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_SERIES_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_SERIES_H

#include "datacube/base/hash.h"
#include "datacube/source.h"

struct raster_scene { /* one band of one file */
  const char *path;   /* of a local file */
  int raster_band;    /* from 1 */
  size_t date;        /* index into dates */
  size_t band;        /* index into bands */
  struct grid grid;   /* the file's own */
  enum element_type type;
  bool has_nodata;
  double nodata;
  bool masked;  /* a mask or an alpha band says which pixels hold something */
  bool unpacks; /* its values are stored * scale + offset; real numbers only */
  double scale, offset;
};

struct raster_series {
  const int64_t *dates; /* ascending; NULL: the cube has no dimension of time, and date_count is 1 */
  size_t date_count;
  const char *const *bands;
  const struct band_info *band_info; /* one a band, or NULL */
  size_t band_count;
  const struct raster_scene *scenes; /* in item order */
  size_t scene_count;
  struct grid grid; /* the cube's */
  enum resampling method;
  bool overviews; /* where the grid is coarser than a scene, the overviews of its file may stand for it */
  const char *title;
  const char *origin;
};

/* New source in the arena; the series' arrays and texts are borrowed and must live as long. The first scene's file is
 * opened once for its block size. Rasters of other CRSs than the grid's and of other lattices may be mixed freely.
 *
 * The element type is the narrowest that holds every scene's; where the bands' no-data values differ, or a no-data is
 * needed (holes between scenes, masks) and none is declared, it is widened: 8- and 16-bit integers to float32 with NaN,
 * larger ones to float64; so it is where scenes are unpacked. */
int raster_series_source(struct arena *arena, const struct raster_series *series, const struct source **out,
                         struct error *error);

/* Metadata of one raster file, for the catalogue. */
struct raster_file_band {
  const char *description; /* or NULL */
  enum element_type type;
  bool has_nodata;
  double nodata;
  bool masked; /* by a mask of the file, a .msk beside it, or an alpha band */
  double scale, offset;
  const char *unit; /* or NULL */
};
struct raster_file {
  struct grid grid;
  const char *wkt; /* the CRS as the file has it */
  bool has_keys;   /* … by these keys alone (tiff_geo_keys.h) */
  struct hash keys;
  bool has_making; /* a remote one that tells by its tags how it was made (tiff_making.h) */
  struct hash making;
  struct raster_file_band *bands;
  size_t band_count;
};
/* What is known of a file before it is opened; each may be NULL. */
struct raster_file_hints {
  const struct raster_file *before; /* other files of the arena. The CRS is not looked up again where it is one of
                                       theirs, which takes longer than all the rest; nor anything of a remote file that
                                       was made like one of them */
  size_t before_count;
  const struct grid *grid; /* stands in where the file has none, if it is of that size */
  const char *crs;         /* canonical; stands in where the file has none */
};
/* Opens and closes the file. Errors (code NoDataAvailable) for rotated grids, missing CRS, unreadable files.
 * The grid of a file that runs from south to north is that of its pixels from the north. */
int raster_file_inspect(struct arena *arena, const char *path, struct raster_file *out, struct error *error);
int raster_file_inspect_with(struct arena *arena, const char *path, const struct raster_file_hints *hints,
                             struct raster_file *out, struct error *error);
/* Whether every band has a description, and no two the same. */
bool raster_file_is_described(const struct raster_file *raster);

#endif
