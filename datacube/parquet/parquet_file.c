/* See the header. */
#include "datacube/parquet/parquet_file.h"

#include "datacube/base/utf8.h"
#include "datacube/parquet/thrift_reader.h"

#include <stdlib.h>
#include <string.h>

enum { TAIL = 8, SIGNED_PARQUET = 4 }; /* length and mark at the end; mark at the beginning */

struct schema_element { /* a node, before it has its place in the tree */
  struct parquet_node *node;
  int64_t children;
  bool is_leaf;
};

struct footer_reader {
  struct parquet_file *file;
  struct thrift_reader thrift;
  struct schema_element *elements; /* in the arena */
  size_t element_count, next;      /* to be placed */
  bool is_encrypted, is_elsewhere; /* columns in other files */
  struct error *error;
};

static int damaged(struct error *error, const char *what)
{
  return error_set(error, ERROR_FileContentInvalid, "the Parquet file is damaged: %s", what);
}

/* ---- what a column is -------------------------------------------------------------------------------------------- */

/* The older way to say it, a number. */
static void read_converted(struct parquet_node *node, int64_t number)
{
  static const struct {
    enum parquet_meaning meaning;
    int64_t per_second;
  } meanings[] = {
      [0] = {PARQUET_TEXT, 0},
      [1] = {PARQUET_MAP, 0},
      [2] = {PARQUET_MAP, 0},
      [3] = {PARQUET_LIST, 0},
      [4] = {PARQUET_TEXT, 0},
      [5] = {PARQUET_STRANGE, 0},
      [6] = {PARQUET_DATE, 0},
      [7] = {PARQUET_STRANGE, 0},
      [8] = {PARQUET_STRANGE, 0},
      [9] = {PARQUET_TIMESTAMP, 1000},
      [10] = {PARQUET_TIMESTAMP, 1000000},
      [11] = {PARQUET_UNSIGNED, 0},
      [12] = {PARQUET_UNSIGNED, 0},
      [13] = {PARQUET_UNSIGNED, 0},
      [14] = {PARQUET_UNSIGNED, 0},
      [15] = {PARQUET_PLAIN, 0},
      [16] = {PARQUET_PLAIN, 0},
      [17] = {PARQUET_PLAIN, 0},
      [18] = {PARQUET_PLAIN, 0},
      [19] = {PARQUET_JSON, 0},
  };
  const bool is_known = number >= 0 && number < (int64_t)(sizeof meanings / sizeof meanings[0]);
  node->meaning = is_known ? meanings[number].meaning : PARQUET_STRANGE;
  node->per_second = is_known ? meanings[number].per_second : 0;
}

static void read_timestamp(struct thrift_reader *thrift, struct parquet_node *node)
{
  static const int64_t units[] = {0, 1000, 1000000, 1000000000};
  struct thrift_field field, unit;
  node->meaning = PARQUET_STRANGE;
  thrift_open(thrift, &field);
  while (thrift_next(thrift, &field)) {
    if (field.id != 2 || field.type != THRIFT_STRUCT) {
      thrift_skip(thrift, field.type);
      continue;
    }
    thrift_open(thrift, &unit);
    while (thrift_next(thrift, &unit)) {
      if (unit.id >= 1 && unit.id <= 3) {
        node->meaning = PARQUET_TIMESTAMP;
        node->per_second = units[unit.id];
      }
      thrift_skip(thrift, unit.type);
    }
  }
}

static void read_integer(struct thrift_reader *thrift, struct parquet_node *node)
{
  struct thrift_field field;
  node->meaning = PARQUET_UNSIGNED;
  thrift_open(thrift, &field);
  while (thrift_next(thrift, &field)) {
    if (field.id == 2 && thrift_bool(&field))
      node->meaning = PARQUET_PLAIN;
    thrift_skip(thrift, field.type);
  }
}

