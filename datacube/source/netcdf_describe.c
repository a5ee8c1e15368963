/* What a netCDF file holds, as one cube.
 *
 * Data variables are numeric variables of the root group that are no coordinate, bounds, grid mapping or auxiliary
 * coordinate. Those that share one list of dimensions become the bands: lists with x and y come first, then the list
 * with the most variables, then one whose first variable says what it is, then the largest, then the first. */
#include "datacube/source/netcdf_describe.h"

#include "datacube/grid.h"
#include "datacube/source/netcdf_attribute.h"
#include "datacube/source/netcdf_classic.h"
#include "datacube/source/netcdf_lock.h"

#include <fcntl.h>
#include <math.h>
#include <netcdf.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VARIABLE_LIMIT = 8192 };

struct candidate { /* one data variable */
  int id;
  nc_type type;
  enum element_type pair; /* of a compound of two floats: complex; ELEMENT_TYPE_COUNT: a plain number */
  int rank;
  int dimension_ids[CUBE_MAX_DIMENSIONS];
  bool horizontal; /* has x and y */
  bool described;  /* says what it is */
  double elements;
};

struct file_survey { /* of one open file */
  struct arena *arena;
  int file;
  int variable_count;
  bool *is_helper; /* by variable id: bounds, mapping, auxiliary coordinate */
  struct candidate *candidates;
  size_t candidate_count;
};

const char *netcdf_base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static void mark_named(struct file_survey *survey, const char *list)
{
  while (list != NULL && *list != '\0') {
    char name[NC_MAX_NAME + 1];
    int id;
    list += strspn(list, " \t\n");
    const size_t length = strcspn(list, " \t\n");
    if (length > 0 && length < sizeof name) {
      memcpy(name, list, length);
      name[length] = '\0';
      if (name[length - 1] == ':')
        name[length - 1] = '\0';
      if (nc_inq_varid(survey->file, name, &id) == NC_NOERR && id < survey->variable_count)
        survey->is_helper[id] = true;
    }
    list += length;
  }
}

/* "time_bnds", "bounds_time": bounds that no coordinate names. */
static bool is_named_like_bounds(const char *name)
{
  static const char *const endings[] = {"_bnds", "_bounds", "_bnd"};
  const size_t length = strlen(name);
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
    const size_t n = strlen(endings[i]);
    if (length > n && strcmp(name + length - n, endings[i]) == 0)
      return true;
  }
  return strncmp(name, "bounds_", 7) == 0;
}

static void mark_helpers(struct file_survey *survey)
{
  static const char *const references[] = {"bounds", "climatology", "coordinates", "grid_mapping", "period_labels"};
  for (int id = -1; id < survey->variable_count; id++) /* -1 is NC_GLOBAL */
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++)
      mark_named(survey, netcdf_attribute_text(survey->arena, survey->file, id, references[i]));
  for (int id = 0; id < survey->variable_count; id++) {
    char name[NC_MAX_NAME + 1];
    if (netcdf_attribute_text(survey->arena, survey->file, id, "grid_mapping_name") != NULL ||
        netcdf_attribute_text(survey->arena, survey->file, id, "crs_wkt") != NULL ||
        (nc_inq_varname(survey->file, id, name) == NC_NOERR && is_named_like_bounds(name)))
      survey->is_helper[id] = true;
  }
}

static bool is_coordinate(int file, int id, int rank, const int *dimension_ids)
{
  char variable[NC_MAX_NAME + 1], dimension[NC_MAX_NAME + 1];
  return rank == 1 && nc_inq_varname(file, id, variable) == NC_NOERR &&
         nc_inq_dimname(file, dimension_ids[0], dimension) == NC_NOERR && strcmp(variable, dimension) == 0;
}

/* The complex type of a compound of a real and an imaginary part; ELEMENT_TYPE_COUNT for all others. */
static enum element_type pair_of(int file, nc_type type)
{
  size_t size, count, offset[2];
  nc_type part[2];
  if (type <= NC_MAX_ATOMIC_TYPE || nc_inq_compound(file, type, NULL, &size, &count) != NC_NOERR || count != 2)
    return ELEMENT_TYPE_COUNT;
  for (int i = 0; i < 2; i++) {
    int rank = 0;
    if (nc_inq_compound_field(file, type, i, NULL, &offset[i], &part[i], &rank, NULL) != NC_NOERR || rank != 0)
      return ELEMENT_TYPE_COUNT;
  }
  if (part[0] != part[1] || offset[0] != 0 || offset[1] != size / 2)
    return ELEMENT_TYPE_COUNT;
  return part[0] == NC_FLOAT && size == 8     ? ELEMENT_C64
         : part[0] == NC_DOUBLE && size == 16 ? ELEMENT_C128
                                              : ELEMENT_TYPE_COUNT;
}

