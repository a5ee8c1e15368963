/* PNG (ISO/IEC 15948): signature, IHDR, PLTE and tRNS for palettes, one IDAT of a zlib stream, IEND. */
#include "datacube/sink/tile_picture.h"

#include "datacube/gdal_init.h"
#include "datacube/source/raster_file.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <libdeflate.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEFLATE_LEVEL = 1, QUALITY = 85 };

static const struct {
  const char *name, *media_type, *driver;
} formats[TILE_FORMATS] = {[TILE_PNG] = {"png", "image/png", "PNG"},
                           [TILE_JPEG] = {"jpeg", "image/jpeg", "JPEG"},
                           [TILE_WEBP] = {"webp", "image/webp", "WEBP"}};

const char *tile_format_name(enum tile_format format)
{
  return formats[format].name;
}

const char *tile_format_media_type(enum tile_format format)
{
  return formats[format].media_type;
}

enum tile_format tile_format_find(const char *text)
{
  for (int i = 0; i < TILE_FORMATS; i++)
    if (strcasecmp(text, formats[i].name) == 0 || strcasecmp(text, formats[i].media_type) == 0)
      return (enum tile_format)i;
  return strcasecmp(text, "jpg") == 0 ? TILE_JPEG : TILE_FORMATS;
}

/* ---- PNG --------------------------------------------------------------------------------------------------------- */

