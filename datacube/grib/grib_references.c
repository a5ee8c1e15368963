#include "datacube/grib/grib_references.h"

#include "datacube/base/checked.h"
#include "datacube/base/instant.h"
#include "datacube/grib/grib_families.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct coordinate { /* what is in the file already */
  const char *name;
  const void *values;
  size_t count;
};

struct arranging {
  struct arena *arena;
  const char *target;
  struct grib_fields fields;
  struct grib_families families;
  struct coordinate *coordinates;
  size_t coordinate_count, coordinate_room;
  struct referenced_file *out;
  struct error *error;
};

/* ---- coordinates ------------------------------------------------------------------------------------------------- */

static int add_bytes(struct arranging *a, struct referenced_array *array, const void *bytes, size_t length)
{
  const struct referenced_chunk chunk = {.bytes = bytes, .length = length};
  return referenced_add_chunk(a->out, array, &chunk, a->error);
}

/* The name of a coordinate with these values: that of one that is there, or a new one. */
static const char *coordinate_name(struct arranging *a, const char *base, const void *values, size_t count,
                                   bool *is_new)
{
  const char *name = base;
  for (unsigned number = 2;; number++) {
    const struct coordinate *found = NULL;
    for (size_t i = 0; i < a->coordinate_count && !found; i++)
      found = strcmp(a->coordinates[i].name, name) == 0 ? &a->coordinates[i] : NULL;
    if (!found)
      break;
    if (found->count == count && memcmp(found->values, values, count * sizeof(double)) == 0) {
      *is_new = false;
      return name;
    }
    if (!(name = arena_printf(a->arena, "%s_%u", base, number)))
      return NULL;
  }
  struct coordinate *rows =
      arena_grow(a->arena, a->coordinates, a->coordinate_count, &a->coordinate_room, sizeof *rows);
  if (!rows)
    return NULL;
  a->coordinates = rows;
  a->coordinates[a->coordinate_count++] = (struct coordinate){name, values, count};
  *is_new = true;
  return name;
}

/* A one-dimensional array of doubles. */
static int add_coordinate(struct arranging *a, const char *base, const struct grib_labels *labels,
                          const char *attributes, const char **name)
{
  bool is_new = false;
  *name = coordinate_name(a, base, labels->values, labels->count, &is_new);
  if (!*name)
    return error_memory(a->error);
  if (!is_new)
    return 0;
  struct referenced_array *array = referenced_add(a->out, *name, a->error);
  if (!array)
    return -1;
  array->rank = 1;
  array->shape[0] = array->chunk[0] = labels->count;
  array->names[0] = *name;
  memcpy(array->type, "<f8", 4);
  array->element_size = sizeof(double);
  array->attributes = attributes;
  return add_bytes(a, array, labels->values, labels->count * sizeof(double));
}

/* Seconds, which doubles hold exactly. */
static int add_instants(struct arranging *a, struct grib_family *f, enum grib_role role)
{
  static const char time[] = "\"standard_name\":\"time\",\"long_name\":\"time\",\"units\":\"seconds since "
                             "1970-01-01T00:00:00\",\"calendar\":\"proleptic_gregorian\"";
  static const char reference[] =
      "\"standard_name\":\"forecast_reference_time\",\"long_name\":\"beginning of the forecast\",\"units\":"
      "\"seconds since 1970-01-01T00:00:00\",\"calendar\":\"proleptic_gregorian\"";
  struct grib_labels seconds = {ARENA_ARRAY(a->arena, double, f->labels[role].count), f->labels[role].count};
  if (!seconds.values)
    return error_memory(a->error);
  for (size_t i = 0; i < seconds.count; i++)
    seconds.values[i] = f->labels[role].values[i] / (double)MS_PER_SECOND;
  return add_coordinate(a, role == ROLE_TIME ? "time" : "reference_time", &seconds,
                        role == ROLE_TIME ? time : reference, &f->names[role]);
}

