/* Choosing from the index. */
#include "stac/select.h"
#include "stac/cql2/cql2_condition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *column_text(struct arena *arena, sqlite3_stmt *row, int column)
{
  const char *text = (const char *)sqlite3_column_text(row, column);
  return text ? arena_strdup(arena, text) : NULL;
}

int select_collection(struct index *index, struct selection *s, struct error *error)
{
  sqlite3_stmt *row = index_collection(index, s->request->collection, error);
  if (!row)
    return -1;
  s->key = sqlite3_column_int64(row, COLLECTION_KEY);
  s->title = column_text(s->arena, row, COLLECTION_TITLE);
  s->crs = column_text(s->arena, row, COLLECTION_CRS);
  s->explicit_crs = sqlite3_column_int(row, COLLECTION_EXPLICIT_CRS) != 0;
  s->resolution = sqlite3_column_double(row, COLLECTION_RESOLUTION);
  s->sub_daily = sqlite3_column_int(row, COLLECTION_SUB_DAILY) != 0;
  s->cube_path = column_text(s->arena, row, COLLECTION_CUBE_PATH);
  s->has_nodata = sqlite3_column_int(row, COLLECTION_NODATA_GIVEN) != 0;
  s->nodata = sqlite3_column_type(row, COLLECTION_NODATA) == SQLITE_NULL
                  ? (double)NAN
                  : sqlite3_column_double(row, COLLECTION_NODATA);
  s->undated = sqlite3_column_int64(row, COLLECTION_DATES) == 0;
  s->collection_bands = (size_t)sqlite3_column_int64(row, COLLECTION_BANDS);
  const bool is_stored = sqlite3_column_int(row, COLLECTION_STORED) != 0;
  struct extent bounds = {sqlite3_column_double(row, COLLECTION_WEST), sqlite3_column_double(row, COLLECTION_SOUTH),
                          sqlite3_column_double(row, COLLECTION_EAST), sqlite3_column_double(row, COLLECTION_NORTH),
                          NULL};
  index_done(row);
  if (is_stored)
    return error_set(error, ERROR_FeatureUnsupported,
                     "the items of collection '%s' are stored as they came: their files are not known here",
                     s->request->collection);
  if (!s->cube_path)
    region_clip(&s->region, &bounds);
  return 0;
}

static struct selected_band band_of_row(struct arena *arena, sqlite3_stmt *row)
{
  return (struct selected_band){.name = column_text(arena, row, 0),
                                .info = {.common_name = column_text(arena, row, 1),
                                         .wavelength = sqlite3_column_double(row, 2),
                                         .scale = sqlite3_column_double(row, 3),
                                         .offset = sqlite3_column_double(row, 4),
                                         .unit = column_text(arena, row, 5),
                                         .long_name = column_text(arena, row, 6),
                                         .standard_name = column_text(arena, row, 7)},
                                .res_x = sqlite3_column_double(row, 8),
                                .res_y = sqlite3_column_double(row, 9)};
}

static int read_bands(struct index *index, struct selection *s, struct selected_band *all, struct error *error)
{
  sqlite3_stmt *row = index_statement(index, STATEMENT_BANDS, error);
  int more = row ? 1 : -1;
  size_t count = 0;
  if (row)
    sqlite3_bind_int64(row, 1, s->key);
  while (more == 1 && (more = index_step(index, row, error)) == 1 && count < s->collection_bands) {
    all[count] = band_of_row(s->arena, row);
    if (!all[count++].name)
      more = error_memory(error);
  }
  index_done(row);
  return more < 0 ? -1 : 0;
}

static int unknown_band(const struct selection *s, const struct selected_band *all, const char *name,
                        struct error *error)
{
  struct buffer names = {.limit = 480};
  for (size_t i = 0; i < s->collection_bands && !names.failed; i++)
    buffer_printf(&names, "%s%s%s%s%s", i ? ", " : "", all[i].name, all[i].info.common_name ? " (" : "",
                  all[i].info.common_name ? all[i].info.common_name : "", all[i].info.common_name ? ")" : "");
  error_parameter(error, ERROR_BandNotAvailable, "bands", "collection '%s' has no band '%s'; it has %s%s",
                  s->request->collection, name, names.data ? names.data : "none", names.failed ? ", …" : "");
  buffer_free(&names);
  return -1;
}

