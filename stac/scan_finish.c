/* What a scan decides once for all loads.
 *
 * CRS: --crs, else the one most assets have (the first of equals). Resolution per band: the finest of its assets, per
 * axis, in units of that CRS (other CRSs by the length of their units). So the lattice of a load depends on its bands,
 * never on its box or dates.
 *
 * Dates: scenes of one UTC day are one date, as a sensor's orbit fills a mosaic in minutes; but where two scenes of a
 * day with different instants cover the same ground (more than half of the smaller box), the collection sees a place
 * more than once a day, and every instant is a date. Where nothing has a date (heights, say), the collection has none,
 * and is one mosaic: then two files of a band may not show the same place, as one would hide the other. */
#include "stac/cube_files.h"
#include "stac/scan.h"

#include "datacube/lonlat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t scan_day(int64_t instant)
{
  int64_t day = instant / MS_PER_DAY;
  return (instant % MS_PER_DAY < 0 ? day - 1 : day) * MS_PER_DAY;
}

/* Assets of items without a date go where others have one. */
static int drop_undated(struct scan *scan, struct error *error)
{
  bool *told = ARENA_ARRAY(scan->arena, bool, scan->item_count + 1);
  size_t kept = 0;
  if (!told)
    return error_memory(error);
  scan->timeless = true;
  for (size_t i = 0; i < scan->asset_count; i++)
    scan->timeless = scan->timeless && scan->items[scan->assets[i].item].undated;
  for (size_t i = 0; i < scan->asset_count && !scan->timeless; i++) {
    size_t item = scan->assets[i].item;
    if (!scan->items[item].undated)
      scan->assets[kept++] = scan->assets[i];
    else if (!told[item]) {
      told[item] = true;
      scan->skipped++;
      scan_warn(scan, "item '%s' is left out: it has no date, and others have one", scan->items[item].id);
    }
  }
  scan->asset_count = scan->timeless ? scan->asset_count : kept;
  return 0;
}

/* Before sorting, `grid` rows do not move; order by item, band, resolution (finest first), then as found. */
struct ranked {
  struct scan_asset asset;
  double area; /* of a pixel, square metres roughly */
  size_t rank;
};

