/* Packing and missing values of netCDF variables (CF conventions 1.10, 2.5.1 and 8.1): see the header. */
#include "datacube/source/netcdf_missing.h"

#include "datacube/source/netcdf_attribute.h"

#include <math.h>
#include <netcdf.h>
#include <string.h>

bool netcdf_is_packed(const struct netcdf_packing *packing)
{
  return packing->scale != 1 || packing->offset != 0;
}

enum element_type netcdf_unpacked_type(enum element_type stored, const struct netcdf_packing *packing)
{
  const struct element_info *info = element_info(stored);
  if (!netcdf_is_packed(packing))
    return stored;
  if (info->is_float)
    return stored == ELEMENT_F32 ? ELEMENT_F32 : ELEMENT_F64;
  if (!info->exact_in_f32)
    return ELEMENT_F64;
  const double most = fabs(packing->offset) + fabs(packing->scale) * ldexp(1, (int)(8 * info->size));
  return most * ldexp(1, -24) <= fabs(packing->scale) / 4 ? ELEMENT_F32 : ELEMENT_F64;
}

int netcdf_packing_read(int group, int variable, struct netcdf_packing *out, struct error *error)
{
  *out = (struct netcdf_packing){.scale = netcdf_attribute_number(group, variable, "scale_factor", 1),
                                 .offset = netcdf_attribute_number(group, variable, "add_offset", 0)};
  if (!isfinite(out->scale) || !isfinite(out->offset) || out->scale == 0)
    return error_set(error, ERROR_FileContentInvalid, "its scale_factor %g and add_offset %g say nothing", out->scale,
                     out->offset);
  return 0;
}

double netcdf_in_type(enum element_type type, double value)
{
  const struct element_info *info = element_info(type);
  if (type == ELEMENT_F32)
    return (double)(float)value;
  if (!info->is_float && !info->is_signed && value < 0 && info->size < 8)
    return value + ldexp(1, (int)(8 * info->size));
  return value;
}

struct stored_mark { /* a number that means no data */
  double value;
  uint64_t word; /* of a 64-bit integer: exactly */
};

static bool is_known(const struct netcdf_missing *missing, enum element_type type, const struct stored_mark *mark)
{
  for (size_t i = 0; i < missing->count; i++)
    if (element_is_word(type) ? missing->word[i] == mark->word
                              : missing->value[i] == mark->value || (isnan(missing->value[i]) && isnan(mark->value)))
      return true;
  return false;
}

static int add_missing(struct netcdf_missing *missing, enum element_type type, const struct stored_mark *mark,
                       struct error *error)
{
  const struct stored_mark meant = {netcdf_in_type(type, mark->value), mark->word};
  if (is_known(missing, type, &meant) || !element_can_mark(type, meant.value))
    return 0; /* what the type cannot hold marks nothing */
  if (missing->count == NETCDF_MAX_MISSING)
    return error_set(error, ERROR_FeatureUnsupported, "more than %d missing values", NETCDF_MAX_MISSING);
  missing->value[missing->count] = meant.value;
  missing->word[missing->count++] = meant.word;
  return 0;
}

static struct stored_mark mark_of_word(enum element_type type, uint64_t word)
{
  return (struct stored_mark){type == ELEMENT_U64 ? (double)word : (double)(int64_t)word, word};
}

/* The library's own fill values mean missing, but for bytes, all of which may be data (NetCDF Users Guide). */
static bool default_fill(int group, int variable, enum element_type meant, struct stored_mark *out)
{
  static const double fills[] = {[NC_SHORT] = NC_FILL_SHORT,   [NC_INT] = NC_FILL_INT,       [NC_FLOAT] = NC_FILL_FLOAT,
                                 [NC_DOUBLE] = NC_FILL_DOUBLE, [NC_USHORT] = NC_FILL_USHORT, [NC_UINT] = NC_FILL_UINT};
  nc_type type = NC_NAT;
  int no_fill = 0;
  nc_inq_vartype(group, variable, &type);
  nc_inq_var_fill(group, variable, &no_fill, NULL);
  if (no_fill != 0 || type < NC_SHORT || type > NC_UINT64 || type == NC_UBYTE)
    return false;
  if (type == NC_INT64 || type == NC_UINT64)
    *out = mark_of_word(meant, type == NC_INT64 ? (uint64_t)NC_FILL_INT64 : NC_FILL_UINT64);
  else
    *out = (struct stored_mark){.value = fills[type]};
  return true;
}