static void choose(struct selection *s, const struct selected_band *all, size_t position)
{
  if (s->slot_of_band[position] != SIZE_MAX)
    return; /* named twice: labels are unique */
  s->slot_of_band[position] = s->band_count;
  s->bands[s->band_count++] = all[position];
}

/* Bands that come from assets of that key. */
static size_t choose_by_key(struct selection *s, const struct selected_band *all, const char *key)
{
  const struct catalogue_names *names = s->request->names;
  size_t found = 0;
  for (size_t k = 0; names && k < names->key_count; k++)
    for (size_t i = 0; i < s->collection_bands && strcmp(names->keys[k].key, key) == 0; i++)
      if (strcmp(all[i].name, names->keys[k].band) == 0) {
        choose(s, all, i);
        found++;
      }
  return found;
}

/* A name goes before a common name, and that before an asset's key; these mean all bands that have them. */
static int choose_named(struct selection *s, const struct selected_band *all, const char *name, struct error *error)
{
  size_t before = 0;
  for (size_t i = 0; i < s->collection_bands; i++)
    if (strcmp(all[i].name, name) == 0) {
      choose(s, all, i);
      return 0;
    }
  for (size_t i = 0; i < s->collection_bands; i++)
    if (all[i].info.common_name && strcmp(all[i].info.common_name, name) == 0) {
      choose(s, all, i);
      before++;
    }
  return before || choose_by_key(s, all, name) ? 0 : unknown_band(s, all, name, error);
}

int select_bands(struct index *index, struct selection *s, struct error *error)
{
  const struct load_request *request = s->request;
  struct selected_band *all = ARENA_ARRAY(s->arena, struct selected_band, s->collection_bands + 1);
  s->bands = ARENA_ARRAY(s->arena, struct selected_band, s->collection_bands + 1);
  s->slot_of_band = ARENA_ARRAY(s->arena, size_t, s->collection_bands + 1);
  if (!all || !s->bands || !s->slot_of_band)
    return error_memory(error);
  if (read_bands(index, s, all, error) != 0)
    return -1;
  for (size_t i = 0; i < s->collection_bands; i++)
    s->slot_of_band[i] = SIZE_MAX;
  for (size_t i = 0; !request->bands && i < s->collection_bands; i++)
    choose(s, all, i);
  for (size_t i = 0; request->bands && i < request->band_count; i++)
    if (choose_named(s, all, request->bands[i], error) != 0)
      return -1;
  if (s->band_count == 0 && s->collection_bands > 0)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "bands", "the list of bands is empty");
  return 0;
}

/* The instants of the request; what has no date lies in every interval. */
static void search_interval(const struct selection *s, int64_t *low, int64_t *high)
{
  const int64_t far = INT64_C(9000000000000000); /* some 285 000 years */
  const struct load_request *r = s->request;
  const bool all = s->undated || s->cube_path; /* a file's own dates are chosen from when it is loaded */
  *low = !all && r->has_start && r->start > -far ? r->start : -far;
  *high = !all && r->has_end && r->end < far ? r->end : far;
}

static int append_item(struct selection *s, size_t *room, sqlite3_stmt *row, struct error *error)
{
  if (s->item_count == *room) {
    size_t more = *room ? *room * 2 : 64;
    struct selected_item *items = ARENA_ARRAY(s->arena, struct selected_item, more);
    if (!items)
      return error_memory(error);
    if (s->item_count)
      memcpy(items, s->items, s->item_count * sizeof *items);
    s->items = items;
    *room = more;
  }
  struct selected_item item = {.key = sqlite3_column_int64(row, 0),
                               .instant = sqlite3_column_int64(row, 2),
                               .id = column_text(s->arena, row, 1),
                               .undated = s->undated};
  if (s->request->filter)
    item.properties = column_text(s->arena, row, 3);
  s->items[s->item_count++] = item;
  return item.id ? 0 : error_memory(error);
}

