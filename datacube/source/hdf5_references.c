/* HDF5 as references: see the header.
 *
 *   chunked      a reference for each chunk; shuffle, deflate, zstd, checksums, but for one of what is packed
 *   contiguous   pieces of half a megabyte at most (referenced_add_piece)
 *   compact, and texts of any length: inline
 *
 * Characters over a dimension of their own are texts of that length. What chunks hold that were never written is kept
 * only where it means missing, since a fill value of Zarr 2 does; where it is another number and there are such chunks,
 * there are no references. */
#include "datacube/source/hdf5_references.h"

#include "datacube/base/checked.h"
#include "datacube/source/hdf5_attributes.h"
#include "datacube/source/hdf5_place.h"
#include "datacube/source/netcdf_hdf5.h"

#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_MOST = 10000, TEXT_BYTES = 4096, INLINE_BYTES = 1 << 20, CHECKSUM_BYTES = 4 };

struct hdf5_reading {
  hid_t file;
  uint64_t size; /* bytes of the file */
  const char *target;
  struct referenced_file *out;
  const char *group; /* path of the one that is read, with a slash at the end, or "" */
  size_t depth;
  struct error *error;
};

struct hdf5_dataset { /* handles of one */
  hid_t set, type, space, properties;
  size_t sum_bytes;  /* behind each chunk */
  bool is_fill_lost; /* chunks that are not there hold another number than zero */
};

static int unsupported(const struct hdf5_reading *r, const char *path, const char *what)
{
  return error_set(r->error, ERROR_FeatureUnsupported, "the variable %.100s %s, which references cannot say", path,
                   what);
}

static int damaged(const struct hdf5_reading *r, const char *path)
{
  return error_set(r->error, ERROR_FileContentInvalid, "the variable %.100s cannot be read", path);
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

/* 'f' or 'i', 'u' and the byte order of a number as everybody has them; '\0': of no such. */
static char kind_of_number(hid_t type, char *order)
{
  const size_t size = H5Tget_size(type);
  const H5T_class_t class = H5Tget_class(type);
  *order = size == 1 ? '|' : H5Tget_order(type) == H5T_ORDER_BE ? '>' : '<';
  if (class == H5T_INTEGER && (size == 1 || size == 2 || size == 4 || size == 8) && H5Tget_precision(type) == 8 * size)
    return H5Tget_sign(type) == H5T_SGN_NONE ? 'u' : 'i';
  if (class == H5T_FLOAT &&
      (H5Tequal(type, hdf5_type("IEEE_F32LE")) > 0 || H5Tequal(type, hdf5_type("IEEE_F32BE")) > 0 ||
       H5Tequal(type, hdf5_type("IEEE_F64LE")) > 0 || H5Tequal(type, hdf5_type("IEEE_F64BE")) > 0))
    return 'f';
  return '\0';
}

/* The byte order of a compound of two floats, one behind the other; '\0': it is none. */
static char order_of_pair(hid_t type)
{
  char order[2] = {0}, kind[2] = {0};
  if (H5Tget_class(type) != H5T_COMPOUND || H5Tget_nmembers(type) != 2)
    return '\0';
  for (unsigned i = 0; i < 2; i++) {
    const hid_t part = H5Tget_member_type(type, i);
    kind[i] = part >= 0 && H5Tget_member_offset(type, i) == i * H5Tget_size(part) &&
                      2 * H5Tget_size(part) == H5Tget_size(type)
                  ? kind_of_number(part, &order[i])
                  : '\0';
    if (part >= 0)
      H5Tclose(part);
  }
  return kind[0] == 'f' && kind[1] == 'f' && order[0] == order[1] ? order[0] : '\0';
}

/* False where it is a type that is left out. */
static bool name_type(hid_t type, struct referenced_array *out)
{
  char order;
  const char kind = kind_of_number(type, &order), pair = order_of_pair(type);
  out->element_size = H5Tget_size(type);
  if (kind)
    snprintf(out->type, sizeof out->type, "%c%c%zu", order, kind, out->element_size);
  else if (pair)
    snprintf(out->type, sizeof out->type, "%cc%zu", pair, out->element_size);
  else if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0)
    snprintf(out->type, sizeof out->type, "|O");
  else if (H5Tget_class(type) == H5T_STRING && out->element_size <= TEXT_BYTES)
    snprintf(out->type, sizeof out->type, "|S%zu", out->element_size);
  else
    return false;
  return true;
}

