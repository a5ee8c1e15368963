/* JSON documents as trees: reading files with limits, typed getters, writing a tree through our JSON writer.
 *
 * jansson parses. Trees are counted: json_decref frees. */
#ifndef TWINCUBE_STAC_JSON_TREE_H
#define TWINCUBE_STAC_JSON_TREE_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <jansson.h>

/* Reads a file of at most `limit` bytes. NULL with an error (FileNotFound, or ProcessParameterInvalid for text that is
 * no JSON, with the line). The caller owns the tree. */
json_t *json_tree_read(const char *path, size_t limit, struct error *error);

/* Members of an object; NULL or the default where the member is absent, null or of another kind. Borrowed. */
const char *json_tree_text(const json_t *object, const char *key);
double json_tree_number(const json_t *object, const char *key, double otherwise);
const json_t *json_tree_array(const json_t *object, const char *key);

/* A number, or one as text: STAC has "nan", "inf" and "-inf", people write "-9999", too. */
bool json_tree_nodata(const json_t *value, double *out);

/* Whether the array holds the text. NULL holds nothing. */
bool json_tree_has_text(const json_t *array, const char *text);

void json_tree_write(struct json_writer *writer, const json_t *value);

#endif
