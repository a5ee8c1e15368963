/* The head of a GeoTIFF. TIFF 6.0 and BigTIFF: a directory of entries (tag, type, count, value or its place).
 *
 * GDAL's metadata are one text, XML, in an entry of its own. The head gets a mark there; in the end the text with the
 * statistics in the mark's place is put behind the tiles, and the entry points to it. */
#include "datacube/sink/tiff_header.h"

#include "datacube/sink/gdal_scope.h"
#include "datacube/sink/output.h"

#include <cpl_string.h>
#include <ogr_srs_api.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "TWINCUBE_STATISTICS"
#define MARK_ITEM "<Item name=\"" MARK "\">-</Item>"

/* Creation. */

static char **creation_options(const struct cube *cube, const struct tiff_shape *shape)
{
  char number[32];
  char **options = CSLSetNameValue(NULL, "INTERLEAVE", "BAND");
  options = CSLSetNameValue(options, "TILED", shape->strips ? "NO" : "YES");
  snprintf(number, sizeof number, "%zu", shape->tile_width);
  if (!shape->strips)
    options = CSLSetNameValue(options, "BLOCKXSIZE", number);
  snprintf(number, sizeof number, "%zu", shape->tile_height);
  options = CSLSetNameValue(options, "BLOCKYSIZE", number);
  options = CSLSetNameValue(options, "COMPRESS", shape->level > 0 ? "DEFLATE" : "NONE");
  if (shape->level > 0) {
    snprintf(number, sizeof number, "%d", (int)shape->predictor);
    options = CSLSetNameValue(options, "PREDICTOR", number);
  }
  if (cube->type == ELEMENT_I8 && gdal_type(cube->type) == GDT_Byte)
    options = CSLSetNameValue(options, "PIXELTYPE", "SIGNEDBYTE");
  options = CSLSetNameValue(options, "SPARSE_OK", "TRUE");
  return CSLSetNameValue(options, "BIGTIFF", "IF_SAFER");
}

static int set_reference(GDALDatasetH dataset, const struct cube *cube, const struct layout *layout,
                         struct error *error)
{
  double transform[6] = {layout->west, layout->res_x, 0, layout->north, 0, -layout->res_y};
  if (GDALSetGeoTransform(dataset, transform) != CE_None)
    return gdal_scope_error(error, "cannot write the GeoTIFF's grid");
  if (cube->crs == NULL)
    return 0;
  OGRSpatialReferenceH reference = OSRNewSpatialReference(NULL);
  OSRSetAxisMappingStrategy(reference, OAMS_TRADITIONAL_GIS_ORDER);
  int status = 0;
  if (OSRSetFromUserInput(reference, cube->crs) != OGRERR_NONE)
    status =
        error_set(error, ERROR_CRSInvalid, "GeoTIFF: cannot write the coordinate reference system '%.200s'", cube->crs);
  else if (GDALSetSpatialRef(dataset, reference) != CE_None)
    status = gdal_scope_error(error, "cannot write the GeoTIFF's coordinate reference system");
  OSRDestroySpatialReference(reference);
  return status;
}

static void set_nodata(GDALRasterBandH band, const struct cube *cube)
{
  if (cube->type == ELEMENT_BOOLEAN)
    GDALSetRasterNoDataValue(band, 255);
  else if (!cube->has_nodata || !element_can_mark(cube->type, cube->nodata))
    return; /* a value that the type cannot hold marks nothing */
  else if (cube->type == ELEMENT_I64)
    GDALSetRasterNoDataValueAsInt64(band, element_i64(cube->nodata));
  else if (cube->type == ELEMENT_U64)
    GDALSetRasterNoDataValueAsUInt64(band, element_u64(cube->nodata));
  else
    GDALSetRasterNoDataValue(band, cube->nodata);
}

static void set_band_info(GDALRasterBandH band, const struct band_info *info)
{
  if (info->scale != 1 || info->offset != 0) {
    GDALSetRasterScale(band, info->scale);
    GDALSetRasterOffset(band, info->offset);
  }
  if (info->unit != NULL)
    GDALSetRasterUnitType(band, info->unit);
  if (info->long_name != NULL)
    GDALSetMetadataItem(band, "LONG_NAME", info->long_name, NULL);
  if (info->standard_name != NULL)
    GDALSetMetadataItem(band, "STANDARD_NAME", info->standard_name, NULL);
}