/* The newer way: a union, of which one field is set. */
static void read_logical(struct thrift_reader *thrift, struct parquet_node *node)
{
  static const enum parquet_meaning meanings[] = {
      [1] = PARQUET_TEXT,  [2] = PARQUET_MAP,   [3] = PARQUET_LIST,   [4] = PARQUET_TEXT,   [6] = PARQUET_DATE,
      [11] = PARQUET_NULL, [12] = PARQUET_JSON, [17] = PARQUET_SHAPE, [18] = PARQUET_SHAPE,
  };
  struct thrift_field field;
  thrift_open(thrift, &field);
  while (thrift_next(thrift, &field)) {
    if (field.id == 8 && field.type == THRIFT_STRUCT)
      read_timestamp(thrift, node);
    else if (field.id == 10 && field.type == THRIFT_STRUCT)
      read_integer(thrift, node);
    else {
      const bool is_known = field.id >= 0 && field.id < (int)(sizeof meanings / sizeof meanings[0]);
      node->meaning = is_known && meanings[field.id] != PARQUET_PLAIN ? meanings[field.id] : PARQUET_STRANGE;
      thrift_skip(thrift, field.type);
    }
  }
}

static bool is_utf8(const char *text, size_t length)
{
  for (size_t i = 0, size; i < length; i += size)
    if ((size = utf8_length(text + i, length - i)) == 0)
      return false;
  return true;
}

/* A name or a note: UTF-8 without a zero byte. */
static const char *read_name(struct footer_reader *head, const struct thrift_field *field)
{
  size_t length;
  const char *bytes = thrift_bytes(&head->thrift, field, &length);
  const bool is_text = !memchr(bytes, '\0', length) && is_utf8(bytes, length);
  const char *name = is_text ? arena_strndup(head->file->arena, bytes, length) : NULL;
  if (!name)
    head->thrift.failed = true;
  return name ? name : "";
}

static void read_element(struct footer_reader *head, struct schema_element *element)
{
  struct parquet_node *node = element->node;
  struct thrift_reader *thrift = &head->thrift;
  struct thrift_field field;
  bool has_logical = false;
  *node = (struct parquet_node){.name = "", .type = PARQUET_GROUP};
  thrift_open(thrift, &field);
  while (thrift_next(thrift, &field))
    if (field.id == 1) {
      const int64_t type = thrift_integer(thrift, &field);
      element->is_leaf = true;
      node->type = type >= 0 && type < PARQUET_GROUP ? (enum parquet_type)type : PARQUET_GROUP;
    } else if (field.id == 2)
      node->width = (size_t)thrift_integer(thrift, &field);
    else if (field.id == 3) {
      const int64_t repetition = thrift_integer(thrift, &field);
      node->repetition = repetition == 1 ? PARQUET_OPTIONAL : repetition == 2 ? PARQUET_REPEATED : PARQUET_REQUIRED;
    } else if (field.id == 4)
      node->name = read_name(head, &field);
    else if (field.id == 5)
      element->children = thrift_integer(thrift, &field);
    else if (field.id == 6 && !has_logical)
      read_converted(node, thrift_integer(thrift, &field));
    else if (field.id == 10 && field.type == THRIFT_STRUCT) {
      has_logical = true;
      read_logical(thrift, node);
    } else
      thrift_skip(thrift, field.type);
  if (node->type == PARQUET_INT96 && node->meaning == PARQUET_PLAIN) {
    node->meaning = PARQUET_TIMESTAMP;
    node->per_second = 1000000000;
  }
  if (node->meaning == PARQUET_MAP && node->repetition == PARQUET_REPEATED) /* the pairs, as they were once marked */
    node->meaning = PARQUET_PLAIN;
}

static void read_schema(struct footer_reader *head, const struct thrift_field *field)
{
  const size_t count = thrift_list(&head->thrift, field, THRIFT_STRUCT);
  struct arena *arena = head->file->arena;
  if (count > PARQUET_MOST_NODES || head->elements) {
    head->thrift.failed = true;
    return;
  }
  head->elements = ARENA_ARRAY(arena, struct schema_element, count + 1);
  struct parquet_node *nodes = ARENA_ARRAY(arena, struct parquet_node, count + 1);
  if (!head->elements || !nodes) {
    head->thrift.failed = true;
    return;
  }
  for (size_t i = 0; i < count && !head->thrift.failed; i++) {
    head->elements[i].node = &nodes[i];
    read_element(head, &head->elements[i]);
  }
  head->element_count = count;
}

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

