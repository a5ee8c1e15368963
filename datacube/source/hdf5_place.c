/* Places of chunks: the library tells them only by going through the whole index (H5Dget_chunk_info), but it looks one
 * up to read its bytes (H5Dread_chunk). So the file is read by a driver of our own: while a place is wanted it notes
 * what it is told to read, and reads nothing. See the header. */
#include "datacube/source/hdf5_place.h"

#include "datacube/remote/remote_file.h"
#include "datacube/source/hdf5_type.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if __has_include(<H5FDdevelop.h>) /* drivers since HDF5 1.14 */
#include <H5FDdevelop.h>
#endif

enum { HEADERS_AHEAD = 32768 }; /* bytes of a file of another host that come with a header */

struct opening { /* the driver's own property of a file's opening, copied by the library */
  struct remote_file *remote;
  struct error *error;
};

struct placed_file {
  H5FD_t base; /* the library's own part, first */
  int descriptor;
  struct remote_file *remote; /* or NULL: then it has the descriptor */
  struct error *error;        /* of it */
  bool owns_remote;           /* closes it */
  haddr_t end, used;          /* bytes of the file, and those that the library takes for its own */
  bool notes;                 /* raw data are noted, not read */
  bool noted;
  struct hdf5_place place;
};

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
  struct stat status;
  const struct opening *opening = H5Pget_driver_info(access);
  (void)most;
  struct placed_file *f = (flags & H5F_ACC_RDWR) == 0 ? calloc(1, sizeof *f) : NULL;
  if (f == NULL || opening == NULL) {
    free(f);
    return NULL;
  }
  if (opening->remote) {
    f->remote = opening->remote;
    f->error = opening->error;
    f->descriptor = -1;
    f->end = (haddr_t)remote_size(f->remote);
    return &f->base;
  }
  f->descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (f->descriptor >= 0 && fstat(f->descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    f->end = (haddr_t)status.st_size;
    return &f->base;
  }
  if (f->descriptor >= 0)
    close(f->descriptor);
  free(f);
  return NULL;
}

static herr_t driver_close(H5FD_t *base)
{
  struct placed_file *f = (struct placed_file *)base;
  const int status = f->remote ? 0 : close(f->descriptor);
  if (f->owns_remote)
    remote_close(f->remote);
  free(f);
  return status == 0 ? 0 : -1;
}

static herr_t driver_query(const H5FD_t *base, unsigned long *flags)
{
  (void)base;
  *flags = H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE;
  return 0;
}

static haddr_t driver_used(const H5FD_t *base, H5FD_mem_t type)
{
  (void)type;
  return ((const struct placed_file *)base)->used;
}

static herr_t driver_use(H5FD_t *base, H5FD_mem_t type, haddr_t used)
{
  (void)type;
  ((struct placed_file *)base)->used = used;
  return 0;
}

static haddr_t driver_end(const H5FD_t *base, H5FD_mem_t type)
{
  (void)type;
  return ((const struct placed_file *)base)->end;
}

static herr_t driver_handle(H5FD_t *base, hid_t access, void **out)
{
  (void)access;
  *out = base;
  return 0;
}

static herr_t driver_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t length, void *out)
{
  struct placed_file *f = (struct placed_file *)base;
  unsigned char *to = out;
  (void)transfer;
  if (f->notes && type == H5FD_MEM_DRAW) {
    f->place = (struct hdf5_place){.at = at, .length = length};
    f->noted = true;
    return 0;
  }
  if (f->remote && at < f->end) {
    const struct remote_range range = {at, length > HEADERS_AHEAD || type == H5FD_MEM_DRAW ? length : HEADERS_AHEAD};
    if (remote_need(f->remote, &range, 1, f->error) != 0)
      return -1;
  }
  while (length > 0) {
    const ssize_t got =
        f->remote ? remote_read(f->remote, to, length, at) : pread(f->descriptor, to, length, (off_t)at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -1;
    if (got == 0) { /* the library reads beyond the end where it looks for what may be there */
      memset(to, 0, length);
      return 0;
    }
    to += got;
    at += (haddr_t)got;
    length -= (size_t)got;
  }
  return 0;
}

static herr_t driver_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t length, const void *from)
{
  (void)base, (void)type, (void)transfer, (void)at, (void)length, (void)from;
  return -1;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    .value = H5_VFD_RESERVED + 1, /* none but this program's files have it */
#endif
    .name = "twincube_places",
    .maxaddr = HADDR_MAX,
    .fc_degree = H5F_CLOSE_SEMI,
    .fapl_size = sizeof(struct opening),
    .open = driver_open,
    .close = driver_close,
    .query = driver_query,
    .get_eoa = driver_used,
    .set_eoa = driver_use,
    .get_eof = driver_end,
    .get_handle = driver_handle,
    .read = driver_read,
    .write = driver_write,
    .fl_map = H5FD_FLMAP_DICHOTOMY};

