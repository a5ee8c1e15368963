/* See the header. */
#include "datacube/parquet/parquet_column.h"

#include "datacube/parquet/parquet_codec.h"
#include "datacube/parquet/thrift_reader.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2, PAGE_DATA_2 = 3 };

struct page_head {
  int64_t type, unpacked, packed;      /* bytes */
  int64_t values, encoding;            /* entries; of the values */
  int64_t how_definitions, how_levels; /* encodings of levels: 3 is the one we read */
  int64_t definitions, levels;         /* bytes of levels, of a page of the second kind */
  bool is_packed;                      /* of such a page: its values are */
  const unsigned char *bytes;          /* as they are stored */
};

static int damaged(const struct parquet_column *column, struct error *error, const char *what)
{
  return error_set(error, ERROR_FileContentInvalid, "the Parquet file is damaged: column %.200s: %s",
                   column->leaf->path, what);
}

/* ---- heads ------------------------------------------------------------------------------------------------------- */

/* The fields' numbers differ by the kind of page. */
static void read_kind(struct thrift_reader *thrift, int64_t kind, struct page_head *head)
{
  struct thrift_field field;
  thrift_open(thrift, &field);
  while (thrift_next(thrift, &field)) {
    const int id = field.id;
    if (id == 1)
      head->values = thrift_integer(thrift, &field);
    else if (id == (kind == PAGE_DATA_2 ? 4 : 2))
      head->encoding = thrift_integer(thrift, &field);
    else if (kind == PAGE_DATA_2 && (id == 5 || id == 6))
      *(id == 5 ? &head->definitions : &head->levels) = thrift_integer(thrift, &field);
    else if (kind == PAGE_DATA_2 && id == 7)
      head->is_packed = thrift_bool(&field);
    else if (kind == PAGE_DATA && (id == 3 || id == 4))
      *(id == 3 ? &head->how_definitions : &head->how_levels) = thrift_integer(thrift, &field);
    else
      thrift_skip(thrift, field.type);
  }
}

static int read_page_head(struct parquet_column *column, struct page_head *head, struct error *error)
{
  struct thrift_reader thrift = {column->at, column->end, false, 0};
  struct thrift_field field;
  *head = (struct page_head){.type = -1, .values = -1, .is_packed = true};
  thrift_open(&thrift, &field);
  while (thrift_next(&thrift, &field))
    if (field.id >= 1 && field.id <= 3)
      *(field.id == 1   ? &head->type
        : field.id == 2 ? &head->unpacked
                        : &head->packed) = thrift_integer(&thrift, &field);
    else if (field.type == THRIFT_STRUCT && (field.id == 5 || field.id == 7 || field.id == 8))
      read_kind(&thrift, field.id == 5 ? PAGE_DATA : field.id == 7 ? PAGE_DICTIONARY : PAGE_DATA_2, head);
    else
      thrift_skip(&thrift, field.type);
  if (thrift.failed || head->packed < 0 || head->packed > thrift.end - thrift.at || head->unpacked < 0)
    return damaged(column, error, "a page has no sound beginning, or ends beyond its chunk");
  if (head->unpacked > PARQUET_MOST_PAGE)
    return damaged(column, error, "a page is larger than 256 MiB");
  head->bytes = thrift.at;
  column->at = thrift.at + head->packed;
  return 0;
}

/* ---- unpacking --------------------------------------------------------------------------------------------------- */

static void room_free(struct parquet_file *file, struct parquet_room *room)
{
  file->held -= room->size;
  free(room->bytes);
  *room = (struct parquet_room){0};
}

static int room_make(struct parquet_column *column, struct parquet_room *room, size_t size, struct error *error)
{
  struct parquet_file *file = column->file;
  if (size <= room->size)
    return 0;
  room_free(file, room);
  if (size > PARQUET_MOST_HELD - file->held)
    return damaged(column, error, "the pages of its columns take more than 1 GiB");
  room->bytes = malloc(size);
  if (!room->bytes)
    return error_memory(error);
  room->size = size;
  file->held += size;
  return 0;
}

