/* Data variables of a netCDF file: see the header. */
#include "datacube/source/netcdf_survey.h"

#include "datacube/base/buffer.h"
#include "datacube/source/netcdf_attribute.h"
#include "datacube/source/netcdf_axis.h"
#include "datacube/source/netcdf_hdf5.h"

#include <netcdf.h>
#include <string.h>

enum { VARIABLE_LIMIT = 8192 };

struct group_survey {
  int variable_count;
  bool *is_helper; /* by variable id: bounds, mapping, auxiliary coordinate */
};

static void mark_place(struct file_survey *survey, struct netcdf_place place)
{
  for (size_t g = 0; place.id >= 0 && g < survey->group_count; g++)
    if (survey->groups[g].id == place.group && place.id < survey->group[g].variable_count)
      survey->group[g].is_helper[place.id] = true;
}

static void mark_named(struct file_survey *survey, int group, const char *list)
{
  while (list != NULL && *list != '\0') {
    char name[NC_MAX_NAME + 1];
    list += strspn(list, " \t\n");
    const size_t length = strcspn(list, " \t\n");
    if (length > 0 && length < sizeof name) {
      memcpy(name, list, length);
      name[length] = '\0';
      if (name[length - 1] == ':')
        name[length - 1] = '\0';
      mark_place(survey, netcdf_find(group, name));
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

static void mark_helpers(struct file_survey *survey, size_t g)
{
  static const char *const references[] = {"bounds", "climatology", "coordinates", "grid_mapping", "period_labels"};
  const int group = survey->groups[g].id;
  for (int id = -1; id < survey->group[g].variable_count; id++) /* -1 is NC_GLOBAL */
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++)
      mark_named(survey, group, netcdf_attribute_text(survey->arena, group, id, references[i]));
  for (int id = 0; id < survey->group[g].variable_count; id++) {
    char name[NC_MAX_NAME + 1];
    if (netcdf_attribute_text(survey->arena, group, id, "grid_mapping_name") != NULL ||
        netcdf_attribute_text(survey->arena, group, id, "crs_wkt") != NULL ||
        (nc_inq_varname(group, id, name) == NC_NOERR && is_named_like_bounds(name)))
      survey->group[g].is_helper[id] = true;
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

static bool is_readable(struct file_survey *survey, int group, int id)
{
  char name[NC_MAX_NAME + 1] = "";
  const char *filter = netcdf_missing_filter(group, id, survey->arena);
  if (filter != NULL && survey->unreadable == NULL && nc_inq_varname(group, id, name) == NC_NOERR)
    survey->unreadable =
        arena_printf(survey->arena, "the variable %.80s is compressed with %s, which is not there", name, filter);
  return filter == NULL;
}

static void add_candidate(struct file_survey *survey, size_t g, int id)
{
  const int group = survey->groups[g].id;
  int rank, ids[NC_MAX_VAR_DIMS];
  nc_type type;
  if (nc_inq_varndims(group, id, &rank) != NC_NOERR || rank > CUBE_MAX_DIMENSIONS - 1 ||
      nc_inq_var(group, id, NULL, &type, NULL, ids, NULL) != NC_NOERR)
    return;
  const enum element_type pair = pair_of(group, type);
  const bool number = type != NC_CHAR && type >= NC_BYTE && type <= NC_UINT64;
  if ((!number && pair == ELEMENT_TYPE_COUNT) || survey->group[g].is_helper[id] ||
      is_coordinate(group, id, rank, ids) || !is_readable(survey, group, id))
    return;
  struct candidate *candidate = &survey->candidates[survey->candidate_count++];
  *candidate = (struct candidate){
      .group = &survey->groups[g], .id = id, .nc_type = type, .pair = pair, .rank = rank, .elements = 1};
  bool x = false, y = false;
  for (int i = 0; i < rank; i++) {
    size_t length = 0;
    nc_inq_dimlen(group, ids[i], &length);
    const char role = netcdf_axis_role(survey->arena, group, ids[i]);
    x = x || role == 'x';
    y = y || role == 'y';
    candidate->dimension_ids[i] = ids[i];
    candidate->elements *= (double)length;
  }
  candidate->horizontal = x && y;
  candidate->described = nc_inq_attid(group, id, "units", NULL) == NC_NOERR ||
                         nc_inq_attid(group, id, "standard_name", NULL) == NC_NOERR ||
                         nc_inq_attid(group, id, "long_name", NULL) == NC_NOERR;
}

bool netcdf_same_list(const struct candidate *a, const struct candidate *b)
{
  return a->pair == b->pair && a->rank == b->rank &&
         memcmp(a->dimension_ids, b->dimension_ids, (size_t)a->rank * sizeof(int)) == 0;
}

size_t netcdf_count_like(const struct file_survey *survey, const struct candidate *model)
{
  size_t count = 0;
  for (size_t i = 0; i < survey->candidate_count; i++)
    count += netcdf_same_list(&survey->candidates[i], model);
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

static const struct candidate *best_list(const struct file_survey *survey)
{
  const struct candidate *best = NULL;
  size_t best_count = 0;
  for (size_t i = 0; i < survey->candidate_count; i++) {
    const struct candidate *c = &survey->candidates[i];
    if (best != NULL && netcdf_same_list(best, c))
      continue;
    const size_t count = netcdf_count_like(survey, c);
    if (best == NULL || is_better(c, count, best, best_count)) {
      best = c;
      best_count = count;
    }
  }
  return best;
}

static int survey_group(struct file_survey *survey, size_t g, size_t *total, struct error *error)
{
  struct group_survey *group = &survey->group[g];
  if (nc_inq_nvars(survey->groups[g].id, &group->variable_count) != NC_NOERR ||
      (*total += (size_t)group->variable_count) > VARIABLE_LIMIT)
    return error_set(error, ERROR_FileContentInvalid, "its variables cannot be read, or are more than %d",
                     VARIABLE_LIMIT);
  group->is_helper = ARENA_ARRAY(survey->arena, bool, (size_t)group->variable_count + 1);
  return group->is_helper != NULL ? 0 : error_memory(error);
}

int netcdf_survey(struct arena *arena, int file, struct file_survey *survey, struct error *error)
{
  size_t total = 0;
  *survey = (struct file_survey){.arena = arena};
  if (netcdf_groups(survey->arena, file, &survey->groups, &survey->group_count, error) != 0)
    return -1;
  survey->group = ARENA_ARRAY(survey->arena, struct group_survey, survey->group_count);
  if (survey->group == NULL)
    return error_memory(error);
  for (size_t g = 0; g < survey->group_count; g++)
    if (survey_group(survey, g, &total, error) != 0)
      return -1;
  survey->candidates = ARENA_ARRAY(survey->arena, struct candidate, total + 1);
  if (survey->candidates == NULL)
    return error_memory(error);
  for (size_t g = 0; g < survey->group_count; g++)
    mark_helpers(survey, g);
  for (size_t g = 0; g < survey->group_count; g++)
    for (int id = 0; id < survey->group[g].variable_count; id++)
      add_candidate(survey, g, id);
  return 0;
}

/* The list of dimensions of the variable of that name, or of a path "/group/name". */
static const struct candidate *list_of(const struct file_survey *survey, const char *variable)
{
  const struct netcdf_place place = netcdf_find(survey->groups[0].id, variable);
  for (size_t i = 0; i < survey->candidate_count; i++) {
    const struct candidate *c = &survey->candidates[i];
    char name[NC_MAX_NAME + 1];
    if (place.id >= 0 ? c->group->id == place.group && c->id == place.id
                      : nc_inq_varname(c->group->id, c->id, name) == NC_NOERR && strcmp(name, variable) == 0)
      return c;
  }
  return NULL;
}

const char *netcdf_left_out(const struct file_survey *survey, const struct candidate *list)
{
  struct buffer text = {.limit = 2048};
  for (size_t i = 0; i < survey->candidate_count; i++) {
    const struct candidate *c = &survey->candidates[i];
    bool first = !netcdf_same_list(c, list) && c->rank > 0;
    for (size_t k = 0; k < i && first; k++)
      first = !netcdf_same_list(&survey->candidates[k], c);
    if (!first)
      continue;
    const char *comma = text.length > 0 ? "; " : "";
    char name[NC_MAX_NAME + 1];
    for (size_t k = i; k < survey->candidate_count; k++)
      if (netcdf_same_list(&survey->candidates[k], c) &&
          nc_inq_varname(survey->candidates[k].group->id, survey->candidates[k].id, name) == NC_NOERR) {
        buffer_printf(&text, "%s%s", comma, name);
        comma = ", ";
      }
    for (int d = 0; d < c->rank; d++)
      if (nc_inq_dimname(c->group->id, c->dimension_ids[d], name) == NC_NOERR)
        buffer_printf(&text, "%s%s", d == 0 ? " (" : ", ", name);
    buffer_text(&text, ")");
  }
  if (survey->unreadable != NULL)
    buffer_printf(&text, "%s%s", text.length > 0 ? "; " : "", survey->unreadable);
  const char *out = text.length > 0 && !text.failed ? arena_strdup(survey->arena, text.data) : NULL;
  buffer_free(&text);
  return out;
}

const struct candidate *netcdf_choose_list(const struct file_survey *survey, const char *name)
{
  return name != NULL ? list_of(survey, name) : best_list(survey);
}
