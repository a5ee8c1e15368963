/* Attributes of HDF5 objects: see the header. */
#include "datacube/source/hdf5_attributes.h"

#include "datacube/source/referenced_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MOST = 65536 };

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* The type in memory of a number; H5I_INVALID_HID where it is none. */
static hid_t number_type(hid_t type)
{
  const H5T_class_t class = H5Tget_class(type);
  if (class == H5T_FLOAT)
    return hdf5_type("NATIVE_DOUBLE");
  if (class == H5T_INTEGER)
    return hdf5_type(H5Tget_sign(type) == H5T_SGN_NONE ? "NATIVE_UINT64" : "NATIVE_INT64");
  return H5I_INVALID_HID;
}

/* `value` is of the type in memory. */
static void write_number(struct json_writer *w, hid_t type, const void *value)
{
  char text[32];
  double real;
  int64_t whole;
  memcpy(&real, value, sizeof real);
  memcpy(&whole, value, sizeof whole);
  if (H5Tget_class(type) == H5T_FLOAT)
    json_write_number(w, real);
  else if (H5Tget_sign(type) == H5T_SGN_NONE)
    json_write_raw(w, text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)whole));
  else
    json_write_integer(w, whole);
}

void hdf5_write_number(struct json_writer *w, hid_t type, const void *value)
{
  unsigned char room[16] = {0};
  const size_t size = H5Tget_size(type);
  const hid_t memory = number_type(type);
  if (memory < 0 || size > 8) {
    json_write_null(w);
    return;
  }
  memcpy(room, value, size);
  if (H5Tconvert(type, memory, 1, room, NULL, H5P_DEFAULT) >= 0)
    write_number(w, type, room);
  else
    json_write_null(w);
}

static bool write_numbers(struct json_writer *w, hid_t attribute, hid_t type, size_t count)
{
  const hid_t memory = number_type(type);
  unsigned char *values = calloc(count, 8);
  const bool done = values && H5Aread(attribute, memory, values) >= 0;
  if (done && count != 1)
    json_write_array(w);
  for (size_t i = 0; done && i < count; i++)
    write_number(w, type, values + 8 * i);
  if (done && count != 1)
    json_end_array(w);
  free(values);
  return done;
}

static bool write_long_texts(struct json_writer *w, hid_t attribute, hid_t type, size_t count)
{
  char **texts = calloc(count, sizeof *texts);
  const bool done = texts && H5Aread(attribute, type, texts) >= 0;
  if (done && count != 1)
    json_write_array(w);
  for (size_t i = 0; done && i < count; i++) {
    referenced_write_text(w, texts[i], SIZE_MAX);
    H5free_memory(texts[i]);
  }
  if (done && count != 1)
    json_end_array(w);
  free(texts);
  return done;
}

static bool write_short_texts(struct json_writer *w, hid_t attribute, hid_t type, size_t count)
{
  const size_t size = H5Tget_size(type);
  char *texts = size > 0 && size <= VALUES_MOST ? calloc(count, size + 1) : NULL;
  const bool done = texts && H5Aread(attribute, type, texts) >= 0;
  if (done && count != 1)
    json_write_array(w);
  for (size_t i = 0; done && i < count; i++)
    referenced_write_text(w, texts + i * size, size);
  if (done && count != 1)
    json_end_array(w);
  free(texts);
  return done;
}

