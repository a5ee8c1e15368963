/* The values of a netCDF file, written by HDF5 under its lock: finished chunks as they are (H5Dwrite_chunk), parts of
 * chunks merged into what is there (H5Dwrite), slowly but rightly. Encoding was before: who encodes need not wait for
 * the lock, and the caller decides what comes first. */
#include "datacube/sink/netcdf_store.h"

#include "datacube/source/hdf5_type.h"
#include "datacube/source/netcdf_lock.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HDF5_CACHE = 16 << 20 };

struct netcdf_store {
  const struct netcdf_plan *plan;
  size_t element_size;
  hid_t type; /* of the elements in memory; ours to close where it is a compound */
  hid_t file;
  hid_t *datasets;
  struct statistics *statistics; /* of each variable, as far as it is written */
};

static hid_t pair_type(size_t size)
{
  const hid_t part = size == sizeof(float[2]) ? hdf5_type("NATIVE_FLOAT") : hdf5_type("NATIVE_DOUBLE");
  const hid_t pair = H5Tcreate(H5T_COMPOUND, size);
  if (pair >= 0 && H5Tinsert(pair, "r", 0, part) >= 0 && H5Tinsert(pair, "i", size / 2, part) >= 0)
    return pair;
  if (pair >= 0)
    H5Tclose(pair);
  return H5I_INVALID_HID;
}

static hid_t memory_type(enum element_type type)
{
  switch (type) {
  case ELEMENT_C64:
  case ELEMENT_C128:
    return pair_type(element_info(type)->size);
  case ELEMENT_I8:
    return hdf5_type("NATIVE_INT8");
  case ELEMENT_U16:
    return hdf5_type("NATIVE_UINT16");
  case ELEMENT_I16:
    return hdf5_type("NATIVE_INT16");
  case ELEMENT_U32:
    return hdf5_type("NATIVE_UINT32");
  case ELEMENT_I32:
    return hdf5_type("NATIVE_INT32");
  case ELEMENT_U64:
    return hdf5_type("NATIVE_UINT64");
  case ELEMENT_I64:
    return hdf5_type("NATIVE_INT64");
  case ELEMENT_F32:
    return hdf5_type("NATIVE_FLOAT");
  case ELEMENT_F64:
    return hdf5_type("NATIVE_DOUBLE");
  default:
    return hdf5_type("NATIVE_UINT8");
  }
}

static int open_datasets(struct netcdf_store *store, const char *path)
{
  const struct netcdf_plan *plan = store->plan;
  const size_t chunk = plan->chunk_elements * store->element_size, share = HDF5_CACHE / plan->variable_count;
  const hid_t access = H5Pcreate(hdf5_property_class("DATASET_ACCESS"));
  H5Pset_chunk_cache(access, 521, chunk > share ? chunk : share, 1);
  store->type = memory_type(plan->cube.type);
  store->file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  bool good = store->file >= 0 && store->type >= 0;
  for (size_t i = 0; good && i < plan->variable_count; i++) {
    store->datasets[i] = H5Dopen2(store->file, plan->variables[i], access);
    good = store->datasets[i] >= 0;
  }
  H5Pclose(access);
  return good ? 0 : -1;
}

int netcdf_store_open(const char *path, const struct netcdf_plan *plan, struct netcdf_store **out, struct error *error)
{
  struct netcdf_store *store = calloc(1, sizeof *store);
  if (store == NULL)
    return error_memory(error);
  store->plan = plan;
  store->element_size = element_info(plan->cube.type)->size;
  store->file = -1;
  store->statistics = calloc(plan->variable_count, sizeof *store->statistics);
  store->datasets = calloc(plan->variable_count, sizeof *store->datasets);
  if (store->datasets == NULL || store->statistics == NULL) {
    netcdf_store_free(store);
    return error_memory(error);
  }
  for (size_t i = 0; i < plan->variable_count; i++)
    store->datasets[i] = -1;
  netcdf_lock();
  const int status = open_datasets(store, path);
  netcdf_unlock();
  if (status != 0) {
    netcdf_store_free(store);
    return error_set(error, ERROR_StorageFailure, "the netCDF result cannot be opened for writing");
  }
  *out = store;
  return 0;
}

