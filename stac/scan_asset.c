/* Assets of STAC items as bands.
 *
 * Which assets hold data: not those in the roles of pictures and metadata; then by media type, else by extension.
 * What they hold: the file's own grid and type are the truth. Names and meaning of bands are what documents say of them
 * (declared_asset.h), else the asset's key names the band. No-data, scale, offset and unit of the documents go before
 * the file's. proj:* stands in where a file has no grid or CRS of its own. Where "cube:dimensions" tell that the bands
 * of a file are those of several dates, each date is an item. What OPeNDAP gives is a view of a file: where the item
 * has a cube as a file, too, that one is read. */
#include "stac/scan_asset.h"

#include "stac/cube_files.h"
#include "stac/declared_grid.h"
#include "stac/file_planes.h"

#include "datacube/dap/dap_address.h"
#include "datacube/grib/grib_sections.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/zarr_place.h"
#include "datacube/source/vector_file.h"

#include <stdlib.h>
#include <string.h>

enum asset_kind { ASSET_NONE, ASSET_RASTER, ASSET_CUBE /* netCDF, GRIB, Zarr, features */, ASSET_GAUGE };

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
  return strcasestr(type, "netcdf") || strcasestr(type, "zarr") || strcasestr(type, "grib") ? ASSET_CUBE : ASSET_NONE;
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
  return grib_is_name(href) ? ASSET_CUBE : ASSET_NONE;
}

/* Whether it is a dataset of OPeNDAP: it is said to be, or its address tells. Beside files, some servers have datasets
 * under addresses that look alike. */
static bool is_dap(const struct declared_asset *d)
{
  const char *href = json_tree_text(d->asset, "href"), *type = declared_media_type(d);
  if (!href)
    return false;
  if ((type && strcasestr(type, "opendap")) || json_tree_has_text(declared_roles(d), "opendap"))
    return true;
  return dap_is_address(href) && (strcasestr(href, "/dodsC/") || !type || strcasestr(type, "html"));
}

static enum asset_kind asset_kind(const struct declared_asset *d)
{
  static const char *const pictures[] = {"thumbnail", "overview", "visual", "metadata", "preview"};
  const char *href = json_tree_text(d->asset, "href"), *type = declared_media_type(d);
  const json_t *roles = declared_roles(d);
  if (!href)
    return ASSET_NONE;
  for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++)
    if (json_tree_has_text(roles, pictures[i]) && !json_tree_has_text(roles, "data"))
      return ASSET_NONE;
  if (is_dap(d))
    return ASSET_CUBE;
  if (json_tree_has_text(roles, "data") && vector_file_is(href) && !ends_with(href, ".csv"))
    return ASSET_CUBE;
  return type && strcmp(type, "application/octet-stream") != 0 ? kind_of_media(type) : kind_of_name(href);
}

static bool is_zarr(const struct declared_asset *d)
{
  const char *href = json_tree_text(d->asset, "href"), *type = declared_media_type(d);
  return type ? strcasestr(type, "zarr") != NULL : ends_with(href, ".zarr") || ends_with(href, ".zarr/");
}

/* Its properties are those of the item's row. */
static struct declared_asset describe(const struct scan *scan, const char *key, const json_t *asset, size_t item)
{
  return declared_asset(key, asset, scan->items[item].properties, scan->collection ? scan->collection : scan->source);
}

/* One asset being added. */
struct asset_bands {
  const struct declared_asset *declared;
  const struct raster_file *file;
  struct file_planes planes; /* of the file; dates NULL: it has one date */
};

static bool repeats(const struct raster_file *file, size_t i, const char *description)
{
  for (size_t j = 0; j < file->band_count; j++)
    if (j != i && file->bands[j].description && strcmp(file->bands[j].description, description) == 0)
      return true;
  return false;
}

/* Nobody names it: the asset's key where it is the only one, what the file calls it, or key and number. */
static const char *unnamed_band(struct scan *scan, const struct asset_bands *a, size_t i)
{
  const char *description = a->file->bands[i].description;
  if (a->planes.dates || a->file->band_count == 1)
    return a->declared->key;
  return description && *description && !repeats(a->file, i, description)
             ? description
             : arena_printf(scan->arena, "%s_%zu", a->declared->key, i + 1);
}

