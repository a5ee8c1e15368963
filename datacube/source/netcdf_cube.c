/* The cube of a netCDF file's description: its type, its no-data, its dimensions. See netcdf_describe.h. */
#include "datacube/source/netcdf_describe.h"

#include <math.h>

static bool is_float(enum element_type type)
{
  return element_info(type)->is_float;
}

/* The narrowest type that holds the values of both. */
static enum element_type common_type(enum element_type a, enum element_type b)
{
  static const enum element_type ladder[] = {ELEMENT_U8,  ELEMENT_I8,  ELEMENT_U16, ELEMENT_I16,
                                             ELEMENT_U32, ELEMENT_I32, ELEMENT_U64, ELEMENT_I64};
  if (a == b)
    return a;
  a = a == ELEMENT_BOOLEAN ? ELEMENT_U8 : a;
  b = b == ELEMENT_BOOLEAN ? ELEMENT_U8 : b;
  const struct element_info *ia = element_info(a), *ib = element_info(b);
  if (ia->is_float || ib->is_float)
    return ia->exact_in_f32 && ib->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  for (size_t i = 0; i < sizeof ladder / sizeof ladder[0]; i++) {
    const struct element_info *it = element_info(ladder[i]);
    const bool holds_a = it->is_signed == ia->is_signed ? it->size >= ia->size : it->is_signed && it->size > ia->size;
    const bool holds_b = it->is_signed == ib->is_signed ? it->size >= ib->size : it->is_signed && it->size > ib->size;
    if (holds_a && holds_b)
      return ladder[i];
  }
  return ELEMENT_F64;
}

/* What missing numbers of a variable become as it is read. */
struct mark {
  bool there;
  double value;
};

static struct mark mark_of(const struct netcdf_variable *variable)
{
  if (netcdf_is_packed(&variable->packing))
    return (struct mark){true, NAN};
  return (struct mark){variable->missing.count > 0, variable->missing.value[0]};
}

static bool same_mark(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

/* Whether the number, as a value of the variable, is nothing but missing. */
static bool never_data(const struct netcdf_variable *variable, double number)
{
  if (netcdf_is_packed(&variable->packing) || !element_can_mark(variable->type, number))
    return !netcdf_is_packed(&variable->packing);
  for (size_t i = 0; i < variable->missing.count; i++)
    if (same_mark(variable->missing.value[i], number))
      return true;
  return number < variable->missing.low || number > variable->missing.high;
}

/* A mark that serves all variables: the first one that is data in none of them. Not there: they do not agree, or none
 * has any. */
static struct mark common_mark(const struct netcdf_description *d, bool *agree)
{
  bool any = false;
  for (size_t i = 0; i < d->variable_count; i++) {
    const struct mark mark = mark_of(&d->variables[i]);
    bool serves = mark.there;
    any = any || mark.there;
    for (size_t k = 0; k < d->variable_count && serves; k++)
      serves = isnan(mark.value) ? is_float(d->variables[k].unpacked) : never_data(&d->variables[k], mark.value);
    if (serves) {
      *agree = true;
      return mark;
    }
  }
  *agree = !any;
  return (struct mark){0};
}

static void choose_type(const struct netcdf_description *description, struct cube *out)
{
  out->type = description->variables[0].unpacked;
  for (size_t i = 1; i < description->variable_count; i++)
    out->type = common_type(out->type, description->variables[i].unpacked);
  bool agree;
  const struct mark mark = common_mark(description, &agree);
  if (mark.there) {
    out->has_nodata = true;
    out->nodata = mark.value;
  } else if (!agree || is_float(out->type)) {
    if (!is_float(out->type))
      out->type = element_info(out->type)->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
    out->has_nodata = true;
    out->nodata = NAN;
  }
  if (out->type == ELEMENT_BOOLEAN) {
    out->has_nodata = true;
    out->nodata = 255;
  }
}

static int set_bands(struct arena *arena, const struct netcdf_description *description, struct cube *out,
                     struct error *error)
{
  const size_t bands = cube_find_type(out, DIMENSION_BANDS);
  const size_t own = bands != SIZE_MAX && bands != description->insert ? bands : SIZE_MAX;
  const size_t count = own != SIZE_MAX ? out->dimension[own].size : description->variable_count;
  struct band_info *info = ARENA_ARRAY(arena, struct band_info, count);
  if (info == NULL)
    return error_memory(error);
  for (size_t i = 0; i < count; i++)
    info[i] = description->variables[own != SIZE_MAX ? 0 : i].info;
  out->bands = info;
  return 0;
}

int netcdf_cube(struct arena *arena, const struct netcdf_description *description, struct cube *out,
                struct error *error)
{
  const char **names = ARENA_ARRAY(arena, const char *, description->variable_count);
  if (names == NULL)
    return error_memory(error);
  *out = (struct cube){.crs = description->crs, .title = description->title};
  bool has_bands = false;
  for (size_t i = 0; i < description->axes.count; i++)
    has_bands = has_bands || description->axes.dimension[i].type == DIMENSION_BANDS;
  for (size_t i = 0; i < description->variable_count; i++)
    names[i] = description->variables[i].name;
  for (size_t i = 0; i <= description->axes.count; i++) {
    if (i == description->insert)
      out->dimension[out->dimensions++] =
          has_bands ? dimension_texts("variable", DIMENSION_OTHER, names, description->variable_count)
                    : dimension_texts("bands", DIMENSION_BANDS, names, description->variable_count);
    if (i < description->axes.count)
      out->dimension[out->dimensions++] = description->axes.dimension[i];
  }
  choose_type(description, out);
  return set_bands(arena, description, out, error);
}
