/* Sorting, shared by sort and order. */
#ifndef TWINCUBE_PROCESSES_ARRAY_ORDERING_H
#define TWINCUBE_PROCESSES_ARRAY_ORDERING_H

#include "processes/array/elements.h"

/* The arguments asc and nodata. */
struct ordering {
  bool ascending;
  int nodata; /* -1: dropped, 0: first, 1: last (parameter 1 of KSER_SORT and KSER_ORDER) */
};
int read_ordering(struct call *call, struct ordering *out);

/* Indexes that sort a host array of numbers, or of dates (compared as instants), with nulls; ties keep their order and
 * NaN comes after the numbers. *count is smaller than the array where nulls are dropped. */
int sorted_indexes(struct call *call, const struct value *data, struct ordering ordering, size_t **out, size_t *count);

/* The series over array lanes. Dropped elements leave missing ones at the end: lanes keep their length. */
int emit_ordering(struct call *call, enum kernel_series series, struct ordering ordering, struct value *result);

#endif
