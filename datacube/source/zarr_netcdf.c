/* Names, types and attributes become NetCDF-C's; values of coordinates come from their chunks. See the header.
 *
 * What means "missing" follows xarray: the attribute _FillValue, or in version 2 the fill value of the array; and NaN
 * in floats. A fill value of version 3 alone is a value. */
#include "datacube/source/zarr_netcdf.h"

#include "datacube/source/zarr_attributes.h"
#include "datacube/source/zarr_labels.h"

#include <netcdf.h>
#include <string.h>

struct making {
  struct arena *arena;
  const struct zarr_store *store;
  int file;
  nc_type pairs[2]; /* of complex numbers: of floats, of doubles; NC_NAT: not made yet */
  const char *left_out;
  struct error *error;
};

/* Says what NetCDF-C has against it. */
static int refused(const struct making *m, const struct zarr_array *a, int status)
{
  return error_set(m->error, ERROR_FileContentInvalid, "the array %.120s: %s", a->name, nc_strerror(status));
}

/* The group of a path, made with all above it. */
static int find_group(const struct making *m, const char *path, int *out)
{
  *out = m->file;
  for (const char *at = path + 1; *at;) {
    const size_t length = strcspn(at, "/");
    char name[NC_MAX_NAME + 1] = "";
    int group;
    if (length == 0 || length >= sizeof name)
      return NC_EBADNAME;
    memcpy(name, at, length);
    int status = nc_inq_grp_ncid(*out, name, &group);
    if (status == NC_ENOGRP)
      status = nc_def_grp(*out, name, &group);
    if (status != NC_NOERR)
      return status;
    *out = group;
    at += length + (at[length] == '/');
  }
  return NC_NOERR;
}

/* The dimension of a name and size: the group's own, or one of those around it. */
static int find_dimension(const struct making *m, int group, const char *name, size_t size, int *out)
{
  size_t known;
  if (nc_inq_dimid(group, name, out) == NC_NOERR && nc_inq_dimlen(group, *out, &known) == NC_NOERR && known == size)
    return NC_NOERR;
  const int status = size > 0 ? nc_def_dim(group, name, size, out) : NC_EDIMSIZE;
  if (status == NC_ENAMEINUSE)
    error_set(m->error, ERROR_FileContentInvalid, "the dimension %.120s has more than one length", name);
  return status;
}

static int find_dimensions(const struct making *m, const struct zarr_array *a, int group, int *ids)
{
  for (size_t d = 0; d < a->rank; d++) {
    const char *name = a->names[d] ? a->names[d] : arena_printf(m->arena, "dimension_%zu_of_%zu", d, a->shape[d]);
    const int status = name ? find_dimension(m, group, name, a->shape[d], &ids[d]) : NC_ENOMEM;
    if (status != NC_NOERR)
      return status;
  }
  return NC_NOERR;
}

static int find_pair(struct making *m, const struct zarr_array *a, nc_type *out)
{
  nc_type *known = &m->pairs[a->type == ELEMENT_C128];
  const nc_type part = a->type == ELEMENT_C128 ? NC_DOUBLE : NC_FLOAT;
  int status = NC_NOERR;
  if (*known == NC_NAT) {
    status = nc_def_compound(m->file, a->element_size, a->type == ELEMENT_C128 ? "complex128" : "complex64", known);
    if (status == NC_NOERR)
      status = nc_insert_compound(m->file, *known, "r", 0, part);
    if (status == NC_NOERR)
      status = nc_insert_compound(m->file, *known, "i", a->element_size / 2, part);
  }
  *out = *known;
  return status;
}

static int find_type(struct making *m, const struct zarr_array *a, nc_type *out)
{
  static const nc_type types[ELEMENT_TYPE_COUNT] = {
      [ELEMENT_U8] = NC_UBYTE,  [ELEMENT_I8] = NC_BYTE,   [ELEMENT_U16] = NC_USHORT, [ELEMENT_I16] = NC_SHORT,
      [ELEMENT_U32] = NC_UINT,  [ELEMENT_I32] = NC_INT,   [ELEMENT_U64] = NC_UINT64, [ELEMENT_I64] = NC_INT64,
      [ELEMENT_F32] = NC_FLOAT, [ELEMENT_F64] = NC_DOUBLE};
  if (element_info(a->type)->is_complex)
    return find_pair(m, a, out);
  *out = a->kind == ZARR_BYTES || a->kind == ZARR_UCS4 || a->kind == ZARR_TEXTS ? NC_STRING : types[a->type];
  return NC_NOERR;
}