/* The numbers of an attribute; how many. */
static size_t read_marks(int group, int variable, const char *name, enum element_type type, struct stored_mark out[64])
{
  double values[64];
  uint64_t words[64];
  const size_t count = netcdf_attribute_numbers(group, variable, name, values, 64);
  const bool exact = element_is_word(type) && netcdf_attribute_words(group, variable, name, words, 64) == count;
  for (size_t i = 0; i < count; i++)
    out[i] = exact ? mark_of_word(type, words[i])
                   : (struct stored_mark){values[i], element_is_word(type) ? element_word(type, values[i]) : 0};
  return count;
}

static int read_values(int group, int variable, enum element_type type, struct netcdf_missing *out, struct error *error)
{
  struct stored_mark marks[64];
  size_t count = read_marks(group, variable, "_FillValue", type, marks);
  if (count > 0 && add_missing(out, type, &marks[0], error) != 0)
    return -1;
  const bool has_fill = count > 0;
  count = read_marks(group, variable, "missing_value", type, marks);
  for (size_t i = 0; i < count; i++)
    if (add_missing(out, type, &marks[i], error) != 0)
      return -1;
  if (has_fill || !default_fill(group, variable, type, &marks[0]))
    return 0;
  const struct stored_mark nan = {.value = (double)NAN}; /* the better mark */
  if (element_info(type)->is_float && add_missing(out, type, &nan, error) != 0)
    return -1;
  return add_missing(out, type, &marks[0], error);
}

struct bound_attribute {
  const char *name;
  size_t count, place; /* numbers in the attribute; which of them */
  bool upper;
};

/* Whether a bound is in meant numbers: it has another type than the packed variable. */
static bool is_meant(int group, int variable, const char *attribute, const struct netcdf_packing *packing)
{
  nc_type stored = NC_NAT, given = NC_NAT;
  size_t length;
  nc_inq_vartype(group, variable, &stored);
  nc_inq_att(group, variable, attribute, &given, &length);
  return netcdf_is_packed(packing) && given != stored && (given == NC_FLOAT || given == NC_DOUBLE);
}

static void take_bound(double bound, bool upper, struct netcdf_missing *out)
{
  if (upper)
    out->high = fmin(out->high, bound);
  else
    out->low = fmax(out->low, bound);
}

static void read_bounds(int group, int variable, enum element_type type, const struct netcdf_packing *packing,
                        struct netcdf_missing *out)
{
  static const struct bound_attribute attributes[] = {
      {"valid_min", 1, 0, false}, {"valid_max", 1, 0, true}, {"valid_range", 2, 0, false}, {"valid_range", 2, 1, true}};
  out->low = -INFINITY;
  out->high = INFINITY;
  for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
    const struct bound_attribute *a = &attributes[i];
    double numbers[2];
    if (netcdf_attribute_numbers(group, variable, a->name, numbers, 2) != a->count || isnan(numbers[a->place]))
      continue;
    if (is_meant(group, variable, a->name, packing)) {
      const bool upper = a->upper != (packing->scale < 0);
      const double bound = (numbers[a->place] - packing->offset) / packing->scale;
      const double slack = element_info(type)->is_float ? 1e-6 * fabs(bound) : 0.01; /* the bound was rounded */
      take_bound(upper ? bound + slack : bound - slack, upper, out);
    } else {
      take_bound(netcdf_in_type(type, numbers[a->place]), a->upper, out);
    }
  }
}

/* Where only a range says what is missing, a number outside of it stands for all. */
static void choose_mark(enum element_type type, struct netcdf_missing *out)
{
  const double outside[] = {element_info(type)->is_float ? NAN : floor(out->low) - 1, ceil(out->high) + 1};
  for (size_t i = 0; i < 2 && out->count == 0; i++)
    if (isnan(outside[i]) || (isfinite(outside[i]) && element_holds(type, outside[i]))) {
      out->word[out->count] = element_is_word(type) ? element_word(type, outside[i]) : 0;
      out->value[out->count++] = outside[i];
    }
}

int netcdf_missing_read(int group, int variable, enum element_type type, const struct netcdf_packing *packing,
                        struct netcdf_missing *out, struct error *error)
{
  *out = (struct netcdf_missing){0};
  if (read_values(group, variable, type, out, error) != 0)
    return -1;
  read_bounds(group, variable, type, packing, out);
  if (isfinite(out->low) || isfinite(out->high))
    choose_mark(type, out);
  return 0;
}
