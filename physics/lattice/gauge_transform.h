/* Gauge transformations: U(x, mu) becomes G(x) U(x, mu) G(x + mu)^dagger.
 * Thread rule: one writer; work inside goes to threads by blocks. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_TRANSFORM_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_TRANSFORM_H

#include "physics/lattice/gauge_field.h"

/* Bytes of a field of one matrix a site; SIZE_MAX where that overflows. */
size_t gauge_sites_bytes(const struct lattice *lattice, size_t colours);

/* A random transformation, uniform over the group at every site (the polar factor of a matrix of normal numbers):
 * matrices[block][row][column][re, im][lane], aligned to 64. The numbers belong to the seed and the site. */
void gauge_random_sites(const struct lattice *lattice, size_t colours, uint64_t seed, unsigned threads,
                        double *matrices);

/* Applies the transformation. */
void gauge_transform(struct gauge_field *field, const double *matrices, unsigned threads);

#endif
