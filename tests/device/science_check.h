/* Checks of simulators' kernels: a function and a row of a table each. */
#ifndef TWINCUBE_TESTS_DEVICE_SCIENCE_CHECK_H
#define TWINCUBE_TESTS_DEVICE_SCIENCE_CHECK_H

#include "hpc/device/science_kernel.h"
#include "physics/lattice/gauge_field.h"

#include <math.h>
#include <time.h>

struct outcome {
  double deviation, bound;  /* largest; allowed */
  double on_device, on_cpu; /* seconds */
};

struct check {
  const char *name;
  int (*run)(struct science *science, const struct check *check, struct outcome *out, struct error *error);
  const void *what; /* of those that the function knows */
};

struct check_table {
  const struct check *checks;
  size_t count;
};
extern const struct check_table gauge_checks, fermion_checks;

/* science_speeds.c: kernels on a lattice of SIDE^4, against a copy on the device: a line each. */
int science_speeds(struct science *science, size_t side, struct error *error);

static inline double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static inline void note(struct outcome *out, double have, double want)
{
  const double off = fabs(have - want);
  out->deviation = off > out->deviation || isnan(off) ? off : out->deviation;
}

/* ---- fields (science_fields.c): released by field_free, where making them fails, too ---- */

struct check_shape {
  size_t colours, dimensions, extent[LATTICE_MAX_DIMENSIONS];
  bool open; /* the last axis */
};

struct check_field {
  struct lattice lattice;
  struct gauge_field field; /* hot */
  size_t bytes;             /* of its links */
  void *tables;
};

int field_make(struct check_field *f, const struct check_shape *shape, struct error *error);
void field_free(struct check_field *f);
/* Room on the host, aligned for kernels; or NULL. */
void *room_new(size_t bytes);

#endif
