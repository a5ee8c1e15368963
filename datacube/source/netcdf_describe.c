/* What a netCDF file holds, as one cube.
 *
 * The data variables that share one list of dimensions (netcdf_survey.h) become the bands. */
#include "datacube/source/netcdf_describe.h"

#include "datacube/base/file_refusal.h"
#include "datacube/dap/dap_address.h"
#include "datacube/dap/dap_store.h"
#include "datacube/grib/grib_sections.h"
#include "datacube/grid.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/file_references.h"
#include "datacube/source/netcdf_attribute.h"
#include "datacube/source/netcdf_classic.h"
#include "datacube/source/netcdf_hdf5.h"
#include "datacube/source/netcdf_lock.h"
#include "datacube/source/netcdf_survey.h"
#include "datacube/source/zarr_netcdf.h"

#include <fcntl.h>
#include <math.h>
#include <netcdf.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

const char *netcdf_base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return remote_is(path) ? remote_url(path) : slash != NULL ? slash + 1 : path;
}

static enum element_type meant_type(struct arena *arena, int file, int id, nc_type type)
{
  static const enum element_type types[] = {
      [NC_BYTE] = ELEMENT_I8,    [NC_SHORT] = ELEMENT_I16, [NC_INT] = ELEMENT_I32,    [NC_FLOAT] = ELEMENT_F32,
      [NC_DOUBLE] = ELEMENT_F64, [NC_UBYTE] = ELEMENT_U8,  [NC_USHORT] = ELEMENT_U16, [NC_UINT] = ELEMENT_U32,
      [NC_INT64] = ELEMENT_I64,  [NC_UINT64] = ELEMENT_U64};
  const char *is_unsigned = netcdf_attribute_text(arena, file, id, "_Unsigned");
  const char *meanings = netcdf_attribute_text(arena, file, id, "flag_meanings");
  if (is_unsigned != NULL && strcasecmp(is_unsigned, "true") == 0) {
    if (type == NC_BYTE)
      return ELEMENT_U8;
    if (type == NC_SHORT)
      return ELEMENT_U16;
    if (type == NC_INT)
      return ELEMENT_U32;
    return type == NC_INT64 ? ELEMENT_U64 : types[type];
  }
  if (type == NC_UBYTE && is_unsigned != NULL && strcasecmp(is_unsigned, "false") == 0)
    return ELEMENT_I8;
  if (type == NC_UBYTE && meanings != NULL && strcmp(meanings, "false true") == 0 &&
      netcdf_attribute_number(file, id, "_FillValue", 255) == 255)
    return ELEMENT_BOOLEAN;
  return types[type];
}

/* A fill value of a compound, its real part standing for both. */
static void read_missing_pair(int group, struct netcdf_variable *variable)
{
  double pair[2];
  nc_type type;
  size_t length;
  variable->missing = (struct netcdf_missing){.low = -INFINITY, .high = INFINITY};
  if (nc_inq_att(group, variable->id, "_FillValue", &type, &length) != NC_NOERR || type != variable->nc_type ||
      length != 1 || nc_get_att(group, variable->id, "_FillValue", pair) != NC_NOERR)
    return;
  float part;
  memcpy(&part, pair, sizeof part);
  variable->missing.value[0] = variable->type == ELEMENT_C64 ? (double)part : pair[0];
  variable->missing.count = 1;
}

static int read_storage(struct file_survey *survey, const struct candidate *candidate, struct netcdf_variable *out,
                        struct error *error)
{
  const int group = candidate->group->id;
  out->packing = (struct netcdf_packing){.scale = 1};
  if (candidate->pair != ELEMENT_TYPE_COUNT) {
    out->type = out->unpacked = candidate->pair;
    read_missing_pair(group, out);
    return 0;
  }
  out->type = meant_type(survey->arena, group, candidate->id, candidate->nc_type);
  if (netcdf_packing_read(group, candidate->id, &out->packing, error) != 0 ||
      netcdf_missing_read(group, candidate->id, out->type, &out->packing, &out->missing, error) != 0)
    return -1;
  out->unpacked = netcdf_unpacked_type(out->type, &out->packing);
  return 0;
}

/* The name of a variable's band: its own, with its group where another band has the same. */
static const char *band_name(struct file_survey *survey, const struct candidate *of, const char *name)
{
  for (size_t i = 0; i < survey->candidate_count; i++) {
    const struct candidate *other = &survey->candidates[i];
    char taken[NC_MAX_NAME + 1];
    if (other->group != of->group && netcdf_same_list(other, of) &&
        nc_inq_varname(other->group->id, other->id, taken) == NC_NOERR && strcmp(taken, name) == 0)
      return strcmp(of->group->path, "/") == 0 ? name : arena_printf(survey->arena, "%s/%s", of->group->path + 1, name);
  }
  return name;
}

