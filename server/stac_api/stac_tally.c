/* Counting items: see the header. Documents are looked into as text, and only where what is counted wants it. */
#include "server/stac_api/stac_tally.h"

#include "server/http/json_text.h"

#include "datacube/base/instant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct stac_count_row stac_count_rows[COUNT_KINDS] = {
    [COUNT_TOTAL] = {"total_count", "integer", NULL},
    [COUNT_FIRST] = {"datetime_min", "datetime", NULL},
    [COUNT_LAST] = {"datetime_max", "datetime", NULL},
    [COUNT_COLLECTIONS] = {"collection_frequency", "frequency_distribution", "string"},
    [COUNT_YEARS] = {"datetime_year_frequency", "frequency_distribution", "datetime"},
    [COUNT_MONTHS] = {"datetime_frequency", "frequency_distribution", "datetime"},
    [COUNT_PLATFORMS] = {"platform_frequency", "frequency_distribution", "string"},
    [COUNT_CLOUDS] = {"cloud_cover_frequency", "frequency_distribution", "numeric"},
    [COUNT_GEOHASH] = {"grid_geohash_frequency", "frequency_distribution", "string"},
};

/* Ranges of cloud cover: from each number up to the next one; the last holds its end. */
static const double cloud_edges[] = {0, 5, 15, 40, 100};
enum { CLOUD_RANGES = sizeof cloud_edges / sizeof cloud_edges[0] - 1 };

int stac_tally_start(struct stac_tally *tally, struct error *error)
{
  for (size_t i = 0; i < COUNT_KINDS; i++) {
    if (!tally->wanted[i] || stac_count_rows[i].key_type == NULL)
      continue;
    tally->buckets[i] = json_object();
    if (tally->buckets[i] == NULL)
      return error_memory(error);
  }
  return 0;
}

void stac_tally_free(struct stac_tally *tally)
{
  for (size_t i = 0; i < COUNT_KINDS; i++)
    json_decref(tally->buckets[i]);
}

/* ---- geohash ---------------------------------------------------------------------------------------------------- */