static struct placed_file *file_of(hid_t file)
{
  void *handle = NULL;
  return H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 ? handle : NULL;
}

hid_t hdf5_place_open(const char *path, struct error *error)
{
  struct opening opening = {.error = error};
  if (remote_is(path) && remote_open(path, &opening.remote, error) != 0)
    return H5I_INVALID_HID;
  const hid_t access = H5Pcreate(hdf5_property_class("FILE_ACCESS")), id = H5FDregister(&driver);
  hid_t file = -1;
  if (id >= 0 && access >= 0 && H5Pset_driver(access, id, &opening) >= 0)
    file = H5Fopen(path, H5F_ACC_RDONLY, access);
  if (access >= 0)
    H5Pclose(access);
  if (id >= 0 && file < 0)
    H5FDunregister(id);
  struct placed_file *f = file >= 0 ? file_of(file) : NULL;
  if (f)
    f->owns_remote = f->remote != NULL;
  else
    remote_close(opening.remote);
  return file;
}

/* The library lets go of its driver before it calls it for the last time. */
void hdf5_place_close(hid_t file)
{
  const struct placed_file *f = file_of(file);
  const hid_t id = f != NULL ? f->base.driver_id : H5I_INVALID_HID;
  H5Fclose(file);
  if (id >= 0)
    H5FDunregister(id);
}

uint64_t hdf5_place_size(hid_t file)
{
  const struct placed_file *f = file_of(file);
  return f != NULL ? f->end : 0;
}

int hdf5_place_descriptor(hid_t file)
{
  const struct placed_file *f = file_of(file);
  if (f != NULL && f->remote)
    return remote_descriptor(f->remote, f->error);
  return f != NULL ? f->descriptor : -1;
}

/* The library tells no size of a chunk that was never written, but reads its elements; where the index is damaged, it
 * does neither. */
static bool is_absent(hid_t dataset, const hsize_t *offset)
{
  hsize_t one[H5S_MAX_RANK];
  unsigned char element[16]; /* those of chunks whose places are wanted have 8 at most */
  const hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
  const int rank = H5Sget_simple_extent_ndims(space);
  for (int d = 0; d < rank; d++)
    one[d] = 1;
  const hid_t memory = rank > 0 ? H5Screate_simple(rank, one, NULL) : H5I_INVALID_HID;
  const bool done = memory >= 0 && H5Tget_size(type) <= sizeof element &&
                    H5Sselect_hyperslab(space, H5S_SELECT_SET, offset, NULL, one, NULL) >= 0 &&
                    H5Dread(dataset, type, memory, space, H5P_DEFAULT, element) >= 0;
  if (memory >= 0)
    H5Sclose(memory);
  if (type >= 0)
    H5Tclose(type);
  if (space >= 0)
    H5Sclose(space);
  return done;
}

int hdf5_place_find(hid_t file, hid_t dataset, const hsize_t *offset, struct hdf5_place *out)
{
  struct placed_file *f = file_of(file);
  unsigned char none[1]; /* nothing is read into it */
  hsize_t length = 0;
  uint32_t mask = 0;
  *out = (struct hdf5_place){0};
  if (f == NULL)
    return -1;
  if (H5Dget_chunk_storage_size(dataset, offset, &length) < 0)
    return is_absent(dataset, offset) ? 0 : -1;
  if (length == 0)
    return 0;
  f->notes = true;
  f->noted = false;
  const herr_t status = H5Dread_chunk(dataset, H5P_DEFAULT, offset, &mask, none);
  f->notes = false;
  if (status < 0 || !f->noted || f->place.length != length)
    return -1;
  *out = f->place;
  out->mask = mask;
  return 0;
}