/* ---- filters and fill -------------------------------------------------------------------------------------------- */

/* The filter's text, behind those that the array has. */
static const char *more_filters(const struct hdf5_reading *r, const char *before, const char *text)
{
  return arena_printf(r->out->arena, "%.*s%s%s]", before ? (int)strlen(before) - 1 : 1, before ? before : "[",
                      before ? "," : "", text);
}

/* Filters of numbers, then one that packs; what comes behind that has no place in Zarr, but a checksum can be left. */
static int read_filters(const struct hdf5_reading *r, struct hdf5_dataset *d, struct referenced_array *a)
{
  const int count = H5Pget_nfilters(d->properties);
  for (int i = 0; i < count; i++) {
    unsigned flags, config, values[8] = {0};
    size_t value_count = 8;
    char text[64];
    const H5Z_filter_t id = H5Pget_filter2(d->properties, (unsigned)i, &flags, &value_count, values, 0, NULL, &config);
    const char **list = a->compressor || d->sum_bytes > 0 ? NULL : &a->filters;
    if (id == H5Z_FILTER_SHUFFLE && list) {
      snprintf(text, sizeof text, "{\"id\":\"shuffle\",\"elementsize\":%u}",
               value_count > 0 ? values[0] : (unsigned)a->element_size);
    } else if ((id == H5Z_FILTER_DEFLATE || id == NETCDF_FILTER_ZSTD) && list) {
      snprintf(text, sizeof text, "{\"id\":\"%s\",\"level\":%u}", id == H5Z_FILTER_DEFLATE ? "zlib" : "zstd",
               values[0]);
      list = &a->compressor;
    } else if (id == H5Z_FILTER_FLETCHER32 && list) {
      snprintf(text, sizeof text, "{\"id\":\"fletcher32\"}");
    } else if (id == H5Z_FILTER_FLETCHER32 && i == count - 1) {
      d->sum_bytes = CHECKSUM_BYTES;
      continue;
    } else {
      return unsupported(r, a->path, "has filters of other kinds");
    }
    *list = list == &a->filters ? more_filters(r, *list, text) : arena_strdup(r->out->arena, text);
    if (!*list)
      return error_memory(r->error);
  }
  return count >= 0 ? 0 : damaged(r, a->path);
}

static bool is_netcdf_fill(const char *type, const char *json)
{
  static const struct {
    const char *type;
    double fill;
  } fills[] = {{"i2", NC_FILL_SHORT},         {"u2", NC_FILL_USHORT},        {"i4", NC_FILL_INT},
               {"u4", NC_FILL_UINT},          {"f4", NC_FILL_FLOAT},         {"f8", NC_FILL_DOUBLE},
               {"i8", (double)NC_FILL_INT64}, {"u8", (double)NC_FILL_UINT64}};
  for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++)
    if (strcmp(type + 1, fills[i].type) == 0)
      return strtod(json, NULL) == fills[i].fill;
  return false;
}