/* Five bits a character, of longitude and latitude by turns, the highest first. */
void geohash_write(double longitude, double latitude, unsigned precision, char out[GEOHASH_MOST + 1])
{
  static const char digits[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  double low[2] = {-180, -90}, high[2] = {180, 90};
  const double position[2] = {longitude, latitude};
  for (unsigned i = 0; i < precision; i++) {
    unsigned digit = 0;
    for (unsigned bit = 0; bit < 5; bit++) {
      const unsigned axis = (5 * i + bit) % 2;
      const double middle = (low[axis] + high[axis]) / 2;
      const bool is_upper = position[axis] >= middle;
      *(is_upper ? &low[axis] : &high[axis]) = middle;
      digit = 2 * digit + is_upper;
    }
    out[i] = digits[digit];
  }
  out[precision] = '\0';
}

/* ---- one item --------------------------------------------------------------------------------------------------- */

static int count_keys(json_t *buckets, const char *key, int64_t count, struct error *error)
{
  json_t *before = json_object_get(buckets, key);
  const int status = before != NULL ? json_integer_set(before, json_integer_value(before) + count)
                                    : json_object_set_new(buckets, key, json_integer(count));
  return status == 0 ? 0 : error_memory(error);
}

static int count_key(json_t *buckets, const char *key, struct error *error)
{
  return count_keys(buckets, key, 1, error);
}

/* What the item has as a property, as text: *length is 0 where it has none. */
static const char *property(const struct found_item *item, const char *name, size_t *length)
{
  size_t all = 0;
  const char *properties = json_text_member(item->document, item->length, "properties", &all);
  const char *value = properties != NULL ? json_text_member(properties, all, name, length) : NULL;
  *length = value != NULL ? *length : 0;
  return value;
}

static bool has_date(const struct found_item *item)
{
  size_t length;
  const char *datetime = property(item, "datetime", &length);
  if (length > 0 && datetime[0] == '"')
    return true;
  const char *start = property(item, "start_datetime", &length);
  return length > 0 && start[0] == '"';
}

/* Items of one month, by the instants of the first and of the last one. */
static int count_dates(struct stac_tally *tally, int64_t first, int64_t last, int64_t count, struct error *error)
{
  char key[40];
  tally->first = !tally->has_dates || first < tally->first ? first : tally->first;
  tally->last = !tally->has_dates || last > tally->last ? last : tally->last;
  tally->has_dates = true;
  struct civil start = instant_civil(first, CALENDAR_GREGORIAN);
  start = (struct civil){.year = start.year, .month = start.month, .day = 1};
  instant_format(instant_from_civil(start, CALENDAR_GREGORIAN), CALENDAR_GREGORIAN, key);
  if (tally->wanted[COUNT_MONTHS] && count_keys(tally->buckets[COUNT_MONTHS], key, count, error) != 0)
    return -1;
  start.month = 1;
  instant_format(instant_from_civil(start, CALENDAR_GREGORIAN), CALENDAR_GREGORIAN, key);
  return tally->wanted[COUNT_YEARS] ? count_keys(tally->buckets[COUNT_YEARS], key, count, error) : 0;
}

static int add_clouds(struct stac_tally *tally, const struct found_item *item, struct error *error)
{
  size_t length;
  char key[8], *end;
  const char *text = property(item, "eo:cloud_cover", &length);
  const double cover = length > 0 ? strtod(text, &end) : 0;
  if (length == 0 || end == text || cover < 0 || cover > cloud_edges[CLOUD_RANGES])
    return 0;
  size_t range = CLOUD_RANGES - 1;
  while (range > 0 && cover < cloud_edges[range])
    range--;
  snprintf(key, sizeof key, "%zu", range);
  return count_key(tally->buckets[COUNT_CLOUDS], key, error);
}

/* The middle of its box; false: it has none. */
static bool middle_of(const struct found_item *item, double *longitude, double *latitude)
{
  size_t length = 0, count = 0;
  double n[6];
  const char *at = json_text_member(item->document, item->length, "bbox", &length);
  const char *const last = at != NULL ? at + length : NULL;
  for (; at != NULL && at < last && count < 6; at++) {
    char *end;
    n[count] = strtod(at + 1, &end);
    if ((*at != '[' && *at != ',') || end == at + 1)
      break;
    count++;
    for (at = end; at + 1 < last && at[0] != ',' && at[0] != ']';)
      at++;
    at--;
  }
  if (count != 4 && count != 6)
    return false;
  const size_t half = count / 2;
  *longitude = (n[0] + n[half] + (n[0] > n[half] ? 360 : 0)) / 2;
  *longitude -= *longitude >= 180 ? 360 : 0;
  *latitude = (n[1] + n[half + 1]) / 2;
  return true;
}

static int add_cell(struct stac_tally *tally, const struct found_item *item, struct error *error)
{
  double longitude, latitude;
  char key[GEOHASH_MOST + 1];
  if (!middle_of(item, &longitude, &latitude))
    return 0;
  geohash_write(longitude, latitude, tally->precision, key);
  return count_key(tally->buckets[COUNT_GEOHASH], key, error);
}

static int add_platform(struct stac_tally *tally, const struct found_item *item, struct error *error)
{
  size_t length;
  const char *text = property(item, "platform", &length);
  json_t *platform = length > 0 ? json_loadb(text, length, JSON_DECODE_ANY, NULL) : NULL;
  const int status =
      json_is_string(platform) ? count_key(tally->buckets[COUNT_PLATFORMS], json_string_value(platform), error) : 0;
  json_decref(platform);
  return status;
}

int stac_tally_add(struct stac_tally *tally, const struct found_item *item, struct error *error)
{
  const bool *wanted = tally->wanted;
  tally->total++;
  if (wanted[COUNT_COLLECTIONS] && count_key(tally->buckets[COUNT_COLLECTIONS], item->collection, error) != 0)
    return -1;
  if ((wanted[COUNT_FIRST] || wanted[COUNT_LAST] || wanted[COUNT_YEARS] || wanted[COUNT_MONTHS]) && has_date(item) &&
      count_dates(tally, item->instant, item->instant, 1, error) != 0)
    return -1;
  if ((wanted[COUNT_PLATFORMS] && add_platform(tally, item, error) != 0) ||
      (wanted[COUNT_CLOUDS] && add_clouds(tally, item, error) != 0))
    return -1;
  return wanted[COUNT_GEOHASH] ? add_cell(tally, item, error) : 0;
}

bool stac_tally_wants_months(const struct stac_tally *tally)
{
  return !tally->wanted[COUNT_PLATFORMS] && !tally->wanted[COUNT_CLOUDS] && !tally->wanted[COUNT_GEOHASH];
}

int stac_tally_add_month(struct stac_tally *tally, const struct item_month *month, struct error *error)
{
  tally->total += month->count;
  if (tally->wanted[COUNT_COLLECTIONS] &&
      count_keys(tally->buckets[COUNT_COLLECTIONS], month->collection, month->count, error) != 0)
    return -1;
  return count_dates(tally, month->first, month->last, month->count, error);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void write_range(struct json_writer *w, size_t range)
{
  char key[64];
  snprintf(key, sizeof key, "%g-%g", cloud_edges[range], cloud_edges[range + 1]);
  json_kv_string(w, "key", key);
  json_kv_number(w, "from", cloud_edges[range]);
  json_kv_number(w, "to", cloud_edges[range + 1]);
}

static int compare_keys(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_buckets(json_t *buckets, enum stac_count_kind kind, struct json_writer *w)
{
  const size_t count = json_object_size(buckets);
  const char **keys = calloc(count + 1, sizeof *keys), *key;
  size_t used = 0;
  json_t *value;
  if (keys == NULL) {
    w->out->failed = true;
    return;
  }
  json_object_foreach(buckets, key, value) keys[used++] = key;
  qsort(keys, used, sizeof *keys, compare_keys);
  json_key(w, "buckets");
  json_write_array(w);
  for (size_t i = 0; i < used; i++) {
    json_write_object(w);
    if (kind == COUNT_CLOUDS)
      write_range(w, (size_t)(keys[i][0] - '0'));
    else
      json_kv_string(w, "key", keys[i]);
    json_kv_string(w, "data_type", stac_count_rows[kind].key_type);
    json_kv_integer(w, "frequency", json_integer_value(json_object_get(buckets, keys[i])));
    json_end_object(w);
  }
  json_end_array(w);
  free(keys);
}

static void write_value(const struct stac_tally *tally, enum stac_count_kind kind, struct json_writer *w)
{
  char text[40];
  if (kind == COUNT_TOTAL) {
    json_kv_integer(w, "value", tally->total);
    return;
  }
  instant_format(kind == COUNT_FIRST ? tally->first : tally->last, CALENDAR_GREGORIAN, text);
  json_kv_string(w, "value", tally->has_dates ? text : NULL);
}

void stac_tally_write(const struct stac_tally *tally, struct json_writer *w)
{
  json_write_array(w);
  for (size_t i = 0; i < COUNT_KINDS; i++) {
    if (!tally->wanted[i])
      continue;
    json_write_object(w);
    json_kv_string(w, "name", stac_count_rows[i].name);
    json_kv_string(w, "data_type", stac_count_rows[i].data_type);
    if (stac_count_rows[i].key_type != NULL)
      write_buckets(tally->buckets[i], i, w);
    else
      write_value(tally, i, w);
    json_end_object(w);
  }
  json_end_array(w);
}
