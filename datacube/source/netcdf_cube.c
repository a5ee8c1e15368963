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

/* Whether all variables have the same no-data value, or none has any. */
static bool missing_agrees(const struct netcdf_description *d)
{
  for (size_t i = 0; i < d->variable_count; i++) {
    const struct netcdf_variable *a = &d->variables[0], *b = &d->variables[i];
    if ((a->missing_count > 0) != (b->missing_count > 0))
      return false;
    if (a->missing_count > 0 && a->missing[0] != b->missing[0] && !(isnan(a->missing[0]) && isnan(b->missing[0])))
      return false;
  }
  return true;
}

static void choose_type(const struct netcdf_description *description, struct cube *out)
{
  out->type = description->variables[0].type;
  for (size_t i = 1; i < description->variable_count; i++)
    out->type = common_type(out->type, description->variables[i].type);
  const struct netcdf_variable *first = &description->variables[0];
  const bool agree = missing_agrees(description);
  if (agree && first->missing_count > 0) {
    out->has_nodata = true;
    out->nodata = first->missing[0];
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
