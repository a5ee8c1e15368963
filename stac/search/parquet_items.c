/* See the header. How a row comes of its columns: a node is null where the level of definition of its first column is
 * below the node's own, and then every column below it has one entry, which is passed. A repeated node goes on for as
 * long as the next entry's level of repetition is its own. */
#include "stac/search/parquet_items.h"

#include "datacube/base/instant.h"
#include "datacube/base/utf8.h"
#include "datacube/parquet/parquet_column.h"
#include "stac/search/stored_items.h"
#include "stac/wkb_geojson.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum item_member { /* columns that are members; others are properties */
                   MEMBER_VERSION,
                   MEMBER_EXTENSIONS,
                   MEMBER_ID,
                   MEMBER_GEOMETRY,
                   MEMBER_BBOX,
                   MEMBER_LINKS,
                   MEMBER_ASSETS,
                   MEMBER_COLLECTION,
                   MEMBER_TYPE,
                   MEMBER_COUNT
};

static const char *const member_names[MEMBER_COUNT] = {
    "stac_version", "stac_extensions", "id", "geometry", "bbox", "links", "assets", "collection", "type"};

struct parquet_items {
  struct parquet_file *file;
  const struct parquet_node *members[MEMBER_COUNT]; /* NULL where there is none */
  const struct parquet_node **properties;           /* in the file's arena */
  size_t property_count;
  bool has_datetime;              /* among them */
  struct parquet_column *columns; /* of the group of rows that is open; owned */
  bool is_open;
  size_t group;      /* the next one */
  int64_t rows_left; /* of the open one */
  struct json_writer w;
  struct error *refusal, *error; /* of the row that is read */
};

/* ---- which columns ----------------------------------------------------------------------------------------------- */

static const char *const corner_names[] = {"xmin", "ymin", "zmin", "xmax", "ymax", "zmax"};

static const struct parquet_node *child_named(const struct parquet_node *node, const char *name)
{
  for (size_t i = 0; i < node->child_count; i++)
    if (strcmp(node->children[i]->name, name) == 0)
      return node->children[i];
  return NULL;
}

/* A group of corners, and nothing else. */
static bool is_box(const struct parquet_node *node)
{
  size_t found = 0, flat = 0;
  for (size_t i = 0; i < 6; i++) {
    const struct parquet_node *corner = child_named(node, corner_names[i]);
    const bool is_there = corner && (corner->type == PARQUET_DOUBLE || corner->type == PARQUET_FLOAT) &&
                          corner->repetition != PARQUET_REPEATED;
    found += is_there;
    flat += is_there && i % 3 != 2;
  }
  return node->meaning == PARQUET_PLAIN && found == node->child_count && flat == 4 && (found == 4 || found == 6);
}

static bool is_bytes(const struct parquet_node *node)
{
  return node->meaning == PARQUET_PLAIN && (node->type == PARQUET_BYTE_ARRAY || node->type == PARQUET_FIXED);
}

/* Shapes and boxes have no mark of their own in most files, but names. */
static void mark_named(struct parquet_node *node)
{
  const size_t length = strlen(node->name), suffix = strlen("bbox");
  if (is_bytes(node) && (strcmp(node->path, "geometry") == 0 || strcmp(node->path, "proj:geometry") == 0))
    node->meaning = PARQUET_SHAPE;
  else if (length >= suffix && strcmp(node->name + length - suffix, "bbox") == 0 && is_box(node))
    node->meaning = PARQUET_BOX;
  for (size_t i = 0; i < node->child_count; i++)
    mark_named(node->children[i]);
}

static int check_leaves(const struct parquet_items *items, struct error *error)
{
  const struct parquet_node *geometry = items->members[MEMBER_GEOMETRY];
  for (size_t i = 0; i < items->file->leaf_count; i++) {
    const struct parquet_node *leaf = items->file->leaves[i];
    if (leaf->meaning == PARQUET_STRANGE || is_bytes(leaf))
      return error_set(error, ERROR_FeatureUnsupported, "column %.200s: %s have no place in an item", leaf->path,
                       leaf->meaning == PARQUET_STRANGE
                           ? "decimals, times of day, identifiers and values of unknown kind"
                           : "bytes that are no text");
  }
  if (geometry && geometry->meaning != PARQUET_SHAPE)
    return error_set(error, ERROR_FeatureUnsupported, "column geometry: shapes are read as well-known binary only");
  return items->members[MEMBER_ID]
             ? 0
             : error_set(error, ERROR_FileContentInvalid, "it has no column id: its rows are no STAC items");
}

