/* Small rasters in a folder of their own, for the tests of raster files and series. */
#ifndef TWINCUBE_TESTS_UNIT_DATACUBE_RASTER_FIXTURE_H
#define TWINCUBE_TESTS_UNIT_DATACUBE_RASTER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/base/arena.h"
#include "datacube/gdal_init.h"

#include <cpl_string.h>
#include <dirent.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
  struct arena *arena;
  char *folder;
  size_t files;
};

static int set_up(void **state)
{
  gdal_init();
  struct fixture *f = calloc(1, sizeof *f);
  f->arena = arena_new(0);
  const char *root = getenv("TMPDIR");
  f->folder = arena_printf(f->arena, "%s/twincube-test-XXXXXX", root && *root ? root : P_tmpdir);
  assert_non_null(mkdtemp(f->folder));
  *state = f;
  return 0;
}

static int tear_down(void **state)
{
  struct fixture *f = *state;
  DIR *folder = opendir(f->folder);
  for (struct dirent *e = readdir(folder); e; e = readdir(folder))
    if (e->d_name[0] != '.')
      unlinkat(dirfd(folder), e->d_name, 0);
  closedir(folder);
  rmdir(f->folder);
  arena_free(f->arena);
  free(f);
  return 0;
}

/* ---- Making rasters -------------------------------------------------------------------------------------------- */

struct recipe {       /* of one raster; zeros take the value in brackets */
  const char *crs;    /* [EPSG:32618] */
  double west, north; /* [300000, 4800000] */
  double res;         /* [30] */
  int width, height;  /* [100, 80] */
  GDALDataType type;  /* [UInt16] */
  bool has_nodata;
  double nodata;
  double base;           /* added to every value */
  int hole;              /* every hole-th pixel is no-data */
  int bands;             /* [1] */
  const char *option[4]; /* creation options */
  bool south_up;         /* rows from the south */
  bool overviews;        /* by two and four, filled with base + 1000 and base + 2000 */
};

/* Value of the pixel whose centre is at (x, y) units from the corner (300000, 4800000), in multiples of 10. */
static double formula(double x, double y)
{
  double rest = fmod(floor(x / 10) * 7 + floor(-y / 10) * 13, 200);
  return (rest < 0 ? rest + 200 : rest) + 1;
}

static void complete(struct recipe *r)
{
  r->crs = r->crs ? r->crs : "EPSG:32618";
  r->west = r->west != 0 ? r->west : 300000;
  r->north = r->north != 0 ? r->north : 4800000;
  r->res = r->res != 0 ? r->res : 30;
  r->width = r->width ? r->width : 100;
  r->height = r->height ? r->height : 80;
  r->type = r->type != GDT_Unknown ? r->type : GDT_UInt16;
  r->bands = r->bands ? r->bands : 1;
}

static double stored(const struct recipe *r, int column, int row, int band)
{
  if (r->hole && (row * r->width + column) % r->hole == 0)
    return r->nodata;
  return r->base + 1000 * band +
         formula(r->west + (column + 0.5) * r->res - 300000, r->north - (row + 0.5) * r->res - 4800000);
}

static void georeference(GDALDatasetH d, const struct recipe *r)
{
  double gt[6] = {r->west, r->res, 0, r->north, 0, -r->res};
  if (r->south_up)
    gt[3] = r->north - r->height * r->res, gt[5] = r->res;
  OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
  assert_int_equal(OSRSetFromUserInput(crs, r->crs), OGRERR_NONE);
  OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
  assert_int_equal(GDALSetGeoTransform(d, gt), CE_None);
  assert_int_equal(GDALSetSpatialRef(d, crs), CE_None);
  OSRDestroySpatialReference(crs);
}

static void fill_band(GDALRasterBandH band, const struct recipe *r, int index)
{
  double *line = malloc((size_t)r->width * sizeof *line);
  if (r->has_nodata)
    GDALSetRasterNoDataValue(band, r->nodata);
  for (int y = 0; y < r->height; y++) {
    for (int x = 0; x < r->width; x++)
      line[x] = stored(r, x, y, index);
    int row = r->south_up ? r->height - 1 - y : y;
    assert_int_equal(GDALRasterIO(band, GF_Write, 0, row, r->width, 1, line, r->width, 1, GDT_Float64, 0, 0), CE_None);
  }
  free(line);
}

static void fill_overviews(GDALDatasetH d, const struct recipe *r)
{
  int levels[2] = {2, 4};
  assert_int_equal(GDALBuildOverviews(d, "NEAREST", 2, levels, 0, NULL, NULL, NULL), CE_None);
  for (int i = 0; i < 2; i++) {
    GDALRasterBandH level = GDALGetOverview(GDALGetRasterBand(d, 1), i);
    int width = GDALGetRasterBandXSize(level), height = GDALGetRasterBandYSize(level);
    double *values = malloc((size_t)width * (size_t)height * sizeof *values);
    for (int k = 0; k < width * height; k++)
      values[k] = r->base + 1000 * (i + 1) + k % width + 10 * (k / width);
    assert_int_equal(GDALRasterIO(level, GF_Write, 0, 0, width, height, values, width, height, GDT_Float64, 0, 0),
                     CE_None);
    free(values);
  }
}

/* New file in the fixture's folder; its path is the arena's. */
static const char *make_raster(struct fixture *f, struct recipe *r)
{
  complete(r);
  char *path = arena_printf(f->arena, "%s/scene-%zu.tif", f->folder, f->files++);
  char **options = NULL;
  for (int i = 0; i < 4 && r->option[i]; i++)
    options = CSLAddString(options, r->option[i]);
  GDALDatasetH d = GDALCreate(GDALGetDriverByName("GTiff"), path, r->width, r->height, r->bands, r->type, options);
  CSLDestroy(options);
  assert_non_null(d);
  georeference(d, r);
  for (int b = 0; b < r->bands; b++)
    fill_band(GDALGetRasterBand(d, b + 1), r, b);
  if (r->overviews)
    fill_overviews(d, r);
  GDALClose(d);
  return path;
}

#endif
