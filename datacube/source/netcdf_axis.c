/* Dimensions of a netCDF file as dimensions of a cube (CF conventions 1.10, chapters 4 and 5).
 *
 * The label of a dimension is its coordinate variable: the one-dimensional variable of its name. x and y keep the order
 * of the file, ascending or descending; where they are not evenly spaced they become number labels. */
#include "datacube/source/netcdf_axis.h"

#include "datacube/source/netcdf_attribute.h"
#include "datacube/source/netcdf_group.h"
#include "datacube/source/netcdf_missing.h"
#include "datacube/source/netcdf_time.h"

#include <math.h>
#include <netcdf.h>
#include <string.h>
#include <strings.h>

enum { LABEL_LIMIT = 1 << 26 }; /* labels of one dimension */

/* What tells the role of a coordinate, one row a text; "*" in front: any text that ends so. */
static const struct clue {
  const char *attribute, *text;
  char role;
} clues[] = {
    {"axis", "X", 'x'},
    {"axis", "Y", 'y'},
    {"axis", "Z", 'z'},
    {"axis", "T", 't'},
    {"standard_name", "projection_x_coordinate", 'x'},
    {"standard_name", "projection_y_coordinate", 'y'},
    {"standard_name", "longitude", 'x'},
    {"standard_name", "latitude", 'y'},
    {"standard_name", "grid_longitude", 'x'},
    {"standard_name", "grid_latitude", 'y'},
    {"standard_name", "time", 't'},
    {"_CoordinateAxisType", "GeoX", 'x'},
    {"_CoordinateAxisType", "GeoY", 'y'},
    {"_CoordinateAxisType", "Lon", 'x'},
    {"_CoordinateAxisType", "Lat", 'y'},
    {"_CoordinateAxisType", "Time", 't'},
    {"units", "degrees_east", 'x'},
    {"units", "degree_east", 'x'},
    {"units", "degrees_E", 'x'},
    {"units", "degree_E", 'x'},
    {"units", "degrees_north", 'y'},
    {"units", "degree_north", 'y'},
    {"units", "degrees_N", 'y'},
    {"units", "degree_N", 'y'},
};

static const struct {
  const char *name;
  char role;
} usual_names[] = {
    {"x", 'x'},   {"lon", 'x'},      {"long", 'x'},     {"longitude", 'x'}, {"easting", 'x'}, {"y", 'y'},
    {"lat", 'y'}, {"latitude", 'y'}, {"northing", 'y'}, {"t", 't'},         {"time", 't'},
};

/* The coordinate variable of a dimension, seen from a group; id -1 where there is none. */
static struct netcdf_place coordinate_of(int group, int dimension_id, nc_type *type)
{
  const struct netcdf_place none = {.group = group, .id = -1};
  char name[NC_MAX_NAME + 1];
  int rank, ids[NC_MAX_VAR_DIMS];
  if (nc_inq_dimname(group, dimension_id, name) != NC_NOERR)
    return none;
  const struct netcdf_place place = netcdf_find(group, name);
  if (place.id < 0 || nc_inq_var(place.group, place.id, NULL, type, &rank, ids, NULL) != NC_NOERR)
    return none;
  const bool characters = *type == NC_CHAR && rank == 2;
  return (rank == 1 || characters) && ids[0] == dimension_id ? place : none;
}

static bool is_number(nc_type type)
{
  return type >= NC_BYTE && type <= NC_UINT64 && type != NC_CHAR;
}

char netcdf_axis_role(struct arena *arena, int group, int dimension_id)
{
  char name[NC_MAX_NAME + 1] = "";
  nc_type type = NC_NAT;
  const struct netcdf_place place = coordinate_of(group, dimension_id, &type);
  const int file = place.group, variable = place.id;
  if (variable >= 0 && !is_number(type))
    return 0;
  for (size_t i = 0; variable >= 0 && i < sizeof clues / sizeof clues[0]; i++) {
    const char *text = netcdf_attribute_text(arena, file, variable, clues[i].attribute);
    if (text != NULL && strcasecmp(text, clues[i].text) == 0)
      return clues[i].role;
  }
  if (variable >= 0 && netcdf_is_time_units(netcdf_attribute_text(arena, file, variable, "units")))
    return 't';
  if (nc_inq_dimname(file, dimension_id, name) != NC_NOERR)
    return 0;
  for (size_t i = 0; i < sizeof usual_names / sizeof usual_names[0]; i++)
    if (strcasecmp(name, usual_names[i].name) == 0 && (usual_names[i].role != 't' || variable < 0))
      return usual_names[i].role;
  return 0;
}

