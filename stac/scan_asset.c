/* Assets of STAC items as bands.
 *
 * Which assets hold data: not those in the roles of pictures and metadata; then by media type, else by extension.
 * What they hold: the file's own grid and type are the truth. Names and meaning of bands come from "bands" (STAC 1.1)
 * or "eo:bands" of the asset, else of the collection's item_assets, else the asset's key names the band. No-data,
 * scale, offset and unit from "raster:bands" (or "bands") go before the file's. proj:* stands in where a file has no
 * grid of its own. Where "cube:dimensions" tell that the bands of a file are those of several dates, each date is an
 * item. */
#include "stac/scan_asset.h"

#include "stac/cube_files.h"
#include "stac/file_planes.h"

#include "datacube/remote/remote_file.h"
#include "datacube/source/vector_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum asset_kind { ASSET_NONE, ASSET_RASTER, ASSET_CUBE /* netCDF, Zarr, features */, ASSET_GAUGE };

static bool ends_with(const char *text, const char *end)
{
  size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

static enum asset_kind kind_of_media(const char *type)
{
  static const char *const rasters[] = {"image/tiff", "image/jp2", "image/jpx", "image/png", "image/x.geotiff"};
  for (size_t i = 0; i < sizeof rasters / sizeof rasters[0]; i++)
    if (strncasecmp(type, rasters[i], strlen(rasters[i])) == 0)
      return ASSET_RASTER;
  return strcasestr(type, "netcdf") || strcasestr(type, "zarr") ? ASSET_CUBE : ASSET_NONE;
}

/* Of an address the path counts, not what is asked of it. */
static enum asset_kind kind_of_name(const char *href)
{
  char path[1024];
  const size_t length = strcspn(href, "?#");
  if (href[length] != '\0' && length < sizeof path) {
    snprintf(path, sizeof path, "%.*s", (int)length, href);
    return kind_of_name(path);
  }

  static const struct {
    const char *end;
    enum asset_kind kind;
  } rows[] = {{".tif", ASSET_RASTER}, {".tiff", ASSET_RASTER},  {".jp2", ASSET_RASTER},  {".png", ASSET_RASTER},
              {".nc", ASSET_CUBE},    {".nc4", ASSET_CUBE},     {".zarr", ASSET_CUBE},   {".zarr/", ASSET_CUBE},
              {".lime", ASSET_GAUGE}, {".ildg", ASSET_GAUGE},   {".nersc", ASSET_GAUGE}, {".milc", ASSET_GAUGE},
              {".cnfg", ASSET_GAUGE}, {".scidac", ASSET_GAUGE}, {".h5", ASSET_CUBE},     {".hdf5", ASSET_CUBE}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (ends_with(href, rows[i].end))
      return rows[i].kind;
  return ASSET_NONE;
}

static enum asset_kind asset_kind(const json_t *asset)
{
  static const char *const pictures[] = {"thumbnail", "overview", "visual", "metadata", "preview"};
  const char *href = json_tree_text(asset, "href"), *type = json_tree_text(asset, "type");
  const json_t *roles = json_tree_array(asset, "roles");
  if (!href)
    return ASSET_NONE;
  for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++)
    if (json_tree_has_text(roles, pictures[i]) && !json_tree_has_text(roles, "data"))
      return ASSET_NONE;
  if (json_tree_has_text(roles, "data") && vector_file_is(href) && !ends_with(href, ".csv"))
    return ASSET_CUBE;
  return type && strcmp(type, "application/octet-stream") != 0 ? kind_of_media(type) : kind_of_name(href);
}

static bool is_zarr(const json_t *asset)
{
  const char *href = json_tree_text(asset, "href"), *type = json_tree_text(asset, "type");
  return type ? strcasestr(type, "zarr") != NULL : ends_with(href, ".zarr") || ends_with(href, ".zarr/");
}

/* What the documents say about the bands of one asset. */
struct declared {
  const json_t *asset, *collection; /* the collection's item_assets entry, or NULL */
  const json_t *bands, *eo, *raster;
  struct file_planes planes; /* of the file; dates NULL: it has one date */
};

static const json_t *declared_array(const struct declared *declared, const char *key)
{
  const json_t *own = json_tree_array(declared->asset, key);
  return own ? own : json_tree_array(declared->collection, key);
}

static struct declared declared_bands(const struct scan *scan, const char *key, const json_t *asset)
{
  struct declared out = {.asset = asset};
  out.collection = json_object_get(json_object_get(scan->source, "item_assets"), key);
  out.bands = declared_array(&out, "bands");
  out.eo = declared_array(&out, "eo:bands");
  out.raster = declared_array(&out, "raster:bands");
  return out;
}

/* The first that has the text: band of STAC 1.1, eo:bands, raster:bands, the asset itself. */
static const char *declared_text(const struct declared *d, size_t i, const char *plain, const char *prefixed)
{
  const json_t *const places[] = {json_array_get(d->bands, i), json_array_get(d->eo, i), json_array_get(d->raster, i),
                                  d->asset};
  for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
    const char *text = plain && !(p == 3 && strcmp(plain, "name") == 0) ? json_tree_text(places[p], plain) : NULL;
    if (!text && prefixed)
      text = json_tree_text(places[p], prefixed);
    if (text && *text)
      return text;
  }
  return NULL;
}

