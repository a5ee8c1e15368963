/* Momenta of gauge links: an antihermitian matrix a link, for N > 1 traceless, in the links' layout and type.
 *
 * K = i sum_a p_a T_a with Tr T_a T_b = delta_ab / 2 (T = 1 for U(1)) and p_a normal, so that the kinetic energy
 * sum p^2 / 2 is sum |K|^2, for U(1) half of it. dU/dt = K U.
 * Thread rule: as gauge_action.h. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_MOMENTUM_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_MOMENTUM_H

#include "physics/lattice/gauge_field.h"
#include "physics/random/philox.h"

/* New ones: link (site, mu) has the stream's normals from (site dimensions + mu) * (N^2 - 1, or 1) on. */
void gauge_momentum_draw(const struct gauge_field *field, struct philox_stream stream, unsigned threads,
                         void *momentum);

/* Of a field in slabs (gauge_slab.h) that of all of it; those of the copies are not looked at. */
double gauge_momentum_kinetic(const struct gauge_field *field, const void *momentum, unsigned threads);

/* U = exp(time K) U */
void gauge_momentum_drift(struct gauge_field *field, const void *momentum, double time, unsigned threads);

#endif
