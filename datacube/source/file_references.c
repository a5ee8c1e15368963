#include "datacube/source/file_references.h"

#include "datacube/grib/grib_references.h"
#include "datacube/grib/grib_sections.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/classic_references.h"
#include "datacube/source/hdf5_references.h"
#include "datacube/source/zarr_place.h"

#include <string.h>

enum { HEAD_MOST = 1024 };

/* Both formats of HDF5's signature at the beginning; that a user's own bytes come first is rare. */
static int read_open(const struct zarr_file *file, const char *path, const char *target, struct referenced_file *out,
                     struct error *error)
{
  unsigned char head[HEAD_MOST] = {0};
  const size_t many = file->size < sizeof head ? (size_t)file->size : sizeof head;
  if (!zarr_file_read(file, 0, many, head, error))
    return error_is_set(error) ? -1 : error_set(error, ERROR_FileContentInvalid, "it cannot be read");
  if (memcmp(head, "\211HDF\r\n\032\n", 8) == 0)
    return hdf5_references(path, target, out, error);
  if (memcmp(head, "CDF", 3) == 0)
    return classic_references(file, target, out, error);
  if (grib_begins(head, many))
    return grib_references(file, target, out, error);
  return error_set(error, ERROR_FeatureUnsupported,
                   "it is neither HDF5, nor netCDF, nor GRIB: references need one of them");
}

int file_references_read(struct arena *arena, const char *path, const char *target, struct referenced_file *out,
                         struct error *error)
{
  struct zarr_file file;
  referenced_file_init(arena, out);
  const int found = zarr_file_open_path(path, &file, error);
  if (found != 1)
    return found < 0 ? -1 : error_set(error, ERROR_FileNotFound, "it cannot be opened");
  out->state = file.state;
  const int status = read_open(&file, path, target, out, error);
  zarr_file_close(&file);
  return status;
}

int file_references_table(struct arena *arena, const char *path, const struct zarr_references **out,
                          struct error *error)
{
  struct referenced_file *file = ARENA_NEW(arena, struct referenced_file);
  size_t end = remote_is(path) ? strcspn(path, "?#") : strlen(path);
  while (end > 0 && path[end - 1] != '/')
    end--;
  const char *folder = end > 0 ? arena_strndup(arena, path, end) : arena_strdup(arena, "./");
  const char *target = arena_strdup(arena, remote_is(path) ? path : path + end);
  if (!file || !folder || !target)
    return error_memory(error);
  if (file_references_read(arena, path, target, file, error) != 0)
    return -1;
  return referenced_table(file, folder, out, error);
}
