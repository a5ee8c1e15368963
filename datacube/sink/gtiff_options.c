/* Options of GeoTIFF files. The compressions are a table; which of them there are is for GDAL's drivers to say. */
#include "datacube/sink/gtiff_options.h"

#include "datacube/sink/gdal_scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TILE = 512, TILE_STEP = 16, TILE_MOST = 2048, TILE_LEAST_COG = 128 };

struct compression {
  const char *name;
  const char *level; /* creation option, or NULL */
  int most;          /* level */
  bool predicts;     /* takes a predictor */
};
static const struct compression compressions[GTIFF_COMPRESSIONS] = {
    [GTIFF_DEFLATE] = {"deflate", "ZLEVEL", 12, true},
    [GTIFF_NONE] = {"none", NULL, 22, false},
    [GTIFF_LZW] = {"lzw", NULL, 22, true},
    [GTIFF_ZSTD] = {"zstd", "ZSTD_LEVEL", 22, true},
    [GTIFF_PACKBITS] = {"packbits", NULL, 22, false},
    [GTIFF_LZMA] = {"lzma", "LZMA_PRESET", 9, false},
    [GTIFF_LERC] = {"lerc", NULL, 22, false},
    [GTIFF_LERC_DEFLATE] = {"lerc_deflate", "ZLEVEL", 12, false},
    [GTIFF_LERC_ZSTD] = {"lerc_zstd", "ZSTD_LEVEL", 22, false},
    [GTIFF_WEBP] = {"webp", NULL, 22, false},
    [GTIFF_JPEG] = {"jpeg", NULL, 22, false},
};

static const char *const resamplings[] = {"nearest",     "near",    "average", "bilinear", "cubic",
                                          "cubicspline", "lanczos", "mode",    "rms",      NULL};

const char *const gtiff_option_names[] = {"bands_metadata",
                                          "cog",
                                          "compress",
                                          "compression",
                                          "file_metadata",
                                          "filename_prefix",
                                          "overview_method",
                                          "overview_resample",
                                          "overview_resampling",
                                          "overviews",
                                          "predictor",
                                          "quality",
                                          "separate_asset_per_band",
                                          "separate_bands",
                                          "separate_dates",
                                          "tile_size",
                                          "tiled",
                                          "zlevel",
                                          NULL};

#define TEXT_SCHEMA "{\"type\":[\"string\",\"number\",\"boolean\"]}"
#define ITEMS_SCHEMA "\"type\":\"object\",\"additionalProperties\":" TEXT_SCHEMA