static herr_t write_slab(struct netcdf_store *store, const struct netcdf_held *held)
{
  const int rank = (int)store->plan->rank;
  const hid_t dataset = store->datasets[held->variable];
  hsize_t start[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS];
  for (int d = 0; d < rank; d++) {
    start[d] = held->start[d];
    count[d] = held->count[d];
  }
  const hid_t memory = rank > 0 ? H5Screate_simple(rank, count, NULL) : H5Screate(H5S_SCALAR);
  const hid_t place = H5Dget_space(dataset);
  herr_t status = -1;
  if (rank == 0 || H5Sselect_hyperslab(place, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
    status = H5Dwrite(dataset, store->type, memory, place, H5P_DEFAULT, held->bytes);
  H5Sclose(place);
  H5Sclose(memory);
  return status;
}

static herr_t write_held(struct netcdf_store *store, const struct netcdf_held *held)
{
  hsize_t offset[CUBE_MAX_DIMENSIONS];
  if (!held->is_chunk)
    return write_slab(store, held);
  for (size_t d = 0; d < store->plan->rank; d++)
    offset[d] = held->start[d];
  return H5Dwrite_chunk(store->datasets[held->variable], H5P_DEFAULT, held->mask, offset, held->length, held->bytes);
}

int netcdf_store_write(struct netcdf_store *store, const struct netcdf_parcel *parcel, struct error *error)
{
  herr_t status = 0;
  for (const struct netcdf_held *held = parcel->first; held != NULL && status >= 0; held = held->next) {
    netcdf_lock();
    status = write_held(store, held);
    netcdf_unlock();
    statistics_merge(&store->statistics[held->variable], &held->statistics);
  }
  return status < 0 ? error_set(error, ERROR_StorageFailure, "the netCDF result cannot be written") : 0;
}

const struct statistics *netcdf_store_statistics(const struct netcdf_store *store, size_t variable)
{
  return &store->statistics[variable];
}

/* CF's actual_range of what was written, as doubles where the values are packed: it is of the unpacked ones. */
static herr_t note_range(const struct netcdf_store *store, size_t i)
{
  const struct cube *cube = &store->plan->cube;
  const struct statistics *of = &store->statistics[i];
  const struct band_info *info = cube->bands != NULL && store->plan->bands != SIZE_MAX ? &cube->bands[i] : NULL;
  const bool packed = info != NULL && info->scale != 0 && (info->scale != 1 || info->offset != 0);
  const hsize_t two = 2;
  double range[2] = {of->minimum, of->maximum};
  if (of->valid == 0 || cube->type == ELEMENT_BOOLEAN)
    return 0;
  if (packed) {
    range[info->scale < 0] = of->minimum * info->scale + info->offset;
    range[info->scale >= 0] = of->maximum * info->scale + info->offset;
  }
  const hid_t space = H5Screate_simple(1, &two, NULL);
  const hid_t attribute =
      H5Acreate2(store->datasets[i], "actual_range", packed ? hdf5_type("NATIVE_DOUBLE") : store->type, space,
                 H5P_DEFAULT, H5P_DEFAULT);
  const herr_t status = attribute >= 0 ? H5Awrite(attribute, hdf5_type("NATIVE_DOUBLE"), range) : -1;
  if (attribute >= 0)
    H5Aclose(attribute);
  H5Sclose(space);
  return status;
}

static herr_t close_handles(struct netcdf_store *store)
{
  herr_t status = 0;
  for (size_t i = 0; store->datasets != NULL && i < store->plan->variable_count; i++) {
    if (store->datasets[i] >= 0 && H5Dclose(store->datasets[i]) < 0)
      status = -1;
    store->datasets[i] = -1;
  }
  if (store->file >= 0 && H5Fclose(store->file) < 0)
    status = -1;
  store->file = -1;
  if (element_info(store->plan->cube.type)->is_complex && store->type > 0) {
    H5Tclose(store->type);
    store->type = 0;
  }
  return status;
}

int netcdf_store_finish(struct netcdf_store *store, struct error *error)
{
  herr_t status = 0;
  netcdf_lock();
  for (size_t i = 0; status >= 0 && store->file >= 0 && i < store->plan->variable_count; i++)
    status = note_range(store, i);
  const herr_t closed = close_handles(store);
  status = status < 0 ? status : closed;
  netcdf_unlock();
  return status < 0 ? error_set(error, ERROR_StorageFailure, "the netCDF result cannot be written") : 0;
}

void netcdf_store_free(struct netcdf_store *store)
{
  if (store == NULL)
    return;
  netcdf_lock();
  close_handles(store);
  netcdf_unlock();
  free(store->statistics);
  free(store->datasets);
  free(store);
}