static const char *level_attributes(const char *type)
{
  static const struct {
    const char *type, *attributes;
  } rows[] = {{"isobaricInhPa", "\"units\":\"hPa\",\"standard_name\":\"air_pressure\",\"positive\":\"down\""},
              {"heightAboveGround", "\"units\":\"m\",\"standard_name\":\"height\",\"positive\":\"up\""},
              {"heightAboveSea", "\"units\":\"m\",\"standard_name\":\"altitude\",\"positive\":\"up\""},
              {"depthBelowLand", "\"units\":\"m\",\"standard_name\":\"depth\",\"positive\":\"down\""},
              {"depthBelowSea", "\"units\":\"m\",\"standard_name\":\"depth\",\"positive\":\"down\""},
              {"theta", "\"units\":\"K\",\"standard_name\":\"air_potential_temperature\",\"positive\":\"up\""}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp(rows[i].type, type) == 0)
      return rows[i].attributes;
  return "\"units\":\"1\"";
}

/* Pressures from the ground up. */
static int add_levels(struct arranging *a, struct grib_family *f)
{
  struct grib_labels *own = &f->labels[ROLE_LEVEL], down = *own;
  if (strcmp(f->level_type, "isobaricInhPa") == 0) {
    if (!(down.values = ARENA_ARRAY(a->arena, double, own->count)))
      return error_memory(a->error);
    for (size_t i = 0; i < own->count; i++)
      down.values[i] = own->values[own->count - 1 - i];
  }
  return add_coordinate(a, f->level_type, &down, level_attributes(f->level_type), &f->names[ROLE_LEVEL]);
}

static int add_labels_of(struct arranging *a, struct grib_family *f, enum grib_role role)
{
  if (!grib_has_role(f, role))
    return 0;
  switch (role) {
  case ROLE_TIME:
  case ROLE_REFERENCE:
    return add_instants(a, f, role);
  case ROLE_STEP:
    return add_coordinate(a, "step", &f->labels[role], "\"units\":\"hours\",\"standard_name\":\"forecast_period\"",
                          &f->names[role]);
  case ROLE_NUMBER:
    return add_coordinate(a, "number", &f->labels[role], "\"units\":\"1\",\"standard_name\":\"realization\"",
                          &f->names[role]);
  default:
    return add_levels(a, f);
  }
}

static int add_axes(struct arranging *a, struct grib_family *f)
{
  static const struct {
    const char *names[2], *attributes[2]; /* of y and x */
  } rows[] = {[GRIB_GEOGRAPHIC] = {{"latitude", "longitude"},
                                   {"\"units\":\"degrees_north\",\"standard_name\":\"latitude\",\"axis\":\"Y\"",
                                    "\"units\":\"degrees_east\",\"standard_name\":\"longitude\",\"axis\":\"X\""}},
              [GRIB_ROTATED] = {{"rlat", "rlon"},
                                {"\"units\":\"degrees\",\"standard_name\":\"grid_latitude\",\"axis\":\"Y\"",
                                 "\"units\":\"degrees\",\"standard_name\":\"grid_longitude\",\"axis\":\"X\""}},
              [GRIB_PROJECTED] = {{"y", "x"},
                                  {"\"units\":\"m\",\"standard_name\":\"projection_y_coordinate\",\"axis\":\"Y\"",
                                   "\"units\":\"m\",\"standard_name\":\"projection_x_coordinate\",\"axis\":\"X\""}}};
  const struct grib_axis *axes[2] = {&f->grid->y, &f->grid->x};
  for (size_t i = 0; i < 2; i++) {
    const struct grib_labels labels = {(double *)axes[i]->values, axes[i]->size};
    if (add_coordinate(a, rows[f->grid->frame].names[i], &labels, rows[f->grid->frame].attributes[i],
                       &f->names[ROLES + i]) != 0)
      return -1;
  }
  return 0;
}