static const char *band_name(struct scan *scan, const struct asset_bands *a, const struct declared_band *band)
{
  const char *name = a->planes.dates ? planes_band(&a->planes, band->index) : band->name;
  return name ? name : unnamed_band(scan, a, band->index);
}

static int add_band(struct scan *scan, const struct scan_asset *base, const struct asset_bands *a, struct error *error)
{
  const size_t i = (size_t)base->raster_band - 1;
  const struct raster_file_band *own = &a->file->bands[i];
  const struct declared_band band = declared_band(a->declared, i);
  struct scan_asset asset = *base;
  const char *name = band_name(scan, a, &band), *unit = declared_text(&band, "unit", NULL);
  if (!name)
    return error_memory(error);
  struct band_info info = {.scale = declared_number(&band, "scale", "raster:scale", own->scale),
                           .offset = declared_number(&band, "offset", "raster:offset", own->offset),
                           .unit = unit ? unit : own->unit,
                           .long_name = declared_text(&band, "description", NULL),
                           .common_name = declared_text(&band, "common_name", "eo:common_name"),
                           .wavelength = declared_number(&band, "center_wavelength", "eo:center_wavelength", 0)};
  info.scale = info.scale == 0 ? 1 : info.scale;
  asset.scale = info.scale;
  asset.offset = info.offset;
  asset.masked = own->masked;
  asset.type = own->type;
  asset.nodata = own->nodata;
  double nodata;
  asset.has_nodata =
      (declared_nodata(&band, &nodata) && element_nodata(own->type, nodata, &asset.nodata)) || own->has_nodata;
  if (scan_find_band(scan, name, &info, &asset.band, error) != 0 ||
      scan_note_key(scan, a->declared->key, asset.band, error) != 0)
    return -1;
  return scan_new_asset(scan, &asset, &a->file->grid, error);
}

