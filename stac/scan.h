/* A scan: what adding a collection finds, before it is written to the index.
 *
 *   items  -> assets (one band of one file each) -> bands and grids of the collection
 *
 * The readers (scan_folder.c, scan_stac.c, scan_netcdf.c) fill it, scan_finish orders it and decides what loading needs
 * to know once and for all: the collection's CRS, the finest resolution of each band in it, whether dates are days. */
#ifndef TWINCUBE_STAC_SCAN_H
#define TWINCUBE_STAC_SCAN_H

#include "datacube/source/raster_series.h"
#include "stac/catalogue.h"
#include "stac/json_tree.h"

enum { SCAN_MAX_FILES = 2000000, SCAN_MAX_BANDS = 20000, SCAN_MAX_DEPTH = 64 };

struct scan_band {
  const char *name;
  struct band_info info;
  enum element_type type; /* of the first asset */
  bool has_nodata;        /* likewise */
  double nodata;
  double res_x, res_y; /* finest of the collection, units of scan.crs; 0 before scan_finish */
};

struct scan_grid {
  struct grid grid;
  struct extent lonlat; /* the grid's bounding box; the whole globe's width where it crosses the antimeridian */
};

struct scan_asset {
  size_t item, band, grid; /* indexes */
  const char *path;        /* absolute */
  int raster_band;         /* from 1 */
  enum element_type type;
  bool has_nodata;
  double nodata;
  bool masked;
  double scale, offset; /* of stored values */
  bool unpacks;         /* they are loaded as what they stand for; scan_finish */
};

struct scan_item {
  const char *id;
  int64_t instant;
  json_t *properties; /* owned; NULL: none */
  struct extent box;  /* lonlat, of its assets */
};

struct scan {
  struct arena *arena; /* borrowed: paths, names, grids */
  const struct catalogue_add_options *options;
  const char *id, *title; /* NULL while unknown */
  json_t *source;         /* the STAC collection or catalogue, owned, or NULL */
  struct scan_item *items;
  struct scan_asset *assets;
  struct scan_band *bands;
  struct scan_grid *grids;
  size_t item_count, asset_count, band_count, grid_count;
  size_t item_room, asset_room, band_room, grid_room;
  size_t files, skipped, unreadable;
  bool number_bands;     /* bands came from names, one a file: their order is that of their names */
  const char *crs;       /* of the collection's grid, canonical; scan_finish */
  bool sub_daily;        /* dates are exact instants, not days; scan_finish */
  size_t date_count;     /* scan_finish */
  const char *cube_path; /* one file that is a cube, netCDF or of features: the file, and its cube; else NULL */
  const struct cube *file_cube;
  struct transform *to_lonlat; /* from `lonlat_from`, kept between grids; owned */
  const char *lonlat_from;
};

void scan_start(struct scan *scan, struct arena *arena, const struct catalogue_add_options *options);
void scan_free(struct scan *scan); /* trees and transformation; the arena is the caller's */

/* Readers. PATH is absolute; scan_folder takes one raster too. */
int scan_folder(struct scan *scan, const char *path, struct error *error);
int scan_stac(struct scan *scan, const char *path, struct error *error);
int scan_netcdf(struct scan *scan, const char *path, struct error *error);
int scan_vector(struct scan *scan, const char *path, struct error *error);

/* New rows; the index in *out. Properties are taken. */
int scan_new_item(struct scan *scan, const char *id, int64_t instant, json_t *properties, size_t *out,
                  struct error *error);
/* The band of a name, made where there is none; `info` counts then (texts are copied). */
int scan_find_band(struct scan *scan, const char *name, const struct band_info *info, size_t *out, struct error *error);
/* Adds the asset; its grid is added or found; --nodata is applied. */
int scan_new_asset(struct scan *scan, const struct scan_asset *asset, const struct grid *grid, struct error *error);

/* Bands whose files of one grid and instant differ in their names are more than one: each gets the words that differ.
 * (crowded_bands.c) */
int scan_part_bands(struct scan *scan, struct error *error);
/* --nodata, and what the band knows of its first asset: for a row that came to its band. */
void scan_settle_asset(struct scan *scan, struct scan_asset *asset);

/* The file's metadata; 1 (no error) where it cannot be read, which is logged and counted. */
int scan_inspect(struct scan *scan, const char *path, struct raster_file *file, struct error *error);

/* Orders and completes; errors where nothing was found, or an option names a band that is not there. */
int scan_finish(struct scan *scan, struct error *error);

/* Label of an instant's date: the day's start, or the instant itself. */
int64_t scan_day(int64_t instant);

#endif