static bool write_value(struct json_writer *w, hid_t attribute, hid_t type, size_t count)
{
  if (H5Tget_class(type) != H5T_STRING)
    return write_numbers(w, attribute, type, count);
  if (count == 0) {
    json_write_string(w, "");
    return true;
  }
  return (H5Tis_variable_str(type) > 0 ? write_long_texts : write_short_texts)(w, attribute, type, count);
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

static bool is_private(const char *name)
{
  static const char *const names[] = {
      "DIMENSION_LIST", "REFERENCE_LIST",      "CLASS",       "NAME",         "DIMENSION_LABELS",
      "_Netcdf4Dimid",  "_Netcdf4Coordinates", "_nc3_strict", "_NCProperties"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(name, names[i]) == 0)
      return true;
  return false;
}

static herr_t add_member(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
  struct json_writer *w = data;
  (void)info;
  if (is_private(name))
    return 0;
  const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  bool is_sound = attribute >= 0 && type >= 0 && space >= 0 && count >= 0;
  const bool is_text = is_sound && H5Tget_class(type) == H5T_STRING;
  if (is_sound && (is_text || (number_type(type) >= 0 && count > 0)) && count <= VALUES_MOST) {
    json_key(w, name);
    is_sound = write_value(w, attribute, type, (size_t)count);
  }
  if (space >= 0)
    H5Sclose(space);
  if (type >= 0)
    H5Tclose(type);
  if (attribute >= 0)
    H5Aclose(attribute);
  return is_sound ? 0 : -1;
}

bool hdf5_attributes(hid_t object, struct buffer *out)
{
  struct buffer whole = {0};
  struct json_writer w = {.out = &whole, .nonfinite_tokens = true};
  hsize_t at = 0;
  json_write_object(&w);
  const bool done = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &at, add_member, &w) >= 0 && !whole.failed;
  if (done && whole.length > 1)
    buffer_add(out, whole.data + 1, whole.length - 1); /* without the brace */
  buffer_free(&whole);
  return done;
}

bool hdf5_attribute_text(hid_t object, const char *name, char *out, size_t room)
{
  bool found = false;
  if (H5Aexists(object, name) <= 0)
    return false;
  const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
  const size_t size =
      type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 ? H5Tget_size(type) : 0;
  const hid_t space = H5Aget_space(attribute);
  if (size > 0 && size < room && H5Sget_simple_extent_npoints(space) == 1) {
    memset(out, 0, room);
    found = H5Aread(attribute, type, out) >= 0;
  }
  if (space >= 0)
    H5Sclose(space);
  if (type >= 0)
    H5Tclose(type);
  if (attribute >= 0)
    H5Aclose(attribute);
  return found;
}

/* ---- dimensions -------------------------------------------------------------------------------------------------- */

static bool name_of(hid_t dataset, const hvl_t *scales, char *out, size_t room)
{
  char path[2048];
  if (scales->len < 1 || !scales->p)
    return false;
  const hid_t scale = H5Rdereference2(dataset, H5P_DEFAULT, H5R_OBJECT, scales->p);
  const ssize_t length = scale >= 0 ? H5Iget_name(scale, path, sizeof path) : -1;
  if (scale >= 0)
    H5Oclose(scale);
  const char *slash = length > 0 && (size_t)length < sizeof path ? strrchr(path, '/') : NULL;
  return slash && (size_t)snprintf(out, room, "%s", slash + 1) < room && *out;
}

static bool is_list_of_scales(hid_t type, hid_t space, size_t rank)
{
  bool is_one = H5Tget_class(type) == H5T_VLEN && H5Sget_simple_extent_npoints(space) == (hssize_t)rank;
  const hid_t inner = is_one ? H5Tget_super(type) : H5I_INVALID_HID;
  is_one = inner >= 0 && H5Tequal(inner, hdf5_type("STD_REF_OBJ")) > 0;
  if (inner >= 0)
    H5Tclose(inner);
  return is_one;
}

bool hdf5_dimension_name(hid_t dataset, size_t rank, size_t d, char *out, size_t room)
{
  hvl_t lists[H5S_MAX_RANK];
  if (H5Aexists(dataset, "DIMENSION_LIST") <= 0)
    return false;
  const hid_t attribute = H5Aopen(dataset, "DIMENSION_LIST", H5P_DEFAULT);
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  bool found = false;
  if (type >= 0 && space >= 0 && is_list_of_scales(type, space, rank) && H5Aread(attribute, type, lists) >= 0) {
    found = name_of(dataset, &lists[d], out, room);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists);
  }
  if (space >= 0)
    H5Sclose(space);
  if (type >= 0)
    H5Tclose(type);
  if (attribute >= 0)
    H5Aclose(attribute);
  return found;
}