/* A file that raster_file_inspect refuses, from what the documents say in full: grid and types. */
static bool declared_file(struct scan *scan, const struct declared_asset *d, struct raster_file *file)
{
  const size_t count = declared_bands(d);
  if (count == 0 || count > 1000 || !declared_grid(scan->arena, d, &file->grid) || !file->grid.crs)
    return false;
  file->bands = ARENA_ARRAY(scan->arena, struct raster_file_band, count);
  file->band_count = file->bands ? count : 0;
  for (size_t i = 0; i < file->band_count; i++) {
    const struct declared_band band = declared_band(d, i);
    file->bands[i] = (struct raster_file_band){.type = declared_type(&band), .scale = 1};
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
static bool tells_nodata(const struct declared_asset *d, const struct raster_file *file)
{
  double nodata;
  for (size_t i = 0; i < file->band_count; i++) {
    const struct declared_band band = declared_band(d, i);
    if (!declared_nodata(&band, &nodata))
      return false;
  }
  return true;
}

/* Grid, types and no-data. */
static bool tells_all(struct scan *scan, const struct declared_asset *d, struct raster_file *file)
{
  *file = (struct raster_file){0};
  return declared_file(scan, d, file) && tells_nodata(d, file);
}

/* Where a file of that key was read, and the item tells the rest, that has to suffice: what is wrong with it is found
 * when the pixels are read. */
static bool described_file(struct scan *scan, const struct declared_asset *d, struct raster_file *file)
{
  const struct scan_key *known = find_key(scan, d->key);
  if (!known || !tells_all(scan, d, file))
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
    const struct declared_asset d = declared_asset(json_object_iter_key(at), json_object_iter_value(at), properties,
                                                   scan->collection ? scan->collection : scan->source);
    const char *path;
    struct raster_file file;
    if (asset_kind(&d) == ASSET_RASTER && !tells_all(scan, &d, &file) &&
        stac_path(scan, document, json_tree_text(d.asset, "href"), &path, &ignored) == 0)
      has_room = remote_prefetch(path, 0);
  }
  return has_room;
}

/* Opens it, unless the documents tell enough. 1 (no error): it is left out. */
static int look_at_file(struct scan *scan, const char *path, const struct declared_asset *d, struct raster_file *file,
                        struct error *error)
{
  if (remote_is(path) && described_file(scan, d, file))
    return scan_step(scan, error);
  const int outcome = scan_inspect(scan, path, d, file, error);
  if (outcome == 0 && remote_is(path) && !find_key(scan, d->key))
    return note_key(scan, d->key, file, error);
  if (outcome <= 0)
    return outcome;
  if (!declared_file(scan, d, file))
    return 1;
  scan->unreadable--;
  scan_warn(scan, "%s: taken by what its item says about it", path);
  return 0;
}

static int add_raster(struct scan *scan, const char *path, const struct declared_asset *d, size_t item,
                      struct error *error)
{
  struct raster_file file;
  struct asset_bands bands = {.declared = d, .file = &file};
  const int outcome = look_at_file(scan, path, d, &file, error);
  if (outcome != 0)
    return outcome < 0 ? -1 : 0;
  const size_t named = declared_named_bands(d), count = named && named < file.band_count ? named : file.band_count;
  size_t *items = NULL;
  if (named > file.band_count)
    scan_warn(scan, "%s has %zu bands, its item names %zu", path, file.band_count, named);
  if (!planes_of(d->asset, file.band_count, &bands.planes))
    bands.planes = (struct file_planes){.dates = NULL};
  else if (items_of_dates(scan, &bands.planes, item, &items, error) != 0)
    return -1;
  for (size_t i = 0; i < count; i++) {
    const struct scan_asset one = {
        .path = path, .raster_band = (int)i + 1, .item = items ? items[planes_date(&bands.planes, i)] : item};
    if (add_band(scan, &one, &bands, error) != 0)
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

/* "cube:variables" of the asset, its item or collection, as names behind the address of a hierarchy: what is in one is
 * not always to be asked. An empty text where there are none; NULL: no memory. */
static const char *name_variables(struct scan *scan, const struct declared_asset *d)
{
  const json_t *const places[] = {d->asset, d->properties, d->collection};
  const char *out = "";
  json_t *variables = NULL;
  for (size_t i = 0; i < sizeof places / sizeof places[0] && !variables; i++)
    variables = json_object_get(places[i], "cube:variables");
  for (void *at = json_object_iter(variables); at && out; at = json_object_iter_next(variables, at)) {
    const char *name = json_object_iter_key(at);
    if (*name && strcspn(name, ",/?#%\\\t\n") == strlen(name) && strlen(out) + strlen(name) < 4096)
      out = arena_printf(scan->arena, "%s%s%s", out, *out ? "," : ZARR_PLACE_NAMES, name);
  }
  return out && *out ? arena_printf(scan->arena, "%s/", out) : out;
}

/* The path by which the cube of another host is read: its name tells what it is (zarr_place.h, dap_address.h). */
static int name_cube(struct scan *scan, const struct declared_asset *d, const char **path, struct error *error)
{
  if (is_dap(d))
    return dap_address(scan->arena, *path, path, error);
  if (is_zarr(d)) {
    const char *names = name_variables(scan, d);
    const size_t length = strlen(*path) - ((*path)[strlen(*path) - 1] == '/');
    *path = names ? arena_printf(scan->arena, "%.*s%s", (int)length, *path, *names ? names : "/") : NULL;
  }
  return *path ? 0 : error_memory(error);
}

static int add_asset(struct scan *scan, const char *document, const struct declared_asset *d, size_t index,
                     struct error *error)
{
  const enum asset_kind kind = asset_kind(d);
  const char *path;
  if (kind == ASSET_NONE)
    return 0;
  if (stac_path(scan, document, json_tree_text(d->asset, "href"), &path, error) != 0) {
    if (!error_is(error, ERROR_FileNotFound))
      return -1;
    scan_warn(scan, "asset '%s' of item '%s' is left out: %s", d->key, scan->items[index].id, error->message);
    *error = (struct error){0};
    scan->unreadable++;
    return 0;
  }
  if (remote_is(path) && kind == ASSET_GAUGE) {
    scan_warn(scan, "asset '%s' of item '%s' is left out: gauge fields of other hosts are not read", d->key,
              scan->items[index].id);
    return 0;
  }
  if (remote_is(path) && kind == ASSET_CUBE && name_cube(scan, d, &path, error) != 0)
    return -1;
  if (kind != ASSET_RASTER)
    return add_cube_file(scan, path, index, error);
  if (scan->cube_path)
    return error_set(error, ERROR_FeatureUnsupported,
                     "item '%s': rasters do not mix with netCDF files and features in a collection",
                     scan->items[index].id);
  return add_raster(scan, path, d, index, error);
}

int stac_asset(struct scan *scan, const char *document, const char *key, const json_t *asset, size_t index,
               struct error *error)
{
  const struct declared_asset d = describe(scan, key, asset, index);
  return add_asset(scan, document, &d, index, error);
}

/* ---- pictures of other bands ------------------------------------------------------------------------------------- */

static const char *name_at(const struct declared_asset *d, size_t i)
{
  return declared_band(d, i).name;
}

/* The bands that have an asset of their own, as members of a new object. */
static json_t *single_bands(const struct scan *scan, json_t *assets, size_t item)
{
  json_t *names = json_object();
  for (void *at = json_object_iter(assets); at && names; at = json_object_iter_next(assets, at)) {
    const struct declared_asset d = describe(scan, json_object_iter_key(at), json_object_iter_value(at), item);
    if (declared_named_bands(&d) == 1 && name_at(&d, 0) && asset_kind(&d) == ASSET_RASTER)
      json_object_set_new(names, name_at(&d, 0), json_true());
  }
  return names;
}

/* Whether every band of the asset is one that an asset of its own holds: it is a picture of these. */
static bool repeats_others(const json_t *single, const struct declared_asset *d)
{
  const size_t count = declared_named_bands(d);
  for (size_t i = 0; i < count; i++)
    if (!name_at(d, i) || !json_object_get(single, name_at(d, i)))
      return false;
  return count > 1;
}

/* By its key, for nothing else tells: before 1.0 assets had no roles. */
static bool is_called_picture(const struct declared_asset *d)
{
  static const char *const keys[] = {"thumbnail", "overview", "preview", "rendered_preview", "browse", "quicklook"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (strcasecmp(d->key, keys[i]) == 0)
      return json_array_size(declared_roles(d)) == 0;
  return false;
}

/* Whether some asset is data whatever it is called. */
static bool has_others(const struct scan *scan, json_t *assets, size_t item)
{
  for (void *at = json_object_iter(assets); at; at = json_object_iter_next(assets, at)) {
    const struct declared_asset d = describe(scan, json_object_iter_key(at), json_object_iter_value(at), item);
    if (!is_called_picture(&d) && asset_kind(&d) != ASSET_NONE)
      return true;
  }
  return false;
}

/* Whether some asset is a cube of its own, no view of one. */
static bool has_cube_file(const struct scan *scan, json_t *assets, size_t item)
{
  for (void *at = json_object_iter(assets); at; at = json_object_iter_next(assets, at)) {
    const struct declared_asset d = describe(scan, json_object_iter_key(at), json_object_iter_value(at), item);
    if (asset_kind(&d) == ASSET_CUBE && !is_dap(&d))
      return true;
  }
  return false;
}

int stac_item_assets(struct scan *scan, const char *document, const json_t *item, size_t index, struct error *error)
{
  json_t *assets = json_object_get(item, "assets"), *single = single_bands(scan, assets, index);
  const bool leaves_pictures = has_others(scan, assets, index), leaves_views = has_cube_file(scan, assets, index);
  int result = single ? 0 : error_memory(error);
  for (void *at = json_object_iter(assets); at && result == 0; at = json_object_iter_next(assets, at)) {
    const struct declared_asset d = describe(scan, json_object_iter_key(at), json_object_iter_value(at), index);
    if (!repeats_others(single, &d) && !(leaves_pictures && is_called_picture(&d)) && !(leaves_views && is_dap(&d)))
      result = add_asset(scan, document, &d, index, error);
  }
  json_decref(single);
  return result;
}