static void add_candidate(struct file_survey *survey, int id)
{
  int rank, ids[NC_MAX_VAR_DIMS];
  nc_type type;
  if (nc_inq_varndims(survey->file, id, &rank) != NC_NOERR || rank > CUBE_MAX_DIMENSIONS - 1 ||
      nc_inq_var(survey->file, id, NULL, &type, NULL, ids, NULL) != NC_NOERR)
    return;
  const enum element_type pair = pair_of(survey->file, type);
  const bool number = type != NC_CHAR && type >= NC_BYTE && type <= NC_UINT64;
  if ((!number && pair == ELEMENT_TYPE_COUNT) || survey->is_helper[id] || is_coordinate(survey->file, id, rank, ids))
    return;
  struct candidate *candidate = &survey->candidates[survey->candidate_count++];
  *candidate = (struct candidate){.id = id, .type = type, .pair = pair, .rank = rank, .elements = 1};
  bool x = false, y = false;
  for (int i = 0; i < rank; i++) {
    size_t length = 0;
    nc_inq_dimlen(survey->file, ids[i], &length);
    const char role = netcdf_axis_role(survey->arena, survey->file, ids[i]);
    x = x || role == 'x';
    y = y || role == 'y';
    candidate->dimension_ids[i] = ids[i];
    candidate->elements *= (double)length;
  }
  candidate->horizontal = x && y;
  candidate->described = nc_inq_attid(survey->file, id, "units", NULL) == NC_NOERR ||
                         nc_inq_attid(survey->file, id, "standard_name", NULL) == NC_NOERR ||
                         nc_inq_attid(survey->file, id, "long_name", NULL) == NC_NOERR;
}

static bool same_list(const struct candidate *a, const struct candidate *b)
{
  return a->pair == b->pair && a->rank == b->rank &&
         memcmp(a->dimension_ids, b->dimension_ids, (size_t)a->rank * sizeof(int)) == 0;
}

static size_t count_like(const struct file_survey *survey, const struct candidate *model)
{
  size_t count = 0;
  for (size_t i = 0; i < survey->candidate_count; i++)
    count += same_list(&survey->candidates[i], model);
  return count;
}

static bool is_better(const struct candidate *a, size_t a_count, const struct candidate *b, size_t b_count)
{
  if (a->horizontal != b->horizontal)
    return a->horizontal;
  if ((a->rank > 0) != (b->rank > 0))
    return a->rank > 0;
  if (a_count != b_count)
    return a_count > b_count;
  if (a->described != b->described)
    return a->described;
  return a->elements > b->elements;
}

