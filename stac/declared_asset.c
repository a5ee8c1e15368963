/* See the header. */
#include "stac/declared_asset.h"

#include <string.h>

static const char *const listings[] = {"bands", "eo:bands", "raster:bands"};
enum { LISTINGS = sizeof listings / sizeof *listings };

/* Before 0.9 a collection's "assets" were what "item_assets" is now. */
static const json_t *pattern_of(const json_t *collection, const char *key)
{
  const json_t *pattern = json_object_get(json_object_get(collection, "item_assets"), key);
  const json_t *asset = json_object_get(json_object_get(collection, "assets"), key);
  if (!pattern && !json_object_get(asset, "href"))
    pattern = asset;
  return json_is_object(pattern) ? pattern : NULL;
}

struct declared_asset declared_asset(const char *key, const json_t *asset, const json_t *properties,
                                     const json_t *collection)
{
  return (struct declared_asset){.key = key,
                                 .asset = asset,
                                 .pattern = pattern_of(collection, key),
                                 .properties = properties,
                                 .collection = collection};
}

static size_t longest(const json_t *object, size_t lists)
{
  size_t count = 0;
  for (size_t k = 0; k < lists; k++) {
    const size_t own = json_array_size(json_tree_array(object, listings[k]));
    count = own > count ? own : count;
  }
  return count;
}

size_t declared_bands(const struct declared_asset *d)
{
  const size_t own = longest(d->asset, LISTINGS);
  return own ? own : longest(d->pattern, LISTINGS);
}

size_t declared_named_bands(const struct declared_asset *d)
{
  const size_t own = longest(d->asset, 2);
  return own ? own : longest(d->pattern, 2);
}

/* Band i of a list; a number stands for one of the item's. */
static const json_t *entry_at(const struct declared_asset *d, const json_t *list, size_t i)
{
  const json_t *entry = json_array_get(list, i);
  if (json_is_integer(entry) && json_integer_value(entry) >= 0)
    entry = json_array_get(json_tree_array(d->properties, "eo:bands"), (size_t)json_integer_value(entry));
  return json_is_object(entry) ? entry : NULL;
}

static const char *name_in(const struct declared_asset *d, const json_t *object, size_t i)
{
  for (size_t k = 0; k < LISTINGS; k++) {
    const char *name = json_tree_text(entry_at(d, json_tree_array(object, listings[k]), i), "name");
    if (name && *name)
      return name;
  }
  return NULL;
}

static bool is_naming(const struct declared_asset *d, const json_t *object)
{
  const size_t count = longest(object, LISTINGS);
  for (size_t i = 0; i < count; i++)
    if (name_in(d, object, i))
      return true;
  return false;
}

/* Where the pattern describes a band, whose own name may be NULL; SIZE_MAX: nowhere. */
static size_t place_in_pattern(const struct declared_asset *d, const char *name, size_t i)
{
  const size_t count = longest(d->pattern, LISTINGS);
  for (size_t k = 0; name && k < count; k++) {
    const char *other = name_in(d, d->pattern, k);
    if (other && strcmp(other, name) == 0)
      return k;
  }
  return i < count && (!name || !is_naming(d, d->pattern)) ? i : SIZE_MAX;
}

static void add_place(struct declared_band *band, const json_t *entry)
{
  if (json_is_object(entry) && band->count < DECLARED_PLACES)
    band->places[band->count++] = entry;
}

static void add_named(struct declared_band *band, const json_t *list, const char *name)
{
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *other = json_tree_text(json_array_get(list, i), "name");
    if (other && strcmp(other, name) == 0) {
      add_place(band, json_array_get(list, i));
      return;
    }
  }
}