static int read_variable(struct file_survey *survey, const struct candidate *candidate, struct netcdf_variable *out,
                         struct error *error)
{
  char name[NC_MAX_NAME + 1];
  const int group = candidate->group->id, id = candidate->id;
  if (nc_inq_varname(group, id, name) != NC_NOERR)
    return error_set(error, ERROR_FileContentInvalid, "a variable cannot be read");
  *out = (struct netcdf_variable){.name_in_file = arena_strdup(survey->arena, name),
                                  .group = candidate->group->path,
                                  .id = id,
                                  .nc_type = candidate->nc_type};
  if (out->name_in_file == NULL)
    return error_memory(error);
  out->name = band_name(survey, candidate, out->name_in_file);
  if (out->name == NULL)
    return error_memory(error);
  if (survey->zarr != NULL) {
    out->zarr = zarr_store_find(survey->zarr, out->group, out->name_in_file);
    out->zarr_document = zarr_document(survey->arena, survey->zarr->path, out->zarr);
    if (out->zarr_document == NULL)
      return error_memory(error);
  }
  struct error inner = {0};
  if (read_storage(survey, candidate, out, &inner) != 0)
    return error_set(error, error_code_find(inner.code), "the variable %.80s: %s", name, inner.message);
  out->info = (struct band_info){
      .scale = 1,
      .unit = netcdf_attribute_text(survey->arena, group, id, "units"),
      .long_name = netcdf_attribute_text(survey->arena, group, id, "long_name"),
      .standard_name = netcdf_attribute_text(survey->arena, group, id, "standard_name"),
  };
  if (out->info.unit != NULL && *out->info.unit == '\0')
    out->info.unit = NULL;
  return 0;
}

static int read_crs(struct file_survey *survey, const char *override_crs, const struct candidate *list,
                    struct netcdf_description *out, struct error *error)
{
  if (override_crs != NULL)
    return crs_canonical(survey->arena, override_crs, &out->crs, error);
  if (!out->axes.located)
    return 0;
  out->crs = netcdf_crs(survey->arena, list->group->id, list->id, out->axes.metres);
  if (out->crs == NULL && out->axes.geographic)
    out->crs = "EPSG:4326";
  const bool in_metres = out->crs != NULL && !crs_is_geographic(out->crs) && crs_unit_metres(out->crs) == 1;
  return in_metres ? netcdf_axes_to_metres(survey->arena, &out->axes, error) : 0;
}

/* Where the variables' dimension goes: before y and x, at the end without them, nowhere if the file has bands. */
static size_t insert_place(const struct netcdf_description *description)
{
  size_t place = description->axes.count;
  for (size_t i = description->axes.count; i-- > 0;) {
    const struct dimension *d = &description->axes.dimension[i];
    if (d->type == DIMENSION_SPATIAL && (d->axis == 'x' || d->axis == 'y'))
      place = i;
    if (d->type == DIMENSION_BANDS && description->variable_count == 1)
      return SIZE_MAX;
  }
  return place;
}

static int describe_list(struct file_survey *survey, const struct candidate *list, const char *override_crs,
                         struct netcdf_description *out, struct error *error)
{
  struct netcdf_transform transform;
  const int group = list->group->id;
  const bool has_transform =
      netcdf_has_transform(survey->arena, netcdf_grid_mapping(survey->arena, group, list->id), &transform);
  if (netcdf_axes_read(survey->arena, group, (size_t)list->rank, list->dimension_ids, has_transform ? &transform : NULL,
                       &out->axes, error) != 0 ||
      read_crs(survey, override_crs, list, out, error) != 0)
    return -1;
  out->variables = ARENA_ARRAY(survey->arena, struct netcdf_variable, netcdf_count_like(survey, list));
  if (out->variables == NULL)
    return error_memory(error);
  for (size_t i = 0; i < survey->candidate_count; i++)
    if (netcdf_same_list(&survey->candidates[i], list) &&
        read_variable(survey, &survey->candidates[i], &out->variables[out->variable_count++], error) != 0)
      return -1;
  out->insert = insert_place(out);
  out->title = netcdf_attribute_text(survey->arena, survey->groups[0].id, NC_GLOBAL, "title");
  if (out->title != NULL && *out->title == '\0')
    out->title = NULL;
  return 0;
}

/* An open dataset: a file, or what stands for a hierarchy of Zarr. */
struct dataset {
  int file;
  const struct zarr_store *zarr;
  const char *unreadable; /* an array of it, and why */
};

static int describe_open(struct arena *arena, const struct dataset *dataset, const char *variable,
                         const char *override_crs, struct netcdf_description *out, struct error *error)
{
  struct file_survey survey;
  if (netcdf_survey(arena, dataset->file, &survey, error) != 0)
    return -1;
  survey.zarr = dataset->zarr;
  survey.unreadable = dataset->unreadable != NULL ? dataset->unreadable : survey.unreadable;
  const struct candidate *list = netcdf_choose_list(&survey, variable);
  if (list == NULL && survey.unreadable != NULL)
    return error_set(error, ERROR_FeatureUnsupported, "%s", survey.unreadable);
  if (list == NULL)
    return error_set(error, ERROR_NoDataAvailable, "it has no variable %s",
                     variable != NULL ? variable : "with numbers");
  out->left_out = netcdf_left_out(&survey, list);
  return describe_list(&survey, list, override_crs, out, error);
}