/* Values of a condition's parameters, behind `first` others. */
static void bind_values(sqlite3_stmt *row, const struct item_condition *condition, int first)
{
  for (size_t i = 0; i < condition->value_count; i++) {
    const struct item_value *value = &condition->values[i];
    const int at = first + (int)i + 1;
    if (value->kind == ITEM_VALUE_TEXT)
      sqlite3_bind_text(row, at, value->text, -1, SQLITE_STATIC);
    else if (value->kind == ITEM_VALUE_REAL)
      sqlite3_bind_double(row, at, value->real);
    else
      sqlite3_bind_int64(row, at, value->integer);
  }
}

/* As STATEMENT_ITEMS and STATEMENT_ITEMS_IN_BOX, of items that a condition holds for. */
static sqlite3_stmt *conditional_items(struct index *index, const struct item_condition *condition, bool in_box,
                                       struct error *error)
{
  struct buffer text = {0};
  buffer_text(&text, "SELECT item.key, item.id, item.instant, document.properties FROM ");
  buffer_text(&text, in_box ? "item_boxes AS box CROSS JOIN items AS item ON item.key = box.item" : "items AS item");
  buffer_text(&text, " JOIN documents AS document ON document.key = item.key WHERE item.collection = ?1"
                     " AND item.instant >= ?2 AND item.instant < ?3");
  if (in_box)
    buffer_text(&text, " AND box.west <= ?5 AND box.east >= ?4 AND box.south <= ?7 AND box.north >= ?6");
  buffer_printf(&text, " AND %s ORDER BY item.key", condition->sql);
  sqlite3_stmt *row = NULL;
  if (text.failed)
    error_memory(error);
  else
    row = index_query(index, text.data, error);
  buffer_free(&text);
  if (row)
    bind_values(row, condition, in_box ? 7 : 3);
  return row;
}

static int read_items(struct index *index, struct selection *s, const struct extent *box, size_t *room,
                      struct error *error)
{
  sqlite3_stmt *row = s->condition.sql ? conditional_items(index, &s->condition, box != NULL, error)
                                       : index_statement(index, box ? STATEMENT_ITEMS_IN_BOX : STATEMENT_ITEMS, error);
  int64_t low, high;
  int more = 1;
  if (!row)
    return -1;
  search_interval(s, &low, &high);
  sqlite3_bind_int64(row, 1, s->key);
  sqlite3_bind_int64(row, 2, low);
  sqlite3_bind_int64(row, 3, high);
  const double edges[] = {box ? box->west : 0, box ? box->east : 0, box ? box->south : 0, box ? box->north : 0};
  for (int i = 0; box && i < 4; i++)
    sqlite3_bind_double(row, 4 + i, edges[i]);
  while (more == 1 && (more = index_step(index, row, error)) == 1)
    if (append_item(s, room, row, error) != 0)
      more = -1;
  index_done(row);
  return more;
}

static int compare_key(const void *left, const void *right)
{
  const struct selected_item *a = left, *b = right;
  return a->key < b->key ? -1 : a->key > b->key;
}

/* Two searches may find an item twice. */
static void sort_unique(struct selection *s)
{
  size_t kept = 0;
  qsort(s->items, s->item_count, sizeof *s->items, compare_key);
  for (size_t i = 0; i < s->item_count; i++)
    if (kept == 0 || s->items[kept - 1].key != s->items[i].key)
      s->items[kept++] = s->items[i];
  s->item_count = kept;
}

static struct item_property property_of(const struct selected_item *item, const json_t *properties, const char *name,
                                        char instant[40])
{
  const json_t *value = json_object_get(properties, name);
  if (!value && strcmp(name, "id") == 0)
    return (struct item_property){.kind = ITEM_PROPERTY_TEXT, .text = item->id};
  if ((!value || json_is_null(value)) && !item->undated && strcmp(name, "datetime") == 0) {
    instant_format(item->instant, CALENDAR_GREGORIAN, instant);
    return (struct item_property){.kind = ITEM_PROPERTY_TEXT, .text = instant};
  }
  if (json_is_string(value))
    return (struct item_property){.kind = ITEM_PROPERTY_TEXT, .text = json_string_value(value)};
  if (json_is_number(value))
    return (struct item_property){.kind = ITEM_PROPERTY_NUMBER, .number = json_number_value(value)};
  if (json_is_boolean(value))
    return (struct item_property){.kind = ITEM_PROPERTY_BOOLEAN, .number = json_is_true(value)};
  if (json_is_null(value))
    return (struct item_property){.kind = ITEM_PROPERTY_NULL};
  return (struct item_property){.kind = ITEM_PROPERTY_ABSENT};
}