static void put_u32(unsigned char *to, uint32_t value)
{
  for (int i = 0; i < 4; i++)
    to[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void add_chunk(struct buffer *out, const char type[4], const void *data, size_t length)
{
  unsigned char word[4];
  put_u32(word, (uint32_t)length);
  buffer_add(out, word, 4);
  buffer_add(out, type, 4);
  buffer_add(out, data, length);
  uint32_t check = libdeflate_crc32(libdeflate_crc32(0, type, 4), data, length);
  put_u32(word, check);
  buffer_add(out, word, 4);
}

static void add_header(struct buffer *out, const struct tile_picture *picture)
{
  static const unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  enum { INDEXED = 3, COLOUR_AND_OPACITY = 6 };
  unsigned char header[13] = {0};
  put_u32(header, (uint32_t)picture->width);
  put_u32(header + 4, (uint32_t)picture->height);
  header[8] = 8; /* bits */
  header[9] = picture->palette ? INDEXED : COLOUR_AND_OPACITY;
  buffer_add(out, signature, sizeof signature);
  add_chunk(out, "IHDR", header, sizeof header);
}

static void add_palette(struct buffer *out, const struct tile_picture *picture)
{
  unsigned char colours[3 * 256], opacities[256];
  for (size_t i = 0; i < picture->colours; i++) {
    memcpy(colours + 3 * i, picture->palette + 4 * i, 3);
    opacities[i] = picture->palette[4 * i + 3];
  }
  add_chunk(out, "PLTE", colours, 3 * picture->colours);
  add_chunk(out, "tRNS", opacities, picture->colours);
}

/* Every row behind a byte that names its filter: none. */
static unsigned char *filtered_rows(const struct tile_picture *picture, size_t *bytes)
{
  const size_t line = picture->width * (picture->palette ? 1 : 4);
  *bytes = picture->height * (line + 1);
  unsigned char *rows = malloc(*bytes);
  for (size_t y = 0; rows && y < picture->height; y++) {
    rows[y * (line + 1)] = 0;
    memcpy(rows + y * (line + 1) + 1, picture->pixels + y * line, line);
  }
  return rows;
}

static int encode_png(const struct tile_picture *picture, struct buffer *out, struct error *error)
{
  size_t bytes = 0, room;
  unsigned char *rows = filtered_rows(picture, &bytes), *packed = NULL;
  struct libdeflate_compressor *compressor = rows ? libdeflate_alloc_compressor(DEFLATE_LEVEL) : NULL;
  if (compressor) {
    room = libdeflate_zlib_compress_bound(compressor, bytes);
    packed = malloc(room);
  }
  if (packed) {
    const size_t length = libdeflate_zlib_compress(compressor, rows, bytes, packed, room);
    add_header(out, picture);
    if (picture->palette)
      add_palette(out, picture);
    add_chunk(out, "IDAT", packed, length);
    add_chunk(out, "IEND", "", 0);
  }
  const bool failed = !packed || out->failed;
  free(packed);
  libdeflate_free_compressor(compressor);
  free(rows);
  return failed ? error_memory(error) : 0;
}

/* ---- JPEG and WebP ----------------------------------------------------------------------------------------------- */

static const unsigned char *colour_of(const struct tile_picture *picture, size_t i)
{
  return picture->palette ? picture->palette + 4 * picture->pixels[i] : picture->pixels + 4 * i;
}

/* Bands one after the other; without opacity, what is transparent lies on white. */
static unsigned char *bands_of(const struct tile_picture *picture, size_t bands)
{
  const size_t pixels = picture->width * picture->height;
  unsigned char *out = malloc(bands * pixels);
  for (size_t i = 0; out && i < pixels; i++) {
    const unsigned char *colour = colour_of(picture, i);
    for (size_t b = 0; b < bands; b++)
      out[b * pixels + i] =
          bands == 4 ? colour[b] : (unsigned char)((colour[b] * colour[3] + 255 * (255 - colour[3]) + 127) / 255);
  }
  return out;
}

static GDALDatasetH memory_dataset(const struct tile_picture *picture, unsigned char *data, int bands)
{
  char pointer[64] = "";
  const size_t pixels = picture->width * picture->height;
  GDALDriverH driver = GDALGetDriverByName("MEM");
  GDALDatasetH dataset =
      driver ? GDALCreate(driver, "", (int)picture->width, (int)picture->height, 0, GDT_Byte, NULL) : NULL;
  for (int b = 0; dataset && b < bands; b++) {
    const int length = CPLPrintPointer(pointer, data + (size_t)b * pixels, sizeof pointer - 1);
    pointer[length] = '\0';
    char **options = CSLSetNameValue(NULL, "DATAPOINTER", pointer);
    if (GDALAddBand(dataset, GDT_Byte, options) == CE_None)
      GDALSetRasterColorInterpretation(GDALGetRasterBand(dataset, b + 1), (GDALColorInterp)(GCI_RedBand + b));
    CSLDestroy(options);
  }
  return dataset;
}

/* Writes into memory and takes the bytes. */
static int copy_with_gdal(GDALDriverH driver, GDALDatasetH from, const void *name, struct buffer *out)
{
  char path[64], quality[24];
  snprintf(path, sizeof path, "/vsimem/tile-%p", name);
  snprintf(quality, sizeof quality, "QUALITY=%d", (int)QUALITY);
  char **options = CSLAddString(NULL, quality);
  GDALDatasetH made = GDALCreateCopy(driver, path, from, FALSE, options, NULL, NULL);
  CSLDestroy(options);
  if (!made)
    return -1;
  GDALClose(made);
  vsi_l_offset length = 0;
  GByte *bytes = VSIGetMemFileBuffer(path, &length, TRUE);
  buffer_add(out, bytes, (size_t)length);
  VSIFree(bytes);
  return 0;
}

static int encode_with_gdal(enum tile_format format, const struct tile_picture *picture, struct buffer *out,
                            struct error *error)
{
  gdal_init();
  const int bands = format == TILE_JPEG ? 3 : 4;
  GDALDriverH driver = GDALGetDriverByName(formats[format].driver);
  if (!driver)
    return error_set(error, ERROR_FormatUnsuitable, "this GDAL cannot write %s", formats[format].driver);
  unsigned char *data = bands_of(picture, (size_t)bands);
  if (!data)
    return error_memory(error);
  raster_quiet_begin();
  GDALDatasetH dataset = memory_dataset(picture, data, bands);
  int status = dataset ? copy_with_gdal(driver, dataset, data, out) : -1;
  if (status != 0)
    raster_error(error, ERROR_Internal, "tile");
  if (dataset)
    GDALClose(dataset);
  raster_quiet_end();
  free(data);
  return status == 0 && out->failed ? error_memory(error) : status;
}

int tile_picture_encode(enum tile_format format, const struct tile_picture *picture, struct buffer *out,
                        struct error *error)
{
  return format == TILE_PNG ? encode_png(picture, out, error) : encode_with_gdal(format, picture, out, error);
}