const char gtiff_parameters[] =
    "{\"cog\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Write a cloud-optimised GeoTIFF: tiles in the "
    "order that range requests like, with overviews.\"},"
    "\"compress\":{\"type\":\"string\",\"enum\":[\"deflate\",\"none\",\"lzw\",\"zstd\",\"packbits\",\"lzma\",\"lerc\","
    "\"lerc_deflate\",\"lerc_zstd\",\"webp\",\"jpeg\"],\"default\":\"deflate\",\"description\":\"How tiles are "
    "compressed, without loss but for jpeg, and webp with a quality below 100; also known as compression. With deflate "
    "and no zlevel, tiles that would not shrink to a quarter are stored as they are, which saves time. Where the "
    "server's GDAL lacks one, or the type of the values does not suit it, the error names those that there are.\"},"
    "\"zlevel\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":22,\"description\":\"Effort: deflate and lerc_deflate "
    "1 to 12, zstd and lerc_zstd 1 to 22, lzma 1 to 9. Every tile is compressed at this level.\"},"
    "\"predictor\":{\"type\":\"integer\",\"enum\":[1,2,3],\"description\":\"deflate, lzw and zstd: 1 compresses the "
    "values, 2 their differences, 3 the differences of floats byte by byte. By default 3 for floats, 2 for integers of "
    "up to 32 bits; 1 where deflate picks the tiles that it compresses.\"},"
    "\"quality\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"description\":\"Of jpeg (75 if not given) and "
    "webp (100 if not given: without loss).\"},"
    "\"tiled\":{\"type\":\"boolean\",\"default\":true,\"description\":\"Tiles; strips of whole rows if false.\"},"
    "\"tile_size\":{\"type\":\"integer\",\"minimum\":16,\"maximum\":2048,\"multipleOf\":16,\"default\":512,"
    "\"description\":\"Pixels a side of a tile, of a COG at least 128. Images that are smaller have one tile.\"},"
    "\"overviews\":{\"type\":[\"boolean\",\"string\"],\"enum\":[true,false,\"AUTO\",\"OFF\"],\"description\":\"Add "
    "smaller copies of the image, down to one tile. By default a COG has them, other files do not; AUTO is like true "
    "and OFF like false.\"},"
    "\"overview_resampling\":{\"type\":\"string\",\"enum\":[\"nearest\",\"near\",\"average\",\"bilinear\",\"cubic\","
    "\"cubicspline\",\"lanczos\",\"mode\",\"rms\"],\"default\":\"nearest\",\"description\":\"How the overviews' pixels "
    "come from the image's; also known as overview_method and overview_resample.\"},"
    "\"file_metadata\":{" ITEMS_SCHEMA ",\"description\":\"Items for the file's metadata.\"},"
    "\"bands_metadata\":{\"type\":\"object\",\"additionalProperties\":{" ITEMS_SCHEMA "},\"description\":\"Items for "
    "bands' metadata, by the label of the band. SCALE and OFFSET become GDAL's scale and offset, UNIT its unit, "
    "DESCRIPTION the band's name; the values stay as they are.\"},"
    "\"separate_dates\":{\"type\":\"boolean\",\"default\":false,\"description\":\"A file for each date of a batch "
    "job's result, instead of bands in one file.\"},"
    "\"separate_bands\":{\"type\":\"boolean\",\"default\":false,\"description\":\"A file for each band; also known as "
    "separate_asset_per_band.\"},"
    "\"filename_prefix\":{\"type\":\"string\",\"description\":\"How the names of a batch job's files begin.\"}}";

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The name under which an option is given, ours where it is under none. */
static const char *given_as(struct sink_options options, const char *ours, const char *theirs)
{
  return sink_options_text(options, ours) == NULL && sink_options_text(options, theirs) != NULL ? theirs : ours;
}

static int read_compression(struct sink_options options, struct gtiff_options *out, struct error *error)
{
  const char *names[GTIFF_COMPRESSIONS + 1] = {NULL};
  int chosen = GTIFF_DEFLATE;
  for (int i = 0; i < GTIFF_COMPRESSIONS; i++)
    names[i] = compressions[i].name;
  if (sink_options_choice(options, given_as(options, "compress", "compression"), names, &chosen, error) != 0)
    return -1;
  out->compression = (enum gtiff_compression)chosen;
  if (sink_options_integer(options, "zlevel", 1, compressions[chosen].most, &out->level, error) != 0 ||
      sink_options_integer(options, "quality", 1, 100, &out->quality, error) != 0)
    return -1;
  return sink_options_integer(options, "predictor", PREDICTOR_NONE, PREDICTOR_FLOAT, &out->predictor, error);
}

static int read_overviews(struct sink_options options, struct gtiff_options *out, struct error *error)
{
  static const char *const choices[] = {"auto", "off", "none", "true", "false", "yes", "no", "1", "0", NULL};
  static const bool wanted[] = {true, false, false, true, false, true, false, true, false};
  int choice = -1, method = 0;
  const char *name = given_as(options, "overview_resampling", "overview_method");
  if (sink_options_choice(options, "overviews", choices, &choice, error) != 0 ||
      sink_options_choice(options, given_as(options, name, "overview_resample"), resamplings, &method, error) != 0)
    return -1;
  out->overviews = choice < 0 ? out->cog : wanted[choice];
  out->resampling = method <= 1 ? "NEAREST" : resamplings[method];
  return 0;
}