static bool is_regular(const char *path)
{
  struct stat status = {0};
  const int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const bool regular = file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  if (file >= 0)
    close(file);
  return regular;
}

/* Files of other hosts are read by their references, datasets of OPeNDAP by questions, and GRIB wherever it is by
 * references. */
static bool is_hierarchy(const char *path)
{
  return remote_is(path) || zarr_is(path) || grib_is(path);
}

/* Cuts "file:variable" apart where there is no file of the whole name. */
static int split_path(struct arena *arena, const char *path, const char **file, const char **variable,
                      struct error *error)
{
  const char *colon = strrchr(path, ':');
  *variable = NULL;
  *file = arena_strdup(arena, path);
  if (*file != NULL && colon != NULL && !is_regular(path) && !is_hierarchy(path)) {
    *file = arena_strndup(arena, path, (size_t)(colon - path));
    *variable = colon + 1;
  }
  return *file != NULL ? 0 : error_memory(error);
}

/* NetCDF-C would fetch a URL; and its own message for a missing file is poor. */
static int check_path(const char *path, struct error *error)
{
  if (strstr(path, "://") != NULL)
    return error_set(error, ERROR_FileContentInvalid, "%s is no file of this machine", path);
  if (!is_regular(path))
    return error_set(error, ERROR_FileContentInvalid, "%s cannot be opened", netcdf_base_name(path));
  const char *refusal = file_refusal(path);
  if (refusal != NULL)
    return error_set(error, ERROR_FileContentInvalid, "%s cannot be opened: %s", netcdf_base_name(path), refusal);
  if (netcdf_classic_is_truncated(path))
    return error_set(error, ERROR_FileContentInvalid, "%s is truncated", netcdf_base_name(path));
  return 0;
}

static int open_zarr(struct arena *arena, const char *path, struct zarr_store *store, struct dataset *out,
                     struct error *error)
{
  const struct zarr_references *references = NULL;
  const bool is_dap = dap_is(path);
  if (!is_dap && !zarr_is(path) && file_references_table(arena, path, &references, error) != 0)
    return -1;
  if ((is_dap       ? dap_store_read(arena, path, store, error)
       : references ? zarr_store_of(arena, path, references, store, error)
                    : zarr_store_read(arena, path, store, error)) != 0)
    return -1;
  out->zarr = store;
  return zarr_netcdf(arena, store, &out->file, &out->unreadable, error);
}

static int open_netcdf(const char *path, struct dataset *out, struct error *error)
{
  if (netcdf_hdf5_check(path, error) != 0)
    return -1;
  const int status = nc_open(path, NC_NOWRITE, &out->file);
  return status == NC_NOERR
             ? 0
             : error_set(error, ERROR_FileContentInvalid, "it is no readable netCDF file: %s", nc_strerror(status));
}

static int describe_locked(struct arena *arena, const char *variable, const char *override_crs,
                           struct netcdf_description *out, struct error *error)
{
  struct zarr_store *store = ARENA_NEW(arena, struct zarr_store);
  struct dataset dataset = {.zarr = NULL};
  struct error inner = {0};
  if (store == NULL)
    return error_memory(error);
  int result = is_hierarchy(out->path) ? open_zarr(arena, out->path, store, &dataset, &inner)
                                       : open_netcdf(out->path, &dataset, &inner);
  if (result == 0) {
    result = describe_open(arena, &dataset, variable, override_crs, out, &inner);
    nc_close(dataset.file);
  }
  return result == 0
             ? 0
             : error_set(error, error_code_find(inner.code), "%s: %s", netcdf_base_name(out->path), inner.message);
}

int netcdf_describe(struct arena *arena, const char *path, const char *override_crs, struct netcdf_description *out,
                    struct error *error)
{
  const char *variable;
  *out = (struct netcdf_description){0};
  if (split_path(arena, path, &out->path, &variable, error) != 0)
    return -1;
  if (!is_hierarchy(out->path) && check_path(out->path, error) != 0)
    return -1;
  netcdf_lock();
  const int result = describe_locked(arena, variable, override_crs, out, error);
  netcdf_unlock();
  return result;
}

int netcdf_keep_variables(struct arena *arena, struct netcdf_description *description, const char *const *names,
                          size_t count, struct error *error)
{
  struct netcdf_variable *kept = ARENA_ARRAY(arena, struct netcdf_variable, count + 1);
  if (kept == NULL)
    return error_memory(error);
  for (size_t i = 0; i < count; i++) {
    size_t k = 0;
    while (k < description->variable_count && strcmp(description->variables[k].name, names[i]) != 0)
      k++;
    if (k == description->variable_count)
      return error_set(error, ERROR_BandNotAvailable, "the file has no variable \"%.80s\"", names[i]);
    kept[i] = description->variables[k];
  }
  description->variables = kept;
  description->variable_count = count;
  return 0;
}