static const json_t *declared_value(const struct declared *d, size_t i, const char *plain, const char *prefixed)
{
  const json_t *const places[] = {json_array_get(d->bands, i), json_array_get(d->raster, i), json_array_get(d->eo, i),
                                  d->asset};
  for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
    const json_t *value = json_object_get(places[p], plain);
    if (!value || json_is_null(value))
      value = prefixed ? json_object_get(places[p], prefixed) : NULL;
    if (value && !json_is_null(value))
      return value;
  }
  return NULL;
}

static double declared_number(const struct declared *d, size_t i, const char *plain, const char *prefixed, double other)
{
  const json_t *value = declared_value(d, i, plain, prefixed);
  return json_is_number(value) ? json_number_value(value) : other;
}

static const char *band_name(struct scan *scan, const struct declared *d, const char *key, size_t i,
                             const struct raster_file *file)
{
  const char *name = d->planes.dates ? planes_band(&d->planes, i) : declared_text(d, i, "name", NULL);
  if (name)
    return name;
  if (d->planes.dates)
    return key;
  if (file->band_count == 1)
    return key;
  const char *description = file->bands[i].description;
  for (size_t j = 0; description && j < file->band_count; j++)
    if (j != i && file->bands[j].description && strcmp(file->bands[j].description, description) == 0)
      description = NULL;
  return description && *description ? description : arena_printf(scan->arena, "%s_%zu", key, i + 1);
}

static int add_band(struct scan *scan, const struct scan_asset *base, const struct declared *d, const char *key,
                    const struct raster_file *file, struct error *error)
{
  size_t i = (size_t)base->raster_band - 1;
  const struct raster_file_band *own = &file->bands[i];
  struct scan_asset asset = *base;
  const char *name = band_name(scan, d, key, i, file), *unit = declared_text(d, i, "unit", NULL);
  if (!name)
    return error_memory(error);
  struct band_info info = {.scale = declared_number(d, i, "scale", "raster:scale", own->scale),
                           .offset = declared_number(d, i, "offset", "raster:offset", own->offset),
                           .unit = unit ? unit : own->unit,
                           .long_name = declared_text(d, i, "description", NULL),
                           .common_name = declared_text(d, i, "common_name", "eo:common_name"),
                           .wavelength = declared_number(d, i, "center_wavelength", "eo:center_wavelength", 0)};
  info.scale = info.scale == 0 ? 1 : info.scale;
  asset.scale = info.scale;
  asset.offset = info.offset;
  asset.masked = own->masked;
  asset.type = own->type;
  asset.nodata = own->nodata;
  double nodata;
  asset.has_nodata = (json_tree_nodata(declared_value(d, i, "nodata", NULL), &nodata) &&
                      element_nodata(own->type, nodata, &asset.nodata)) ||
                     own->has_nodata;
  if (scan_find_band(scan, name, &info, &asset.band, error) != 0)
    return -1;
  return scan_new_asset(scan, &asset, &file->grid, error);
}

