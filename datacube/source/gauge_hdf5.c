/* Gauge fields in HDF5: see the header. The library is called under its lock, a part of the first axis at a time. */
#include "datacube/source/gauge_hdf5.h"

#include "datacube/source/gauge_sums.h"
#include "datacube/source/netcdf_hdf5.h"
#include "datacube/source/netcdf_lock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { RANK = 7, MOST_RANK = RANK + 1, NUMBERS = 2 * GAUGE_FILE_COLOURS * GAUGE_FILE_COLOURS };

struct found_dataset {
  char name[sizeof((struct gauge_file *)0)->dataset];
  hsize_t extent[MOST_RANK];
  bool is_double;
  size_t count; /* of those that fit; the first is told */
};

/* ---- datasets ---------------------------------------------------------------------------------------------------- */

/* Bytes of a part of a compound that is a float and whose name begins so; 0: it is none. */
static size_t part_bytes(hid_t type, unsigned index, char first)
{
  char *name = H5Tget_member_name(type, index);
  size_t bytes = name && name[0] == first && H5Tget_member_class(type, index) == H5T_FLOAT ? 8 : 0;
  H5free_memory(name);
  if (bytes > 0) {
    hid_t part = H5Tget_member_type(type, index);
    bytes = H5Tget_size(part);
    H5Tclose(part);
  }
  return bytes == 4 || bytes == 8 ? bytes : 0;
}

/* Bytes of the real number in complex numbers of that rank; 0: they are none. */
static size_t number_bytes(hid_t type, int rank)
{
  if (rank == MOST_RANK)
    return H5Tget_class(type) == H5T_FLOAT && (H5Tget_size(type) == 4 || H5Tget_size(type) == 8) ? H5Tget_size(type)
                                                                                                 : 0;
  if (H5Tget_class(type) != H5T_COMPOUND || H5Tget_nmembers(type) != 2)
    return 0;
  size_t real = part_bytes(type, 0, 'r');
  return real == part_bytes(type, 1, 'i') ? real : 0;
}

static bool has_direction(const hsize_t *extent)
{
  return extent[0] == GAUGE_FILE_AXES || extent[4] == GAUGE_FILE_AXES;
}

static void look_at_dataset(hid_t set, const char *name, struct found_dataset *found)
{
  hsize_t extent[MOST_RANK] = {0};
  hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  int rank = H5Sget_simple_extent_ndims(space);
  bool fits = (rank == RANK || rank == MOST_RANK) && H5Aexists(set, "DIMENSION_LIST") <= 0 &&
              H5Sget_simple_extent_dims(space, extent, NULL) == rank && number_bytes(type, rank) > 0 &&
              (rank == RANK || extent[RANK] == 2) && extent[5] == GAUGE_FILE_COLOURS &&
              extent[6] == GAUGE_FILE_COLOURS && has_direction(extent) && strlen(name) < sizeof found->name;
  if (fits && found->count++ == 0) {
    memcpy(found->name, name, strlen(name) + 1);
    memcpy(found->extent, extent, sizeof extent);
    found->is_double = number_bytes(type, rank) == sizeof(double);
  }
  H5Tclose(type);
  H5Sclose(space);
}

static herr_t look_at_link(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  hid_t object = info->type == H5L_TYPE_HARD ? H5Oopen(group, name, H5P_DEFAULT) : -1;
  if (object >= 0 && H5Iget_type(object) == H5I_DATASET)
    look_at_dataset(object, name, data);
  if (object >= 0)
    H5Oclose(object);
  return 0;
}

static bool has_name(const char *path)
{
  static const char *const ends[] = {".h5", ".hdf5", ".hdf"};
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++)
    if (strcasecmp(dot, ends[i]) == 0)
      return true;
  return false;
}

static int find_dataset(const char *path, struct found_dataset *found, struct error *error)
{
  *found = (struct found_dataset){.count = 0};
  netcdf_lock();
  int status = netcdf_hdf5_check(path, error);
  hid_t file = status == 0 ? netcdf_hdf5_open(path) : -1;
  if (file >= 0) {
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, look_at_link, found);
    H5Fclose(file);
  }
  netcdf_unlock();
  return status;
}