/* The bytes of a page from `from` on, where its levels are not packed with them. */
static int unpack(struct parquet_column *column, const struct page_head *head, size_t from, struct parquet_room *room,
                  const unsigned char **bytes, size_t *length, struct error *error)
{
  struct parquet_file *file = column->file;
  const size_t packed = (size_t)head->packed - from, unpacked = (size_t)head->unpacked - from;
  *length = unpacked;
  *bytes = head->bytes + from;
  if (parquet_is_plain(column->codec) || !head->is_packed)
    return packed == unpacked ? 0 : damaged(column, error, "a page is not as long as it says");
  if (unpacked == 0)
    return 0;
  file->grown += unpacked;
  if (file->grown / PARQUET_MOST_GROWTH > file->length + (1 << 16))
    return damaged(column, error, "its bytes become more than a thousand times as many");
  if (room_make(column, room, unpacked, error) != 0)
    return -1;
  *bytes = room->bytes;
  return parquet_unpack(column->codec, head->bytes + from, packed, room->bytes, unpacked, error);
}

static int read_dictionary(struct parquet_column *column, const struct page_head *head, struct error *error)
{
  struct parquet_values values = {.leaf = column->leaf};
  struct parquet_value *dictionary;
  const unsigned char *bytes;
  size_t length;
  if (column->dictionary.bytes || column->leaf->type == PARQUET_BOOLEAN)
    return damaged(column, error, "it has two dictionaries, or one of booleans");
  if (unpack(column, head, 0, &column->dictionary_page, &bytes, &length, error) != 0 ||
      parquet_values_begin(&values, 0, bytes, length, 0, error) != 0)
    return -1;
  if (head->values < 0 || (uint64_t)head->values > length) /* none is shorter than a byte */
    return damaged(column, error, "a dictionary has more values than bytes");
  if (room_make(column, &column->dictionary, ((size_t)head->values + 1) * sizeof *dictionary, error) != 0)
    return -1;
  dictionary = (struct parquet_value *)column->dictionary.bytes;
  for (int64_t i = 0; i < head->values; i++)
    if (!parquet_values_next(&values, &dictionary[i]))
      return damaged(column, error, "a dictionary has fewer values than it says");
  column->values.dictionary = dictionary;
  column->values.dictionary_count = (size_t)head->values;
  return 0;
}

/* ---- pages of data ----------------------------------------------------------------------------------------------- */

static unsigned bits_of(unsigned most)
{
  unsigned bits = 0;
  for (; most > 0; most >>= 1)
    bits++;
  return bits;
}

/* Levels that stand before the values, behind their length. */
static bool take_levels(const unsigned char **bytes, size_t *length, unsigned most, struct parquet_runs *out)
{
  *out = parquet_runs_of(*bytes, 0, 0);
  if (most == 0)
    return true;
  if (*length < 4)
    return false;
  const unsigned char *at = *bytes;
  const size_t own = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
  if (own > *length - 4)
    return false;
  *out = parquet_runs_of(at + 4, own, bits_of(most));
  *bytes += 4 + own;
  *length -= 4 + own;
  return true;
}

static int begin_data(struct parquet_column *column, const struct page_head *head, struct error *error)
{
  const struct parquet_node *leaf = column->leaf;
  const unsigned char *bytes;
  size_t length;
  if ((leaf->definition > 0 && head->how_definitions != 3) || (leaf->level > 0 && head->how_levels != 3))
    return error_set(error, ERROR_FeatureUnsupported,
                     "column %.200s: levels that are packed as they once were are not read", leaf->path);
  if (unpack(column, head, 0, &column->page, &bytes, &length, error) != 0)
    return -1;
  if (!take_levels(&bytes, &length, leaf->level, &column->levels) ||
      !take_levels(&bytes, &length, leaf->definition, &column->definitions))
    return damaged(column, error, "the levels of a page are longer than it");
  return parquet_values_begin(&column->values, (int)head->encoding, bytes, length, (uint64_t)head->values, error);
}

