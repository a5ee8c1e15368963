/* Accumulators: reducers over arrays that come in parts, in any number of calls, threads and tasks.
 *
 * What is known of a part of an array is its state: a few doubles, a row of kernel_reducers.def says which. States of
 * parts merge in order, so a long axis, a spatial mean and statistics by zone go through memory once, whatever they
 * hold. State memory is [state][position]: one double a state and position.
 *
 * Bits. MIN, MAX, FIRST, LAST, COUNT, ALL and ANY give the same however the array is cut. Sums (SUM, PRODUCT, MEAN,
 * VARIANCE, SD) depend on where it is cut and in which order parts are merged, and on nothing else: a step adds strips
 * of 256 elements, counted from its own first, each summed in index order, one after the other to the state. So a
 * position's bits depend neither on its neighbours nor on outer, inner or the SIMD level, and steps that are cut at
 * multiples of 256 elements give the bits of a single step. The caller fixes the other cuts and the order of merging.
 *
 * No allocation, no lock; calls on different states may run in parallel. */
#ifndef TWINCUBE_HPC_KERNEL_ACCUMULATE_H
#define TWINCUBE_HPC_KERNEL_ACCUMULATE_H

#include "hpc/kernel/kernel.h"

struct accumulator {
  enum kernel_reducer reducer; /* one with states */
  const double *parameters;    /* as in kernel_reducers.def, all of them; borrowed */
};

/* Elements in memory, borrowed. Not complex. */
struct accumulate_data {
  const void *data;
  enum element_type type;
  bool has_nodata; /* nodata is read as NA, and so are NaN of floats, unless it is NA itself, and 255 of booleans */
  double nodata;
};

/* data is [outer][n][inner], reduced over n; positions are [outer][inner]. */
struct accumulate_shape {
  size_t outer, n, inner;
};

/* Element pixel[i] of the data belongs to zone[i], for i in 0 … count. */
struct accumulate_zones {
  size_t zones;          /* every zone[i] is below */
  const uint32_t *pixel; /* borrowed */
  const uint32_t *zone;  /* borrowed */
  size_t count;
};

/* Doubles of state a position; 0: the reducer needs its whole axis and has no accumulator. */
size_t kernel_reducer_states(enum kernel_reducer reducer);

/* The state of no elements. */
void kernel_accumulate_init(const struct accumulator *a, double *state, size_t positions);

/* Adds the elements to the state of each position, in index order of n. */
void kernel_accumulate_step(const struct accumulator *a, double *state, const struct accumulate_data *data,
                            struct accumulate_shape shape);

/* Adds the elements to the state [state][zone] of their zones, each zone's one after the other in order of i: how
 * the calls are cut does not change the bits. */
void kernel_accumulate_zones(const struct accumulator *a, double *state, const struct accumulate_data *data,
                             const struct accumulate_zones *zones);

/* Adds `from`, the states of the parts that come next, to `into`. */
void kernel_accumulate_merge(const struct accumulator *a, double *into, const double *from, size_t positions);

/* The results, one a position, NA kept. */
void kernel_accumulate_finish(const struct accumulator *a, const double *state, size_t positions, double *out);

#endif
