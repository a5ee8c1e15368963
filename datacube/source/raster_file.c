/* Raster files on GDAL: which drivers may open them, what their metadata say.
 *
 * Only drivers that tell their files by what is in them are allowed, and only regular files and remote ones. VRT,
 * whatever else points to further files or to the network, and formats whose header lies beside any bytes (ENVI, EHdr)
 * are not: a file from outside must not make the server read something else. */
#include "datacube/source/raster_file.h"

#include "datacube/base/file_refusal.h"
#include "datacube/gdal_init.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/raster_mask.h"
#include "datacube/source/raster_series.h"
#include "datacube/source/tiff_geo_keys.h"
#include "datacube/source/tiff_making.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <string.h>
#include <sys/stat.h>

static const char *const drivers[] = {"GTiff", "JP2OpenJPEG", "PNG", "JPEG", NULL};

void raster_quiet_begin(void)
{
  CPLPushErrorHandler(CPLQuietErrorHandler);
  CPLErrorReset();
}

void raster_quiet_end(void)
{
  CPLPopErrorHandler();
}

static const char *base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}

/* What other hosts or their files do wrong is said first, and GDAL's last message is of what came of it. The file is
 * asked for again: one that has changed, or whose host is gone, is an error of its own. */
static int remote_reason(const char *path, struct error *error)
{
  struct remote_file *again = NULL;
  if (!remote_is(path) || error_is_set(error))
    return 0;
  const int status = remote_open(path, &again, error);
  remote_close(again);
  return status;
}

int raster_error(struct error *error, enum error_code code, const char *path)
{
  if (remote_reason(path, error) != 0)
    return -1;
  const char *message = CPLGetLastErrorMsg(), *name = base_name(path);
  const char *found = *path ? strstr(message, path) : NULL;
  const char *refusal = file_refusal(path);
  if (refusal)
    return error_set(error, code, "%.120s cannot be read: %s", name, refusal);
  size_t before = found ? (size_t)(found - message) : strlen(message);
  const char *after = found ? found + (name - path) : "";
  if (!*message)
    return error_set(error, code, "%.120s cannot be read.", name);
  return error_set(error, code, "%.120s cannot be read: %.*s%.240s", name, before < 240 ? (int)before : 240, message,
                   after);
}

static int open_here(const char *path, enum error_code code, GDALDatasetH *out, struct error *error)
{
  struct stat status_of_file;
  if (!remote_is(path) && stat(path, &status_of_file) == 0 && !S_ISREG(status_of_file.st_mode))
    return error_set(error, code, "%.120s cannot be read: it is no regular file.", base_name(path));
  gdal_init();
  raster_quiet_begin();
  GDALDatasetH dataset =
      GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR, drivers, NULL, NULL);
  int status = dataset ? 0 : raster_error(error, code, path);
  raster_quiet_end();
  if (status == 0)
    *out = dataset;
  return status;
}

int raster_open(const char *path, enum error_code code, GDALDatasetH *out, struct error *error)
{
  struct remote_file *held = NULL; /* so that what is wrong with it is told by its own error, not by GDAL's */
  if (remote_is(path) && remote_open(path, &held, error) != 0)
    return -1;
  const int status = open_here(path, code, out, error);
  remote_close(held);
  return status;
}

enum element_type raster_element_type(GDALRasterBandH band)
{
  switch (GDALGetRasterDataType(band)) {
  case GDT_Byte:
    return raster_unsigned_bytes(band) ? ELEMENT_I8 : ELEMENT_U8;
  case GDT_UInt16:
    return ELEMENT_U16;
  case GDT_Int16:
    return ELEMENT_I16;
  case GDT_UInt32:
    return ELEMENT_U32;
  case GDT_Int32:
    return ELEMENT_I32;
  case GDT_UInt64:
    return ELEMENT_U64;
  case GDT_Int64:
    return ELEMENT_I64;
  case GDT_Float32:
    return ELEMENT_F32;
  case GDT_Float64:
    return ELEMENT_F64;
  case GDT_CInt16:
  case GDT_CFloat32:
    return ELEMENT_C64;
  case GDT_CInt32:
  case GDT_CFloat64:
    return ELEMENT_C128;
  default:
    break;
  }
#if GDAL_VERSION_NUM >= 3070000
  if (GDALGetRasterDataType(band) == GDT_Int8)
    return ELEMENT_I8;
#endif
  return ELEMENT_TYPE_COUNT;
}

