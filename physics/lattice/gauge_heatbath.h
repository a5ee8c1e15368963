/* Heat bath and over-relaxation of gauge fields with plaquette actions.
 *
 * A link feels exp(Re Tr U W^dagger / N) with W the weighted sum of its staples. All even extents: the links of one
 * direction on sites of one colour of the checkerboard feel nothing of each other and change at once, on threads.
 *   U(1)   the phase of U W^dagger has a von Mises distribution: rejection with a wrapped Cauchy envelope
 *          (D. J. Best, N. I. Fisher, J. Roy. Stat. Soc. C 28 (1979) 152), of which only cosine and sine are needed
 *   SU(2)  a0 ~ sqrt(1 - a0^2) exp(alpha a0): A. D. Kennedy, B. J. Pendleton, Phys. Lett. B 156 (1985) 393; where alpha
 *          is below 3/4 by rejection from a uniform a0, as in M. Creutz, Phys. Rev. D 21 (1980) 2308
 *   SU(N)  the N (N - 1) / 2 SU(2) subgroups one after the other: N. Cabibbo, E. Marinari, Phys. Lett. B 119 (1982) 387
 * Over-relaxation is the reflection at W in the same subgroups: the action stays, the field moves on.
 *
 * Random numbers of a link: Philox with key seed and counter (site, mu | subgroup << 3 | attempt << 8, stream), so they
 * depend on nothing else, on any number of threads. Links that are zero (open axes) stay zero. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_HEATBATH_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_HEATBATH_H

#include "physics/lattice/gauge_action.h"
#include "physics/random/philox.h"

/* One sweep over all links. action->c1 is 0; the lattice has parity. */
void gauge_heatbath(struct gauge_field *field, const struct gauge_action *action, struct philox_stream stream,
                    unsigned threads);
void gauge_overrelax(struct gauge_field *field, const struct gauge_action *action, unsigned threads);

/* Takes away what rounding has done: all links back to the group. */
void gauge_reunitarise(struct gauge_field *field, unsigned threads);

#endif