static int compare_ranked(const void *left, const void *right)
{
  const struct ranked *a = left, *b = right;
  if (a->asset.item != b->asset.item)
    return a->asset.item < b->asset.item ? -1 : 1;
  if (a->asset.band != b->asset.band)
    return a->asset.band < b->asset.band ? -1 : 1;
  if (a->area != b->area)
    return a->area < b->area ? -1 : 1;
  return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* Sorts the assets and keeps one per item and band: the finest. */
static int order_assets(struct scan *scan, struct error *error)
{
  struct ranked *rows = calloc(scan->asset_count, sizeof *rows);
  if (!rows)
    return error_memory(error);
  const char *crs = NULL;
  double unit = 1;
  for (size_t i = 0; i < scan->asset_count; i++) {
    const struct grid *grid = &scan->grids[scan->assets[i].grid].grid;
    if (grid->crs != crs)
      unit = crs_unit_metres(crs = grid->crs);
    rows[i] = (struct ranked){scan->assets[i], grid->res_x * grid->res_y * unit * unit, i};
  }
  qsort(rows, scan->asset_count, sizeof *rows, compare_ranked);
  size_t kept = 0;
  for (size_t i = 0; i < scan->asset_count; i++) {
    const struct scan_asset *last = kept ? &scan->assets[kept - 1] : NULL;
    if (!last || last->item != rows[i].asset.item || last->band != rows[i].asset.band)
      scan->assets[kept++] = rows[i].asset;
  }
  scan->asset_count = kept;
  free(rows);
  return 0;
}

static int compare_name(const void *left, const void *right)
{
  const struct scan_band *const *a = left, *const *b = right;
  return strverscmp((*a)->name, (*b)->name);
}

/* B1, B2, …, B10 rather than the order of the paths. */
static int order_bands(struct scan *scan, struct error *error)
{
  struct scan_band *sorted = ARENA_ARRAY(scan->arena, struct scan_band, scan->band_count);
  const struct scan_band **order = ARENA_ARRAY(scan->arena, const struct scan_band *, scan->band_count);
  size_t *moved = ARENA_ARRAY(scan->arena, size_t, scan->band_count);
  if (!sorted || !order || !moved)
    return error_memory(error);
  for (size_t i = 0; i < scan->band_count; i++)
    order[i] = &scan->bands[i];
  qsort(order, scan->band_count, sizeof *order, compare_name);
  for (size_t i = 0; i < scan->band_count; i++) {
    sorted[i] = *order[i];
    moved[order[i] - scan->bands] = i;
  }
  scan->bands = sorted;
  for (size_t i = 0; i < scan->asset_count; i++)
    scan->assets[i].band = moved[scan->assets[i].band];
  return 0;
}

/* Boxes of the items; items without assets disappear. */
static void finish_items(struct scan *scan)
{
  size_t kept = 0, asset = 0;
  for (size_t i = 0; i < scan->item_count; i++) {
    struct scan_item item = scan->items[i];
    size_t first = asset;
    for (; asset < scan->asset_count && scan->assets[asset].item == i; asset++) {
      const struct extent *box = &scan->grids[scan->assets[asset].grid].lonlat;
      item.box = asset == first ? *box : lonlat_union(&item.box, box);
      scan->assets[asset].item = kept;
    }
    if (asset > first)
      scan->items[kept++] = item;
    else
      json_decref(item.properties);
  }
  scan->item_count = kept;
}

struct crs_count {
  const char *crs;
  size_t count;
};

static int commonest_crs(struct scan *scan, struct error *error)
{
  struct crs_count *counts = ARENA_ARRAY(scan->arena, struct crs_count, scan->grid_count);
  size_t known = 0, best = 0;
  if (!counts)
    return error_memory(error);
  for (size_t i = 0; i < scan->asset_count; i++) {
    const char *crs = scan->grids[scan->assets[i].grid].grid.crs;
    size_t at = 0;
    while (at < known && counts[at].crs != crs && strcmp(counts[at].crs, crs) != 0)
      at++;
    if (at == known)
      counts[known++].crs = crs;
    counts[at].count++;
  }
  for (size_t i = 1; i < known; i++)
    if (counts[i].count > counts[best].count)
      best = i;
  scan->crs = counts[best].crs;
  return 0;
}

/* A pixel's size in another CRS: by the units alone. Exact where the CRSs are the same. */
static double unit_ratio(const char *from, const char *to)
{
  if (from == to || strcmp(from, to) == 0)
    return 1;
  double metres = crs_unit_metres(to);
  return metres > 0 ? crs_unit_metres(from) / metres : 1;
}

static void finest_resolutions(struct scan *scan)
{
  const char *crs = NULL;
  double ratio = 1;
  for (size_t i = 0; i < scan->asset_count; i++) {
    const struct grid *grid = &scan->grids[scan->assets[i].grid].grid;
    struct scan_band *band = &scan->bands[scan->assets[i].band];
    if (grid->crs != crs)
      ratio = unit_ratio(crs = grid->crs, scan->crs);
    double res_x = grid->res_x * ratio, res_y = grid->res_y * ratio;
    band->res_x = band->res_x > 0 ? fmin(band->res_x, res_x) : res_x;
    band->res_y = band->res_y > 0 ? fmin(band->res_y, res_y) : res_y;
  }
}

static double area(const struct extent *box)
{
  return (box->east - box->west) * (box->north - box->south);
}

static bool same_ground(const struct extent *a, const struct extent *b)
{
  if (a->east - a->west > 180 || b->east - b->west > 180)
    return false; /* across the antimeridian: the box says nothing */
  struct extent both = {fmax(a->west, b->west), fmax(a->south, b->south), fmin(a->east, b->east),
                        fmin(a->north, b->north), NULL};
  return both.west < both.east && both.south < both.north && area(&both) > 0.5 * fmin(area(a), area(b));
}

struct shown_place { /* an asset and its ground */
  const struct scan_asset *asset;
  const struct extent *box;
};

static int compare_placed(const void *left, const void *right)
{
  const struct shown_place *a = left, *b = right;
  if (a->asset->band != b->asset->band)
    return a->asset->band < b->asset->band ? -1 : 1;
  return a->box->west < b->box->west ? -1 : a->box->west > b->box->west;
}

static int same_place(const struct scan *scan, const struct shown_place *a, const struct shown_place *b,
                      struct error *error)
{
  return error_parameter(error, ERROR_NoDataAvailable, "datetime",
                         "no file has a date, and %s and %s show the same place in band '%s': tell how to find the "
                         "dates of the %zu files",
                         a->asset->path, b->asset->path, scan->bands[a->asset->band].name, scan->files);
}

/* Sweeps each band of a collection without dates from west to east. */
static int check_places(const struct scan *scan, struct error *error)
{
  struct shown_place *rows = ARENA_ARRAY(scan->arena, struct shown_place, scan->asset_count);
  if (!rows)
    return error_memory(error);
  for (size_t i = 0; i < scan->asset_count; i++)
    rows[i] = (struct shown_place){&scan->assets[i], &scan->grids[scan->assets[i].grid].lonlat};
  qsort(rows, scan->asset_count, sizeof *rows, compare_placed);
  for (size_t i = 0; i < scan->asset_count; i++)
    for (size_t j = i + 1;
         j < scan->asset_count && rows[j].asset->band == rows[i].asset->band && rows[j].box->west < rows[i].box->east;
         j++)
      if (same_ground(rows[i].box, rows[j].box))
        return same_place(scan, &rows[i], &rows[j], error);
  return 0;
}

static int compare_place(const void *left, const void *right)
{
  const struct scan_item *const *a = left, *const *b = right;
  int64_t day_a = scan_day((*a)->instant), day_b = scan_day((*b)->instant);
  if (day_a != day_b)
    return day_a < day_b ? -1 : 1;
  return (*a)->box.west < (*b)->box.west ? -1 : (*a)->box.west > (*b)->box.west;
}

/* Sweeps each day from west to east. */
static bool seen_twice_a_day(const struct scan_item **items, size_t count)
{
  for (size_t i = 0; i < count; i++)
    for (size_t j = i + 1; j < count && scan_day(items[j]->instant) == scan_day(items[i]->instant) &&
                           items[j]->box.west < items[i]->box.east;
         j++)
      if (items[i]->instant != items[j]->instant && same_ground(&items[i]->box, &items[j]->box))
        return true;
  return false;
}

static int compare_instant(const void *left, const void *right)
{
  const struct scan_item *const *a = left, *const *b = right;
  return (*a)->instant < (*b)->instant ? -1 : (*a)->instant > (*b)->instant;
}

static int finish_dates(struct scan *scan, struct error *error)
{
  const struct scan_item **items = ARENA_ARRAY(scan->arena, const struct scan_item *, scan->item_count);
  if (!items)
    return error_memory(error);
  for (size_t i = 0; i < scan->item_count; i++)
    items[i] = &scan->items[i];
  qsort(items, scan->item_count, sizeof *items, compare_place);
  if (scan->timeless)
    return 0;
  scan->sub_daily = seen_twice_a_day(items, scan->item_count);
  qsort(items, scan->item_count, sizeof *items, compare_instant);
  for (size_t i = 0; i < scan->item_count; i++) {
    int64_t date = items[i]->instant, before = i ? items[i - 1]->instant : 0;
    if (i == 0 || (scan->sub_daily ? date != before : scan_day(date) != scan_day(before)))
      scan->date_count++;
  }
  return 0;
}

static int check_nodata_bands(const struct scan *scan, struct error *error)
{
  for (size_t i = 0; i < scan->options->nodata_count; i++) {
    const char *name = scan->options->nodata[i].band;
    size_t band = 0;
    while (name && band < scan->band_count && strcmp(scan->bands[band].name, name) != 0)
      band++;
    if (name && band == scan->band_count)
      return error_parameter(error, ERROR_ProcessParameterInvalid, "nodata", "no band is called '%s'", name);
  }
  return 0;
}

/* ---- packing ------------------------------------------------------------------------------------------------------
 */

/* Whether an asset's values are codes of others by scale and offset. */
static bool is_packed(const struct scan_asset *asset)
{
  return (asset->scale != 1 || asset->offset != 0) && !element_info(asset->type)->is_complex;
}

/* The band's values are what the stored ones stand for: floats that hold them. */
static void unpack_band(const struct scan *scan, size_t band)
{
  struct scan_band *row = &scan->bands[band];
  bool narrow = true;
  for (size_t i = 0; i < scan->asset_count; i++)
    if (scan->assets[i].band == band) {
      scan->assets[i].unpacks = true;
      narrow = narrow && element_info(scan->assets[i].type)->exact_in_f32;
    }
  row->info.scale = 1;
  row->info.offset = 0;
  row->type = narrow ? ELEMENT_F32 : ELEMENT_F64;
  row->has_nodata = true;
  row->nodata = (double)NAN;
}

/* Which bands are loaded unpacked: those whose assets are packed in different ways, else as the operator says. */
static int choose_unpacked(struct scan *scan, struct error *error)
{
  const struct scan_asset **first = ARENA_ARRAY(scan->arena, const struct scan_asset *, scan->band_count);
  bool *unpacks = ARENA_ARRAY(scan->arena, bool, scan->band_count);
  bool *complex = ARENA_ARRAY(scan->arena, bool, scan->band_count);
  if (!first || !unpacks || !complex)
    return error_memory(error);
  for (size_t i = 0; i < scan->asset_count; i++) {
    const struct scan_asset *asset = &scan->assets[i], **seen = &first[asset->band];
    *seen = *seen ? *seen : asset;
    bool differs = asset->scale != (*seen)->scale || asset->offset != (*seen)->offset;
    unpacks[asset->band] = unpacks[asset->band] || differs || (scan->options->unpack && is_packed(asset));
    complex[asset->band] = complex[asset->band] || element_info(asset->type)->is_complex;
  }
  for (size_t band = 0; band < scan->band_count; band++)
    if (unpacks[band] && !complex[band])
      unpack_band(scan, band);
  return 0;
}

/* A file that is a cube is one item, if any; of several, each item stays. */
static void keep_cube_item(struct scan *scan)
{
  if (cube_files_are_several(scan->cube_path))
    return;
  for (size_t i = 0; i < scan->item_count; i++)
    if (i != scan->cube_item)
      json_decref(scan->items[i].properties);
  if (scan->item_count > 0)
    scan->items[0] = scan->items[scan->cube_item];
  scan->item_count = scan->item_count > 0;
}

int scan_finish(struct scan *scan, struct error *error)
{
  const struct catalogue_add_options *options = scan->options;
  if (scan->cube_path) {
    keep_cube_item(scan);
    return 0;
  }
  if (scan->asset_count == 0)
    return error_set(error, ERROR_NoDataAvailable, "no readable raster was found (%zu files skipped, %zu unreadable)",
                     scan->skipped, scan->unreadable);
  if (drop_undated(scan, error) != 0)
    return -1;
  if (check_nodata_bands(scan, error) != 0 || (scan->number_bands && order_bands(scan, error) != 0) ||
      scan_order_bands(scan, error) != 0 || order_assets(scan, error) != 0)
    return -1;
  if (choose_unpacked(scan, error) != 0)
    return -1;
  finish_items(scan);
  if (scan->timeless && check_places(scan, error) != 0)
    return -1;
  if (options->crs ? crs_canonical(scan->arena, options->crs, &scan->crs, error) : commonest_crs(scan, error)) {
    error_at_parameter(error, "crs");
    return -1;
  }
  finest_resolutions(scan);
  return finish_dates(scan, error);
}
