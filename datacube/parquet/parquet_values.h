/* How the values of a page are written: as they are, as numbers of a dictionary, as differences, or byte by byte.
 *
 * Each reader goes through its bytes once, value by value, and never past their end; so the levels of a million nulls
 * take no more room than the ten bytes that tell of them. */
#ifndef TWINCUBE_DATACUBE_PARQUET_PARQUET_VALUES_H
#define TWINCUBE_DATACUBE_PARQUET_PARQUET_VALUES_H

#include "datacube/base/buffer.h"
#include "datacube/parquet/parquet_file.h"

struct parquet_value {
  union {
    int64_t integer; /* of booleans and integers; nanoseconds of PARQUET_INT96 */
    double real;
    const char *bytes; /* until the next value is read; not terminated */
  };
  size_t length; /* of bytes */
};

/* Runs of one number and packed numbers of some bits, in turn ("RLE / bit-packed hybrid"): levels, numbers of a
 * dictionary, booleans. */
struct parquet_runs {
  const unsigned char *at, *end;
  unsigned width; /* bits of a number, at most 32 */
  uint64_t left;  /* of the run */
  bool is_packed; /* the run is packed numbers, else `value` again and again */
  uint32_t value;
  uint64_t bits; /* read, but not yet taken */
  unsigned bit_count;
};
struct parquet_runs parquet_runs_of(const unsigned char *at, size_t length, unsigned width);
/* false: there are no more. */
bool parquet_runs_next(struct parquet_runs *runs, uint32_t *out);

/* Differences, less the least of each block, in as many bits as the greatest in a part of it wants
 * ("DELTA_BINARY_PACKED"). */
struct parquet_deltas {
  const unsigned char *at, *end;
  size_t parts, part_size;     /* of a block; differences in each */
  uint64_t left;               /* numbers to come */
  bool is_first;               /* the next one is `last` itself */
  uint64_t last, least;        /* number; difference of the block */
  const unsigned char *widths; /* of the block's parts, at the one to come */
  size_t parts_left, in_part;
  unsigned width;
  const unsigned char *bits, *bits_end; /* of the part */
  size_t bit;
};
/* false: it is damaged, or tells of more than `most` numbers. */
bool parquet_deltas_begin(struct parquet_deltas *deltas, const unsigned char *at, size_t length, uint64_t most);
bool parquet_deltas_next(struct parquet_deltas *deltas, int64_t *out);
/* Goes through a copy; where the bytes behind the last number begin, or NULL. */
const unsigned char *parquet_deltas_end(const struct parquet_deltas *deltas);

struct parquet_values {
  const struct parquet_node *leaf;
  int encoding; /* the format's number */
  const unsigned char *at, *end;
  unsigned bit;                           /* of a byte: plain booleans */
  size_t count, next;                     /* values that lie byte by byte */
  struct parquet_runs runs;               /* numbers of the dictionary, booleans */
  struct parquet_deltas lengths, shared;  /* of texts; bytes that they share with the one before */
  const struct parquet_value *dictionary; /* borrowed */
  size_t dictionary_count;
  struct buffer built; /* owned: a value that does not lie in one piece */
};

/* Begins with a page of at most `most` values, in place of one before. Error FileContentInvalid, FeatureUnsupported. */
int parquet_values_begin(struct parquet_values *values, int encoding, const unsigned char *at, size_t length,
                         uint64_t most, struct error *error);
/* false: there are no more, or they are damaged. */
bool parquet_values_next(struct parquet_values *values, struct parquet_value *out);
void parquet_values_free(struct parquet_values *values);

#endif
