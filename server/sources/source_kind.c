#include "server/sources/source_kind.h"

#include "server/fetch/fetch_s3.h"
#include "datacube/dap/dap_address.h"
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
  static const char *const ends[] = {".tif",  ".tiff",  ".jp2",   ".png", ".nc",      ".nc4", ".h5",   ".hdf5",
                                     ".cdf",  ".zarr",  ".gpkg",  ".fgb", ".parquet", ".csv", ".lime", ".zarr/",
                                     ".grib", ".grib1", ".grib2", ".grb", ".grb1",    ".grb2"};
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

const char *source_web_address(struct arena *arena, const char *address)
{
  const bool is_secure = strncmp(address, "davs://", 7) == 0;
  return is_webdav(address) ? arena_printf(arena, "http%s%s", is_secure ? "s" : "", strchr(address, ':')) : address;
}

static bool is_thredds(const char *address)
{
  return href_is_web(address) && (ends_with(address, "/catalog.xml") || ends_with(address, "/catalog.html"));
}

static bool is_opendap(const char *address)
{
  return dap_is_address(address) && !is_thredds(address);
}

static bool is_esgf(const char *address)
{
  return href_is_web(address) && strstr(address, "/esg-search/search") != NULL;
}

static bool is_replicas(const char *address)
{
  return href_is_web(address) &&
         (ends_with(address, ".meta4") || ends_with(address, ".metalink") || strstr(address, "/replicas/"));
}

/* Items of STAC have the same addresses: these are asked for by the name of the source. */
static bool is_none(const char *address)
{
  (void)address;
  return false;
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

/* As a hierarchy of that address is called (datacube/source/zarr_references.h). */
static int list_references(struct source_session *session, const char *address, struct source_listing *listing,
                           struct error *error)
{
  const char *slash = strrchr(address, '/'), *dot = strrchr(address, '.');
  if (!slash || !dot || dot < slash || strcasecmp(dot, ".json") != 0)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "path",
                           "%s: references are a document whose address ends with .json", address);
  const char *name = arena_printf(session->arena, "%.*s.zarr", (int)(dot - slash - 1), slash + 1);
  const char *place = arena_printf(session->arena, "%s/", address);
  return name && place ? source_listing_add(listing, &(struct listed_file){.name = name, .address = place}, error)
                       : error_memory(error);
}

static const struct source_kind kinds[] = {
    {"opendap", "a dataset of OPeNDAP (DAP 2), by its address (…/dodsC/…, …/opendap/…)", is_opendap,
     list_opendap},
    {"esgf", "the files that a search of ESGF finds (…/esg-search/search?…), by HTTPServer", is_esgf, list_esgf},
    {"rucio", "replicas of files, as Rucio lists them: a metalink or lines of JSON (…/replicas/SCOPE/NAME)",
     is_replicas, list_replicas},
    {"file", "one raster, netCDF or HDF5 file, Zarr hierarchy or file of features", is_data_file, list_file},
    {"references", "a document of references to chunks, as Kerchunk writes them (.json)", is_none, list_references},
    {"s3", "the objects of a bucket below s3://BUCKET/START", is_bucket, list_bucket},
    {"webdav", "the files below a folder of WebDAV (davs://…, or https://… with --source)", is_webdav, list_webdav},
    {"thredds",
     "the files of a THREDDS catalogue (…/catalog.xml) and of those below it, by HTTPServer, else by OPeNDAP",
     is_thredds, list_thredds},
    {"features", "a collection of OGC API Features (…/collections/ID/items): its features are copied", is_none,
     list_features},
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
