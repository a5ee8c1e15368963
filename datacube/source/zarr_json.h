/* JSON of Zarr's documents, as a tree in an arena. NaN, Infinity and -Infinity are numbers, as Python writes them. */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_JSON_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_JSON_H

#include "datacube/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zarr_json {
  enum zarr_json_kind {
    ZARR_JSON_NULL,
    ZARR_JSON_FALSE,
    ZARR_JSON_TRUE,
    ZARR_JSON_NUMBER,
    ZARR_JSON_TEXT,
    ZARR_JSON_ARRAY,
    ZARR_JSON_OBJECT
  } kind;
  const char *key;  /* of a member of an object */
  const char *text; /* of a text, without escapes; of a number, as it is written */
  double number;
  const struct zarr_json *first, *next; /* of an array's or object's values; the one behind this */
};

/* Reads a document. NULL where it is none, nests deeper than 32, or memory runs out. */
const struct zarr_json *zarr_json_read(struct arena *arena, const char *bytes, size_t length);

/* What follows takes NULL for an absent value. */
const struct zarr_json *zarr_json_member(const struct zarr_json *object, const char *key);
const char *zarr_json_text(const struct zarr_json *object, const char *key);
bool zarr_json_is(const struct zarr_json *value, enum zarr_json_kind kind);
/* The value as a size. False where it is no whole number from 0 on, or too large. */
bool zarr_json_size(const struct zarr_json *value, size_t *out);
/* Whole numbers that 64 bits hold, signed or not (*negative), exactly. */
bool zarr_json_integer(const struct zarr_json *value, uint64_t *out, bool *negative);

#endif