static int read_tile(struct sink_options options, struct gtiff_options *out, struct error *error)
{
  if (sink_options_bool(options, "tiled", &out->tiled, error) != 0 ||
      sink_options_integer(options, "tile_size", out->cog ? TILE_LEAST_COG : TILE_STEP, TILE_MOST, &out->tile, error) !=
          0)
    return -1;
  if (out->tile % TILE_STEP != 0)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options",
                           "option 'tile_size' is a multiple of %d, not %d", TILE_STEP, out->tile);
  return 0;
}

static int read_metadata(struct sink_options options, struct gtiff_options *out, struct error *error)
{
  if (sink_options_items(options, "file_metadata", &out->file, error) != 0 ||
      sink_options_items(options, "bands_metadata", &out->bands, error) != 0)
    return -1;
  for (size_t i = 0; i < out->bands.count; i++) {
    struct sink_options items;
    double number;
    if (sink_options_items(out->bands, out->bands.list[i].name, &items, error) != 0 ||
        sink_options_number(items, "SCALE", &number, NULL, error) != 0 ||
        sink_options_number(items, "OFFSET", &number, NULL, error) != 0)
      return -1;
  }
  return 0;
}

int gtiff_options_read(struct sink_options options, const char *format, struct gtiff_options *out, struct error *error)
{
  *out = (struct gtiff_options){.tiled = true, .tile = TILE, .cog = format != NULL && strcasecmp(format, "COG") == 0};
  if (sink_options_bool(options, "cog", &out->cog, error) != 0 || read_tile(options, out, error) != 0 ||
      read_compression(options, out, error) != 0 || read_overviews(options, out, error) != 0)
    return -1;
  return read_metadata(options, out, error);
}

/* ---- what suits what -------------------------------------------------------------------------------------------- */

/* Whether GDAL's driver compresses like that. */
static bool driver_has(const struct gtiff_options *options, enum gtiff_compression compression)
{
  char value[64] = "<Value>";
  size_t length = strlen(value);
  for (const char *c = compressions[compression].name; *c != '\0'; c++)
    value[length++] = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
  memcpy(value + length, "</Value>", sizeof "</Value>");
  GDALDriverH driver = GDALGetDriverByName(options->cog ? "COG" : "GTiff");
  const char *list = driver == NULL ? NULL : GDALGetMetadataItem(driver, GDAL_DMD_CREATIONOPTIONLIST, NULL);
  return list != NULL && strstr(list, value) != NULL;
}

/* Whether values of the type can be compressed like that at all. */
static bool type_suits(enum gtiff_compression compression, enum element_type type)
{
  const struct element_info *info = element_info(type);
  switch (compression) {
  case GTIFF_LERC:
  case GTIFF_LERC_DEFLATE:
  case GTIFF_LERC_ZSTD:
    return !info->is_complex && (info->is_float || info->size <= 4);
  case GTIFF_WEBP:
  case GTIFF_JPEG:
    return type == ELEMENT_U8;
  default:
    return true;
  }
}

static int refuse_compression(const struct gtiff_options *options, enum element_type type, struct error *error)
{
  char known[256] = "";
  for (int i = 0; i < GTIFF_COMPRESSIONS; i++)
    if (driver_has(options, (enum gtiff_compression)i) && type_suits((enum gtiff_compression)i, type))
      snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", known[0] != '\0' ? ", " : "",
               compressions[i].name);
  return error_parameter(error, ERROR_ProcessParameterInvalid, "options",
                         "%s values are not compressed by '%s' in a %s here; option 'compress' is one of %s",
                         element_info(type)->name, compressions[options->compression].name,
                         options->cog ? "COG" : "GeoTIFF", known);
}