bool raster_unsigned_bytes(GDALRasterBandH band)
{
  if (GDALGetRasterDataType(band) != GDT_Byte)
    return false;
  const char *pixel_type = GDALGetMetadataItem(band, "PIXELTYPE", "IMAGE_STRUCTURE");
  return pixel_type && strcmp(pixel_type, "SIGNEDBYTE") == 0;
}

GDALDataType raster_buffer_type(enum element_type type)
{
  static const GDALDataType types[ELEMENT_TYPE_COUNT] = {
    [ELEMENT_U8] = GDT_Byte,
    [ELEMENT_BOOLEAN] = GDT_Byte,
    [ELEMENT_U16] = GDT_UInt16,
    [ELEMENT_I16] = GDT_Int16,
    [ELEMENT_U32] = GDT_UInt32,
    [ELEMENT_I32] = GDT_Int32,
    [ELEMENT_U64] = GDT_UInt64,
    [ELEMENT_I64] = GDT_Int64,
    [ELEMENT_F32] = GDT_Float32,
    [ELEMENT_F64] = GDT_Float64,
    [ELEMENT_C64] = GDT_CFloat32,
    [ELEMENT_C128] = GDT_CFloat64,
#if GDAL_VERSION_NUM >= 3070000
    [ELEMENT_I8] = GDT_Int8,
#else
    [ELEMENT_I8] = GDT_Byte,
#endif
  };
  return types[type];
}

static const struct raster_file *with_text(const struct raster_file_hints *hints, const char *wkt)
{
  for (size_t i = 0; i < hints->before_count; i++)
    if (hints->before[i].wkt && strcmp(hints->before[i].wkt, wkt) == 0)
      return &hints->before[i];
  return NULL;
}

/* A text with the CRS, and its canonical form: that of a file before where the texts are the same. */
static int inspect_crs(struct arena *arena, GDALDatasetH dataset, const struct raster_file_hints *hints,
                       struct raster_file *out, struct error *error)
{
  OGRSpatialReferenceH reference = GDALGetSpatialRef(dataset);
  const struct raster_file *before = NULL;
  const char *name = base_name(GDALGetDescription(dataset));
  out->wkt = NULL;
  out->grid.crs = hints->crs;
  if (!reference && hints->crs) {
    out->has_keys = false; /* another file without a CRS may be meant to have another one */
    return 0;
  }
  if (!reference)
    return error_set(error, ERROR_NoDataAvailable, "%.200s has no coordinate reference system.", name);
  const char *const options[] = {"FORMAT=WKT2_2019", "MULTILINE=NO", NULL};
  char *wkt = NULL;
  struct error inner = {.code = ""};
  int status = OSRExportToWktEx(reference, &wkt, options) == OGRERR_NONE ? 0 : -1;
  if (status == 0 && (before = with_text(hints, wkt)) != NULL) {
    out->wkt = before->wkt;
    out->grid.crs = before->grid.crs;
  } else if (status == 0) {
    out->wkt = arena_strdup(arena, wkt);
    status = crs_canonical(arena, wkt, &out->grid.crs, &inner);
  }
  CPLFree(wkt);
  if (status != 0)
    return error_set(error, ERROR_NoDataAvailable, "The coordinate reference system of %.200s is not understood.",
                     name);
  return 0;
}

/* What stands in for a grid, for the message. */
static const char *loose_reference(GDALDatasetH dataset)
{
  if (GDALGetGCPCount(dataset) > 0)
    return "has ground control points but no grid: it must be rectified first";
  if (GDALGetMetadata(dataset, "RPC"))
    return "has rational polynomials but no grid: it must be rectified first";
  return "is not georeferenced";
}

static bool is_identity(const double gt[6])
{
  return gt[0] == 0 && gt[1] == 1 && gt[2] == 0 && gt[3] == 0 && gt[4] == 0 && fabs(gt[5]) == 1;
}

/* Another grid in place of the missing one. */
static int stand_in(GDALDatasetH dataset, const char *path, const struct grid *grid, struct grid *out,
                    struct error *error)
{
  const size_t width = (size_t)GDALGetRasterXSize(dataset), height = (size_t)GDALGetRasterYSize(dataset);
  *out = *grid;
  if (grid->width == width && grid->height == height)
    return 0;
  return error_set(error, ERROR_NoDataAvailable, "%.200s has %zu x %zu pixels, and is described as one of %zu x %zu.",
                   base_name(path), width, height, grid->width, grid->height);
}

