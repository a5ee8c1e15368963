/* Quark propagators: sources, and M^-1 of them.
 *
 * A source is a number f(x) on each site, put into each spin and colour in turn: column (spin, colour) of the
 * propagator is M^-1 of the field that is f(x) there and 0 elsewhere. Kinds: 1 on one site (point), 1 on a time slice
 * (wall, which is not gauge invariant: fix the gauge first), noise on a time slice (stochastic; f f^* averages to 1, so
 * the products of two columns average to the sum over point sources).
 * Noise is counter-based: number n of the stream is that of site n, row-major. */
#ifndef TWINCUBE_PHYSICS_LATTICE_PROPAGATOR_H
#define TWINCUBE_PHYSICS_LATTICE_PROPAGATOR_H

#include "physics/lattice/dirac_solve.h"
#include "physics/random/philox.h"

enum noise_kind { NOISE_Z2, NOISE_Z4, NOISE_GAUSS };
enum source_kind { SOURCE_POINT, SOURCE_WALL, SOURCE_NOISE };

struct quark_source {
  enum source_kind kind;
  size_t place[LATTICE_MAX_DIMENSIONS]; /* of the point; [0] is the time slice of the others */
  enum noise_kind noise;
  struct philox_stream stream;
};

/* Noise number n: 1 on average, absolute square; Z2 is real. */
double complex noise_number(enum noise_kind kind, struct philox_stream stream, uint64_t n);

/* A stream for what is drawn on this configuration: of seed, purpose and the links' bits. */
struct philox_stream noise_stream(const struct gauge_field *gauge, uint64_t seed, uint64_t purpose);

/* eta, on all blocks: the source's column. */
void quark_source_fill(const struct fermion_shape *shape, const struct quark_source *source, size_t column,
                       double *eta);

/* spins * colours. */
size_t propagator_columns(const struct fermion_shape *shape);

/* What a propagator is made with; the fields are on all blocks. */
struct propagator_room {
  double *columns; /* propagator_columns fields, one behind the other */
  double *eta;     /* one field */
  void *work;      /* dirac_solve_bytes */
};

/* Bytes of such a room, and the room over them (aligned to 64); 0 where that overflows. */
size_t propagator_bytes(const struct fermion_shape *shape);
struct propagator_room propagator_room(const struct fermion_shape *shape, void *memory);

/* All columns. -1 where a column does not converge (or is cancelled): `report` is that column's. */
int propagator_solve(const struct dirac *dirac, const struct solver *solver, const struct quark_source *source,
                     const struct propagator_room *room, struct solver_report *report);

#endif