struct declared_band declared_band(const struct declared_asset *d, size_t index)
{
  struct declared_band band = {.asset = d, .index = index, .name = name_in(d, d->asset, index)};
  const size_t place = place_in_pattern(d, band.name, index);
  if (!band.name && place != SIZE_MAX)
    band.name = name_in(d, d->pattern, place);
  for (size_t k = 0; k < LISTINGS; k++)
    add_place(&band, entry_at(d, json_tree_array(d->asset, listings[k]), index));
  for (size_t k = 0; k < LISTINGS && place != SIZE_MAX; k++)
    add_place(&band, entry_at(d, json_tree_array(d->pattern, listings[k]), place));
  const char *wanted = band.name ? band.name : declared_bands(d) <= 1 ? d->key : NULL;
  const json_t *const objects[] = {d->properties, d->collection, json_object_get(d->collection, "summaries")};
  for (size_t k = 0; wanted && k < sizeof objects / sizeof *objects; k++) {
    add_named(&band, json_tree_array(objects[k], "bands"), wanted);
    add_named(&band, json_tree_array(objects[k], "eo:bands"), wanted);
  }
  return band;
}

static const json_t *member_of(const json_t *object, const char *plain, const char *prefixed)
{
  const json_t *value = plain ? json_object_get(object, plain) : NULL;
  if ((!value || json_is_null(value)) && prefixed)
    value = json_object_get(object, prefixed);
  return value && !json_is_null(value) ? value : NULL;
}

/* Calls until `take` has found what it wants. */
static bool each_value(const struct declared_band *band, const char *plain, const char *prefixed,
                       bool (*take)(void *data, const json_t *value), void *data)
{
  const struct declared_asset *d = band->asset;
  for (size_t k = 0; k < band->count; k++) {
    const json_t *value = member_of(band->places[k], plain, prefixed);
    if (value && take(data, value))
      return true;
  }
  const json_t *const whole[] = {d->asset, d->pattern, d->properties};
  const bool is_of_item = plain && strcmp(plain, "description") == 0;
  for (size_t k = 0; k < (is_of_item ? 2 : 3); k++) {
    const json_t *value = member_of(whole[k], plain, prefixed);
    if (value && take(data, value))
      return true;
  }
  return false;
}

static bool take_text(void *data, const json_t *value)
{
  const char *text = json_string_value(value);
  if (text && *text)
    *(const char **)data = text;
  return text && *text;
}

const char *declared_text(const struct declared_band *band, const char *plain, const char *prefixed)
{
  const char *text = NULL;
  return each_value(band, plain, prefixed, take_text, &text) ? text : NULL;
}

static bool take_number(void *data, const json_t *value)
{
  if (json_is_number(value))
    *(double *)data = json_number_value(value);
  return json_is_number(value);
}

double declared_number(const struct declared_band *band, const char *plain, const char *prefixed, double other)
{
  double number = other;
  each_value(band, plain, prefixed, take_number, &number);
  return number;
}

static bool take_nodata(void *data, const json_t *value)
{
  return json_tree_nodata(value, data);
}

bool declared_nodata(const struct declared_band *band, double *out)
{
  if (each_value(band, "nodata", NULL, take_nodata, out))
    return true;
  const json_t *list = json_object_get(band->asset->asset, "file:nodata");
  if (!list)
    list = json_object_get(band->asset->pattern, "file:nodata");
  const size_t at = band->index < json_array_size(list) ? band->index : 0;
  return json_tree_nodata(json_is_array(list) ? json_array_get(list, at) : list, out);
}

static bool take_type(void *data, const json_t *value)
{
  const char *text = json_string_value(value);
  const enum element_type type = text ? element_from_name(text) : ELEMENT_TYPE_COUNT;
  if (type != ELEMENT_TYPE_COUNT)
    *(enum element_type *)data = type;
  return type != ELEMENT_TYPE_COUNT;
}

enum element_type declared_type(const struct declared_band *band)
{
  enum element_type type = ELEMENT_TYPE_COUNT;
  each_value(band, "data_type", "file:data_type", take_type, &type);
  return type;
}

const char *declared_media_type(const struct declared_asset *d)
{
  const char *own = json_tree_text(d->asset, "type");
  return own ? own : json_tree_text(d->pattern, "type");
}

const json_t *declared_roles(const struct declared_asset *d)
{
  const json_t *own = json_tree_array(d->asset, "roles");
  return own ? own : json_tree_array(d->pattern, "roles");
}