static int begin_data_2(struct parquet_column *column, const struct page_head *head, struct error *error)
{
  const struct parquet_node *leaf = column->leaf;
  const int64_t least = head->packed < head->unpacked ? head->packed : head->unpacked;
  const unsigned char *bytes;
  size_t length;
  if (head->levels < 0 || head->levels > least || head->definitions < 0 || head->definitions > least - head->levels)
    return damaged(column, error, "the levels of a page are longer than it");
  const size_t levels = (size_t)head->levels, definitions = (size_t)head->definitions;
  if (unpack(column, head, levels + definitions, &column->page, &bytes, &length, error) != 0)
    return -1;
  column->levels = parquet_runs_of(head->bytes, levels, bits_of(leaf->level));
  column->definitions = parquet_runs_of(head->bytes + levels, definitions, bits_of(leaf->definition));
  return parquet_values_begin(&column->values, (int)head->encoding, bytes, length, (uint64_t)head->values, error);
}

static int begin_page(struct parquet_column *column, struct error *error)
{
  struct page_head head;
  if (column->at == column->end)
    return damaged(column, error, "it has fewer entries than it says");
  if (read_page_head(column, &head, error) != 0)
    return -1;
  if (head.type == PAGE_DICTIONARY)
    return read_dictionary(column, &head, error);
  if (head.type != PAGE_DATA && head.type != PAGE_DATA_2) /* an index, for those who look things up */
    return 0;
  if (head.values < 0 || head.values > column->left)
    return damaged(column, error, "a page has more entries than its chunk");
  column->left -= head.values;
  column->in_page = head.values;
  return head.type == PAGE_DATA ? begin_data(column, &head, error) : begin_data_2(column, &head, error);
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

int parquet_column_next(struct parquet_column *column, struct error *error)
{
  const struct parquet_node *leaf = column->leaf;
  uint32_t level = 0, definition = 0;
  while (column->in_page == 0) {
    if (column->left == 0) {
      column->is_end = true;
      column->level = column->definition = 0;
      return 0;
    }
    if (begin_page(column, error) != 0)
      return -1;
  }
  column->in_page--;
  if ((leaf->level > 0 && !parquet_runs_next(&column->levels, &level)) ||
      (leaf->definition > 0 && !parquet_runs_next(&column->definitions, &definition)) || level > leaf->level ||
      definition > leaf->definition)
    return damaged(column, error, "the levels of a page are too few, or too high");
  column->level = level;
  column->definition = definition;
  if (definition == leaf->definition && !parquet_values_next(&column->values, &column->value))
    return damaged(column, error, "the values of a page are too few, or not in its dictionary");
  return 0;
}

int parquet_column_open(struct parquet_file *file, size_t group, size_t leaf, struct parquet_column *out,
                        struct error *error)
{
  const struct parquet_chunk *chunk = &file->groups[group].chunks[leaf];
  *out = (struct parquet_column){.file = file,
                                 .leaf = file->leaves[leaf],
                                 .at = chunk->pages,
                                 .end = chunk->pages + chunk->length,
                                 .codec = chunk->codec,
                                 .left = chunk->values,
                                 .values.leaf = file->leaves[leaf]};
  if (__builtin_add_overflow(file->opened, (uint64_t)chunk->values, &file->opened) ||
      file->opened / PARQUET_MOST_VALUES > file->length)
    return damaged(out, error, "more values than its bytes could tell");
  return parquet_column_next(out, error);
}

void parquet_column_close(struct parquet_column *column)
{
  if (!column->file)
    return;
  room_free(column->file, &column->page);
  room_free(column->file, &column->dictionary_page);
  room_free(column->file, &column->dictionary);
  parquet_values_free(&column->values);
  *column = (struct parquet_column){0};
}