bool gauge_hdf5_is(const char *path)
{
  struct found_dataset found;
  struct error ignored = {0};
  return has_name(path) && find_dataset(path, &found, &ignored) == 0 && found.count > 0;
}

/* ---- header ------------------------------------------------------------------------------------------------------ */

/* Extents t, x, y, z where the directions come first, or behind the sites. */
static void extents_of(const hsize_t *stored, bool direction_first, size_t *extent)
{
  const hsize_t *sites = stored + direction_first;
  extent[0] = (size_t)sites[0];
  for (size_t k = 1; k < GAUGE_FILE_AXES; k++)
    extent[k] = (size_t)sites[GAUGE_FILE_AXES - k];
}

int gauge_hdf5_header(const struct gauge_header *header, struct gauge_file *out, struct error *error)
{
  struct found_dataset found;
  if (find_dataset(header->path, &found, error) != 0)
    return -1;
  if (found.count != 1)
    return error_set(error, ERROR_FeatureUnsupported, "%s: it has %zu datasets that may be a gauge field, one is read",
                     header->path, found.count);
  size_t other[GAUGE_FILE_AXES];
  out->direction_first = found.extent[4] != GAUGE_FILE_AXES;
  out->direction_open = !out->direction_first && found.extent[0] == GAUGE_FILE_AXES;
  extents_of(found.extent, out->direction_first, out->extent);
  extents_of(found.extent, true, other);
  if (out->direction_open && memcmp(other, out->extent, sizeof other) != 0)
    return error_set(error, ERROR_FeatureUnsupported,
                     "%s: the direction of its links may be the first or the fifth axis of \"%s\": both have 4 indexes",
                     header->path, found.name);
  memcpy(out->dataset, found.name, sizeof found.name);
  out->is_double = found.is_double;
  return 0;
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

/* The type in memory: pairs of doubles, or doubles. */
static hid_t memory_type(hid_t set)
{
  hid_t stored = H5Dget_type(set), number = hdf5_type("NATIVE_DOUBLE"), out;
  if (H5Tget_class(stored) == H5T_COMPOUND) {
    out = H5Tcreate(H5T_COMPOUND, 2 * sizeof(double));
    for (unsigned i = 0; i < 2; i++) {
      char *name = H5Tget_member_name(stored, i);
      H5Tinsert(out, name, i * sizeof(double), number);
      H5free_memory(name);
    }
  } else {
    out = H5Tcopy(number);
  }
  H5Tclose(stored);
  return out;
}

/* Index `at` of the first axis. */
static int read_slab(hid_t set, hid_t type, size_t at, double *out)
{
  hsize_t start[MOST_RANK] = {at}, count[MOST_RANK];
  hid_t space = H5Dget_space(set);
  int rank = H5Sget_simple_extent_dims(space, count, NULL);
  count[0] = 1;
  hid_t memory = H5Screate_simple(rank, count, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  int status = H5Dread(set, type, memory, space, H5P_DEFAULT, out) < 0 ? -1 : 0;
  H5Sclose(memory);
  H5Sclose(space);
  return status;
}

/* Puts the matrices of a slab, index `first` of the first axis, where they belong. */
static void put_slab(const size_t *extent, bool direction_first, size_t first, const double *slab, double *links)
{
  const size_t n[4] = {direction_first ? extent[0] : extent[3], direction_first ? extent[3] : extent[2],
                       direction_first ? extent[2] : extent[1], direction_first ? extent[1] : GAUGE_FILE_AXES};
  for (size_t i = 0; i < n[0] * n[1] * n[2] * n[3]; i++) {
    const size_t d = i % n[3], c = i / n[3] % n[2], b = i / n[3] / n[2] % n[1], a = i / n[3] / n[2] / n[1];
    const size_t mu = direction_first ? first : d, t = direction_first ? a : first;
    const size_t x = direction_first ? d : c, y = direction_first ? c : b, z = direction_first ? b : a;
    const size_t site = ((t * extent[1] + x) * extent[2] + y) * extent[3] + z;
    memcpy(links + (site * GAUGE_FILE_AXES + (mu + 1) % GAUGE_FILE_AXES) * NUMBERS, slab + i * NUMBERS,
           NUMBERS * sizeof *links);
  }
}

static int read_slabs(hid_t set, const struct gauge_file *file, bool direction_first, double *links)
{
  const size_t count = direction_first ? GAUGE_FILE_AXES : file->extent[0];
  double *slab = malloc(gauge_file_bytes(file, true) / count);
  hid_t type = memory_type(set);
  int status = slab ? 0 : -1;
  for (size_t i = 0; i < count && status == 0; i++) {
    status = read_slab(set, type, i, slab);
    if (status == 0)
      put_slab(file->extent, direction_first, i, slab, links);
  }
  H5Tclose(type);
  free(slab);
  return status;
}

static int read_layout(const char *path, const struct gauge_file *file, bool direction_first, double *links,
                       struct error *error)
{
  netcdf_lock();
  hid_t handle = netcdf_hdf5_open(path), set = handle >= 0 ? H5Dopen2(handle, file->dataset, H5P_DEFAULT) : -1;
  int status = set >= 0 ? read_slabs(set, file, direction_first, links) : -1;
  if (set >= 0)
    H5Dclose(set);
  if (handle >= 0)
    H5Fclose(handle);
  netcdf_unlock();
  return status == 0 ? 0
                     : error_set(error, ERROR_FileContentInvalid, "%s: the links of \"%s\" cannot be read", path,
                                 file->dataset);
}

/* Each site's links take the next direction, so many times. */
static void turn_directions(const struct gauge_file *file, double *links, size_t times)
{
  const size_t site = GAUGE_FILE_AXES * NUMBERS, count = gauge_file_bytes(file, true) / sizeof *links;
  double turned[GAUGE_FILE_AXES * NUMBERS];
  for (size_t at = 0; at < count; at += site) {
    for (size_t mu = 0; mu < GAUGE_FILE_AXES; mu++)
      memcpy(turned + (mu + times) % GAUGE_FILE_AXES * NUMBERS, links + at + mu * NUMBERS, NUMBERS * sizeof *links);
    memcpy(links + at, turned, sizeof turned);
  }
}

/* Whether plaquettes are larger than with the directions turned, by four deviations of random matrices: those of Re Tr
 * / 3 have the variance 1 / 18. Of unit plaquettes none is larger. */
static bool has_plaquettes(const struct gauge_file *file, double *links)
{
  double sites = 1, own = gauge_mean_plaquette(file->extent, links);
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++)
    sites *= (double)file->extent[k];
  turn_directions(file, links, 1);
  double turned = gauge_mean_plaquette(file->extent, links);
  turn_directions(file, links, GAUGE_FILE_AXES - 1);
  return own > 1 - 1e-6 || !(own - turned <= 4 * sqrt(2 / (18 * 6 * sites)));
}

int gauge_hdf5_read(const char *path, const struct gauge_file *file, double *links, struct error *error)
{
  bool fits[2] = {false, false}; /* directions behind the sites, and first */
  for (size_t first = 0; first < 2; first++) {
    if (!file->direction_open && file->direction_first != (first == 1))
      continue;
    if (read_layout(path, file, first == 1, links, error) != 0)
      return -1;
    fits[first] = has_plaquettes(file, links);
  }
  const bool same = gauge_mean_trace(file->extent, links) > 1 - 1e-6; /* unit matrices, wherever they belong */
  if (fits[0] && fits[1] && !same)
    return error_set(error, ERROR_FeatureUnsupported,
                     "%s: the direction of its links may be the first or the fifth axis of \"%s\"", path,
                     file->dataset);
  if (!fits[0] && !fits[1])
    return error_set(
        error, ERROR_FeatureUnsupported,
        "%s: \"%s\" has other axes than t, z, y, x, or other directions than x, y, z, t: its plaquettes are "
        "as small as those of links in any order",
        path, file->dataset);
  return fits[0] && file->direction_open ? read_layout(path, file, false, links, error) : 0;
}