static int sort_columns(struct parquet_items *items, struct error *error)
{
  const struct parquet_node *root = items->file->root;
  mark_named(items->file->root);
  items->properties = ARENA_ARRAY(items->file->arena, const struct parquet_node *, root->child_count);
  if (!items->properties)
    return error_memory(error);
  for (size_t i = 0; i < root->child_count; i++) {
    const struct parquet_node *node = root->children[i];
    size_t member = 0;
    while (member < MEMBER_COUNT && strcmp(node->name, member_names[member]) != 0)
      member++;
    if (member < MEMBER_COUNT)
      items->members[member] = node;
    else if (strncmp(node->name, "__index_level_", strlen("__index_level_")) != 0) /* row numbers of pandas */
      items->properties[items->property_count++] = node;
    items->has_datetime |= strcmp(node->name, "datetime") == 0;
  }
  return check_leaves(items, error);
}

int parquet_items_open(const void *bytes, size_t length, struct parquet_items **out, struct error *error)
{
  struct parquet_items *items = calloc(1, sizeof *items);
  if (!items)
    return error_memory(error);
  if (parquet_open(bytes, length, &items->file, error) != 0 || sort_columns(items, error) != 0)
    goto failed;
  items->columns = calloc(items->file->leaf_count, sizeof *items->columns);
  if (!items->columns) {
    error_memory(error);
    goto failed;
  }
  *out = items;
  return 0;

failed:
  parquet_items_close(items);
  return -1;
}

static void close_group(struct parquet_items *items)
{
  for (size_t i = 0; items->columns && i < items->file->leaf_count; i++)
    parquet_column_close(&items->columns[i]);
  items->is_open = false;
}

void parquet_items_close(struct parquet_items *items)
{
  if (!items)
    return;
  if (items->file)
    close_group(items);
  free(items->columns);
  parquet_close(items->file);
  free(items);
}

