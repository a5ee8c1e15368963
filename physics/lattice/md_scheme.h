/* Symplectic integrators of molecular dynamics: rows of kicks (of the momenta) and drifts (of the coordinates).
 *
 *   leapfrog   kick 1/2, drift 1, kick 1/2                                          order 2, one force a step
 *   omelyan2   kick l, drift 1/2, kick 1 - 2 l, drift 1/2, kick l                   order 2, two forces
 *   omelyan4   six kicks and five drifts, "4MN5FV"                                  order 4, five forces
 * Last and first kick of neighbouring steps are one. I. P. Omelyan, I. M. Mryglod, R. Folk, Comp. Phys. Comm. 151
 * (2003) 272; l = 0.1931833275037836. Several time scales: a drift is itself a trajectory of the other forces (J. C.
 * Sexton, D. H. Weingarten, Nucl. Phys. B 380 (1992) 665). */
#ifndef TWINCUBE_PHYSICS_LATTICE_MD_SCHEME_H
#define TWINCUBE_PHYSICS_LATTICE_MD_SCHEME_H

#include <stddef.h>

enum { MD_MAX_DRIFTS = 5 };

enum md_order { MD_LEAPFROG, MD_OMELYAN2, MD_OMELYAN4 };

struct md_system {
  void *context;
  void (*kick)(void *context, double time);
  void (*drift)(void *context, double time);
  const volatile int *cancel; /* becomes nonzero: the way ends early and means nothing; or NULL */
};

/* Follows the system for steps * step_size. */
void md_follow(const struct md_system *system, enum md_order order, size_t steps, double step_size);

#endif
