/* See the header. */
#include "datacube/parquet/thrift_reader.h"

enum { DEEPEST = 32 };

static void fail(struct thrift_reader *reader)
{
  reader->failed = true;
  reader->at = reader->end;
}

static unsigned read_byte(struct thrift_reader *reader)
{
  if (reader->at >= reader->end) {
    fail(reader);
    return 0;
  }
  return *reader->at++;
}

static uint64_t read_varint(struct thrift_reader *reader)
{
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const unsigned byte = read_byte(reader);
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80)
      return value;
  }
  fail(reader);
  return 0;
}

static int64_t read_zigzag(struct thrift_reader *reader)
{
  const uint64_t value = read_varint(reader);
  return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static const char *read_bytes(struct thrift_reader *reader, size_t *length)
{
  const uint64_t count = read_varint(reader);
  const char *bytes = (const char *)reader->at;
  *length = 0;
  if (count > (size_t)(reader->end - reader->at)) {
    fail(reader);
    return "";
  }
  reader->at += count;
  *length = (size_t)count;
  return bytes;
}

/* Elements of a list or set, none of which is shorter than a byte. */
static size_t read_list(struct thrift_reader *reader, enum thrift_type *type)
{
  const unsigned head = read_byte(reader);
  const uint64_t count = head >> 4 == 15 ? read_varint(reader) : head >> 4;
  *type = head & 15;
  if (count > (size_t)(reader->end - reader->at)) {
    fail(reader);
    return 0;
  }
  return (size_t)count;
}

bool thrift_open(struct thrift_reader *reader, struct thrift_field *field)
{
  *field = (struct thrift_field){.type = THRIFT_STOP};
  if (reader->depth >= DEEPEST)
    fail(reader);
  reader->depth++;
  return !reader->failed;
}

bool thrift_next(struct thrift_reader *reader, struct thrift_field *field)
{
  const unsigned head = read_byte(reader);
  field->type = reader->failed ? THRIFT_STOP : head & 15;
  if (field->type == THRIFT_STOP) {
    reader->depth--;
    return false;
  }
  if (field->type > THRIFT_STRUCT)
    fail(reader);
  const int64_t id = head >> 4 ? field->id + (int64_t)(head >> 4) : read_zigzag(reader);
  if (id < INT16_MIN || id > INT16_MAX)
    fail(reader);
  field->id = reader->failed ? 0 : (int)id;
  return true;
}

/* An element of a list: booleans take a byte there. */
static void skip_element(struct thrift_reader *reader, enum thrift_type type)
{
  if (type == THRIFT_TRUE || type == THRIFT_FALSE)
    read_byte(reader);
  else
    thrift_skip(reader, type);
}

static void skip_elements(struct thrift_reader *reader, enum thrift_type type, size_t count)
{
  if (reader->depth >= DEEPEST)
    fail(reader);
  reader->depth++;
  for (size_t i = 0; i < count && !reader->failed; i++)
    skip_element(reader, type);
  reader->depth--;
}

static void skip_map(struct thrift_reader *reader)
{
  const uint64_t count = read_varint(reader);
  const unsigned types = count > 0 ? read_byte(reader) : 0;
  if (reader->depth >= DEEPEST)
    fail(reader);
  reader->depth++;
  for (uint64_t i = 0; i < count && !reader->failed; i++) {
    skip_element(reader, types >> 4);
    skip_element(reader, types & 15);
  }
  reader->depth--;
}

static void skip_list(struct thrift_reader *reader)
{
  enum thrift_type type;
  const size_t count = read_list(reader, &type);
  skip_elements(reader, type, count);
}

static void skip_struct(struct thrift_reader *reader)
{
  struct thrift_field field;
  thrift_open(reader, &field);
  while (thrift_next(reader, &field))
    thrift_skip(reader, field.type);
}

void thrift_skip(struct thrift_reader *reader, enum thrift_type type)
{
  size_t length;
  if (type == THRIFT_TRUE || type == THRIFT_FALSE)
    return;
  if (type == THRIFT_BYTE)
    read_byte(reader);
  else if (type == THRIFT_I16 || type == THRIFT_I32 || type == THRIFT_I64)
    read_varint(reader);
  else if (type == THRIFT_DOUBLE)
    for (int i = 0; i < 8; i++)
      read_byte(reader);
  else if (type == THRIFT_BINARY)
    read_bytes(reader, &length);
  else if (type == THRIFT_LIST || type == THRIFT_SET)
    skip_list(reader);
  else if (type == THRIFT_MAP)
    skip_map(reader);
  else if (type == THRIFT_STRUCT)
    skip_struct(reader);
  else
    fail(reader);
}

int64_t thrift_integer(struct thrift_reader *reader, const struct thrift_field *field)
{
  if (field->type == THRIFT_I16 || field->type == THRIFT_I32 || field->type == THRIFT_I64)
    return read_zigzag(reader);
  if (field->type == THRIFT_BYTE)
    return (int8_t)read_byte(reader);
  thrift_skip(reader, field->type);
  return 0;
}

bool thrift_bool(const struct thrift_field *field)
{
  return field->type == THRIFT_TRUE;
}

const char *thrift_bytes(struct thrift_reader *reader, const struct thrift_field *field, size_t *length)
{
  if (field->type == THRIFT_BINARY)
    return read_bytes(reader, length);
  thrift_skip(reader, field->type);
  *length = 0;
  return "";
}

size_t thrift_list(struct thrift_reader *reader, const struct thrift_field *field, enum thrift_type element)
{
  enum thrift_type type;
  if (field->type != THRIFT_LIST) {
    thrift_skip(reader, field->type);
    return 0;
  }
  const size_t count = read_list(reader, &type);
  if (type == element || count == 0)
    return count;
  skip_elements(reader, type, count);
  return 0;
}

int64_t thrift_element(struct thrift_reader *reader)
{
  return read_zigzag(reader);
}

const char *thrift_element_bytes(struct thrift_reader *reader, size_t *length)
{
  return read_bytes(reader, length);
}
