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

enum { SCAN_MAX_FILES = 2000000, SCAN_MAX_BANDS = 20000, SCAN_MAX_DEPTH = 64, SCAN_RECENT = 16 };

struct declared_asset; /* declared_asset.h */

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
  struct extent lonlat; /* the grid's bounding box, normal (lonlat.h) */
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
  int64_t instant; /* 0 where it has no date */
  bool undated;
  json_t *properties; /* owned; NULL: none */
  struct extent box;  /* of its assets, normal (lonlat.h) */
};

struct scan_key { /* the bands of assets with one key, as far as their items do not tell */
  const char *name;
  bool masked; /* its files have masks */
};

struct scan_band_key { /* a band that comes from assets of a key */
  const char *key;
  size_t band; /* as it was found: scan_finish renumbers */
};

struct scan {
  struct arena *arena; /* owned: paths, names, grids */
  const struct catalogue_add_options *options;
  const struct catalogue_bounds *bounds; /* of a stranger's document; NULL: an operator's, who may read all */
  const char *id, *title;                /* NULL while unknown */
  json_t *source;                        /* the STAC collection or catalogue, owned, or NULL */
  const json_t *collection;              /* of the items that are read now, borrowed, or NULL */
  struct scan_item *items;
  struct scan_asset *assets;
  struct scan_band *bands;
  struct scan_grid *grids;
  size_t item_count, asset_count, band_count, grid_count;
  size_t item_room, asset_room, band_room, grid_room;
  size_t documents, files, skipped, unreadable;
  bool number_bands;        /* bands came from names, one a file: their order is that of their names */
  const char *crs;          /* of the collection's grid, canonical; scan_finish */
  bool sub_daily;           /* dates are exact instants, not days; scan_finish */
  bool timeless;            /* no item has a date: the cube has no dimension of time; scan_finish */
  size_t date_count;        /* scan_finish; 0: timeless */
  const char *cube_path;    /* file or files that are a cube (cube_files.h), netCDF or of features; else NULL */
  struct buffer cube_lines; /* of several files: what cube_path is then; owned */
  const struct cube *file_cube;
  const char *contents;                   /* "3 lattice gauge fields": what a reader tells of it, or NULL */
  size_t cube_item;                       /* row of the item that holds that file, where there are items */
  struct raster_file recent[SCAN_RECENT]; /* read lately, of remote ones of equal making (tiff_making.h) the first */
  size_t recent_count, recent_next;       /* how many; the place of the next */
  struct scan_key *keys;                  /* of assets of which a remote file was read; scan_asset.c's */
  size_t key_count, key_room;
  struct scan_band_key *band_keys;
  size_t band_key_count, band_key_room;
  struct transform *to_lonlat; /* from `lonlat_from`, kept between grids; owned */
  const char *lonlat_from;
};

/* Options and bounds (NULL: none) are borrowed. */
int scan_start(struct scan *scan, const struct catalogue_add_options *options, const struct catalogue_bounds *bounds,
               struct error *error);
void scan_free(struct scan *scan);

/* Readers. PATH is absolute; scan_folder takes one raster too. */
int scan_folder(struct scan *scan, const char *path, struct error *error);
/* The files of the options: rasters, or what is a cube. */
int scan_listing(struct scan *scan, struct error *error);
int scan_stac(struct scan *scan, const char *path, struct error *error);
int scan_netcdf(struct scan *scan, const char *path, struct error *error);
int scan_vector(struct scan *scan, const char *path, struct error *error);
int scan_gauge(struct scan *scan, const char *path, struct error *error);
/* NoDataAvailable where nothing below the folder is a gauge field. */
int scan_gauge_folder(struct scan *scan, const char *path, struct error *error);
/* The cube of one netCDF file, or of several together, becomes the scan's: its title, dates and bands. */
int scan_take_cube(struct scan *scan, const struct cube *cube, struct error *error);

/* Whether the scan may read a file, whose path is without links. */
bool scan_allows(const struct scan *scan, const char *real);
/* Before a document or file is opened: whether there may be one more, and the scan is still wanted. */
int scan_step(struct scan *scan, struct error *error);
/* Notes that a band comes from assets of that key. */
int scan_note_key(struct scan *scan, const char *key, size_t band, struct error *error);
/* Says what is left out. */
void scan_warn(const struct scan *scan, const char *format, ...) __attribute__((format(printf, 2, 3)));

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

/* The file's metadata; 1 (no error) where it cannot be read, which is said and counted. What documents declare of the
 * asset (NULL: nothing) stands in for a grid or CRS that the file lacks. */
int scan_inspect(struct scan *scan, const char *path, const struct declared_asset *declared, struct raster_file *file,
                 struct error *error);

/* Bands in the order in which the documents list them; others behind them, as they were found. (scan_names.c) */
int scan_order_bands(struct scan *scan, struct error *error);
/* What the documents call dimensions and bands, copied to the arena. (scan_names.c) */
int scan_names(const struct scan *scan, struct arena *arena, struct catalogue_names *out, struct error *error);

/* Orders and completes; errors where nothing was found, or an option names a band that is not there. */
int scan_finish(struct scan *scan, struct error *error);

/* Label of an instant's date: the day's start, or the instant itself. */
int64_t scan_day(int64_t instant);

#endif
