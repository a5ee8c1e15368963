/* Statistics of rows of values.
 *
 * What counts is gathered; the sums are of distances from a value that is near, the mean of what came before, so that
 * their squares lose no digits, and parts are merged by the update of Chan, Golub and LeVeque (Algorithms for computing
 * the sample variance, The American Statistician 37, 1983). Whether a float is finite is asked of its bits, so this
 * file may be compiled as if all arithmetic were finite and in any order, which lets the sums run as vectors. */
#include "datacube/sink/statistics.h"

#include <float.h>
#include <math.h>
#include <string.h>

bool statistics_possible(enum element_type type)
{
  return !element_info(type)->is_complex;
}

struct statistics_rule statistics_rule_of(const struct cube *cube)
{
  return (struct statistics_rule){
      .type = cube->type, .has_nodata = cube->has_nodata && !isnan(cube->nodata), .nodata = cube->nodata};
}

enum { ROW = 1024 }; /* values that are looked at with one shift */

#define FINITE_32(value) ((bits_32(value) & 0x7F800000U) != 0x7F800000U)
#define FINITE_64(value) ((bits_64(value) & 0x7FF0000000000000U) != 0x7FF0000000000000U)
#define ALWAYS(value) true
#define TRUTH(value) ((value) <= 1)

static inline uint32_t bits_32(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline uint64_t bits_64(double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* The values that count, close together; how many. A no-data value that the type cannot hold is none of its values.
 * Mostly all count, and the loops that find that out and convert run as vectors. */
#define GATHER(element, type, least, most, may_count)                                                                  \
  case element: {                                                                                                      \
    const type *from = values;                                                                                         \
    const bool misses = rule->has_nodata && rule->nodata >= (double)(least) && rule->nodata <= (double)(most);         \
    const type nodata = misses ? ELEMENT_NODATA(type, rule->nodata) : 0;                                               \
    uint32_t missing = 0;                                                                                              \
    for (size_t i = 0; i < n; i++)                                                                                     \
      missing += may_count(from[i]) ? 0 : 1;                                                                           \
    for (size_t i = 0; misses && i < n; i++)                                                                           \
      missing += from[i] == nodata ? 1 : 0;                                                                            \
    if (missing == 0) {                                                                                                \
      for (size_t i = 0; i < n; i++)                                                                                   \
        room[i] = (double)from[i];                                                                                     \
      return n;                                                                                                        \
    }                                                                                                                  \
    for (size_t i = 0; i < n; i++) {                                                                                   \
      room[valid] = (double)from[i];                                                                                   \
      valid += may_count(from[i]) & !(misses & (from[i] == nodata));                                                   \
    }                                                                                                                  \
    break;                                                                                                             \
  }

static size_t gather_valid(const struct statistics_rule *rule, const void *values, size_t n, double *restrict room)
{
  size_t valid = 0;
  switch (rule->type) {
    GATHER(ELEMENT_BOOLEAN, uint8_t, 1, 0, TRUTH)
    GATHER(ELEMENT_U8, uint8_t, 0, UINT8_MAX, ALWAYS)
    GATHER(ELEMENT_I8, int8_t, INT8_MIN, INT8_MAX, ALWAYS)
    GATHER(ELEMENT_U16, uint16_t, 0, UINT16_MAX, ALWAYS)
    GATHER(ELEMENT_I16, int16_t, INT16_MIN, INT16_MAX, ALWAYS)
    GATHER(ELEMENT_U32, uint32_t, 0, UINT32_MAX, ALWAYS)
    GATHER(ELEMENT_I32, int32_t, INT32_MIN, INT32_MAX, ALWAYS)
    GATHER(ELEMENT_U64, uint64_t, 0, 0x1p64, ALWAYS)
    GATHER(ELEMENT_I64, int64_t, INT64_MIN, 0x1p63, ALWAYS)
    GATHER(ELEMENT_F32, float, -FLT_MAX, FLT_MAX, FINITE_32)
    GATHER(ELEMENT_F64, double, -DBL_MAX, DBL_MAX, FINITE_64)
  default:
    break;
  }
  return valid;
}

/* Of n > 0 values that all count; shift: something near them. */
static struct statistics look_at(const double *values, size_t n, double shift)
{
  double low = values[0], high = values[0], sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) {
    const double distance = values[i] - shift;
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
    sum += distance;
    squares += distance * distance;
  }
  const double from_shift = sum / (double)n;
  squares -= sum * from_shift;
  return (struct statistics){
      .valid = n, .minimum = low, .maximum = high, .mean = shift + from_shift, .squares = squares > 0 ? squares : 0};
}

void statistics_add(struct statistics *to, const struct statistics_rule *rule, const void *values, size_t n)
{
  const char *at = values;
  const size_t size = element_info(rule->type)->size;
  double room[ROW];
  for (size_t done = 0; done < n; done += ROW) {
    const size_t length = n - done < ROW ? n - done : ROW;
    const size_t valid = gather_valid(rule, at + done * size, length, room);
    struct statistics part = {0};
    if (valid > 0)
      part = look_at(room, valid, to->valid > 0 ? to->mean : room[0]);
    part.looked_at = length;
    statistics_merge(to, &part);
  }
}

void statistics_merge(struct statistics *to, const struct statistics *part)
{
  uint64_t looked_at = to->looked_at + part->looked_at;
  if (to->valid == 0) {
    *to = *part;
  } else if (part->valid > 0) {
    double share = (double)part->valid / (double)(to->valid + part->valid), distance = part->mean - to->mean;
    to->minimum = part->minimum < to->minimum ? part->minimum : to->minimum;
    to->maximum = part->maximum > to->maximum ? part->maximum : to->maximum;
    to->mean += distance * share;
    to->squares += part->squares + distance * distance * share * (double)to->valid;
    to->valid += part->valid;
  }
  to->looked_at = looked_at;
}

double statistics_deviation(const struct statistics *statistics)
{
  return statistics->valid > 0 ? sqrt(statistics->squares / (double)statistics->valid) : 0;
}

double statistics_percent(const struct statistics *statistics)
{
  return statistics->looked_at > 0 ? 100 * (double)statistics->valid / (double)statistics->looked_at : 0;
}

void statistics_write(const struct statistics *statistics, struct json_writer *writer)
{
  json_write_object(writer);
  if (statistics->valid > 0) {
    json_kv_number(writer, "minimum", statistics->minimum);
    json_kv_number(writer, "maximum", statistics->maximum);
    json_kv_number(writer, "mean", statistics->mean);
    json_kv_number(writer, "stddev", statistics_deviation(statistics));
    json_kv_integer(writer, "count", (int64_t)statistics->valid);
  }
  json_kv_number(writer, "valid_percent", statistics_percent(statistics));
  json_end_object(writer);
}
