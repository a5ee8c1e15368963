/* How the variables of a netCDF file lie in it: chunks, filters, byte order, from HDF5's own description. */
#include "datacube/source/netcdf_chunk.h"
#include "datacube/source/netcdf_group.h"
#include "datacube/source/netcdf_hdf5.h"
#include "datacube/source/netcdf_lock.h"
#include "datacube/source/zarr_chunk.h"

#include "datacube/base/checked.h"

#include <netcdf.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 20 }; /* of our own blocks, where the file has no chunks */

/* The filters: shuffle, then deflate or zstd, each at most once. False where there is anything else. */
static bool filters_known(hid_t properties, struct netcdf_layout *layout)
{
  const int count = H5Pget_nfilters(properties);
  layout->shuffle = layout->packed = -1;
  for (int i = 0; i < count; i++) {
    unsigned flags, config, values[8];
    size_t value_count = 8;
    const H5Z_filter_t id = H5Pget_filter2(properties, (unsigned)i, &flags, &value_count, values, 0, NULL, &config);
    if (id == H5Z_FILTER_SHUFFLE && layout->shuffle < 0 && layout->packed < 0 && value_count == 1 &&
        values[0] == layout->element_size)
      layout->shuffle = i;
    else if ((id == H5Z_FILTER_DEFLATE || id == NETCDF_FILTER_ZSTD) && layout->packed < 0)
      layout->packed = i;
    else
      return false;
    layout->zstd = layout->zstd || id == NETCDF_FILTER_ZSTD;
  }
  return count >= 0;
}

/* Whether the type is one of the standard integers and floats; says the byte order. */
static bool type_known(hid_t type, struct netcdf_layout *layout)
{
  static const struct {
    size_t size;
    const char *names[2]; /* little and big endian */
  } standard[] = {{1, {"STD_I8LE", "STD_I8BE"}},    {1, {"STD_U8LE", "STD_U8BE"}},   {2, {"STD_I16LE", "STD_I16BE"}},
                  {2, {"STD_U16LE", "STD_U16BE"}},  {4, {"STD_I32LE", "STD_I32BE"}}, {4, {"STD_U32LE", "STD_U32BE"}},
                  {8, {"STD_I64LE", "STD_I64BE"}},  {8, {"STD_U64LE", "STD_U64BE"}}, {4, {"IEEE_F32LE", "IEEE_F32BE"}},
                  {8, {"IEEE_F64LE", "IEEE_F64BE"}}};
  if (H5Tget_size(type) != layout->element_size)
    return false;
  for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++)
    for (int big = 0; big < 2; big++)
      if (standard[i].size == layout->element_size && H5Tequal(type, hdf5_type(standard[i].names[big])) > 0) {
        layout->big_endian = big != 0;
        return true;
      }
  return false;
}

static bool chunks_known(hid_t dataset, hid_t properties, struct netcdf_layout *layout)
{
  hsize_t chunk[H5S_MAX_RANK], shape[H5S_MAX_RANK];
  const hid_t space = H5Dget_space(dataset);
  const int rank = H5Sget_simple_extent_dims(space, shape, NULL);
  H5Sclose(space);
  if (H5Pget_layout(properties) != H5D_CHUNKED || rank < 1 || (size_t)rank != layout->rank ||
      H5Pget_chunk(properties, rank, chunk) != rank)
    return false;
  for (size_t d = 0; d < layout->rank; d++) {
    if (chunk[d] == 0 || chunk[d] != layout->chunk[d] || shape[d] > layout->shape[d])
      return false;
    /* A variable over an unlimited dimension may be shorter than the dimension: the rest is fill. */
    if (shape[d] < layout->shape[d])
      return false;
  }
  return true;
}

static bool read_fill(hid_t properties, hid_t type, struct netcdf_layout *layout)
{
  const hid_t native = H5Tget_native_type(type, H5T_DIR_DEFAULT);
  const bool done = native >= 0 && H5Tget_size(native) == layout->element_size &&
                    H5Pget_fill_value(properties, native, layout->fill) >= 0;
  if (native >= 0)
    H5Tclose(native);
  return done;
}

static void look_at_dataset(hid_t file, const struct netcdf_variable *variable, struct netcdf_layout *layout)
{
  const hid_t dataset = netcdf_hdf5_variable(file, variable);
  if (dataset < 0)
    return;
  const hid_t properties = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
  layout->raw = properties >= 0 && type >= 0 && type_known(type, layout) && filters_known(properties, layout) &&
                chunks_known(dataset, properties, layout) && read_fill(properties, type, layout);
  layout->stored_bytes = (double)H5Dget_storage_size(dataset);
  if (type >= 0)
    H5Tclose(type);
  if (properties >= 0)
    H5Pclose(properties);
  H5Dclose(dataset);
}