/* proj:epsg, proj:code, proj:wkt2 or proj:projjson of the asset, else of the item, as a canonical CRS. */
static const char *declared_crs(struct scan *scan, const json_t *asset, const json_t *properties)
{
  const json_t *const places[] = {asset, properties};
  struct error ignored = {0};
  const char *crs = NULL;
  for (size_t p = 0; p < 2 && !crs; p++) {
    double epsg = json_tree_number(places[p], "proj:epsg", 0);
    const char *text = json_tree_text(places[p], "proj:code");
    if (!text)
      text = epsg > 0 && epsg < 1e7 ? arena_printf(scan->arena, "EPSG:%.0f", epsg)
                                    : json_tree_text(places[p], "proj:wkt2");
    if (text && crs_canonical(scan->arena, text, &crs, &ignored) != 0)
      crs = NULL;
  }
  return crs;
}

static const json_t *projection_array(const json_t *asset, const json_t *properties, const char *key)
{
  const json_t *own = json_tree_array(asset, key);
  return own ? own : json_tree_array(properties, key);
}

/* The grid by proj:transform and proj:shape. False where they do not say a north-up grid. */
static bool declared_grid(struct scan *scan, const json_t *asset, const json_t *properties, struct grid *out)
{
  const json_t *transform = projection_array(asset, properties, "proj:transform");
  const json_t *shape = projection_array(asset, properties, "proj:shape");
  double t[6], rows = json_number_value(json_array_get(shape, 0)),
               columns = json_number_value(json_array_get(shape, 1));
  if (json_array_size(transform) < 6 || !(rows >= 1 && rows < 1e9 && columns >= 1 && columns < 1e9))
    return false;
  for (size_t i = 0; i < 6; i++)
    t[i] = json_number_value(json_array_get(transform, i));
  *out = (struct grid){
      .west = t[2], .north = t[5], .res_x = t[0], .res_y = -t[4], .width = (size_t)columns, .height = (size_t)rows};
  if (!(t[0] > 0 && t[4] < 0) || t[1] != 0 || t[3] != 0 || !isfinite(t[0] + t[2] + t[4] + t[5]))
    return false;
  out->crs = declared_crs(scan, asset, properties);
  return out->crs != NULL;
}

/* A file that raster_file_inspect refuses, from what the documents say in full: grid and types. */
static bool declared_file(struct scan *scan, const struct declared *d, const json_t *properties,
                          struct raster_file *file)
{
  size_t count =
      json_array_size(d->bands) > json_array_size(d->raster) ? json_array_size(d->bands) : json_array_size(d->raster);
  if (count == 0 || count > 1000 || !declared_grid(scan, d->asset, properties, &file->grid))
    return false;
  file->bands = ARENA_ARRAY(scan->arena, struct raster_file_band, count);
  file->band_count = file->bands ? count : 0;
  for (size_t i = 0; i < file->band_count; i++) {
    const char *type = declared_text(d, i, "data_type", NULL);
    file->bands[i] = (struct raster_file_band){.type = type ? element_from_name(type) : ELEMENT_TYPE_COUNT, .scale = 1};
    if (file->bands[i].type == ELEMENT_TYPE_COUNT)
      return false;
  }
  return file->band_count > 0;
}

/* An item for each date of the file of one: without assets, that one disappears. */
static int items_of_dates(struct scan *scan, const struct file_planes *planes, size_t item, size_t **out,
                          struct error *error)
{
  size_t count = json_array_size(planes->dates);
  size_t *items = ARENA_ARRAY(scan->arena, size_t, count);
  if (!items)
    return error_memory(error);
  for (size_t i = 0; i < count; i++) {
    const char *date = json_string_value(json_array_get(planes->dates, i));
    const char *id = arena_printf(scan->arena, "%s_%s", scan->items[item].id, date);
    if (!id)
      return error_memory(error);
    if (scan_new_item(scan, id, planes_instant(planes, i), json_incref(scan->items[item].properties), &items[i],
                      error) != 0)
      return -1;
  }
  *out = items;
  return 0;
}

/* ---- remote files that need not be read for their metadata ------------------------------------------------------- */