/* An array or object as text, which the caller frees; NULL: it is none. */
static char *tree_of(const json_t *properties, const char *name)
{
  const json_t *value = json_object_get(properties, name);
  return json_is_array(value) || json_is_object(value) ? json_dumps(value, JSON_COMPACT) : NULL;
}

static void free_trees(struct item_property *values, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (values[i].kind == ITEM_PROPERTY_TREE)
      free((char *)(uintptr_t)values[i].text);
}

static int accept_item(const struct item_filter *filter, const struct selected_item *item, struct item_property *values,
                       bool *accepted, struct error *error)
{
  char instant[40];
  json_t *properties = item->properties ? json_loads(item->properties, 0, NULL) : NULL;
  for (size_t i = 0; i < filter->count; i++) {
    char *tree = tree_of(properties, filter->names[i]);
    values[i] = tree ? (struct item_property){.kind = ITEM_PROPERTY_TREE, .text = tree}
                     : property_of(item, properties, filter->names[i], instant);
  }
  int result = filter->accept(filter->data, values, accepted, error);
  free_trees(values, filter->count);
  json_decref(properties);
  return result;
}

static int filter_items(struct selection *s, struct error *error)
{
  const struct item_filter *filter = s->request->filter;
  if (!filter)
    return 0;
  struct item_property *values = ARENA_ARRAY(s->arena, struct item_property, filter->count + 1);
  bool *met = ARENA_ARRAY(s->arena, bool, filter->count + 1);
  size_t kept = 0, count = s->item_count;
  if (!values || !met)
    return error_memory(error);
  for (size_t i = 0; i < count; i++) {
    bool accepted = false;
    if (accept_item(filter, &s->items[i], values, &accepted, error) != 0)
      return -1;
    if (accepted)
      s->items[kept++] = s->items[i];
    for (size_t k = 0; k < filter->count; k++)
      met[k] = met[k] || values[k].kind != ITEM_PROPERTY_ABSENT;
  }
  s->item_count = kept;
  for (size_t k = 0; count > 0 && kept == 0 && k < filter->count; k++)
    if (!met[k])
      return error_parameter(error, ERROR_NoDataAvailable, "properties",
                             "no scene of collection '%s' in the given extents has the property '%s'",
                             s->request->collection, filter->names[k]);
  return 0;
}

static int first_instant(struct index *index, const struct selection *s, int64_t from, int64_t *out,
                         struct error *error)
{
  sqlite3_stmt *row = index_statement(index, STATEMENT_FIRST_INSTANT, error);
  int more = -1;
  if (row) {
    sqlite3_bind_int64(row, 1, s->key);
    sqlite3_bind_int64(row, 2, from);
    more = index_step(index, row, error);
    if (more == 1)
      *out = sqlite3_column_int64(row, 0);
  }
  index_done(row);
  return more == 1 ? 0 : -1;
}

/* A day's label is its first instant in the interval, whoever has it; one search a run of items of the day. */
static int label_items(struct index *index, struct selection *s, struct error *error)
{
  int64_t low, high;
  search_interval(s, &low, &high);
  for (size_t i = 0; i < s->item_count; i++) {
    struct selected_item *item = &s->items[i], *last = i ? item - 1 : NULL;
    int64_t day = scan_day(item->instant);
    item->label = item->instant;
    if (s->sub_daily || s->undated || s->cube_path)
      continue;
    if (last && scan_day(last->instant) == day)
      item->label = last->label;
    else if (first_instant(index, s, day > low ? day : low, &item->label, error) != 0)
      return -1;
  }
  return 0;
}

static int read_all_items(struct index *index, struct selection *s, struct error *error)
{
  size_t room = s->item_count = 0;
  struct extent boxes[2];
  s->items = NULL;
  size_t count = s->region.everywhere || s->cube_path ? 0 : region_search_boxes(&s->region, s->crs, boxes);
  if (count == 0 && read_items(index, s, NULL, &room, error) != 0)
    return -1;
  for (size_t i = 0; i < count; i++)
    if (read_items(index, s, &boxes[i], &room, error) != 0)
      return -1;
  if (count == 2 && s->item_count)
    sort_unique(s);
  return 0;
}