static const char *const *string_texts(struct arena *arena, int file, int variable, size_t size)
{
  const char **texts = ARENA_ARRAY(arena, const char *, size);
  for (size_t i = 0; texts != NULL && i < size; i++) {
    char *string = NULL;
    if (nc_get_var1_string(file, variable, &i, &string) != NC_NOERR)
      return NULL;
    texts[i] = arena_strdup(arena, string != NULL ? string : "");
    nc_free_string(1, &string);
    if (texts[i] == NULL)
      return NULL;
  }
  return texts;
}

static const char *const *character_texts(struct arena *arena, int file, int variable, size_t size, size_t width)
{
  const char **texts = ARENA_ARRAY(arena, const char *, size);
  char *row = arena_alloc(arena, width + 1);
  for (size_t i = 0; texts != NULL && row != NULL && i < size; i++) {
    const size_t start[2] = {i, 0}, count[2] = {1, width};
    if (nc_get_vara_text(file, variable, start, count, row) != NC_NOERR)
      return NULL;
    size_t length = strnlen(row, width);
    while (length > 0 && row[length - 1] == ' ')
      length--;
    texts[i] = arena_strndup(arena, row, length);
    if (texts[i] == NULL)
      return NULL;
  }
  return row != NULL ? texts : NULL;
}

const char *const *netcdf_texts(struct arena *arena, int file, int variable, int dimension_id, size_t size)
{
  nc_type type;
  int rank, ids[NC_MAX_VAR_DIMS];
  size_t width;
  if (nc_inq_var(file, variable, NULL, &type, &rank, ids, NULL) != NC_NOERR || rank < 1 || ids[0] != dimension_id)
    return NULL;
  if (type == NC_STRING && rank == 1)
    return string_texts(arena, file, variable, size);
  if (type == NC_CHAR && rank == 2 && nc_inq_dimlen(file, ids[1], &width) == NC_NOERR && width <= 4096)
    return character_texts(arena, file, variable, size, width);
  return NULL;
}

/* One dimension on its way: where its labels are and what they mean. */
struct axis {
  struct arena *arena;
  int id;
  int file, variable; /* the coordinate, of the group `file`; -1 none */
  nc_type type;
  size_t size;
  char role;
  const double *values; /* of a numeric coordinate, else NULL */
};

/* Stored numbers of a coordinate or its bounds become what they mean. Bounds take after their coordinate where they say
 * nothing themselves (CF 7.1). */
static int unpack(const struct axis *axis, int group, int variable, double *values, size_t count, struct error *error)
{
  struct netcdf_packing packing;
  nc_type type = NC_NAT;
  const bool says = nc_inq_attid(group, variable, "scale_factor", NULL) == NC_NOERR ||
                    nc_inq_attid(group, variable, "add_offset", NULL) == NC_NOERR;
  nc_inq_vartype(group, variable, &type);
  const bool own = says || type != axis->type;
  const int from_group = own ? group : axis->file, from = own ? variable : axis->variable;
  if (netcdf_packing_read(from_group, from, &packing, error) != 0)
    return -1;
  const char *is_unsigned = netcdf_attribute_text(axis->arena, from_group, from, "_Unsigned");
  const double turn = is_unsigned == NULL || strcasecmp(is_unsigned, "true") != 0 ? 0
                      : type == NC_BYTE                                           ? 0x1p8
                      : type == NC_SHORT                                          ? 0x1p16
                      : type == NC_INT                                            ? 0x1p32
                                                                                  : 0;
  for (size_t i = 0; i < count; i++)
    values[i] = (values[i] < 0 ? values[i] + turn : values[i]) * packing.scale + packing.offset;
  return 0;
}