/* Blocks of whole trailing dimensions, about a megabyte. */
static void choose_blocks(struct netcdf_layout *layout)
{
  size_t room = BLOCK_BYTES / layout->element_size;
  for (size_t d = layout->rank; d-- > 0;) {
    layout->chunk[d] = layout->shape[d] < room ? layout->shape[d] : room;
    room /= layout->chunk[d];
    room = room > 0 ? room : 1;
  }
}

static int read_shape(int file, const struct netcdf_variable *variable, struct netcdf_layout *out, struct error *error)
{
  int group, rank, ids[NC_MAX_VAR_DIMS], storage = NC_CONTIGUOUS;
  size_t chunks[NC_MAX_VAR_DIMS], bytes;
  *out = (struct netcdf_layout){.shuffle = -1, .packed = -1};
  out->element_size = element_info(variable->type)->size;
  out->big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  if (netcdf_group_find(file, variable->group, &group) != 0 ||
      nc_inq_var(group, variable->id, NULL, NULL, &rank, ids, NULL) != NC_NOERR || rank >= CUBE_MAX_DIMENSIONS)
    return error_set(error, ERROR_FileContentInvalid, "the variable %s cannot be read", variable->name);
  out->rank = (size_t)rank;
  bytes = out->element_size;
  for (size_t d = 0; d < out->rank; d++)
    if (nc_inq_dimlen(group, ids[d], &out->shape[d]) != NC_NOERR || out->shape[d] == 0)
      return error_set(error, ERROR_FileContentInvalid, "the variable %s is empty", variable->name);
  const bool chunked =
      nc_inq_var_chunking(group, variable->id, &storage, chunks) == NC_NOERR && storage == NC_CHUNKED && rank > 0;
  for (size_t d = 0; chunked && d < out->rank; d++) {
    out->chunk[d] = chunks[d];
    if (chunks[d] == 0 || checked_mul(bytes, chunks[d], &bytes) != 0 || bytes > UINT32_MAX)
      return error_set(error, ERROR_FileContentInvalid, "the chunks of %s are too large", variable->name);
  }
  if (!chunked)
    choose_blocks(out);
  out->raw = chunked;
  return 0;
}

static int read_shapes(const char *path, const struct netcdf_variable *variables, size_t count,
                       struct netcdf_layout *layouts, bool *hdf5, struct error *error)
{
  int file, format = 0, mode = 0, result = 0;
  const int status = nc_open(path, NC_NOWRITE, &file);
  if (status != NC_NOERR)
    return error_set(error, ERROR_FileContentInvalid, "%s is no readable netCDF file: %s", netcdf_base_name(path),
                     nc_strerror(status));
  *hdf5 = nc_inq_format_extended(file, &format, &mode) == NC_NOERR && format == NC_FORMATX_NC_HDF5;
  for (size_t i = 0; i < count && result == 0; i++)
    result = read_shape(file, &variables[i], &layouts[i], error);
  nc_close(file);
  return result;
}

/* What Zarr's document says. Of its chunks those at the end reach beyond the array. */
static void take_zarr(const struct zarr_array *array, struct netcdf_layout *out)
{
  *out = (struct netcdf_layout){.rank = array->rank,
                                .element_size = array->element_size,
                                .raw = true,
                                .shuffle = -1,
                                .packed = -1,
                                .big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
                                .zarr = array};
  memcpy(out->shape, array->shape, sizeof out->shape);
  memcpy(out->chunk, array->chunk, sizeof out->chunk);
  zarr_fill(array, out->fill);
}

int netcdf_layouts_read(const char *path, const struct netcdf_variable *variables, size_t count,
                        struct netcdf_layout *layouts, struct error *error)
{
  bool hdf5 = false;
  for (size_t i = 0; i < count && variables[i].zarr != NULL; i++)
    take_zarr(variables[i].zarr, &layouts[i]);
  if (count > 0 && variables[0].zarr != NULL) /* all are of one store */
    return 0;
  netcdf_lock();
  const int result = read_shapes(path, variables, count, layouts, &hdf5, error);
  const hid_t file = result == 0 && hdf5 ? netcdf_hdf5_open(path) : -1;
  for (size_t i = 0; result == 0 && i < count; i++) {
    const bool chunked = layouts[i].raw;
    layouts[i].raw = false;
    if (file >= 0 && chunked)
      look_at_dataset(file, &variables[i], &layouts[i]);
    if (!layouts[i].raw)
      layouts[i].big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  }
  if (file >= 0)
    H5Fclose(file);
  netcdf_unlock();
  return result;
}
