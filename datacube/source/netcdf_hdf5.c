/* The HDF5 side of netCDF-4 files: handles, what must not be followed, filters. */
#include "datacube/source/netcdf_hdf5.h"

#include <netcdf.h>
#include <netcdf_filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { PATH_ROOM = 2048 };

hid_t netcdf_hdf5_open(const char *path)
{
  /* The degree must be that of NetCDF-C's own handle, and it differs between its versions. */
  static const H5F_close_degree_t degrees[] = {H5F_CLOSE_WEAK, H5F_CLOSE_SEMI};
  hid_t file = -1;
  for (size_t i = 0; file < 0 && i < sizeof degrees / sizeof degrees[0]; i++) {
    const hid_t access = H5Pcreate(hdf5_property_class("FILE_ACCESS"));
    H5Pset_fclose_degree(access, degrees[i]);
    file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
  }
  return file;
}

/* HDF5's side of zstd, for variables that go through NetCDF-C; decoding only. */
static size_t inflate_zstd(unsigned flags, size_t value_count, const unsigned *values, size_t stored, size_t *room,
                           void **buffer)
{
  (void)value_count;
  (void)values;
  const unsigned long long size = ZSTD_getFrameContentSize(*buffer, stored);
  if ((flags & H5Z_FLAG_REVERSE) == 0 || size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ||
      size > UINT32_MAX) /* chunks are smaller than 4 GiB */
    return 0;
  void *out = malloc(size > 0 ? size : 1);
  const size_t got = out != NULL ? ZSTD_decompress(out, size, *buffer, stored) : 0;
  if (out == NULL || ZSTD_isError(got)) {
    free(out);
    return 0;
  }
  free(*buffer);
  *buffer = out;
  *room = size;
  return got;
}

void netcdf_hdf5_filters(void)
{
  static const H5Z_class2_t zstd = {.version = H5Z_CLASS_T_VERS,
                                    .id = NETCDF_FILTER_ZSTD,
                                    .decoder_present = 1,
                                    .name = "zstd",
                                    .filter = inflate_zstd};
  if (H5Zfilter_avail(NETCDF_FILTER_ZSTD) <= 0)
    H5Zregister(&zstd);
}

hid_t netcdf_hdf5_variable(hid_t file, const struct netcdf_variable *variable)
{
  char path[PATH_ROOM];
  const int length = snprintf(path, sizeof path, "%s/%s", strcmp(variable->group, "/") == 0 ? "" : variable->group,
                              variable->name_in_file);
  return length > 0 && (size_t)length < sizeof path ? H5Dopen2(file, path, H5P_DEFAULT) : -1;
}

struct foreign { /* the first object that lies elsewhere */
  char name[128];
  const char *how;
};

static const char *foreign_storage(hid_t dataset)
{
  const hid_t properties = H5Dget_create_plist(dataset);
  const char *how = NULL;
  if (properties >= 0 && H5Pget_external_count(properties) > 0)
    how = "its bytes are in another file";
  else if (properties >= 0 && H5Pget_layout(properties) == H5D_VIRTUAL)
    how = "it is a virtual dataset";
  if (properties >= 0)
    H5Pclose(properties);
  return how;
}

static herr_t look_at_link(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  struct foreign *found = data;
  if (info->type != H5L_TYPE_HARD && info->type != H5L_TYPE_SOFT) {
    found->how = "it is a link to another file";
  } else if (info->type == H5L_TYPE_HARD) {
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object >= 0 && H5Iget_type(object) == H5I_DATASET)
      found->how = foreign_storage(object);
    if (object >= 0)
      H5Oclose(object);
  }
  if (found->how != NULL)
    snprintf(found->name, sizeof found->name, "%s", name);
  return found->how != NULL;
}

int netcdf_hdf5_check(const char *path, struct error *error)
{
  struct foreign found = {0};
  herr_t status = 0;
  netcdf_hdf5_filters();
  const hid_t file = H5Fis_hdf5(path) > 0 ? netcdf_hdf5_open(path) : -1;
  if (file >= 0) {
    status = H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, look_at_link, &found);
    H5Fclose(file);
  }
  if (found.how != NULL)
    return error_set(error, ERROR_FileContentInvalid, "%s: \"%s\" is not read: %s", netcdf_base_name(path), found.name,
                     found.how);
  if (status < 0)
    return error_set(error, ERROR_FileContentInvalid, "%s: its contents cannot be listed", netcdf_base_name(path));
  return 0;
}

/* Registered numbers of HDF5 filters, from The HDF Group's list. */
static const struct filter_name {
  unsigned id;
  const char *name;
} filter_names[] = {{H5Z_FILTER_SZIP, "szip"},
                    {H5Z_FILTER_NBIT, "nbit"},
                    {H5Z_FILTER_SCALEOFFSET, "scaleoffset"},
                    {307, "bzip2"},
                    {32000, "lzf"},
                    {32001, "blosc"},
                    {32004, "lz4"},
                    {32008, "bitshuffle"},
                    {32013, "zfp"},
                    {32015, "zstd"},
                    {32026, "blosc2"}};

static const char *filter_text(struct arena *arena, unsigned id)
{
  for (size_t i = 0; i < sizeof filter_names / sizeof filter_names[0]; i++)
    if (filter_names[i].id == id)
      return arena_printf(arena, "%s (HDF5 filter %u)", filter_names[i].name, id);
  return arena_printf(arena, "HDF5 filter %u", id);
}

static bool can_decode(unsigned id)
{
  unsigned config = 0;
  return H5Zfilter_avail((H5Z_filter_t)id) > 0 && H5Zget_filter_info((H5Z_filter_t)id, &config) >= 0 &&
         (config & H5Z_FILTER_CONFIG_DECODE_ENABLED) != 0;
}

const char *netcdf_missing_filter(int group, int variable, struct arena *arena)
{
  unsigned ids[H5Z_MAX_NFILTERS];
  size_t count = 0;
  const char *missing = NULL;
  if (nc_inq_var_filter_ids(group, variable, &count, NULL) != NC_NOERR || count > H5Z_MAX_NFILTERS ||
      nc_inq_var_filter_ids(group, variable, &count, ids) != NC_NOERR)
    return NULL; /* no HDF5 file */
  for (size_t i = 0; i < count && missing == NULL; i++)
    if (!can_decode(ids[i]))
      missing = filter_text(arena, ids[i]);
  return missing;
}