static int read_values(struct axis *axis, struct error *error)
{
  if (axis->variable < 0 || !is_number(axis->type))
    return 0;
  double *values = ARENA_ARRAY(axis->arena, double, axis->size);
  if (values == NULL)
    return error_memory(error);
  if (nc_get_var_double(axis->file, axis->variable, values) != NC_NOERR)
    return error_set(error, ERROR_FileContentInvalid, "a coordinate variable cannot be read");
  axis->values = values;
  return unpack(axis, axis->file, axis->variable, values, axis->size, error);
}

/* Whether the values are evenly spaced, within a thousandth of the step or what floats can tell apart. */
static bool evenly_spaced(const struct axis *axis, double *step)
{
  const double *v = axis->values;
  const size_t n = axis->size;
  *step = n > 1 ? (v[n - 1] - v[0]) / (double)(n - 1) : 0;
  double wide = 1e-3 * fabs(*step);
  if (axis->type == NC_FLOAT)
    wide = fmax(wide, 1.2e-7 * fmax(fabs(v[0]), fabs(v[n - 1])));
  if (wide > 0.25 * fabs(*step))
    wide = 0.25 * fabs(*step);
  for (size_t i = 0; i < n; i++)
    if (!(fabs(v[i] - (v[0] + (double)i * *step)) <= wide))
      return false;
  return isfinite(*step) && (*step != 0 || n == 1);
}

/* Width of the one cell of a coordinate with bounds, 0 where there are none. */
static double bounds_width(const struct axis *axis)
{
  const char *name = netcdf_attribute_text(axis->arena, axis->file, axis->variable, "bounds");
  const size_t start[2] = {0, 0}, count[2] = {1, 2};
  double edges[2];
  int rank, ids[NC_MAX_VAR_DIMS];
  size_t vertices;
  struct error ignored = {0};
  const struct netcdf_place place = name != NULL ? netcdf_find(axis->file, name) : (struct netcdf_place){.id = -1};
  if (place.id < 0 || nc_inq_var(place.group, place.id, NULL, NULL, &rank, ids, NULL) != NC_NOERR || rank != 2 ||
      ids[0] != axis->id || nc_inq_dimlen(place.group, ids[1], &vertices) != NC_NOERR || vertices != 2 ||
      nc_get_vara_double(place.group, place.id, start, count, edges) != NC_NOERR ||
      unpack(axis, place.group, place.id, edges, 2, &ignored) != 0)
    return 0;
  return isfinite(edges[1] - edges[0]) ? edges[1] - edges[0] : 0;
}

static struct dimension horizontal(const struct axis *axis, const struct netcdf_transform *transform)
{
  const bool is_x = axis->role == 'x';
  const double given = transform == NULL ? 0 : is_x ? transform->step_x : transform->step_y;
  struct dimension out = dimension_enumerated(is_x ? "x" : "y", DIMENSION_SPATIAL, axis->size);
  double step;
  out.axis = axis->role;
  if (axis->values == NULL && given == 0)
    return out;
  out.enumerated = false;
  if (axis->values == NULL) {
    out.step = given;
    out.start = (is_x ? transform->west : transform->north) + given / 2;
  } else if (evenly_spaced(axis, &step)) {
    out.start = axis->values[0];
    out.step = axis->size > 1 ? step : given != 0 ? given : bounds_width(axis);
  } else {
    out.labels = LABEL_NUMBER;
    out.numbers = axis->values;
  }
  return out;
}

static int temporal(const struct axis *axis, const char *name, struct dimension *out, struct error *error)
{
  struct netcdf_time_units units;
  const char *unit = netcdf_attribute_text(axis->arena, axis->file, axis->variable, "units");
  const char *calendar = netcdf_attribute_text(axis->arena, axis->file, axis->variable, "calendar");
  int64_t *times = ARENA_ARRAY(axis->arena, int64_t, axis->size);
  if (times == NULL)
    return error_memory(error);
  if (netcdf_time_units_parse(unit, calendar, &units, error) != 0 ||
      netcdf_times_decode(&units, axis->values, axis->size, times, error) != 0)
    return -1;
  *out = dimension_times(name, times, axis->size, units.calendar);
  const char *labels = netcdf_attribute_text(axis->arena, axis->file, axis->variable, "period_labels");
  const struct netcdf_place place = labels != NULL ? netcdf_find(axis->file, labels) : (struct netcdf_place){.id = -1};
  if (place.id >= 0)
    out->texts = netcdf_texts(axis->arena, place.group, place.id, axis->id, axis->size);
  return 0;
}