/* The first variable with the list of dimensions that makes the cube; NULL where there is no data variable. */
static const struct candidate *choose_list(const struct file_survey *survey)
{
  const struct candidate *best = NULL;
  size_t best_count = 0;
  for (size_t i = 0; i < survey->candidate_count; i++) {
    const struct candidate *c = &survey->candidates[i];
    if (best != NULL && same_list(best, c))
      continue;
    const size_t count = count_like(survey, c);
    if (best == NULL || is_better(c, count, best, best_count)) {
      best = c;
      best_count = count;
    }
  }
  return best;
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

/* A stored no-data value in the type that is meant: -1 in an unsigned short is 65535. */
static double in_type(enum element_type type, double value)
{
  const struct element_info *info = element_info(type);
  if (type == ELEMENT_F32)
    return (double)(float)value;
  if (!info->is_float && !info->is_signed && value < 0 && info->size < 8)
    return value + ldexp(1, (int)(8 * info->size));
  return value;
}

/* A fill value of a compound, its real part standing for both. */
static void read_missing_pair(int file, struct netcdf_variable *variable)
{
  double pair[2];
  nc_type type;
  size_t length;
  if (nc_inq_att(file, variable->id, "_FillValue", &type, &length) != NC_NOERR || type != variable->nc_type ||
      length != 1 || nc_get_att(file, variable->id, "_FillValue", pair) != NC_NOERR)
    return;
  float part;
  memcpy(&part, pair, sizeof part);
  variable->missing[0] = variable->type == ELEMENT_C64 ? (double)part : pair[0];
  variable->missing_count = 1;
}

static void read_missing(int file, struct netcdf_variable *variable)
{
  static const char *const names[] = {"_FillValue", "missing_value"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    double value;
    if (netcdf_attribute_numbers(file, variable->id, names[i], &value, 1) != 1)
      continue;
    value = in_type(variable->type, value);
    const bool known =
        variable->missing_count > 0 && (variable->missing[0] == value || (isnan(value) && isnan(variable->missing[0])));
    if (!known && element_holds(variable->type, value))
      variable->missing[variable->missing_count++] = value;
  }
}

static int read_variable(struct file_survey *survey, const struct candidate *candidate, struct netcdf_variable *out,
                         struct error *error)
{
  char name[NC_MAX_NAME + 1];
  if (nc_inq_varname(survey->file, candidate->id, name) != NC_NOERR)
    return error_set(error, ERROR_FileContentInvalid, "a variable cannot be read");
  const int file = survey->file, id = candidate->id;
  *out = (struct netcdf_variable){.name = arena_strdup(survey->arena, name), .id = id, .nc_type = candidate->type};
  if (out->name == NULL)
    return error_memory(error);
  const bool is_pair = candidate->pair != ELEMENT_TYPE_COUNT;
  out->type = is_pair ? candidate->pair : meant_type(survey->arena, file, id, candidate->type);
  out->info = (struct band_info){
      .scale = netcdf_attribute_number(file, id, "scale_factor", 1),
      .offset = netcdf_attribute_number(file, id, "add_offset", 0),
      .unit = netcdf_attribute_text(survey->arena, file, id, "units"),
      .long_name = netcdf_attribute_text(survey->arena, file, id, "long_name"),
      .standard_name = netcdf_attribute_text(survey->arena, file, id, "standard_name"),
  };
  if (out->info.unit != NULL && *out->info.unit == '\0')
    out->info.unit = NULL;
  (is_pair ? read_missing_pair : read_missing)(file, out);
  return 0;
}

static int read_crs(struct file_survey *survey, const char *override_crs, int variable, struct netcdf_description *out,
                    struct error *error)
{
  if (override_crs != NULL)
    return crs_canonical(survey->arena, override_crs, &out->crs, error);
  if (!out->axes.located)
    return 0;
  out->crs = netcdf_crs(survey->arena, survey->file, variable, out->axes.metres);
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
  const bool has_transform = netcdf_has_transform(
      survey->arena, survey->file, netcdf_grid_mapping(survey->arena, survey->file, list->id), &transform);
  if (netcdf_axes_read(survey->arena, survey->file, (size_t)list->rank, list->dimension_ids,
                       has_transform ? &transform : NULL, &out->axes, error) != 0 ||
      read_crs(survey, override_crs, list->id, out, error) != 0)
    return -1;
  out->variables = ARENA_ARRAY(survey->arena, struct netcdf_variable, count_like(survey, list));
  if (out->variables == NULL)
    return error_memory(error);
  for (size_t i = 0; i < survey->candidate_count; i++)
    if (same_list(&survey->candidates[i], list) &&
        read_variable(survey, &survey->candidates[i], &out->variables[out->variable_count++], error) != 0)
      return -1;
  out->insert = insert_place(out);
  out->title = netcdf_attribute_text(survey->arena, survey->file, NC_GLOBAL, "title");
  if (out->title != NULL && *out->title == '\0')
    out->title = NULL;
  return 0;
}

static int survey_file(struct file_survey *survey, struct error *error)
{
  if (nc_inq_nvars(survey->file, &survey->variable_count) != NC_NOERR || survey->variable_count > VARIABLE_LIMIT)
    return error_set(error, ERROR_FileContentInvalid, "its variables cannot be read");
  survey->is_helper = ARENA_ARRAY(survey->arena, bool, (size_t)survey->variable_count + 1);
  survey->candidates = ARENA_ARRAY(survey->arena, struct candidate, (size_t)survey->variable_count + 1);
  if (survey->is_helper == NULL || survey->candidates == NULL)
    return error_memory(error);
  mark_helpers(survey);
  for (int id = 0; id < survey->variable_count; id++)
    add_candidate(survey, id);
  return 0;
}

static int describe_open(struct arena *arena, int file, const char *override_crs, struct netcdf_description *out,
                         struct error *error)
{
  struct file_survey survey = {.arena = arena, .file = file};
  if (survey_file(&survey, error) != 0)
    return -1;
  const struct candidate *list = choose_list(&survey);
  if (list == NULL)
    return error_set(error, ERROR_NoDataAvailable, "it has no variable with numbers");
  return describe_list(&survey, list, override_crs, out, error);
}

/* NetCDF-C would fetch a URL; and its own message for a missing file is poor. */
static int check_path(const char *path, struct error *error)
{
  if (strstr(path, "://") != NULL)
    return error_set(error, ERROR_FileContentInvalid, "%s is no file of this machine", path);
  struct stat status = {0};
  const int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const bool regular = file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  if (file >= 0)
    close(file);
  if (!regular)
    return error_set(error, ERROR_FileContentInvalid, "%s cannot be opened", netcdf_base_name(path));
  if (netcdf_classic_is_truncated(path))
    return error_set(error, ERROR_FileContentInvalid, "%s is truncated", netcdf_base_name(path));
  return 0;
}

int netcdf_describe(struct arena *arena, const char *path, const char *override_crs, struct netcdf_description *out,
                    struct error *error)
{
  int file;
  struct error inner = {0};
  *out = (struct netcdf_description){0};
  if (check_path(path, error) != 0)
    return -1;
  netcdf_lock();
  const int status = nc_open(path, NC_NOWRITE, &file);
  if (status != NC_NOERR) {
    netcdf_unlock();
    return error_set(error, ERROR_FileContentInvalid, "%s is no readable netCDF file: %s", netcdf_base_name(path),
                     nc_strerror(status));
  }
  const int result = describe_open(arena, file, override_crs, out, &inner);
  nc_close(file);
  netcdf_unlock();
  return result == 0 ? 0
                     : error_set(error, error_code_find(inner.code), "%s: %s", netcdf_base_name(path), inner.message);
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