/* What the user says of a band goes before what the cube says. */
static void set_items(GDALRasterBandH band, struct sink_options items)
{
  for (size_t i = 0; i < items.count; i++) {
    const char *name = items.list[i].name, *value = items.list[i].value;
    if (strcasecmp(name, "SCALE") == 0)
      GDALSetRasterScale(band, strtod(value, NULL));
    else if (strcasecmp(name, "OFFSET") == 0)
      GDALSetRasterOffset(band, strtod(value, NULL));
    else if (strcasecmp(name, "UNIT") == 0)
      GDALSetRasterUnitType(band, value);
    else if (strcasecmp(name, "DESCRIPTION") == 0)
      GDALSetDescription(band, value);
    else
      GDALSetMetadataItem(band, name, value, NULL);
  }
}

static void set_items_of_label(GDALRasterBandH band, const struct tiff_head *head, const char *label)
{
  for (size_t i = 0; i < head->band_items.count; i++) {
    const struct sink_option *of = &head->band_items.list[i];
    if (strcmp(of->name, label) == 0)
      set_items(band, (struct sink_options){of->items, of->item_count});
  }
}

static int set_description(GDALRasterBandH band, const struct tiff_head *head, size_t plane, struct error *error)
{
  struct buffer name = {0};
  layout_plane_name(head->layout, head->cube, plane, &name);
  if (!name.failed && name.length > 0)
    GDALSetDescription(band, name.data);
  int status = name.failed ? error_memory(error) : 0;
  buffer_free(&name);
  return status;
}

/* Description and one metadata item a dimension: TIME, BAND, or the dimension's own name. */
static int set_plane(GDALRasterBandH band, const struct tiff_head *head, size_t plane, struct error *error)
{
  const struct cube *cube = head->cube;
  char room[LABEL_TEXT_ROOM];
  size_t index[CUBE_MAX_DIMENSIONS], bands = cube_find_type(cube, DIMENSION_BANDS);
  if (set_description(band, head, plane, error) != 0)
    return -1;
  layout_plane_index(head->layout, cube, plane, index);
  for (size_t d = 0; d < cube->dimensions; d++) {
    const struct dimension *dimension = &cube->dimension[d];
    if (d == head->layout->x || d == head->layout->y)
      continue;
    const char *key = dimension->type == DIMENSION_TEMPORAL ? "TIME"
                      : dimension->type == DIMENSION_BANDS  ? "BAND"
                                                            : dimension->name;
    GDALSetMetadataItem(band, key, dimension_label_text(dimension, index[d], room), NULL);
  }
  if (cube->bands != NULL)
    set_band_info(band, &cube->bands[bands == SIZE_MAX ? 0 : index[bands]]);
  if (bands != SIZE_MAX)
    set_items_of_label(band, head, dimension_label_text(&cube->dimension[bands], index[bands], room));
  return 0;
}

static int fill_header(GDALDatasetH dataset, const struct tiff_head *head, struct error *error)
{
  const struct cube *cube = head->cube;
  if (set_reference(dataset, cube, head->layout, error) != 0)
    return -1;
  GDALSetMetadataItem(dataset, "TIFFTAG_SOFTWARE", "twincube " TWINCUBE_VERSION, NULL);
  if (cube->title != NULL)
    GDALSetMetadataItem(dataset, "TIFFTAG_IMAGEDESCRIPTION", cube->title, NULL);
  if (head->history != NULL)
    GDALSetMetadataItem(dataset, "HISTORY", head->history, NULL);
  for (size_t i = 0; i < head->items.count; i++)
    GDALSetMetadataItem(dataset, head->items.list[i].name, head->items.list[i].value, NULL);
  if (statistics_possible(cube->type))
    GDALSetMetadataItem(dataset, MARK, "-", NULL);
  for (size_t plane = 0; plane < head->layout->planes; plane++) {
    GDALRasterBandH band = GDALGetRasterBand(dataset, (int)plane + 1);
    if (plane == 0)
      set_nodata(band, cube); /* the file's: TIFF has one for all bands */
    if (set_plane(band, head, plane, error) != 0)
      return -1;
  }
  return 0;
}