static bool is_zero(const unsigned char *bytes, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

static int read_fill(const struct hdf5_reading *r, struct hdf5_dataset *d, struct referenced_array *a)
{
  unsigned char value[16] = {0};
  H5D_fill_value_t state = H5D_FILL_VALUE_UNDEFINED;
  if (H5Pfill_value_defined(d->properties, &state) < 0)
    return damaged(r, a->path);
  if (state != H5D_FILL_VALUE_USER_DEFINED || a->element_size > sizeof value || strchr("SO", a->type[1]))
    return 0;
  if (H5Pget_fill_value(d->properties, d->type, value) < 0)
    return damaged(r, a->path);
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  d->is_fill_lost = !is_zero(value, a->element_size);
  if (a->type[1] != 'c' && d->is_fill_lost) {
    w.nonfinite_tokens = true;
    hdf5_write_number(&w, d->type, value);
    const bool is_name = !text.failed && text.length > 0 && strchr("NI", text.data[text.data[0] == '-']) != NULL;
    if (!text.failed && (H5Aexists(d->set, "_FillValue") > 0 || is_netcdf_fill(a->type, text.data))) {
      a->fill = arena_printf(r->out->arena, is_name ? "\"%s\"" : "%s", text.data);
      d->is_fill_lost = false;
    }
  }
  buffer_free(&text);
  return 0;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static int add_inline(const struct hdf5_reading *r, struct referenced_array *a, const void *bytes, size_t length)
{
  const struct referenced_chunk chunk = {.bytes = arena_copy(r->out->arena, bytes, length > 0 ? length : 1),
                                         .length = length};
  memcpy(a->chunk, a->shape, sizeof a->chunk);
  return chunk.bytes ? referenced_add_chunk(r->out, a, &chunk, r->error) : error_memory(r->error);
}

static size_t count_elements(const struct referenced_array *a)
{
  size_t count = 1;
  for (size_t d = 0; d < a->rank; d++)
    count = saturated_mul(count, a->shape[d]);
  return count;
}

/* As numcodecs' VLenUTF8 has texts: their number, then length and bytes of each. */
static int add_texts(const struct hdf5_reading *r, const struct hdf5_dataset *d, struct referenced_array *a)
{
  const size_t count = count_elements(a);
  if (count > TEXTS_MOST)
    return unsupported(r, a->path, "has too many texts");
  char **texts = calloc(count, sizeof *texts);
  struct buffer packed = {.limit = INLINE_BYTES};
  int status = texts && H5Dread(d->set, d->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) >= 0 ? 0 : damaged(r, a->path);
  const uint32_t number = (uint32_t)count;
  buffer_add(&packed, &number, sizeof number);
  for (size_t i = 0; status == 0 && i < count; i++) {
    const uint32_t length = texts[i] ? (uint32_t)strlen(texts[i]) : 0;
    buffer_add(&packed, &length, sizeof length);
    buffer_add(&packed, texts[i] ? texts[i] : "", length);
    H5free_memory(texts[i]);
  }
  free(texts);
  a->filters = "[{\"id\":\"vlen-utf8\"}]";
  if (status == 0 && packed.failed)
    status = unsupported(r, a->path, "has too long texts");
  if (status == 0)
    status = add_inline(r, a, packed.data, packed.length);
  buffer_free(&packed);
  return status;
}

static int add_compact(const struct hdf5_reading *r, const struct hdf5_dataset *d, struct referenced_array *a)
{
  const size_t bytes = saturated_mul(count_elements(a), a->element_size);
  void *values = bytes <= INLINE_BYTES ? calloc(1, bytes + 1) : NULL;
  const bool is_read = values && H5Dread(d->set, d->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  const int status = is_read ? add_inline(r, a, values, bytes) : damaged(r, a->path);
  free(values);
  return status;
}

static int add_contiguous(const struct hdf5_reading *r, const struct hdf5_dataset *d, struct referenced_array *a)
{
  const haddr_t at = H5Dget_offset(d->set);
  const size_t bytes = saturated_mul(count_elements(a), a->element_size);
  memcpy(a->chunk, a->shape, sizeof a->chunk);
  if (at == HADDR_UNDEF && d->is_fill_lost)
    return unsupported(r, a->path, "was never written");
  if (at == HADDR_UNDEF)
    return 0;
  if (at > r->size || bytes > r->size - at)
    return damaged(r, a->path);
  return referenced_add_piece(r->out, a, r->target, at, r->error);
}

/* The chunk of a number, whose first element is `offset`. */
static int add_chunk(const struct hdf5_reading *r, const struct hdf5_dataset *d, struct referenced_array *a,
                     uint64_t number, const hsize_t *offset)
{
  struct hdf5_place place;
  if (hdf5_place_find(r->file, d->set, offset, &place) != 0)
    return damaged(r, a->path);
  if (place.length == 0)
    return d->is_fill_lost ? unsupported(r, a->path, "has parts that were never written") : 0;
  const uint32_t last = d->sum_bytes > 0 ? UINT32_C(1) << (H5Pget_nfilters(d->properties) - 1) : 0;
  const uint64_t sum_bytes = place.mask & last ? 0 : d->sum_bytes;
  if (place.at > r->size || place.length > r->size - place.at || place.length < sum_bytes)
    return damaged(r, a->path);
  const struct referenced_chunk chunk = {.number = number,
                                         .target = r->target,
                                         .at = place.at,
                                         .length = place.length - sum_bytes,
                                         .skipped = place.mask & ~last};
  return referenced_add_chunk(r->out, a, &chunk, r->error);
}

static int add_chunks(const struct hdf5_reading *r, struct hdf5_dataset *d, struct referenced_array *a)
{
  hsize_t chunk[H5S_MAX_RANK], offset[H5S_MAX_RANK] = {0};
  size_t count = 1;
  if (H5Pget_chunk(d->properties, (int)a->rank, chunk) != (int)a->rank || read_filters(r, d, a) != 0)
    return error_is_set(r->error) ? -1 : damaged(r, a->path);
  for (size_t k = 0; k < a->rank; k++) {
    a->chunk[k] = (size_t)chunk[k];
    if (chunk[k] == 0 || checked_mul(count, (a->shape[k] - 1) / a->chunk[k] + 1, &count) != 0)
      return damaged(r, a->path);
  }
  if (count > ZARR_REFERENCES_MOST)
    return unsupported(r, a->path, "has too many chunks");
  for (size_t i = 0; i < count; i++) {
    if (add_chunk(r, d, a, i, offset) != 0)
      return -1;
    for (size_t k = a->rank; k-- > 0; offset[k] = 0)
      if ((offset[k] += chunk[k]) < a->shape[k])
        break;
  }
  return 0;
}

static int read_bytes(const struct hdf5_reading *r, struct hdf5_dataset *d, struct referenced_array *a)
{
  if (H5Pget_external_count(d->properties) != 0)
    return unsupported(r, a->path, "has its bytes in another file");
  if (strcmp(a->type, "|O") == 0)
    return add_texts(r, d, a);
  switch (H5Pget_layout(d->properties)) {
  case H5D_COMPACT:
    return add_compact(r, d, a);
  case H5D_CONTIGUOUS:
    return add_contiguous(r, d, a);
  case H5D_CHUNKED:
    return add_chunks(r, d, a);
  default:
    return unsupported(r, a->path, "is a virtual dataset");
  }
}

/* ---- datasets ---------------------------------------------------------------------------------------------------- */

static bool is_own_scale(const struct hdf5_dataset *d, const struct referenced_array *a)
{
  char class[32];
  return a->rank == 1 && hdf5_attribute_text(d->set, "CLASS", class, sizeof class) &&
         strcmp(class, "DIMENSION_SCALE") == 0;
}

/* Dimensions without a name are called by their size, as NetCDF-C does, though perhaps by other numbers. */
static int name_dimensions(const struct hdf5_reading *r, const struct hdf5_dataset *d, struct referenced_array *a)
{
  char name[NC_MAX_NAME + 1];
  const char *slash = strrchr(a->path, '/');
  for (size_t k = 0; k < a->rank; k++) {
    const bool is_own = is_own_scale(d, a);
    if (is_own)
      snprintf(name, sizeof name, "%s", slash ? slash + 1 : a->path);
    else if (!hdf5_dimension_name(d->set, a->rank, k, name, sizeof name))
      snprintf(name, sizeof name, "phony_dim_%zu_of_%zu", k, a->shape[k]);
    a->names[k] = arena_strdup(r->out->arena, name);
    if (!a->names[k])
      return error_memory(r->error);
  }
  return 0;
}

static int read_attributes(const struct hdf5_reading *r, hid_t object, const char *path, const char **out)
{
  struct buffer text = {0};
  const bool is_read = hdf5_attributes(object, &text) && !text.failed;
  *out = is_read ? arena_strndup(r->out->arena, text.length > 0 ? text.data : "", text.length) : NULL;
  buffer_free(&text);
  return *out ? 0 : is_read ? error_memory(r->error) : damaged(r, path);
}

static int read_dataset(const struct hdf5_reading *r, struct hdf5_dataset *d, const char *path)
{
  hsize_t shape[H5S_MAX_RANK];
  char name[128];
  struct referenced_array about = {.path = path};
  const int rank = H5Sget_simple_extent_dims(d->space, shape, NULL);
  if (rank < 0 || H5Sget_simple_extent_type(d->space) == H5S_NULL || rank >= CUBE_MAX_DIMENSIONS ||
      !name_type(d->type, &about))
    return 0;
  if (hdf5_attribute_text(d->set, "NAME", name, sizeof name) &&
      strncmp(name, "This is a netCDF dimension but not a netCDF variable", 52) == 0)
    return 0;
  for (int k = 0; k < rank; k++)
    if (shape[k] == 0)
      return 0;
  struct referenced_array *a = referenced_add(r->out, path, r->error);
  if (!a)
    return -1;
  memcpy(a->type, about.type, sizeof a->type);
  a->element_size = about.element_size;
  a->rank = (size_t)rank;
  for (int k = 0; k < rank; k++)
    a->shape[k] = (size_t)shape[k];
  if (name_dimensions(r, d, a) != 0 || read_attributes(r, d->set, path, &a->attributes) != 0 ||
      read_fill(r, d, a) != 0 || read_bytes(r, d, a) != 0)
    return -1;
  referenced_join_characters(a);
  return 0;
}

static int open_dataset(const struct hdf5_reading *r, hid_t set, const char *path)
{
  struct hdf5_dataset d = {set, H5Dget_type(set), H5Dget_space(set), H5Dget_create_plist(set), 0, false};
  const bool is_open = d.type >= 0 && d.space >= 0 && d.properties >= 0;
  const int status = is_open ? read_dataset(r, &d, path) : damaged(r, path);
  if (d.properties >= 0)
    H5Pclose(d.properties);
  if (d.space >= 0)
    H5Sclose(d.space);
  if (d.type >= 0)
    H5Tclose(d.type);
  return status;
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static int read_group(struct hdf5_reading *r, hid_t group);

static int read_object(struct hdf5_reading *r, hid_t object, const char *path)
{
  const H5I_type_t kind = H5Iget_type(object);
  if (kind == H5I_DATASET)
    return open_dataset(r, object, path);
  if (kind != H5I_GROUP)
    return 0;
  if (r->depth == REFERENCED_DEEP_MOST)
    return error_set(r->error, ERROR_FeatureUnsupported, "its groups nest deeper than %d", REFERENCED_DEEP_MOST);
  struct hdf5_reading below = *r;
  below.depth++;
  below.group = arena_printf(r->out->arena, "%s/", path);
  return below.group ? read_group(&below, object) : error_memory(r->error);
}

static herr_t take_link(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  struct hdf5_reading *r = data;
  const char *path = arena_printf(r->out->arena, "%s%s", r->group, name);
  if (!path)
    return error_memory(r->error);
  if (info->type != H5L_TYPE_HARD && info->type != H5L_TYPE_SOFT)
    return unsupported(r, path, "is a link to another file");
  const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0)
    return info->type == H5L_TYPE_SOFT && !error_is_set(r->error) ? 0 : damaged(r, path);
  const int status = read_object(r, object, path);
  H5Oclose(object);
  return status;
}

/* In the order in which links were made, where the group knows it, as NetCDF-C does. */
static int read_group(struct hdf5_reading *r, hid_t group)
{
  const hid_t properties = H5Gget_create_plist(group);
  unsigned order = 0;
  hsize_t at = 0;
  if (properties >= 0) {
    H5Pget_link_creation_order(properties, &order);
    H5Pclose(properties);
  }
  const H5_index_t index = order & H5P_CRT_ORDER_TRACKED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  if (H5Literate(group, index, H5_ITER_INC, &at, take_link, r) >= 0)
    return 0;
  return error_is_set(r->error) ? -1 : error_set(r->error, ERROR_FileContentInvalid, "a group cannot be listed");
}

int hdf5_references(const char *path, const char *target, struct referenced_file *out, struct error *error)
{
  struct hdf5_reading r = {.target = target, .out = out, .group = "", .error = error};
  r.file = hdf5_place_open(path, error);
  if (r.file < 0)
    return error_is_set(error) ? -1 : error_set(error, ERROR_FileContentInvalid, "it is no file of HDF5");
  r.size = hdf5_place_size(r.file);
  const hid_t root = H5Gopen2(r.file, "/", H5P_DEFAULT);
  int status = root >= 0 ? 0 : error_set(error, ERROR_FileContentInvalid, "its root cannot be read");
  if (status == 0)
    status = read_attributes(&r, root, "/", &out->attributes);
  if (status == 0)
    status = read_group(&r, root);
  if (root >= 0)
    H5Gclose(root);
  hdf5_place_close(r.file);
  return status;
}
