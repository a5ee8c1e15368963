/* Structs in Thrift's compact protocol, in which Parquet keeps what it says of its columns and pages.
 *
 * A field is asked for after the other until there is none; its value is then read, or skipped. The failure is sticky:
 * after it every field is the last one and every number 0, so that it is checked once at the end. */
#ifndef TWINCUBE_DATACUBE_PARQUET_THRIFT_READER_H
#define TWINCUBE_DATACUBE_PARQUET_THRIFT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum thrift_type {
  THRIFT_STOP = 0,
  THRIFT_TRUE = 1,
  THRIFT_FALSE = 2,
  THRIFT_BYTE = 3,
  THRIFT_I16 = 4,
  THRIFT_I32 = 5,
  THRIFT_I64 = 6,
  THRIFT_DOUBLE = 7,
  THRIFT_BINARY = 8,
  THRIFT_LIST = 9,
  THRIFT_SET = 10,
  THRIFT_MAP = 11,
  THRIFT_STRUCT = 12
};

struct thrift_reader {
  const unsigned char *at, *end;
  bool failed;    /* the bytes end too early, or are none of the protocol */
  unsigned depth; /* of structs and lists that are open */
};

struct thrift_field {
  int id;                /* of the last field of the struct; 0 before the first */
  enum thrift_type type; /* of its value */
};

/* Opens a struct; false: it is too deep. Each opened one is closed by its last field, THRIFT_STOP. */
bool thrift_open(struct thrift_reader *reader, struct thrift_field *field);
/* The next field; false: there is none. */
bool thrift_next(struct thrift_reader *reader, struct thrift_field *field);
void thrift_skip(struct thrift_reader *reader, enum thrift_type type);

/* Values of a field. Where it is of another type it is skipped, and the value is 0. */
int64_t thrift_integer(struct thrift_reader *reader, const struct thrift_field *field);
bool thrift_bool(const struct thrift_field *field);
/* Bytes in place, not terminated. */
const char *thrift_bytes(struct thrift_reader *reader, const struct thrift_field *field, size_t *length);
/* How many elements a list has, each of which is to be read; 0 where they are of another type, skipped. */
size_t thrift_list(struct thrift_reader *reader, const struct thrift_field *field, enum thrift_type element);
/* An element of a list of integers, or of texts. */
int64_t thrift_element(struct thrift_reader *reader);
const char *thrift_element_bytes(struct thrift_reader *reader, size_t *length);

#endif