int tiff_header_write(const char *path, const struct tiff_head *head, struct error *error)
{
  const struct cube *cube = head->cube;
  gdal_scope_begin();
  int status = -1;
  char **options = creation_options(cube, head->shape);
  GDALDriverH driver = GDALGetDriverByName("GTiff");
  GDALDatasetH dataset = driver == NULL ? NULL
                                        : GDALCreate(driver, path, (int)head->layout->width, (int)head->layout->height,
                                                     (int)head->layout->planes, gdal_type(cube->type), options);
  if (dataset != NULL) {
    status = fill_header(dataset, head, error);
    GDALClose(dataset);
  }
  if ((dataset == NULL || gdal_scope_failed()) && !error_is_set(error))
    status = gdal_scope_error(error, "cannot write the GeoTIFF");
  CSLDestroy(options);
  gdal_scope_end();
  return status;
}

/* What the tiles tell. */

enum { TAG_STRIP_OFFSETS = 273, TAG_STRIP_LENGTHS = 279, TAG_TILE_OFFSETS = 324, TAG_TILE_LENGTHS = 325 };
enum { TAG_GDAL_METADATA = 42112 };
enum { TIFF_ASCII = 2, TIFF_SHORT = 3, TIFF_LONG = 4, TIFF_LONG8 = 16 };

struct entry {
  unsigned tag, type;
  uint64_t count;
  uint64_t place; /* of the values in the file: inside the entry where they fit */
  uint64_t at;    /* of the entry's count, which the place follows where they do not fit */
  size_t word;    /* bytes of both */
};
enum entries { OFFSETS, LENGTHS, METADATA, ENTRIES }; /* those that are filled in */

/* GDAL writes in the machine's byte order, so numbers are read as they are. */
static uint64_t number_at(const char *bytes, size_t size)
{
  uint16_t two;
  uint32_t four;
  uint64_t eight;
  switch (size) {
  case 2:
    memcpy(&two, bytes, sizeof two);
    return two;
  case 4:
    memcpy(&four, bytes, sizeof four);
    return four;
  default:
    memcpy(&eight, bytes, sizeof eight);
    return eight;
  }
}

static size_t type_size(unsigned type)
{
  return type == TIFF_ASCII ? 1 : type == TIFF_SHORT ? 2 : type == TIFF_LONG ? 4 : type == TIFF_LONG8 ? 8 : 0;
}

static int read_at(int file, void *bytes, size_t length, uint64_t offset)
{
  return pread(file, bytes, length, (off_t)offset) == (ssize_t)length ? 0 : -1;
}

/* Finds the entries in the first directory; `found` keeps type 0 where there is none. */
static int find_entries(int file, struct entry found[ENTRIES])
{
  char head[16] = {0};
  if (read_at(file, head, 8, 0) != 0)
    return -1;
  bool big = number_at(head + 2, 2) == 43;
  if (big && read_at(file, head, 16, 0) != 0)
    return -1;
  uint64_t at = big ? number_at(head + 8, 8) : number_at(head + 4, 4);
  size_t word = big ? 8 : 4, count_size = big ? 8 : 2, entry_size = big ? 20 : 12;
  char bytes[20];
  if (read_at(file, bytes, count_size, at) != 0)
    return -1;
  uint64_t entries = number_at(bytes, count_size);
  at += count_size;
  for (uint64_t i = 0; i < entries; i++, at += entry_size) {
    if (read_at(file, bytes, entry_size, at) != 0)
      return -1;
    struct entry e = {.tag = (unsigned)number_at(bytes, 2),
                      .type = (unsigned)number_at(bytes + 2, 2),
                      .count = number_at(bytes + 4, word),
                      .at = at + 4,
                      .word = word};
    bool inside = e.count * type_size(e.type) <= word;
    e.place = inside ? at + 4 + word : number_at(bytes + 4 + word, word);
    if (e.tag == TAG_STRIP_OFFSETS || e.tag == TAG_TILE_OFFSETS)
      found[OFFSETS] = e;
    else if (e.tag == TAG_STRIP_LENGTHS || e.tag == TAG_TILE_LENGTHS)
      found[LENGTHS] = e;
    else if (e.tag == TAG_GDAL_METADATA)
      found[METADATA] = e;
  }
  return 0;
}