static int check_predictor(const struct gtiff_options *options, enum element_type type, struct error *error)
{
  const struct element_info *info = element_info(type);
  if (options->predictor <= PREDICTOR_NONE)
    return 0;
  if (!compressions[options->compression].predicts)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options",
                           "option 'predictor' goes with deflate, lzw and zstd, not with '%s'",
                           compressions[options->compression].name);
  bool suits = options->predictor == PREDICTOR_FLOAT ? info->is_float : info->size <= 4;
  if (info->is_complex || !suits)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options",
                           "option 'predictor': %d does not go with %s; 2 is for values of up to 32 bits, 3 for floats",
                           options->predictor, info->name);
  return 0;
}

/* Pictures that lose something do not keep no-data apart. */
static int check_picture(const struct gtiff_options *options, const struct cube *cube, size_t bands,
                         struct error *error)
{
  const bool webp = options->compression == GTIFF_WEBP;
  const bool loses = webp ? options->quality > 0 && options->quality < 100 : options->compression == GTIFF_JPEG;
  if (loses && cube->has_nodata)
    return error_set(error, ERROR_FormatUnsuitable,
                     "the cube has a no-data value, which '%s' would blur; compress without loss, or write %s",
                     compressions[options->compression].name, webp ? "WebP" : "JPEG");
  if (webp && bands != 0 && bands != 3 && bands != 4)
    return error_set(error, ERROR_FormatUnsuitable, "'webp' compresses files of 3 or 4 bands; this one has %zu", bands);
  if (options->compression == GTIFF_JPEG && options->cog && bands != 0 && bands != 1 && bands != 3)
    return error_set(error, ERROR_FormatUnsuitable, "'jpeg' compresses COGs of 1 or 3 bands; this one has %zu", bands);
  return 0;
}

int gtiff_options_suit(const struct gtiff_options *options, const struct cube *cube, size_t bands, struct error *error)
{
  gdal_scope_begin();
  int status = driver_has(options, options->compression) && type_suits(options->compression, cube->type)
                   ? 0
                   : refuse_compression(options, cube->type, error);
  gdal_scope_end();
  if (status != 0 || check_predictor(options, cube->type, error) != 0)
    return -1;
  return check_picture(options, cube, bands, error);
}

int gtiff_options_know(const struct gtiff_options *options, const struct cube *cube, struct error *error)
{
  const size_t d = cube_find_type(cube, DIMENSION_BANDS);
  char room[LABEL_TEXT_ROOM], known[512] = "";
  for (size_t i = 0; i < options->bands.count; i++) {
    size_t label = 0, labels = d == SIZE_MAX ? 0 : cube->dimension[d].size;
    while (label < labels &&
           strcmp(dimension_label_text(&cube->dimension[d], label, room), options->bands.list[i].name) != 0)
      label++;
    if (label < labels)
      continue;
    for (size_t k = 0; k < labels && strlen(known) + 4 < sizeof known; k++)
      snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k > 0 ? ", " : "",
               dimension_label_text(&cube->dimension[d], k, room));
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options",
                           "option 'bands_metadata': there is no band '%.100s'; %s%s", options->bands.list[i].name,
                           labels > 0 ? "there are " : "the cube has no dimension of bands", known);
  }
  return 0;
}

/* ---- for the writers -------------------------------------------------------------------------------------------- */

const char *gtiff_compression_name(enum gtiff_compression compression)
{
  return compressions[compression].name;
}

const char *gtiff_level_name(enum gtiff_compression compression)
{
  return compressions[compression].level;
}

enum predictor gtiff_predictor(const struct gtiff_options *options, enum element_type type)
{
  const struct element_info *info = element_info(type);
  if (!compressions[options->compression].predicts)
    return PREDICTOR_NONE;
  if (options->predictor != 0)
    return (enum predictor)options->predictor;
  if (info->is_complex || (!info->is_float && info->size > 4))
    return PREDICTOR_NONE;
  return info->is_float ? PREDICTOR_FLOAT : PREDICTOR_HORIZONTAL;
}