static bool meaning_fits(const struct parquet_node *node)
{
  switch (node->meaning) {
  case PARQUET_TEXT:
  case PARQUET_JSON:
  case PARQUET_SHAPE:
    return node->type == PARQUET_BYTE_ARRAY || node->type == PARQUET_FIXED;
  case PARQUET_UNSIGNED:
    return node->type == PARQUET_INT32 || node->type == PARQUET_INT64;
  case PARQUET_DATE:
    return node->type == PARQUET_INT32;
  case PARQUET_TIMESTAMP:
    return node->type == PARQUET_INT64 || node->type == PARQUET_INT96;
  case PARQUET_LIST:
  case PARQUET_MAP:
    return node->type == PARQUET_GROUP;
  default:
    return true;
  }
}

/* A list's repeated child is its element, or holds it; a map's holds key and value. */
static bool shape_fits(const struct parquet_node *node)
{
  if (node->meaning != PARQUET_LIST && node->meaning != PARQUET_MAP)
    return true;
  const struct parquet_node *child = node->child_count == 1 ? node->children[0] : NULL;
  return child && child->repetition == PARQUET_REPEATED &&
         (node->meaning == PARQUET_LIST ||
          (child->child_count == 2 && child->children[0]->child_count == 0 &&
           child->children[0]->meaning == PARQUET_TEXT && child->children[0]->repetition != PARQUET_REPEATED));
}

static int place_leaf(struct footer_reader *head, struct parquet_node *node)
{
  if (node->type == PARQUET_GROUP || (node->type == PARQUET_FIXED && (node->width < 1 || node->width > 1 << 20)))
    return damaged(head->error, "a column has no type");
  node->leaf = head->file->leaf_count;
  head->file->leaves[head->file->leaf_count++] = node;
  node->leaf_end = head->file->leaf_count;
  return 0;
}

static int place_node(struct footer_reader *head, const struct parquet_node *parent, unsigned depth,
                      struct parquet_node **out)
{
  struct parquet_file *file = head->file;
  if (head->next >= head->element_count || depth > PARQUET_MOST_DEPTH)
    return damaged(head->error, "its columns are too deep in each other, or fewer than they should be");
  const struct schema_element *element = &head->elements[head->next++];
  struct parquet_node *node = element->node;
  *out = node;
  if (parent) {
    node->definition = parent->definition + (node->repetition != PARQUET_REQUIRED);
    node->level = parent->level + (node->repetition == PARQUET_REPEATED);
    node->path = *parent->path ? arena_printf(file->arena, "%s.%s", parent->path, node->name) : node->name;
  } else
    node->path = "";
  if (!node->path)
    return error_memory(head->error);
  if (!meaning_fits(node))
    return damaged(head->error, "the type of a column does not suit what it means");
  if (element->is_leaf)
    return place_leaf(head, node);
  if (element->children < 1 || (uint64_t)element->children > head->element_count - head->next)
    return damaged(head->error, "a group has no columns, or more than there are");
  node->leaf = file->leaf_count;
  node->child_count = (size_t)element->children;
  node->children = ARENA_ARRAY(file->arena, struct parquet_node *, node->child_count);
  if (!node->children)
    return error_memory(head->error);
  for (size_t i = 0; i < node->child_count; i++)
    if (place_node(head, node, depth + 1, &node->children[i]) != 0)
      return -1;
  node->leaf_end = file->leaf_count;
  return shape_fits(node)
             ? 0
             : error_set(head->error, ERROR_FeatureUnsupported,
                         "%.200s: lists have one column, maps a text as their key and one value", node->path);
}