static int write_array(int file, const struct entry *entry, const uint64_t *values, size_t count, struct error *error)
{
  size_t size = type_size(entry->type);
  if (size == 0 || entry->count != count)
    return error_set(error, ERROR_Internal, "the GeoTIFF head has no room for %zu tiles", count);
  char *bytes = malloc(count * size);
  if (bytes == NULL)
    return error_memory(error);
  int status = 0;
  for (size_t i = 0; i < count && status == 0; i++) {
    uint16_t two = (uint16_t)values[i];
    uint32_t four = (uint32_t)values[i];
    if ((size == 2 && two != values[i]) || (size == 4 && four != values[i]))
      status =
          error_set(error, ERROR_StorageFailure, "the GeoTIFF grew beyond the 4 GiB of its kind; write netCDF instead");
    memcpy(bytes + i * size, size == 2 ? (void *)&two : size == 4 ? (void *)&four : (void *)&values[i], size);
  }
  if (status == 0)
    status = output_write_at(file, bytes, count * size, entry->place, error);
  free(bytes);
  return status;
}

static void write_item(struct buffer *xml, const char *name, size_t band, double value)
{
  char number[32];
  number_format(value, number);
  buffer_printf(xml, "  <Item name=\"STATISTICS_%s\" sample=\"%zu\">%s</Item>\n", name, band, number);
}

/* The items of all bands in the mark's place. */
static void write_statistics(const struct tiff_tiles *tiles, size_t planes, struct buffer *xml)
{
  for (size_t band = 0; band < planes; band++) {
    struct statistics s;
    tiff_tiles_statistics(tiles, band, &s);
    if (s.valid > 0) {
      write_item(xml, "MINIMUM", band, s.minimum);
      write_item(xml, "MAXIMUM", band, s.maximum);
      write_item(xml, "MEAN", band, s.mean);
      write_item(xml, "STDDEV", band, statistics_deviation(&s));
    }
    write_item(xml, "VALID_PERCENT", band, statistics_percent(&s));
  }
}

/* Puts the text at the end of the file and lets the entry point there. */
static int move_text(int file, const struct entry *entry, const struct buffer *text, struct error *error)
{
  struct stat status;
  if (text->failed)
    return error_memory(error);
  if (fstat(file, &status) != 0)
    return output_error(error, "cannot write the GeoTIFF");
  const uint64_t end = ((uint64_t)status.st_size + 1) & ~(uint64_t)1, count = text->length + 1;
  if (entry->word == 4 && end + count > UINT32_MAX)
    return 0; /* no room for them in a file of that kind */
  char numbers[16];
  const uint32_t small[2] = {(uint32_t)count, (uint32_t)end};
  const uint64_t large[2] = {count, end};
  memcpy(numbers, entry->word == 4 ? (const void *)small : (const void *)large, 2 * entry->word);
  if (output_write_at(file, text->data, text->length + 1, end, error) != 0)
    return -1;
  return output_write_at(file, numbers, 2 * entry->word, entry->at, error);
}

static int set_statistics(int file, const struct entry *entry, const struct tiff_tiles *tiles, size_t planes,
                          struct error *error)
{
  struct buffer text = {0};
  char *head = entry->type == TIFF_ASCII ? malloc(entry->count + 1) : NULL;
  if (head == NULL || read_at(file, head, entry->count, entry->place) != 0) {
    free(head);
    return error_set(error, ERROR_StorageFailure, "cannot read the GeoTIFF's head back");
  }
  head[entry->count] = '\0';
  const char *mark = strstr(head, MARK_ITEM "\n");
  int status = 0;
  if (mark != NULL) {
    buffer_add(&text, head, (size_t)(mark - head));
    write_statistics(tiles, planes, &text);
    buffer_text(&text, mark + strlen(MARK_ITEM "\n"));
    status = move_text(file, entry, &text, error);
  }
  free(head);
  buffer_free(&text);
  return status;
}

int tiff_header_complete(int file, const struct tiff_tiles *tiles, const struct tiff_shape *shape, struct error *error)
{
  const size_t count = tiff_tiles_count(tiles);
  struct entry found[ENTRIES] = {{0}};
  if (find_entries(file, found) != 0)
    return error_set(error, ERROR_StorageFailure, "cannot read the GeoTIFF's head back");
  if (write_array(file, &found[OFFSETS], tiff_tiles_offsets(tiles), count, error) != 0 ||
      write_array(file, &found[LENGTHS], tiff_tiles_lengths(tiles), count, error) != 0)
    return -1;
  if (!statistics_possible(shape->rule.type))
    return 0;
  return set_statistics(file, &found[METADATA], tiles, shape->planes, error);
}
