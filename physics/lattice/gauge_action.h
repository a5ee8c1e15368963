/* Actions of gauge fields, and what one block of a field adds to them.
 *
 *   S = beta sum_{mu < nu} w_{mu nu} [ c0 sum_P (1 - Re Tr P / N) + c1 sum_R (1 - Re Tr R / N) ],   c0 = 1 - 8 c1
 * over the plaquettes P and, with c1, the 2 x 1 and 1 x 2 rectangles R that lie on the lattice; Tr / N is the phase
 * itself for U(1). w is xi in planes with x0 and 1 / xi in others (xi the anisotropy; 1 for actions with rectangles).
 *
 *   Wilson c1 = 0; Symanzik, tree level -1/12 (P. Weisz, Nucl. Phys. B 212 (1983) 1; M. Luscher, P. Weisz, Comm. Math.
 *   Phys. 97 (1985) 59); Iwasaki -0.331 (Univ. of Tsukuba report UTHEP-118 (1983), arXiv:1111.7054); DBW2 -1.4088
 *   (T. Takaishi, Phys. Rev. D 54 (1996) 1050)
 * Thread rule: pure functions; work inside goes to `threads` threads by blocks, with the same bits for any number. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_ACTION_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_ACTION_H

#include "physics/lattice/gauge_field.h"

#define GAUGE_C1_WILSON 0.0
#define GAUGE_C1_SYMANZIK (-1.0 / 12.0)
#define GAUGE_C1_IWASAKI (-0.331)
#define GAUGE_C1_DBW2 (-1.4088)

struct gauge_action {
  double beta;
  double c1;                         /* of the rectangles; 0: none */
  double anisotropy;                 /* xi, positive */
  bool open[LATTICE_MAX_DIMENSIONS]; /* axes without the links that leave the last slice: those are zero */
};

/* beta w_{mu nu}. */
double gauge_action_weight(const struct gauge_action *action, size_t mu, size_t nu);

/* S; of a field in slabs as in gauge_observables.h. Loops that leave an open axis do not count. */
double gauge_action_value(const struct gauge_field *field, const struct gauge_action *action, unsigned threads);

/* Links that a force or a loop of the action reaches from its site: slices that slabs of a field copy on each side. */
static inline size_t gauge_action_reach(const struct gauge_action *action)
{
  return action->c1 != 0 ? 2 : 1;
}

/* Molecular dynamics' kick: K -= time dS/dU, an antihermitian K a link in the links' layout and type, whose kinetic
 * energy is sum |K|^2, for U(1) half of it, and that drives U by dU/dt = K U. */
void gauge_action_kick(const struct gauge_field *field, const struct gauge_action *action, unsigned threads,
                       double time, void *momentum);

#endif