/* Where the index finds none, it is asked for all: the filter tells why none fits. */
int select_items(struct index *index, struct selection *s, struct error *error)
{
  if (s->request->needed && cql2_condition(s->arena, s->request->needed, &s->condition, error) != 0)
    return -1;
  if (read_all_items(index, s, error) != 0)
    return -1;
  if (s->condition.sql && s->item_count == 0) {
    s->condition.sql = NULL;
    if (read_all_items(index, s, error) != 0)
      return -1;
  }
  return filter_items(s, error) != 0 ? -1 : label_items(index, s, error);
}

/* Columns as in STATEMENT_ASSETS. */
static struct raster_scene scene_of_row(struct selection *s, sqlite3_stmt *row, const char *last_crs)
{
  const char *crs = (const char *)sqlite3_column_text(row, 6);
  bool same = last_crs && crs && strcmp(last_crs, crs) == 0;
  return (struct raster_scene){.path = column_text(s->arena, row, 1),
                               .raster_band = sqlite3_column_int(row, 2),
                               .band = s->slot_of_band[sqlite3_column_int64(row, 0)],
                               .type = element_from_name((const char *)sqlite3_column_text(row, 3)),
                               .has_nodata = sqlite3_column_int(row, 4) != 0,
                               .nodata = sqlite3_column_type(row, 5) == SQLITE_NULL ? (double)NAN
                                                                                    : sqlite3_column_double(row, 5),
                               .grid = {.crs = same  ? last_crs
                                               : crs ? arena_strdup(s->arena, crs)
                                                     : NULL,
                                        .west = sqlite3_column_double(row, 7),
                                        .north = sqlite3_column_double(row, 8),
                                        .res_x = sqlite3_column_double(row, 9),
                                        .res_y = sqlite3_column_double(row, 10),
                                        .width = (size_t)sqlite3_column_int64(row, 11),
                                        .height = (size_t)sqlite3_column_int64(row, 12)},
                               .masked = sqlite3_column_int(row, 13) != 0,
                               .unpacks = sqlite3_column_int(row, 14) != 0,
                               .scale = sqlite3_column_double(row, 15),
                               .offset = sqlite3_column_double(row, 16)};
}

static int append_scene(struct selection *s, size_t *room, sqlite3_stmt *row, size_t item, struct error *error)
{
  int64_t position = sqlite3_column_int64(row, 0);
  if (position < 0 || (size_t)position >= s->collection_bands || s->slot_of_band[position] == SIZE_MAX)
    return 0;
  if (s->scene_count == *room) {
    size_t more = *room ? *room * 2 : 256;
    struct raster_scene *scenes = ARENA_ARRAY(s->arena, struct raster_scene, more);
    if (!scenes)
      return error_memory(error);
    if (s->scene_count)
      memcpy(scenes, s->scenes, s->scene_count * sizeof *scenes);
    s->scenes = scenes;
    *room = more;
  }
  struct raster_scene scene = scene_of_row(s, row, s->scene_count ? s->scenes[s->scene_count - 1].grid.crs : NULL);
  scene.date = item;
  if (!scene.path || !scene.grid.crs)
    return error_memory(error);
  if (scene.type == ELEMENT_TYPE_COUNT)
    return error_set(error, ERROR_StorageFailure, "the catalogue's entry of %s is damaged: add the collection again",
                     scene.path);
  if (region_meets(&s->region, &scene.grid))
    s->scenes[s->scene_count++] = scene;
  return 0;
}

int select_scenes(struct index *index, struct selection *s, struct error *error)
{
  size_t room = 0;
  for (size_t i = 0; i < s->item_count; i++) {
    sqlite3_stmt *row = index_statement(index, STATEMENT_ASSETS, error);
    int more = row ? 1 : -1;
    if (row)
      sqlite3_bind_int64(row, 1, s->items[i].key);
    while (more == 1 && (more = index_step(index, row, error)) == 1)
      if (append_scene(s, &room, row, i, error) != 0)
        more = -1;
    index_done(row);
    if (more < 0)
      return -1;
  }
  return 0;
}