static int inspect_grid(GDALDatasetH dataset, const char *path, const struct grid *other, struct grid *out,
                        struct error *error)
{
  double gt[6];
  const bool is_bare = GDALGetGeoTransform(dataset, gt) != CE_None || is_identity(gt);
  if (is_bare && other)
    return stand_in(dataset, path, other, out, error);
  if (is_bare)
    return error_set(error, ERROR_NoDataAvailable, "%.200s %s.", base_name(path), loose_reference(dataset));
  double tilt = 1e-9 * fmin(fabs(gt[1]), fabs(gt[5])), height = GDALGetRasterYSize(dataset);
  if (!(gt[1] > 0 && gt[5] != 0) || fabs(gt[2]) > tilt || fabs(gt[4]) > tilt)
    return error_set(error, ERROR_NoDataAvailable, "%.200s %s: its pixels do not run from west to east in rows.",
                     base_name(path), gt[2] != 0 || gt[4] != 0 ? "is rotated" : "is mirrored");
  *out = (struct grid){.west = gt[0],
                       .north = fmax(gt[3], gt[3] + height * gt[5]),
                       .res_x = gt[1],
                       .res_y = fabs(gt[5]),
                       .width = (size_t)GDALGetRasterXSize(dataset),
                       .height = (size_t)height};
  return 0;
}

uint64_t raster_nodata_word(GDALRasterBandH band, enum element_type type, double nodata)
{
  int has = 0;
  if (type == ELEMENT_U64) {
    const uint64_t declared = GDALGetRasterNoDataValueAsUInt64(band, &has);
    return has && (double)declared == nodata ? declared : element_u64(nodata);
  }
  const int64_t declared = GDALGetRasterNoDataValueAsInt64(band, &has);
  return (uint64_t)(has && (double)declared == nodata ? declared : element_i64(nodata));
}

/* Declared no-data of a band, if it is a value of the type. */
static void inspect_nodata(GDALRasterBandH band, struct raster_file_band *out)
{
  int has = 0;
  double declared;
  if (out->type == ELEMENT_I64)
    declared = (double)GDALGetRasterNoDataValueAsInt64(band, &has);
  else if (out->type == ELEMENT_U64)
    declared = (double)GDALGetRasterNoDataValueAsUInt64(band, &has);
  else
    declared = GDALGetRasterNoDataValue(band, &has);
  out->nodata = declared;
  out->has_nodata = has && element_nodata(out->type, declared, &out->nodata);
}

static const char *copied(struct arena *arena, const char *text)
{
  return text && *text ? arena_strdup(arena, text) : NULL;
}

static void inspect_packing(GDALRasterBandH band, struct raster_file_band *out)
{
  int has = 0;
  out->scale = GDALGetRasterScale(band, &has);
  if (!has || out->scale == 0 || !isfinite(out->scale))
    out->scale = 1;
  out->offset = GDALGetRasterOffset(band, &has);
  if (!has || !isfinite(out->offset))
    out->offset = 0;
}

static int inspect_band(struct arena *arena, GDALDatasetH dataset, int number, const char *path,
                        struct raster_file_band *out, struct error *error)
{
  GDALRasterBandH band = GDALGetRasterBand(dataset, number);
  out->type = raster_element_type(band);
  if (out->type == ELEMENT_TYPE_COUNT)
    return error_set(error, ERROR_NoDataAvailable, "%.200s has pixels of the unsupported type %s.", base_name(path),
                     GDALGetDataTypeName(GDALGetRasterDataType(band)));
  inspect_nodata(band, out);
  inspect_packing(band, out);
  out->masked = raster_mask_band(dataset, number) != NULL;
  out->description = copied(arena, GDALGetDescription(band));
  return 0;
}

static int inspect_bands(struct arena *arena, GDALDatasetH dataset, const char *path, struct raster_file *out,
                         struct error *error)
{
  out->band_count = (size_t)GDALGetRasterCount(dataset);
  if (out->band_count == 0)
    return error_set(error, ERROR_NoDataAvailable, "%.200s has no raster bands.", base_name(path));
  out->bands = ARENA_ARRAY(arena, struct raster_file_band, out->band_count);
  if (!out->bands)
    return error_memory(error);
  for (size_t i = 0; i < out->band_count; i++)
    if (inspect_band(arena, dataset, (int)i + 1, path, &out->bands[i], error))
      return -1;
  return 0;
}

static const struct raster_file *with_keys(const struct raster_file_hints *hints, const struct raster_file *file)
{
  for (size_t i = 0; i < hints->before_count && file->has_keys; i++) {
    const struct raster_file *before = &hints->before[i];
    if (before->has_keys && hash_equal(file->keys, before->keys) && file->band_count == before->band_count)
      return before;
  }
  return NULL;
}

