#include "server/sources/source_kind.h"

#include "server/fetch/fetch_s3.h"
#include "stac/href.h"

#include <string.h>
#include <strings.h>

static bool ends_with(const char *address, const char *end)
{
  const size_t length = strcspn(address, fetch_s3_is(address) ? "" : "?#"), tail = strlen(end);
  return length > tail && strncasecmp(address + length - tail, end, tail) == 0;
}

static bool is_data_file(const char *address)
{
  static const char *const ends[] = {".tif", ".tiff", ".jp2",  ".png", ".nc",      ".nc4", ".h5",   ".hdf5",
                                     ".cdf", ".zarr", ".gpkg", ".fgb", ".parquet", ".csv", ".lime", ".zarr/"};
  for (size_t i = 0; href_is_web(address) && i < sizeof ends / sizeof ends[0]; i++)
    if (ends_with(address, ends[i]))
      return true;
  return false;
}

static bool is_bucket(const char *address)
{
  return fetch_s3_is(address) && !ends_with(address, ".json");
}

static bool is_webdav(const char *address)
{
  return strncmp(address, "davs://", 7) == 0 || strncmp(address, "dav://", 6) == 0;
}

static bool is_any(const char *address)
{
  (void)address;
  return true;
}

static int list_file(struct source_session *session, const char *address, struct source_listing *listing,
                     struct error *error)
{
  size_t length = strcspn(address, fetch_s3_is(address) ? "" : "?#");
  while (length > 0 && address[length - 1] == '/')
    length--;
  size_t start = length;
  while (start > 0 && address[start - 1] != '/')
    start--;
  const char *name = arena_strndup(session->arena, address + start, length - start);
  return name ? source_listing_add(listing, &(struct listed_file){.name = name, .address = address}, error)
              : error_memory(error);
}

static const struct source_kind kinds[] = {
    {"file", "one raster, netCDF or HDF5 file, Zarr hierarchy or file of features", is_data_file, list_file},
    {"s3", "the objects of a bucket below s3://BUCKET/START", is_bucket, list_bucket},
    {"webdav", "the files below a folder of WebDAV (davs://…, or https://… with --source)", is_webdav, list_webdav},
    {"stac", "a STAC document of this machine or of another host: catalogue, collection, items, API", is_any, NULL},
};

const struct source_kind *source_kind_at(size_t index)
{
  return index < sizeof kinds / sizeof kinds[0] ? &kinds[index] : NULL;
}

const struct source_kind *source_kind_named(const char *name)
{
  for (size_t i = 0; source_kind_at(i); i++)
    if (strcmp(kinds[i].name, name) == 0)
      return &kinds[i];
  return NULL;
}

const struct source_kind *source_kind_of(const char *address)
{
  size_t i = 0;
  while (!kinds[i].fits(address))
    i++;
  return &kinds[i];
}
