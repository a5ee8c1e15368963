/* Validity that a raster carries beside its pixels. See raster_mask.h. */
#include "datacube/source/raster_mask.h"

#include <strings.h>

enum { MASK_BYTES = 16 * 1024 };

/* A band of another name is data: writers mark the fourth band of any four bytes as alpha. */
static bool is_alpha(GDALRasterBandH band)
{
  const char *name = GDALGetDescription(band);
  return GDALGetRasterColorInterpretation(band) == GCI_AlphaBand && (!name || !*name || strcasecmp(name, "alpha") == 0);
}

static GDALRasterBandH alpha_band(GDALDatasetH dataset)
{
  for (int i = GDALGetRasterCount(dataset); i > 0; i--)
    if (is_alpha(GDALGetRasterBand(dataset, i)))
      return GDALGetRasterBand(dataset, i);
  return NULL;
}

GDALRasterBandH raster_mask_band(GDALDatasetH dataset, int number)
{
  GDALRasterBandH band = GDALGetRasterBand(dataset, number), alpha;
  int flags = GDALGetMaskFlags(band);
  if (!(flags & (GMF_ALL_VALID | GMF_ALPHA)) && flags != GMF_NODATA)
    return GDALGetMaskBand(band);
  alpha = alpha_band(dataset);
  return alpha != band ? alpha : NULL;
}

/* One run of a row: no-data where the mask is 0. */
static void hide(const struct pixel_format *format, const unsigned char *mask, size_t n, unsigned char *to)
{
  size_t size = element_info(format->type)->size, first = 0;
  while (first < n) {
    size_t end = first + 1;
    while (end < n && !mask[end] == !mask[first])
      end++;
    if (!mask[first])
      pixels_fill(format, end - first, to + first * size);
    first = end;
  }
}

CPLErr raster_mask_apply(GDALRasterBandH mask, const struct pixel_format *format, const struct raster_region *region,
                         const struct mask_target *to)
{
  unsigned char valid[MASK_BYTES];
  size_t size = element_info(format->type)->size;
  size_t width = region->width < MASK_BYTES ? region->width : MASK_BYTES, rows = MASK_BYTES / width;
  for (size_t y = 0; y < region->height; y += rows)
    for (size_t x = 0; x < region->width; x += width) {
      size_t height = rows < region->height - y ? rows : region->height - y;
      size_t columns = width < region->width - x ? width : region->width - x;
      if (GDALRasterIO(mask, GF_Read, (int)(region->column + x), (int)(region->row + y), (int)columns, (int)height,
                       valid, (int)columns, (int)height, GDT_Byte, 0, 0) != CE_None)
        return CE_Failure;
      for (size_t k = 0; k < height; k++) {
        size_t row = to->turned ? region->height - 1 - y - k : y + k;
        hide(format, valid + k * columns, columns, to->pixels + (row * to->stride + x) * size);
      }
    }
  return CE_None;
}