const char *parquet_items_note(const struct parquet_items *items)
{
  return parquet_text(items->file, "stac-geoparquet");
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static struct parquet_column *column_of(struct parquet_items *items, const struct parquet_node *node)
{
  return &items->columns[node->leaf];
}

/* Passes an entry of each column below. */
static int pass(struct parquet_items *items, const struct parquet_node *node)
{
  for (size_t i = node->leaf; i < node->leaf_end; i++)
    if (parquet_column_next(&items->columns[i], items->error) != 0)
      return -1;
  return 0;
}

/* Not there, or a number that is none: what pandas writes where there is none. */
static bool is_null(struct parquet_items *items, const struct parquet_node *node)
{
  const struct parquet_column *column = column_of(items, node);
  if (column->is_end || column->definition < node->definition || node->meaning == PARQUET_NULL)
    return true;
  if (node->meaning == PARQUET_BOX) /* of no place, where its corners are none */
    return is_null(items, child_named(node, "xmin"));
  if (node->meaning == PARQUET_JSON)
    return column->value.length == 4 && memcmp(column->value.bytes, "null", 4) == 0;
  return (node->type == PARQUET_DOUBLE || node->type == PARQUET_FLOAT) && isnan(column->value.real);
}

static void refuse(struct parquet_items *items, const struct parquet_node *node, const char *what)
{
  error_set(items->refusal, ERROR_StacInvalid, "column %.200s: %s", node->path, what);
}

static void write_integer(struct parquet_items *items, const struct parquet_node *node, int64_t value)
{
  char text[32];
  if (node->meaning == PARQUET_UNSIGNED && node->type == PARQUET_INT32)
    value = (int64_t)(uint32_t)value;
  if (node->meaning == PARQUET_UNSIGNED && value < 0) {
    const int length = snprintf(text, sizeof text, "%" PRIu64, (uint64_t)value);
    json_write_raw(&items->w, text, (size_t)length);
  } else
    json_write_integer(&items->w, value);
}

static void write_real(struct parquet_items *items, const struct parquet_node *node, double value)
{
  char text[32];
  if (isinf(value))
    refuse(items, node, "a number is infinite, which JSON cannot say");
  else if (node->type == PARQUET_FLOAT && isfinite(value)) {
    float_format((float)value, text);
    json_write_raw(&items->w, text, strlen(text));
  } else
    json_write_number(&items->w, value);
}

/* In UTC, with three, six or nine digits of a second where it has them. */
static void write_timestamp(struct parquet_items *items, const struct parquet_node *node, int64_t value)
{
  char text[40], out[64];
  int64_t seconds = value / node->per_second, rest = value % node->per_second;
  if (rest < 0) {
    seconds--;
    rest += node->per_second;
  }
  instant_format(seconds * MS_PER_SECOND, CALENDAR_GREGORIAN, text);
  if (rest > 0) {
    int digits = node->per_second == 1000 ? 3 : node->per_second == 1000000 ? 6 : 9;
    for (; rest % 1000 == 0; digits -= 3)
      rest /= 1000;
    snprintf(out, sizeof out, "%.*s.%0*" PRId64 "Z", (int)strlen(text) - 1, text, digits, rest);
  } else
    snprintf(out, sizeof out, "%s", text);
  json_write_string(&items->w, out);
}

static void write_date(struct parquet_items *items, int64_t days)
{
  char text[40];
  instant_format(days * MS_PER_DAY, CALENDAR_GREGORIAN, text);
  json_write_string_n(&items->w, text, strcspn(text, "T"));
}

static void write_json(struct parquet_items *items, const struct parquet_node *node, const struct parquet_value *value)
{
  json_error_t reason;
  json_t *tree = value->length <= STORED_MAX_BYTES
                     ? json_loadb(value->bytes, value->length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &reason)
                     : NULL;
  if (tree)
    json_write_raw(&items->w, value->bytes, value->length);
  else
    refuse(items, node, "a text that is marked as JSON is none");
  json_decref(tree);
}

/* Eight bytes at a time where none is beyond ASCII. */
static bool is_utf8(const char *text, size_t length)
{
  for (size_t i = 0; i < length;) {
    uint64_t word = 0;
    if (length - i >= sizeof word) {
      memcpy(&word, text + i, sizeof word);
      if (!(word & UINT64_C(0x8080808080808080))) {
        i += sizeof word;
        continue;
      }
    }
    const size_t size = utf8_length(text + i, length - i);
    if (size == 0)
      return false;
    i += size;
  }
  return true;
}

static void write_text(struct parquet_items *items, const struct parquet_node *node, const struct parquet_value *value)
{
  if (!is_utf8(value->bytes, value->length) || memchr(value->bytes, '\0', value->length))
    refuse(items, node, "a text is no UTF-8, or holds the character U+0000");
  json_write_string_n(&items->w, value->bytes, value->length);
}

static int write_leaf(struct parquet_items *items, const struct parquet_node *node)
{
  struct parquet_column *column = column_of(items, node);
  const struct parquet_value *value = &column->value;
  if (node->meaning == PARQUET_SHAPE)
    wkb_geojson_write(value->bytes, value->length, &items->w, items->refusal);
  else if (node->meaning == PARQUET_TEXT)
    write_text(items, node, value);
  else if (node->meaning == PARQUET_JSON)
    write_json(items, node, value);
  else if (node->meaning == PARQUET_TIMESTAMP)
    write_timestamp(items, node, value->integer);
  else if (node->meaning == PARQUET_DATE)
    write_date(items, value->integer);
  else if (node->type == PARQUET_BOOLEAN)
    json_write_bool(&items->w, value->integer != 0);
  else if (node->type == PARQUET_FLOAT || node->type == PARQUET_DOUBLE)
    write_real(items, node, value->real);
  else
    write_integer(items, node, value->integer);
  return parquet_column_next(column, items->error);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static int write_there(struct parquet_items *items, const struct parquet_node *node);

static int write_element(struct parquet_items *items, const struct parquet_node *node)
{
  if (!is_null(items, node))
    return write_there(items, node);
  json_write_null(&items->w);
  return pass(items, node);
}

/* A repeated child of a list is its element where it has several columns, or a name of old; else it holds it. */
static const struct parquet_node *element_of(const struct parquet_node *repeated)
{
  const size_t length = strlen(repeated->name), tuple = strlen("_tuple");
  const bool is_element = repeated->child_count != 1 || strcmp(repeated->name, "array") == 0 ||
                          (length > tuple && strcmp(repeated->name + length - tuple, "_tuple") == 0) ||
                          repeated->children[0]->repetition == PARQUET_REPEATED;
  return is_element ? repeated : repeated->children[0];
}

static int write_repeated(struct parquet_items *items, const struct parquet_node *repeated,
                          const struct parquet_node *element)
{
  int result = 0;
  json_write_array(&items->w);
  if (column_of(items, repeated)->definition < repeated->definition)
    result = pass(items, repeated);
  else
    do
      result = write_element(items, element);
    while (result == 0 && column_of(items, repeated)->level == repeated->level);
  json_end_array(&items->w);
  return result;
}

static int write_member(struct parquet_items *items, const struct parquet_node *node)
{
  if (node->repetition == PARQUET_REPEATED) { /* a list without a group of its own */
    json_key(&items->w, node->name);
    return write_repeated(items, node, node);
  }
  if (is_null(items, node))
    return pass(items, node);
  json_key(&items->w, node->name);
  return write_there(items, node);
}

static int write_pair(struct parquet_items *items, const struct parquet_node *pair)
{
  const struct parquet_node *key = pair->children[0], *value = pair->children[1];
  struct parquet_column *column = column_of(items, key);
  if (is_null(items, key) || memchr(column->value.bytes, '\0', column->value.length) ||
      !is_utf8(column->value.bytes, column->value.length)) {
    refuse(items, key, "a name of a member is missing, or no text");
    return pass(items, pair);
  }
  char *name = strndup(column->value.bytes, column->value.length);
  if (!name)
    return error_memory(items->error);
  int result = parquet_column_next(column, items->error);
  if (result == 0 && is_null(items, value) && value->repetition != PARQUET_REPEATED)
    result = pass(items, value);
  else if (result == 0) {
    json_key(&items->w, name);
    result = value->repetition == PARQUET_REPEATED ? write_repeated(items, value, value) : write_there(items, value);
  }
  free(name);
  return result;
}

static int write_map(struct parquet_items *items, const struct parquet_node *pair)
{
  int result = 0;
  json_write_object(&items->w);
  if (column_of(items, pair)->definition < pair->definition)
    result = pass(items, pair);
  else
    do
      result = write_pair(items, pair);
    while (result == 0 && column_of(items, pair)->level == pair->level);
  json_end_object(&items->w);
  return result;
}

static int write_box(struct parquet_items *items, const struct parquet_node *node)
{
  int result = 0;
  json_write_array(&items->w);
  for (size_t i = 0; i < 6 && result == 0; i++) {
    const struct parquet_node *corner = child_named(node, corner_names[i]);
    if (!corner)
      continue;
    /* a flat box in a column of high ones has no heights */
    result = is_null(items, corner) ? pass(items, corner) : write_there(items, corner);
  }
  json_end_array(&items->w);
  return result;
}

static int write_there(struct parquet_items *items, const struct parquet_node *node)
{
  int result = 0;
  if (node->child_count == 0)
    return write_leaf(items, node);
  if (node->meaning == PARQUET_LIST)
    return write_repeated(items, node->children[0], element_of(node->children[0]));
  if (node->meaning == PARQUET_MAP)
    return write_map(items, node->children[0]);
  if (node->meaning == PARQUET_BOX)
    return write_box(items, node);
  json_write_object(&items->w);
  for (size_t i = 0; i < node->child_count && result == 0; i++)
    result = write_member(items, node->children[i]);
  json_end_object(&items->w);
  return result;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* What an item must have, where its column is null or not there. */
static void write_lacking(struct parquet_items *items, enum item_member member)
{
  static const char *const lacking[MEMBER_COUNT] = {
      [MEMBER_VERSION] = "\"1.0.0\"", [MEMBER_GEOMETRY] = "null", [MEMBER_LINKS] = "[]", [MEMBER_ASSETS] = "{}"};
  if (!lacking[member])
    return;
  json_key(&items->w, member_names[member]);
  json_write_raw(&items->w, lacking[member], strlen(lacking[member]));
}

static int write_properties(struct parquet_items *items)
{
  bool has_datetime = false;
  json_key(&items->w, "properties");
  json_write_object(&items->w);
  for (size_t i = 0; i < items->property_count; i++) {
    const struct parquet_node *node = items->properties[i];
    has_datetime |= items->has_datetime && strcmp(node->name, "datetime") == 0 && !is_null(items, node);
    if (write_member(items, node) != 0)
      return -1;
  }
  if (!has_datetime) {
    json_key(&items->w, "datetime");
    json_write_null(&items->w);
  }
  json_end_object(&items->w);
  return 0;
}

static int write_row(struct parquet_items *items)
{
  json_write_object(&items->w);
  json_kv_string(&items->w, "type", "Feature");
  for (enum item_member member = 0; member < MEMBER_TYPE; member++) {
    const struct parquet_node *node = items->members[member];
    const bool is_lacking = !node || (node->repetition != PARQUET_REPEATED && is_null(items, node));
    if (is_lacking)
      write_lacking(items, member);
    if (node && (is_lacking ? pass(items, node) : write_member(items, node)) != 0)
      return -1;
  }
  const struct parquet_node *type = items->members[MEMBER_TYPE]; /* of which every item has the same */
  if (type && type->repetition != PARQUET_REPEATED && type->child_count == 0 && pass(items, type) != 0)
    return -1;
  if (write_properties(items) != 0)
    return -1;
  json_end_object(&items->w);
  return 0;
}

static int open_group(struct parquet_items *items, struct error *error)
{
  items->is_open = true;
  items->rows_left = items->file->groups[items->group].rows;
  for (size_t i = 0; i < items->file->leaf_count; i++)
    if (parquet_column_open(items->file, items->group, i, &items->columns[i], error) != 0)
      return -1;
  items->group++;
  return 0;
}

/* Every column is at the beginning of a row: one that is not would have its values in rows of others. */
static int check_row(const struct parquet_items *items, struct error *error)
{
  for (size_t i = 0; i < items->file->leaf_count; i++) {
    const struct parquet_node *leaf = items->file->leaves[i];
    const bool is_passed = leaf->path[0] == '_' && strncmp(leaf->path, "__index_level_", 14) == 0;
    if (!is_passed && (items->columns[i].is_end || items->columns[i].level != 0))
      return error_set(error, ERROR_FileContentInvalid,
                       "the Parquet file is damaged: column %.200s has other rows than its neighbours", leaf->path);
  }
  return 0;
}

int parquet_items_next(struct parquet_items *items, struct buffer *text, bool *is_there, struct error *refusal,
                       struct error *error)
{
  while (items->rows_left == 0) {
    close_group(items);
    if (items->group == items->file->group_count) {
      *is_there = false;
      return 0;
    }
    if (open_group(items, error) != 0)
      return -1;
  }
  if (check_row(items, error) != 0)
    return -1;
  items->rows_left--;
  text->length = 0;
  text->failed = false;
  text->limit = STORED_MAX_BYTES;
  items->w = (struct json_writer){.out = text};
  items->refusal = refusal;
  items->error = error;
  *is_there = true;
  if (write_row(items) != 0)
    return -1;
  if (text->failed)
    error_set(refusal, ERROR_StacInvalid, "the item takes more than %d MiB", STORED_MAX_BYTES >> 20);
  return 0;
}