static int place_all(struct footer_reader *head)
{
  struct parquet_file *file = head->file;
  if (head->element_count == 0 || head->elements[0].is_leaf)
    return damaged(head->error, "it has no columns");
  head->elements[0].node->repetition = PARQUET_REQUIRED;
  file->leaves = ARENA_ARRAY(file->arena, struct parquet_node *, head->element_count);
  if (!file->leaves)
    return error_memory(head->error);
  if (place_node(head, NULL, 0, &file->root) != 0)
    return -1;
  return head->next == head->element_count ? 0 : damaged(head->error, "columns are left over");
}

/* ---- where pages lie --------------------------------------------------------------------------------------------- */

struct chunk_place {
  int64_t codec, values, length, data, dictionary;
};

static void read_chunk_place(struct thrift_reader *thrift, struct chunk_place *place)
{
  struct thrift_field field;
  thrift_open(thrift, &field);
  while (thrift_next(thrift, &field)) {
    int64_t *to = field.id == 4    ? &place->codec
                  : field.id == 5  ? &place->values
                  : field.id == 7  ? &place->length
                  : field.id == 9  ? &place->data
                  : field.id == 11 ? &place->dictionary
                                   : NULL;
    if (to)
      *to = thrift_integer(thrift, &field);
    else
      thrift_skip(thrift, field.type);
  }
}

static void read_chunk(struct footer_reader *head, struct parquet_chunk *chunk)
{
  struct parquet_file *file = head->file;
  struct thrift_reader *thrift = &head->thrift;
  struct thrift_field field;
  struct chunk_place place = {.codec = -1};
  thrift_open(thrift, &field);
  while (thrift_next(thrift, &field))
    if (field.id == 3 && field.type == THRIFT_STRUCT)
      read_chunk_place(thrift, &place);
    else {
      head->is_elsewhere |= field.id == 1;
      head->is_encrypted |= field.id == 8 || field.id == 9;
      thrift_skip(thrift, field.type);
    }
  /* the dictionary stands before the data; some writers note 0 where there is none */
  const int64_t from = place.dictionary > 0 && place.dictionary < place.data ? place.dictionary : place.data;
  const int64_t end = (int64_t)(file->length - TAIL);
  if (from < SIGNED_PARQUET || from > end || place.length < 0 || place.length > end - from || place.values < 0) {
    if (!head->is_encrypted && !head->is_elsewhere)
      thrift->failed = true;
    return;
  }
  *chunk = (struct parquet_chunk){file->bytes + from, (size_t)place.length, place.values, (int)place.codec};
}

static void read_group(struct footer_reader *head, struct parquet_group *group)
{
  struct parquet_file *file = head->file;
  struct thrift_reader *thrift = &head->thrift;
  struct thrift_field field;
  size_t count = 0;
  thrift_open(thrift, &field);
  while (thrift_next(thrift, &field))
    if (field.id == 1 && !group->chunks) {
      count = thrift_list(thrift, &field, THRIFT_STRUCT);
      group->chunks = ARENA_ARRAY(file->arena, struct parquet_chunk, count + 1);
      thrift->failed |= !group->chunks;
      for (size_t i = 0; i < count && !thrift->failed; i++)
        read_chunk(head, &group->chunks[i]);
    } else if (field.id == 3)
      group->rows = thrift_integer(thrift, &field);
    else
      thrift_skip(thrift, field.type);
  /* each column of each group: that the schema stands before is asked for at the end */
  thrift->failed |= count == 0 || group->rows < 0 || (file->leaf_count > 0 && count != file->leaf_count);
  file->leaf_count = count;
}

static void read_groups(struct footer_reader *head, const struct thrift_field *field)
{
  struct parquet_file *file = head->file;
  const size_t count = thrift_list(&head->thrift, field, THRIFT_STRUCT);
  if (file->groups) {
    head->thrift.failed = true;
    return;
  }
  file->groups = ARENA_ARRAY(file->arena, struct parquet_group, count + 1);
  head->thrift.failed |= !file->groups;
  for (size_t i = 0; i < count && !head->thrift.failed; i++)
    read_group(head, &file->groups[i]);
  file->group_count = count;
}