static const struct scan_key *find_key(const struct scan *scan, const char *name)
{
  for (size_t i = 0; i < scan->key_count; i++)
    if (strcmp(scan->keys[i].name, name) == 0)
      return &scan->keys[i];
  return NULL;
}

static int note_key(struct scan *scan, const char *name, const struct raster_file *file, struct error *error)
{
  struct scan_key *keys = arena_grow(scan->arena, scan->keys, scan->key_count, &scan->key_room, sizeof *keys);
  char *copy = arena_strdup(scan->arena, name);
  if (!keys || !copy)
    return error_memory(error);
  scan->keys = keys;
  keys[scan->key_count++] = (struct scan_key){copy, file->bands[0].masked};
  return 0;
}

/* Whether the item tells the no-data of all its bands. */
static bool tells_nodata(const struct declared *d, const struct raster_file *file)
{
  double nodata;
  for (size_t i = 0; i < file->band_count; i++)
    if (!json_tree_nodata(declared_value(d, i, "nodata", NULL), &nodata))
      return false;
  return true;
}

/* Grid, types and no-data. */
static bool tells_all(struct scan *scan, const struct declared *d, const json_t *properties, struct raster_file *file)
{
  *file = (struct raster_file){0};
  return declared_file(scan, d, properties, file) && tells_nodata(d, file);
}

/* Where a file of that key was read, and the item tells the rest, that has to suffice: what is wrong with it is found
 * when the pixels are read. */
static bool described_file(struct scan *scan, const struct declared *d, const char *key, const json_t *properties,
                           struct raster_file *file)
{
  const struct scan_key *known = find_key(scan, key);
  if (!known || !tells_all(scan, d, properties, file))
    return false;
  for (size_t i = 0; i < file->band_count; i++)
    file->bands[i].masked = known->masked;
  return true;
}

bool stac_item_prefetch(struct scan *scan, const char *document, const json_t *item)
{
  json_t *assets = json_object_get(item, "assets"), *properties = json_object_get(item, "properties");
  struct error ignored = {0};
  bool has_room = true;
  for (void *at = json_object_iter(assets); at && has_room; at = json_object_iter_next(assets, at)) {
    const json_t *asset = json_object_iter_value(at);
    const struct declared d = declared_bands(scan, json_object_iter_key(at), asset);
    const char *path;
    struct raster_file file;
    if (asset_kind(asset) == ASSET_RASTER && !tells_all(scan, &d, properties, &file) &&
        stac_path(scan, document, json_tree_text(asset, "href"), &path, &ignored) == 0)
      has_room = remote_prefetch(path, 0);
  }
  return has_room;
}

static int add_raster(struct scan *scan, const char *path, const char *key, const json_t *asset,
                      const struct scan_asset *base, struct error *error)
{
  struct raster_file file;
  struct declared d = declared_bands(scan, key, asset);
  const bool is_described = remote_is(path) && described_file(scan, &d, key, scan->items[base->item].properties, &file);
  int outcome = is_described ? scan_step(scan, error) : scan_inspect(scan, path, &file, error);
  if (outcome < 0)
    return -1;
  if (outcome == 0 && !is_described && remote_is(path) && !find_key(scan, key) &&
      note_key(scan, key, &file, error) != 0)
    return -1;
  if (outcome > 0) {
    if (!declared_file(scan, &d, scan->items[base->item].properties, &file))
      return 0;
    scan->unreadable--;
    scan_warn(scan, "%s: taken by what its item says about it", path);
  }
  size_t named = json_array_size(d.bands) ? json_array_size(d.bands) : json_array_size(d.eo);
  if (named > file.band_count)
    scan_warn(scan, "%s has %zu bands, its item names %zu", path, file.band_count, named);
  size_t count = named && named < file.band_count ? named : file.band_count;
  size_t *items = NULL;
  if (!planes_of(asset, file.band_count, &d.planes))
    d.planes = (struct file_planes){.dates = NULL};
  else if (items_of_dates(scan, &d.planes, base->item, &items, error) != 0)
    return -1;
  for (size_t i = 0; i < count; i++) {
    struct scan_asset one = *base;
    one.path = path;
    one.raster_band = (int)i + 1;
    one.item = items ? items[planes_date(&d.planes, i)] : base->item;
    if (add_band(scan, &one, &d, key, &file, error) != 0)
      return -1;
  }
  return 0;
}

