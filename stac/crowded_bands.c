/* Bands that are more than one.
 *
 * A band is found in a file's name by its last telling word, so "precip_mean" and "temperature_mean" would be one band,
 * and where both lie on one grid at one instant the first would hide the second. Files that differ in name, but neither
 * in grid nor in instant, are no mosaic. Where a known sensor's band has such files, and where bands were guessed,
 * files get the words of their names that are not the same, at the beginning and at the end, in every such group: one
 * rule for the whole collection, so that a variable has one name on all dates and tiles. */
#include "stac/name_pattern.h"
#include "stac/scan.h"

#include <stdlib.h>
#include <string.h>

#define GUESSED SIZE_MAX

struct named_asset {
  size_t asset;
  size_t kind; /* its band where that is a known sensor's, else GUESSED */
  size_t grid;
  int64_t instant;
  const char *path;
  struct name_span *words;
  size_t count;
};

struct common_words { /* the least number of words that the members of a group have in common */
  size_t before, after;
  bool crowded;
};

static int compare_group(const void *left, const void *right)
{
  const struct named_asset *a = left, *b = right;
  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  if (a->instant != b->instant)
    return a->instant < b->instant ? -1 : 1;
  return a->grid < b->grid ? -1 : a->grid > b->grid;
}

static bool same_word(const struct named_asset *a, size_t i, const struct named_asset *b, size_t j)
{
  struct name_span one = a->words[i], other = b->words[j];
  size_t length = one.end - one.start;
  return other.end - other.start == length && strncmp(a->path + one.start, b->path + other.start, length) == 0;
}

/* Takes two members of a group into account. */
static void compare_words(const struct named_asset *a, const struct named_asset *b, struct common_words *common)
{
  size_t least = a->count < b->count ? a->count : b->count, before = 0, after = 0;
  while (before < least && same_word(a, before, b, before))
    before++;
  if (before == a->count && before == b->count)
    return; /* one name */
  while (after < least - before && same_word(a, a->count - 1 - after, b, b->count - 1 - after))
    after++;
  common->crowded = true;
  common->before = before < common->before ? before : common->before;
  common->after = after < common->after ? after : common->after;
}

static const char *parted_name(struct scan *scan, const struct named_asset *a, const struct common_words *common)
{
  const char *old = scan->bands[scan->assets[a->asset].band].name;
  const char *name = a->kind == GUESSED ? "" : old;
  size_t end = a->count > common->after ? a->count - common->after : 0;
  for (size_t i = common->before; name && i < end; i++) {
    struct name_span word = a->words[i];
    int length = (int)(word.end - word.start);
    bool again = strlen(old) == (size_t)length && strncmp(old, a->path + word.start, (size_t)length) == 0;
    if (a->kind == GUESSED || !again)
      name = arena_printf(scan->arena, "%s%s%.*s", name, *name ? "_" : "", length, a->path + word.start);
  }
  return name && !*name ? old : name;
}

/* Gives the assets of one kind the names that part them. */
static int rename_assets(struct scan *scan, const struct named_asset *rows, size_t count,
                         const struct common_words *common, struct error *error)
{
  for (size_t i = 0; i < count; i++) {
    struct scan_asset *asset = &scan->assets[rows[i].asset];
    const char *name = parted_name(scan, &rows[i], common);
    const struct band_info info = scan->bands[asset->band].info;
    if (!name)
      return error_memory(error);
    if (scan_find_band(scan, name, &info, &asset->band, error) != 0)
      return -1;
    scan_settle_asset(scan, asset);
  }
  return 0;
}

/* Looks at the assets of one kind, group by group. */
static int part_kind(struct scan *scan, const struct named_asset *rows, size_t count, struct error *error)
{
  struct common_words common = {.before = NAME_MAX_WORDS, .after = NAME_MAX_WORDS};
  for (size_t i = 1, first = 0; i < count; i++)
    if (compare_group(&rows[i], &rows[first]) == 0)
      compare_words(&rows[first], &rows[i], &common);
    else
      first = i;
  return common.crowded ? rename_assets(scan, rows, count, &common, error) : 0;
}

/* Bands that lost all their assets disappear. */
static int drop_empty_bands(struct scan *scan, struct error *error)
{
  size_t *moved = ARENA_ARRAY(scan->arena, size_t, scan->band_count + 1), kept = 0;
  if (!moved)
    return error_memory(error);
  for (size_t i = 0; i < scan->asset_count; i++)
    moved[scan->assets[i].band] = 1;
  for (size_t i = 0; i < scan->band_count; i++) {
    bool used = moved[i] != 0;
    moved[i] = kept;
    if (used)
      scan->bands[kept++] = scan->bands[i];
  }
  scan->band_count = kept;
  for (size_t i = 0; i < scan->asset_count; i++)
    scan->assets[i].band = moved[scan->assets[i].band];
  return 0;
}

static int name_assets(struct scan *scan, struct named_asset *rows, struct error *error)
{
  struct name_span words[NAME_MAX_WORDS];
  for (size_t i = 0; i < scan->asset_count; i++) {
    const struct scan_asset *asset = &scan->assets[i];
    struct named_asset row = {.asset = i, .grid = asset->grid, .path = asset->path};
    row.kind = name_is_band(scan->bands[asset->band].name) ? asset->band : GUESSED;
    row.instant = scan->items[asset->item].instant;
    row.count = name_words(row.path, words);
    row.words = arena_copy(scan->arena, words, (row.count ? row.count : 1) * sizeof *words);
    if (!row.words)
      return error_memory(error);
    rows[i] = row;
  }
  qsort(rows, scan->asset_count, sizeof *rows, compare_group);
  return 0;
}

int scan_part_bands(struct scan *scan, struct error *error)
{
  struct named_asset *rows = ARENA_ARRAY(scan->arena, struct named_asset, scan->asset_count + 1);
  if (!rows)
    return error_memory(error);
  if (name_assets(scan, rows, error) != 0)
    return -1;
  for (size_t first = 0, end; first < scan->asset_count; first = end) {
    for (end = first + 1; end < scan->asset_count && rows[end].kind == rows[first].kind;)
      end++;
    if (part_kind(scan, &rows[first], end - first, error) != 0)
      return -1;
  }
  return drop_empty_bands(scan, error);
}