static void read_texts(struct footer_reader *head, const struct thrift_field *field)
{
  struct parquet_file *file = head->file;
  struct thrift_reader *thrift = &head->thrift;
  struct thrift_field pair;
  const size_t count = thrift_list(thrift, field, THRIFT_STRUCT);
  file->keys = ARENA_ARRAY(file->arena, const char *, count + 1);
  file->texts = ARENA_ARRAY(file->arena, const char *, count + 1);
  thrift->failed |= !file->keys || !file->texts;
  for (size_t i = 0; i < count && !thrift->failed; i++) {
    file->keys[i] = file->texts[i] = "";
    thrift_open(thrift, &pair);
    while (thrift_next(thrift, &pair))
      if (pair.id == 1 || pair.id == 2)
        *(pair.id == 1 ? &file->keys[i] : &file->texts[i]) = read_name(head, &pair);
      else
        thrift_skip(thrift, pair.type);
  }
  file->text_count = thrift->failed ? 0 : count;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int check_rows(const struct parquet_file *file, struct error *error)
{
  uint64_t rows = 0;
  for (size_t i = 0; i < file->group_count; i++)
    if (__builtin_add_overflow(rows, (uint64_t)file->groups[i].rows, &rows) || rows / PARQUET_MOST_ROWS > file->length)
      return damaged(error, "more rows than its bytes could tell apart");
  return 0;
}

static int read_head(struct footer_reader *head)
{
  struct thrift_reader *thrift = &head->thrift;
  struct parquet_file *file = head->file;
  struct thrift_field field;
  thrift_open(thrift, &field);
  while (thrift_next(thrift, &field))
    if (field.id == 2)
      read_schema(head, &field);
    else if (field.id == 4)
      read_groups(head, &field);
    else if (field.id == 5)
      read_texts(head, &field);
    else {
      head->is_encrypted |= field.id == 8;
      thrift_skip(thrift, field.type);
    }
  if (head->is_encrypted || head->is_elsewhere)
    return error_set(head->error, ERROR_FeatureUnsupported,
                     "Parquet files that are encrypted, or in parts, are not read");
  if (thrift->failed)
    return damaged(head->error, "what it says of its columns breaks off, or leads beyond it");
  const size_t expected = file->leaf_count;
  file->leaf_count = 0;
  if (place_all(head) != 0)
    return -1;
  if (file->group_count > 0 && file->leaf_count != expected)
    return damaged(head->error, "its groups of rows have not all columns");
  return check_rows(file, head->error);
}

static uint32_t read_length(const unsigned char *at)
{
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

int parquet_open(const void *bytes, size_t length, struct parquet_file **out, struct error *error)
{
  const unsigned char *data = bytes;
  const unsigned char *tail = length >= SIGNED_PARQUET + TAIL ? data + length - TAIL : NULL;
  if (tail && memcmp(tail + 4, "PARE", 4) == 0)
    return error_set(error, ERROR_FeatureUnsupported, "Parquet files that are encrypted, or in parts, are not read");
  if (!tail || memcmp(data, "PAR1", 4) != 0 || memcmp(tail + 4, "PAR1", 4) != 0)
    return error_set(error, ERROR_FileContentInvalid, "it is no Parquet file, or not a whole one");
  const uint32_t head_length = read_length(tail);
  if (head_length > length - TAIL - SIGNED_PARQUET)
    return damaged(error, "what it says of its columns begins before it does");
  struct parquet_file *file = calloc(1, sizeof *file);
  if (!file || !(file->arena = arena_new(PARQUET_MOST_METADATA_BYTES))) {
    free(file);
    return error_memory(error);
  }
  file->bytes = data;
  file->length = length;
  struct footer_reader head = {.file = file, .thrift = {tail - head_length, tail, false, 0}, .error = error};
  if (read_head(&head) != 0) {
    parquet_close(file);
    return -1;
  }
  *out = file;
  return 0;
}

void parquet_close(struct parquet_file *file)
{
  if (!file)
    return;
  arena_free(file->arena);
  free(file);
}

const char *parquet_text(const struct parquet_file *file, const char *key)
{
  for (size_t i = 0; i < file->text_count; i++)
    if (strcmp(file->keys[i], key) == 0)
      return file->texts[i];
  return NULL;
}