static int add_cube_file(struct scan *scan, const char *path, size_t item, struct error *error)
{
  if (scan->cube_path && scan->asset_count == 0)
    return cube_files_add(scan, path, item, error);
  if (scan->asset_count > 0)
    return error_set(error, ERROR_FeatureUnsupported,
                     "item '%s': netCDF files and features are a collection one by one; %s is another file",
                     scan->items[item].id, path);
  scan->cube_path = path;
  scan->cube_item = item;
  return 0;
}

int stac_asset(struct scan *scan, const char *document, const char *key, const json_t *asset, size_t index,
               struct error *error)
{
  enum asset_kind kind = asset_kind(asset);
  const char *path;
  if (kind == ASSET_NONE)
    return 0;
  if (stac_path(scan, document, json_tree_text(asset, "href"), &path, error) != 0) {
    if (!error_is(error, ERROR_FileNotFound))
      return -1;
    scan_warn(scan, "asset '%s' of item '%s' is left out: %s", key, scan->items[index].id, error->message);
    *error = (struct error){0};
    scan->unreadable++;
    return 0;
  }
  if (remote_is(path) && kind == ASSET_GAUGE) {
    scan_warn(scan, "asset '%s' of item '%s' is left out: gauge fields of other hosts are not read", key,
              scan->items[index].id);
    return 0;
  }
  if (remote_is(path) && kind == ASSET_CUBE && is_zarr(asset) && path[strlen(path) - 1] != '/' &&
      !(path = arena_printf(scan->arena, "%s/", path))) /* which makes it one (zarr_place.h) */
    return error_memory(error);
  if (kind != ASSET_RASTER)
    return add_cube_file(scan, path, index, error);
  if (scan->cube_path)
    return error_set(error, ERROR_FeatureUnsupported,
                     "item '%s': rasters do not mix with netCDF files and features in a collection",
                     scan->items[index].id);
  struct scan_asset base = {.item = index};
  return add_raster(scan, path, key, asset, &base, error);
}

/* ---- pictures of other bands ------------------------------------------------------------------------------------- */

/* The names that an asset's bands are given. */
static const json_t *named_bands(const struct scan *scan, const char *key, const json_t *asset)
{
  const struct declared d = declared_bands(scan, key, asset);
  return json_array_size(d.bands) ? d.bands : d.eo;
}

static const char *name_at(const json_t *bands, size_t i)
{
  return json_tree_text(json_array_get(bands, i), "name");
}

/* The bands that have an asset of their own, as members of a new object. */
static json_t *single_bands(const struct scan *scan, json_t *assets)
{
  json_t *names = json_object();
  for (void *at = json_object_iter(assets); at && names; at = json_object_iter_next(assets, at)) {
    const json_t *bands = named_bands(scan, json_object_iter_key(at), json_object_iter_value(at));
    if (json_array_size(bands) == 1 && name_at(bands, 0) && asset_kind(json_object_iter_value(at)) == ASSET_RASTER)
      json_object_set_new(names, name_at(bands, 0), json_true());
  }
  return names;
}

/* Whether every band of the asset is one that an asset of its own holds: it is a picture of these. */
static bool repeats_others(const json_t *single, const json_t *bands)
{
  size_t count = json_array_size(bands);
  for (size_t i = 0; i < count; i++)
    if (!name_at(bands, i) || !json_object_get(single, name_at(bands, i)))
      return false;
  return count > 1;
}

int stac_item_assets(struct scan *scan, const char *document, const json_t *item, size_t index, struct error *error)
{
  json_t *assets = json_object_get(item, "assets"), *single = single_bands(scan, assets);
  int result = single ? 0 : error_memory(error);
  for (void *at = json_object_iter(assets); at && result == 0; at = json_object_iter_next(assets, at)) {
    const char *key = json_object_iter_key(at);
    const json_t *asset = json_object_iter_value(at);
    if (!repeats_others(single, named_bands(scan, key, asset)))
      result = stac_asset(scan, document, key, asset, index, error);
  }
  json_decref(single);
  return result;
}
