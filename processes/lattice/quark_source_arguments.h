/* Arguments source, position and seed: where quarks start. */
#ifndef TWINCUBE_PROCESSES_LATTICE_QUARK_SOURCE_ARGUMENTS_H
#define TWINCUBE_PROCESSES_LATTICE_QUARK_SOURCE_ARGUMENTS_H

#include "processes/lattice/gauge_cube.h"

#include "physics/lattice/propagator.h"

struct source_arguments { /* numbers alone */
  size_t kind, noise;     /* enum source_kind, enum noise_kind */
  size_t place[LATTICE_MAX_DIMENSIONS];
  uint64_t seed;
};

int call_source(struct call *call, const struct gauge_cube *cube, struct source_arguments *out);

/* The source on that field; noise is drawn from the seed and the field's bits. */
struct quark_source quark_source_of(const struct source_arguments *arguments, const struct gauge_field *gauge);

#endif