/* Chunks keep NetCDF-C from writing the data that are not there; their size does not matter. */
static int define_chunks(int group, int id, const struct zarr_array *a)
{
  size_t chunk[CUBE_MAX_DIMENSIONS];
  for (size_t d = 0; d < a->rank; d++)
    chunk[d] = d + 1 == a->rank && a->shape[d] < 1024 ? a->shape[d] : d + 1 == a->rank ? 1024 : 1;
  return a->rank > 0 ? nc_def_var_chunking(group, id, NC_CHUNKED, chunk) : NC_NOERR;
}

static int add_variable(struct making *m, const struct zarr_array *a)
{
  int group, ids[CUBE_MAX_DIMENSIONS], id;
  nc_type type;
  int status = find_group(m, a->group, &group);
  if (status == NC_NOERR)
    status = find_dimensions(m, a, group, ids);
  if (status == NC_NOERR)
    status = find_type(m, a, &type);
  if (status == NC_NOERR)
    status = nc_def_var(group, a->name, type, (int)a->rank, ids, &id);
  if (status == NC_NOERR)
    status = define_chunks(group, id, a);
  if (status == NC_NOERR && type != NC_STRING)
    status = nc_def_var_fill(group, id, NC_NOFILL, NULL);
  if (status != NC_NOERR)
    return error_is_set(m->error) ? -1 : refused(m, a, status);
  return zarr_attributes_put(m->arena, m->store, a, &(struct zarr_variable){group, id, type}, m->error);
}

/* An array of no elements is nothing that could be shown. */
static bool is_empty(const struct zarr_array *a)
{
  for (size_t d = 0; d < a->rank; d++)
    if (a->shape[d] == 0)
      return true;
  return false;
}

static bool is_coordinate(const struct zarr_array *a)
{
  return a->rank == 1 && a->names[0] && strcmp(a->names[0], a->name) == 0;
}

static int add_array(struct making *m, const struct zarr_array *a)
{
  if (a->why_not && is_coordinate(a))
    return error_set(m->error, ERROR_FeatureUnsupported, "the coordinate %.80s %s, which is not supported", a->name,
                     a->why_not);
  if (a->why_not || is_empty(a)) {
    if (!m->left_out && a->why_not)
      m->left_out = arena_printf(m->arena, "the variable %.80s %s, which is not supported", a->name, a->why_not);
    return 0;
  }
  return add_variable(m, a);
}

static int add_arrays(struct making *m)
{
  const struct zarr_store *store = m->store;
  for (size_t i = 0; i < store->array_count; i++)
    if (add_array(m, &store->arrays[i]) != 0)
      return -1;
  if (zarr_attributes_put_all(m->arena, store->attributes, &(struct zarr_variable){m->file, NC_GLOBAL, NC_NAT},
                              m->error) != 0)
    return -1;
  if (nc_enddef(m->file) != NC_NOERR)
    return error_set(m->error, ERROR_FileContentInvalid, "its dimensions are too large");
  return zarr_labels_put(m->arena, store, m->file, m->error);
}

int zarr_netcdf(struct arena *arena, const struct zarr_store *store, int *file, const char **left_out,
                struct error *error)
{
  struct making m = {.arena = arena, .store = store, .pairs = {NC_NAT, NC_NAT}, .error = error};
  if (nc_create("zarr", NC_NETCDF4 | NC_DISKLESS | NC_CLOBBER, &m.file) != NC_NOERR)
    return error_set(error, ERROR_Internal, "no dataset can be made in memory");
  if (add_arrays(&m) != 0) {
    nc_abort(m.file);
    return -1;
  }
  *file = m.file;
  *left_out = m.left_out;
  return 0;
}