/* GDAL takes longer to make a CRS of a file's keys, which it also does for units, than for all the rest. */
static int inspect_reference(struct arena *arena, GDALDatasetH dataset, const struct raster_file_hints *hints,
                             struct raster_file *out, struct error *error)
{
  out->has_keys = tiff_geo_keys(GDALGetDescription(dataset), &out->keys);
  const struct raster_file *before = with_keys(hints, out);
  if (before) {
    out->wkt = before->wkt;
    out->grid.crs = before->grid.crs;
  } else if (inspect_crs(arena, dataset, hints, out, error) != 0)
    return -1;
  for (size_t i = 0; i < out->band_count; i++)
    out->bands[i].unit =
        before ? before->bands[i].unit : copied(arena, GDALGetRasterUnitType(GDALGetRasterBand(dataset, (int)i + 1)));
  return 0;
}

/* ---- remote files that are made like one before ------------------------------------------------------------------ */

enum { HEAD_BYTES = 32 << 10 }; /* which the fetcher brings of any file (FETCH_HEAD_PAGES) */

static bool read_making(struct remote_file *remote, struct tiff_image *image, struct hash *making)
{
  unsigned char head[HEAD_BYTES];
  struct tiff_bytes file = {.descriptor = -1, .remote = remote, .head = head};
  file.head_length = remote_size(remote) < sizeof head ? (size_t)remote_size(remote) : sizeof head;
  const struct tiff_bytes plain = {.descriptor = -1, .remote = remote};
  return tiff_file_bytes(&plain, 0, file.head_length, head) && tiff_making_read(&file, image, making);
}

static int copy_alike(struct arena *arena, const struct raster_file *before, const struct tiff_image *image,
                      struct raster_file *out, struct error *error)
{
  const double *t = image->transform;
  *out = *before;
  out->grid = (struct grid){.west = t[0],
                            .north = t[3],
                            .res_x = t[1],
                            .res_y = -t[5],
                            .width = image->width,
                            .height = image->height,
                            .crs = before->grid.crs};
  out->bands = ARENA_ARRAY(arena, struct raster_file_band, out->band_count);
  if (!out->bands)
    return error_memory(error);
  memcpy(out->bands, before->bands, out->band_count * sizeof *out->bands);
  return 0;
}

/* Where a remote file tells how it was made this is noted, and where one before was made so it is what that one was: 0.
 * 1: it has to be opened. Nothing counts as beside a file of another host (remote_vsi.h). */
static int inspect_alike(struct arena *arena, const char *path, const struct raster_file_hints *hints,
                         struct raster_file *out, struct error *error)
{
  struct remote_file *remote;
  struct tiff_image image;
  if (!remote_is(path))
    return 1;
  if (remote_open(path, &remote, error) != 0)
    return -1;
  gdal_init();
  raster_quiet_begin();
  out->has_making = read_making(remote, &image, &out->making) && !is_identity(image.transform);
  raster_quiet_end();
  remote_close(remote);
  for (size_t i = 0; i < hints->before_count && out->has_making; i++)
    if (hints->before[i].has_making && hash_equal(hints->before[i].making, out->making))
      return copy_alike(arena, &hints->before[i], &image, out, error);
  return 1;
}

int raster_file_inspect_with(struct arena *arena, const char *path, const struct raster_file_hints *hints,
                             struct raster_file *out, struct error *error)
{
  GDALDatasetH dataset;
  *out = (struct raster_file){.band_count = 0};
  const int outcome = inspect_alike(arena, path, hints, out, error);
  if (outcome <= 0)
    return outcome;
  if (raster_open(path, ERROR_NoDataAvailable, &dataset, error))
    return -1;
  raster_quiet_begin();
  int status = inspect_grid(dataset, path, hints->grid, &out->grid, error);
  if (status == 0)
    status = inspect_bands(arena, dataset, path, out, error);
  if (status == 0)
    status = inspect_reference(arena, dataset, hints, out, error);
  out->has_making = out->has_making && out->wkt; /* a CRS that stood in may be another one for another file */
  GDALClose(dataset);
  raster_quiet_end();
  return status;
}

int raster_file_inspect(struct arena *arena, const char *path, struct raster_file *out, struct error *error)
{
  const struct raster_file_hints none = {.before = NULL};
  return raster_file_inspect_with(arena, path, &none, out, error);
}

bool raster_file_is_described(const struct raster_file *raster)
{
  for (size_t i = 0; i < raster->band_count; i++) {
    const char *text = raster->bands[i].description;
    if (!text || !*text)
      return false;
    for (size_t j = 0; j < i; j++)
      if (strcmp(text, raster->bands[j].description) == 0)
        return false;
  }
  return true;
}