/* A variable without dimensions whose attributes are the grid mapping; one for all families of a grid. */
static int add_mapping(struct arranging *a, struct grib_family *f)
{
  static const int nothing = 0;
  size_t others = 0;
  for (const struct grib_family *g = a->families.rows; g < f; g++) {
    if (g->grid == f->grid)
      f->mapping = g->mapping;
    others += g->mapping != NULL;
  }
  if (!f->grid->mapping || f->mapping)
    return 0;
  f->mapping = others == 0 ? "crs" : arena_printf(a->arena, "crs_%zu", others + 1);
  struct referenced_array *array = f->mapping ? referenced_add(a->out, f->mapping, a->error) : NULL;
  if (!array)
    return error_is_set(a->error) ? -1 : error_memory(a->error);
  memcpy(array->type, "<i4", 4);
  array->element_size = sizeof nothing;
  array->attributes = f->grid->mapping;
  return add_bytes(a, array, &nothing, sizeof nothing);
}

static int add_coordinates(struct arranging *a)
{
  for (size_t i = 0; i < a->families.count; i++) {
    struct grib_family *f = &a->families.rows[i];
    for (enum grib_role role = 0; role < ROLES; role++)
      if (add_labels_of(a, f, role) != 0)
        return -1;
    if (add_axes(a, f) != 0 || add_mapping(a, f) != 0)
      return -1;
  }
  return 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool same_name(const struct grib_variable *a, const struct grib_variable *b)
{
  return strcmp(a->parameter->name, b->parameter->name) == 0 && a->is_interval == b->is_interval;
}

static bool same_level(const struct grib_variable *a, const struct grib_variable *b)
{
  return same_name(a, b) && strcmp(a->parameter->level_type, b->parameter->level_type) == 0;
}

static bool same_step(const struct grib_variable *a, const struct grib_variable *b)
{
  return same_level(a, b) && strcmp(a->parameter->step_type, b->parameter->step_type) == 0;
}

static bool is_array(const struct arranging *a, const char *name)
{
  for (const struct referenced_array *array = a->out->first; array; array = array->next)
    if (strcmp(array->path, name) == 0)
      return true;
  return false;
}

static const char *variable_name(struct arranging *a, size_t index)
{
  const struct grib_variable *all = a->fields.variables, *v = &all[index];
  bool other_level = false, other_step = false;
  for (size_t i = 0; i < a->fields.variable_count; i++) {
    other_level = other_level || (same_name(v, &all[i]) && !same_level(v, &all[i]));
    other_step = other_step || (same_level(v, &all[i]) && !same_step(v, &all[i]));
  }
  const char *base = arena_printf(a->arena, "%s%s%s%s%s%s", v->parameter->name, v->is_interval ? "_interval" : "",
                                  other_level ? "_" : "", other_level ? v->parameter->level_type : "",
                                  other_step ? "_" : "", other_step ? v->parameter->step_type : "");
  const char *name = base;
  for (unsigned number = 2; name && is_array(a, name); number++)
    name = arena_printf(a->arena, "%s_%u", base, number);
  return name;
}

/* ---- variables --------------------------------------------------------------------------------------------------- */

static const char *attributes_of(struct arranging *a, const struct grib_variable *v, const struct grib_family *f)
{
  const struct grib_parameter *p = v->parameter;
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  json_write_object(&w);
  if (p->unit)
    json_kv_string(&w, "units", p->unit);
  if (p->long_name)
    json_kv_string(&w, "long_name", p->long_name);
  if (p->standard_name)
    json_kv_string(&w, "standard_name", p->standard_name);
  json_kv_string(&w, "GRIB_typeOfLevel", p->level_type);
  json_kv_string(&w, "GRIB_stepType", p->step_type);
  if (!f->level_type)
    json_kv_number(&w, "GRIB_level", v->records[0].product.level);
  if (f->mapping)
    json_kv_string(&w, "grid_mapping", f->mapping);
  json_end_object(&w);
  const char *out = text.failed ? NULL : arena_strndup(a->arena, text.data + 1, text.length - 2);
  buffer_free(&text);
  return out;
}

static int describe(struct arranging *a, const struct grib_variable *v, const struct grib_family *f,
                    struct referenced_array *array)
{
  const char *type = v->is_wide ? "float64" : "float32";
  for (enum grib_role role = 0; role < ROLES; role++) {
    if (!grib_has_role(f, role))
      continue;
    array->names[array->rank] = f->names[role];
    array->shape[array->rank] = f->labels[role].count;
    array->chunk[array->rank++] = 1;
  }
  for (size_t i = 0; i < 2; i++) {
    const size_t size = i == 0 ? f->grid->y.size : f->grid->x.size;
    array->names[array->rank] = f->names[ROLES + i];
    array->shape[array->rank] = array->chunk[array->rank] = size;
    array->rank++;
  }
  memcpy(array->type, v->is_wide ? "<f8" : "<f4", 4);
  array->element_size = v->is_wide ? 8 : 4;
  array->is_by_column = f->grid->is_by_column;
  array->fill = "\"NaN\"";
  array->filters = arena_printf(a->arena, "[{\"id\":\"grib\",\"var\":\"%s\",\"dtype\":\"%s\"%s}]", v->parameter->name,
                                type, f->grid->alternates ? ",\"alternates\":true" : "");
  array->attributes = attributes_of(a, v, f);
  return array->filters && array->attributes ? 0 : error_memory(a->error);
}

/* The number of a field's chunk in its array. */
static int place_of(struct arranging *a, const struct grib_family *f, const struct grib_record *r, uint64_t *out)
{
  *out = 0;
  for (enum grib_role role = 0; role < ROLES; role++) {
    const struct grib_labels *labels = &f->labels[role];
    if (!grib_has_role(f, role))
      continue;
    size_t at = grib_label_place(labels, grib_label(r, role));
    if (role == ROLE_LEVEL && strcmp(f->level_type, "isobaricInhPa") == 0)
      at = labels->count - 1 - at;
    if (__builtin_mul_overflow(*out, labels->count, out) || __builtin_add_overflow(*out, at, out))
      return error_set(a->error, ERROR_FeatureUnsupported,
                       "its fields are of too many times, steps, members and levels, which is not supported");
  }
  return 0;
}

static int compare_chunks(const void *a, const void *b)
{
  const struct referenced_chunk *x = a, *y = b;
  if (x->number != y->number)
    return x->number < y->number ? -1 : 1;
  if (x->at != y->at)
    return x->at < y->at ? -1 : 1;
  return x->part < y->part ? -1 : x->part > y->part;
}

/* Of several for one place the last one in the file. */
static int add_chunks(struct arranging *a, const struct grib_variable *v, const struct grib_family *f,
                      struct referenced_array *array)
{
  struct referenced_chunk *all = malloc(v->count * sizeof *all);
  int status = all ? 0 : error_memory(a->error);
  for (size_t i = 0; i < v->count && status == 0; i++) {
    const struct grib_record *r = &v->records[i];
    all[i] = (struct referenced_chunk){.target = a->target, .at = r->at, .length = r->length, .part = r->number};
    status = place_of(a, f, r, &all[i].number);
  }
  if (status == 0)
    qsort(all, v->count, sizeof *all, compare_chunks);
  for (size_t i = 0; i < v->count && status == 0; i++)
    if (i + 1 == v->count || all[i].number != all[i + 1].number)
      status = referenced_add_chunk(a->out, array, &all[i], a->error);
  free(all);
  return status;
}

static int add_variables(struct arranging *a)
{
  for (size_t i = 0; i < a->fields.variable_count; i++) {
    const struct grib_variable *v = &a->fields.variables[i];
    const struct grib_family *f = &a->families.rows[a->families.of[i]];
    const char *name = variable_name(a, i);
    struct referenced_array *array = name ? referenced_add(a->out, name, a->error) : NULL;
    if (!array)
      return error_is_set(a->error) ? -1 : error_memory(a->error);
    if (describe(a, v, f, array) != 0 || add_chunks(a, v, f, array) != 0)
      return -1;
  }
  return 0;
}

int grib_references(const struct zarr_file *file, const char *target, struct referenced_file *out, struct error *error)
{
  struct arranging a = {.arena = out->arena, .target = target, .out = out, .error = error};
  out->attributes = "\"Conventions\":\"CF-1.7\"";
  if (grib_fields_read(a.arena, file, &a.fields, error) != 0 ||
      grib_families_make(a.arena, &a.fields, &a.families, error) != 0 || add_coordinates(&a) != 0)
    return -1;
  return add_variables(&a);
}
