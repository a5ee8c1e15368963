#include "datacube/grib/grib_families.h"

#include "datacube/base/instant.h"

#include <stdlib.h>
#include <string.h>

struct family_making {
  struct arena *arena;
  const struct grib_fields *fields;
  struct grib_families *out;
  struct error *error;
};

/* ---- labels ------------------------------------------------------------------------------------------------------ */

double grib_label(const struct grib_record *r, enum grib_role role)
{
  const struct grib_product *p = &r->product;
  switch (role) {
  case ROLE_TIME:
    return (double)p->valid;
  case ROLE_REFERENCE:
    return (double)p->reference;
  case ROLE_STEP:
    return (double)(p->valid - p->reference) / (3600 * MS_PER_SECOND);
  case ROLE_NUMBER:
    return (double)p->number;
  default:
    return p->level;
  }
}

static int compare_up(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static size_t make_unique(double *values, size_t count)
{
  size_t kept = 0;
  qsort(values, count, sizeof *values, compare_up);
  for (size_t i = 0; i < count; i++)
    if (i == 0 || values[i] != values[kept - 1])
      values[kept++] = values[i];
  return kept;
}

/* Labels of a variable, added to those that are there. */
static int add_labels(struct family_making *g, const struct grib_variable *v, enum grib_role role,
                      struct grib_labels *out)
{
  double *all = malloc((out->count + v->count) * sizeof *all);
  if (!all)
    return error_memory(g->error);
  if (out->count > 0)
    memcpy(all, out->values, out->count * sizeof *all);
  for (size_t i = 0; i < v->count; i++)
    all[out->count + i] = grib_label(&v->records[i], role);
  out->count = make_unique(all, out->count + v->count);
  out->values = arena_copy(g->arena, all, out->count * sizeof *all);
  free(all);
  return out->values ? 0 : error_memory(g->error);
}

size_t grib_label_place(const struct grib_labels *labels, double value)
{
  const double *found = bsearch(&value, labels->values, labels->count, sizeof value, compare_up);
  return (size_t)(found - labels->values);
}

/* ---- families ---------------------------------------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
  const int64_t *x = a, *y = b;
  return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

/* Whether a forecast has several steps where there are several forecasts, or two of them are for one time. */
static int needs_steps(struct family_making *g, const struct grib_variable *v, bool *out)
{
  int64_t(*pairs)[2] = malloc(v->count * sizeof *pairs);
  struct grib_labels references = {NULL, 0}, times = {NULL, 0};
  size_t count = 0;
  if (!pairs)
    return error_memory(g->error);
  for (size_t i = 0; i < v->count; i++) {
    pairs[i][0] = v->records[i].product.reference;
    pairs[i][1] = v->records[i].product.valid;
  }
  qsort(pairs, v->count, sizeof *pairs, compare_times);
  for (size_t i = 0; i < v->count; i++)
    count += i == 0 || compare_times(pairs[i - 1], pairs[i]) != 0;
  free(pairs);
  if (add_labels(g, v, ROLE_REFERENCE, &references) != 0 || add_labels(g, v, ROLE_TIME, &times) != 0)
    return -1;
  *out = references.count > 1 && (count > references.count || count > times.count);
  return 0;
}

static bool has_many(const struct grib_variable *v, enum grib_role role)
{
  size_t i = 1;
  while (i < v->count && grib_label(&v->records[i], role) == grib_label(&v->records[0], role))
    i++;
  return i < v->count;
}

static int find_family(struct family_making *g, const struct grib_variable *v, size_t *out)
{
  const bool has_numbers = has_many(v, ROLE_NUMBER), has_levels = has_many(v, ROLE_LEVEL);
  bool has_steps = false;
  if (needs_steps(g, v, &has_steps) != 0)
    return -1;
  const char *level_type = has_levels ? v->parameter->level_type : NULL;
  for (size_t i = 0; i < g->out->count; i++) {
    const struct grib_family *f = &g->out->rows[i];
    const bool same_type = f->level_type ? level_type && strcmp(f->level_type, level_type) == 0 : !level_type;
    if (f->grid == v->grid && same_type && f->has_steps == has_steps && f->has_numbers == has_numbers) {
      *out = i;
      return 0;
    }
  }
  *out = g->out->count++;
  g->out->rows[*out] = (struct grib_family){
      .grid = v->grid, .level_type = level_type, .has_steps = has_steps, .has_numbers = has_numbers};
  return 0;
}

bool grib_has_role(const struct grib_family *f, enum grib_role role)
{
  switch (role) {
  case ROLE_TIME:
    return !f->has_steps;
  case ROLE_REFERENCE:
  case ROLE_STEP:
    return f->has_steps;
  case ROLE_NUMBER:
    return f->has_numbers;
  default:
    return f->level_type != NULL;
  }
}

static int make(struct family_making *g)
{
  const size_t count = g->fields->variable_count;
  g->out->rows = ARENA_ARRAY(g->arena, struct grib_family, count);
  g->out->of = ARENA_ARRAY(g->arena, size_t, count);
  if (!g->out->rows || !g->out->of)
    return error_memory(g->error);
  for (size_t i = 0; i < count; i++) {
    const struct grib_variable *v = &g->fields->variables[i];
    if (find_family(g, v, &g->out->of[i]) != 0)
      return -1;
    struct grib_family *f = &g->out->rows[g->out->of[i]];
    for (enum grib_role role = 0; role < ROLES; role++)
      if (grib_has_role(f, role) && add_labels(g, v, role, &f->labels[role]) != 0)
        return -1;
  }
  return 0;
}

int grib_families_make(struct arena *arena, const struct grib_fields *fields, struct grib_families *out,
                       struct error *error)
{
  struct family_making g = {arena, fields, out, error};
  *out = (struct grib_families){.count = 0};
  return make(&g);
}