static struct dimension other(const struct axis *axis, const char *name)
{
  const bool band = strcasecmp(name, "bands") == 0 || strcasecmp(name, "band") == 0;
  const enum dimension_type type = band ? DIMENSION_BANDS : axis->role == 'z' ? DIMENSION_SPATIAL : DIMENSION_OTHER;
  struct dimension out = dimension_enumerated(name, type, axis->size);
  out.axis = axis->role == 'z' ? 'z' : 0;
  if (axis->variable < 0)
    return out;
  const char *const *texts = netcdf_texts(axis->arena, axis->file, axis->variable, axis->id, axis->size);
  if (texts != NULL) {
    out.labels = LABEL_TEXT;
    out.texts = texts;
  } else if (axis->values != NULL) {
    out.labels = LABEL_NUMBER;
    out.numbers = axis->values;
  }
  out.enumerated = out.labels == LABEL_STEP;
  out.unit = netcdf_attribute_text(axis->arena, axis->file, axis->variable, "units");
  return out;
}

static int read_dimension(struct axis *axis, const char *name, const struct netcdf_transform *transform,
                          struct dimension *out, struct error *error)
{
  if (axis->size == 0)
    return error_set(error, ERROR_NoDataAvailable, "the dimension %s is empty", name);
  if (axis->size > LABEL_LIMIT)
    return error_set(error, ERROR_FileContentInvalid, "the dimension %s has %zu labels, the limit is %d", name,
                     axis->size, LABEL_LIMIT);
  if (read_values(axis, error) != 0)
    return -1;
  const char *units =
      axis->variable < 0 ? NULL : netcdf_attribute_text(axis->arena, axis->file, axis->variable, "units");
  if (axis->values != NULL && netcdf_is_time_units(units))
    return temporal(axis, axis->role == 't' ? "t" : name, out, error);
  *out = axis->role == 'x' || axis->role == 'y' ? horizontal(axis, transform) : other(axis, name);
  return 0;
}

static double unit_metres(const struct axis *axis)
{
  const char *units =
      axis->variable < 0 ? NULL : netcdf_attribute_text(axis->arena, axis->file, axis->variable, "units");
  return units != NULL && (strcasecmp(units, "km") == 0 || strncasecmp(units, "kilomet", 7) == 0) ? 1000 : 1;
}

int netcdf_axes_to_metres(struct arena *arena, struct netcdf_axes *axes, struct error *error)
{
  for (size_t i = 0; i < axes->count; i++) {
    struct dimension *d = &axes->dimension[i];
    if (d->type != DIMENSION_SPATIAL || (d->axis != 'x' && d->axis != 'y') || d->enumerated)
      continue;
    d->start *= axes->metres;
    d->step *= axes->metres;
    if (d->labels != LABEL_NUMBER)
      continue;
    double *numbers = arena_copy(arena, d->numbers, d->size * sizeof *numbers);
    if (numbers == NULL)
      return error_memory(error);
    for (size_t k = 0; k < d->size; k++)
      numbers[k] *= axes->metres;
    d->numbers = numbers;
  }
  axes->metres = 1;
  return 0;
}

/* Whether the coordinate of the axis is a true longitude or latitude (not a rotated one). */
static bool is_degree_of_earth(const struct axis *axis)
{
  if (axis->variable < 0)
    return false;
  const char *standard = netcdf_attribute_text(axis->arena, axis->file, axis->variable, "standard_name");
  const char *units = netcdf_attribute_text(axis->arena, axis->file, axis->variable, "units");
  char name[NC_MAX_NAME + 1] = "";
  if (standard != NULL && (strncmp(standard, "grid_", 5) == 0 || strncmp(standard, "projection_", 11) == 0))
    return false;
  if (standard != NULL && strcmp(standard, axis->role == 'x' ? "longitude" : "latitude") == 0)
    return true;
  if (units != NULL && strncasecmp(units, "degree", 6) == 0 && strchr(units, '_') != NULL)
    return true;
  if (nc_inq_dimname(axis->file, axis->id, name) != NC_NOERR)
    return false;
  return strncasecmp(name, axis->role == 'x' ? "lon" : "lat", 3) == 0;
}

