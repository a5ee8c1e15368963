/* What is measured on a gauge field: means over plaquettes and rectangles, Polyakov loop, field strength, charge.
 *
 * Loops count where all their links are there: on open axes those that leave the lattice do not. All results are
 * invariant under gauge transformations, and the same bits for any number of threads. Of a field in slabs
 * (gauge_slab.h) all ranks measure at the same time, and get what belongs to all of it; rectangles and the improved
 * strength need copies of two slices.
 * Thread rule: pure functions; work inside goes to threads by blocks. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_OBSERVABLES_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_OBSERVABLES_H

#include "physics/lattice/gauge_field.h"

enum { GAUGE_MAX_PLANES = 6 };

static inline size_t gauge_planes(size_t dimensions)
{
  return dimensions * (dimensions - 1) / 2;
}

/* Re Tr / N of the loop that spans `length` links along mu and `height` along nu, mean over all sites and planes of the
 * kind. A loop of 1 x 2 is a rectangle of both orientations. */
struct gauge_loop_means {
  double temporal; /* planes with axis 0; NaN where there is none */
  double spatial;  /* the other planes; NaN in two dimensions */
  double all;
  double temporal_count, spatial_count; /* loops */
};
void gauge_plaquette(const struct gauge_field *field, unsigned threads, struct gauge_loop_means *out);
void gauge_rectangle(const struct gauge_field *field, unsigned threads, struct gauge_loop_means *out);

/* Trace of the product of the links around the lattice along `axis`, divided by N, mean over the other axes: real and
 * imaginary part. */
void gauge_polyakov(const struct gauge_field *field, size_t axis, unsigned threads, double out[2]);

/* Topological charge and energy density of the field strength. The strength at x is the mean of the four leaves around
 * it, made anti-Hermitian and traceless: 1 x 1 leaves, or improved to O(a^4) by 5/3 of those less 2/3 of the mean of
 * 1 x 2 and 2 x 1.
 *   charge   sum over x of (Tr F01 F23 - Tr F02 F13 + Tr F03 F12) / (4 pi^2) in 4 dimensions; in 2, for U(1), the sum
 *            of F01 / (2 pi)
 *   energy   mean over x of the sum over mu < nu of Tr F F: t^2 <E> of the Wilson flow is t^2 times it */
enum gauge_strength { GAUGE_CLOVER, GAUGE_IMPROVED };
struct gauge_topology {
  double charge; /* NaN where it is not defined: three dimensions, or two and not U(1) */
  double energy;
};
void gauge_topology(const struct gauge_field *field, enum gauge_strength strength, unsigned threads,
                    struct gauge_topology *out);

/* Sum of the plaquettes' angles in (-pi, pi] over 2 pi: an integer on a periodic lattice. U(1) in two dimensions. */
double gauge_geometric_charge(const struct gauge_field *field, unsigned threads);

#endif
