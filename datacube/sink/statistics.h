/* Minimum, maximum, mean and deviation of the valid values of a band, gathered while it is encoded.
 *
 * Statistics are made of parts (tiles, chunks) and merged; the same parts in the same order give the same bits. Missing
 * values and infinities do not count. */
#ifndef TWINCUBE_DATACUBE_SINK_STATISTICS_H
#define TWINCUBE_DATACUBE_SINK_STATISTICS_H

#include "datacube/base/buffer.h"
#include "datacube/cube.h"

#include <stdint.h>

struct statistics {          /* all zero: of nothing */
  uint64_t looked_at, valid; /* values */
  double minimum, maximum;   /* meaningless without valid values, as what follows */
  double mean, squares;      /* squares: sum of the squared distances from the mean */
};

/* What counts as missing. */
struct statistics_rule {
  enum element_type type;
  bool has_nodata;
  double nodata;
};

/* false for complex numbers, which have no order. */
bool statistics_possible(enum element_type type);
struct statistics_rule statistics_rule_of(const struct cube *cube);
/* Adds n values that lie together. */
void statistics_add(struct statistics *to, const struct statistics_rule *rule, const void *values, size_t n);
void statistics_merge(struct statistics *to, const struct statistics *part);

double statistics_deviation(const struct statistics *statistics); /* of all values, not of a sample */
double statistics_percent(const struct statistics *statistics);   /* valid ones, 0 … 100 */

/* STAC's object: minimum, maximum, mean, stddev, count, valid_percent; the first five where there is a valid value. */
void statistics_write(const struct statistics *statistics, struct json_writer *writer);

#endif