static bool name_taken(const struct netcdf_axes *axes, size_t before, const char *name)
{
  for (size_t i = 0; i < before; i++)
    if (strcmp(axes->dimension[i].name, name) == 0)
      return true;
  return false;
}

/* A pixel that is alone on its axis has no step; the other axis lends its own. */
static void lend_step(struct netcdf_axes *axes, const size_t place[2])
{
  for (size_t i = 0; i < 2; i++) {
    if (place[i] == SIZE_MAX || axes->dimension[place[i]].labels != LABEL_STEP || axes->dimension[place[i]].step != 0)
      continue;
    const struct dimension *giver = place[1 - i] == SIZE_MAX ? NULL : &axes->dimension[place[1 - i]];
    const double step = giver != NULL && giver->labels == LABEL_STEP && giver->step != 0 ? fabs(giver->step) : 1;
    axes->dimension[place[i]].step = axes->dimension[place[i]].axis == 'y' ? -step : step;
  }
}

/* Two dimensions may claim one role: the first with a coordinate variable of its own has it. */
static void settle_roles(struct axis *axis, size_t count)
{
  static const char roles[] = "xyzt";
  for (size_t r = 0; roles[r] != '\0'; r++) {
    size_t owner = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
      if (axis[i].role == roles[r] && (owner == SIZE_MAX || (axis[owner].variable < 0 && axis[i].variable >= 0)))
        owner = i;
    for (size_t i = 0; i < count; i++)
      if (axis[i].role == roles[r] && i != owner)
        axis[i].role = 0;
  }
}

static int find_axes(struct arena *arena, int file, size_t count, const int *ids, struct axis *axis,
                     struct error *error)
{
  for (size_t i = 0; i < count; i++) {
    axis[i] = (struct axis){.arena = arena, .id = ids[i], .type = NC_NAT};
    const struct netcdf_place place = coordinate_of(file, ids[i], &axis[i].type);
    axis[i].file = place.group;
    axis[i].variable = place.id;
    axis[i].role = netcdf_axis_role(arena, file, ids[i]);
    if (nc_inq_dimlen(file, ids[i], &axis[i].size) != NC_NOERR)
      return error_set(error, ERROR_FileContentInvalid, "a dimension cannot be read");
  }
  settle_roles(axis, count);
  return 0;
}

int netcdf_axes_read(struct arena *arena, int file, size_t count, const int *dimension_ids,
                     const struct netcdf_transform *transform, struct netcdf_axes *out, struct error *error)
{
  struct axis axis[CUBE_MAX_DIMENSIONS];
  size_t place[2] = {SIZE_MAX, SIZE_MAX};
  bool degrees = true;
  *out = (struct netcdf_axes){.count = count, .metres = 1};
  if (find_axes(arena, file, count, dimension_ids, axis, error) != 0)
    return -1;
  for (size_t i = 0; i < count; i++) {
    char raw[NC_MAX_NAME + 1] = "";
    out->id[i] = dimension_ids[i];
    if (nc_inq_dimname(file, dimension_ids[i], raw) != NC_NOERR)
      return error_set(error, ERROR_FileContentInvalid, "a dimension cannot be read");
    const char *name = arena_strdup(arena, raw);
    if (name == NULL)
      return error_memory(error);
    if (read_dimension(&axis[i], name, transform, &out->dimension[i], error) != 0)
      return -1;
    while (out->dimension[i].name != NULL && name_taken(out, i, out->dimension[i].name))
      out->dimension[i].name = arena_printf(arena, "%s_", out->dimension[i].name);
    if (out->dimension[i].name == NULL)
      return error_memory(error);
    if (axis[i].role == 'x' || axis[i].role == 'y') {
      place[axis[i].role == 'y'] = i;
      degrees = degrees && is_degree_of_earth(&axis[i]);
      out->metres = unit_metres(&axis[i]);
    }
  }
  lend_step(out, place);
  const bool both = place[0] != SIZE_MAX && place[1] != SIZE_MAX;
  out->geographic = both && degrees;
  out->located = both && !out->dimension[place[0]].enumerated && !out->dimension[place[1]].enumerated;
  return 0;
}
