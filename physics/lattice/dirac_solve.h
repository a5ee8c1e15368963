/* Solves M psi = eta on the even half (dirac.h).
 *
 * Conjugate gradients, of K^dagger K psi = K^dagger rhs with spin and of K psi = rhs for staggered quarks, or BiCGStab
 * of K. The iteration runs in doubles, or in floats (mixed) with reliable updates: whenever its residual has fallen to
 * a tenth, the solution moves into doubles and the residual is computed there anew; the search direction is kept. What
 * is promised is the true residual |eta - M psi| <= tolerance |eta|, computed in doubles. Sources: C. R. Gattringer and
 * C. B. Lang, "Quantum Chromodynamics on the Lattice" (2010), section 6.2; M. A. Clark et al., Comp. Phys. Comm. 181
 * (2010) 1517; H. A. van der Vorst, SIAM J. Sci. Stat. Comput. 13 (1992) 631. */
#ifndef TWINCUBE_PHYSICS_LATTICE_DIRAC_SOLVE_H
#define TWINCUBE_PHYSICS_LATTICE_DIRAC_SOLVE_H

#include "physics/lattice/dirac_modes.h"

enum solver_method { SOLVER_CG, SOLVER_BICGSTAB };

struct solver {
  enum solver_method method;
  bool mixed;                 /* iterates in floats; the operator has them */
  double tolerance;           /* above 0 */
  size_t most_iterations;     /* in all */
  const volatile int *cancel; /* becomes nonzero: the solver gives up; or NULL */
  /* Of this operator, in the iteration's type: their part is solved apart, so that the iteration has a better
   * condition; borrowed; or NULL */
  const struct dirac_modes *modes;
};

enum { SOLVER_HISTORY = 64 };

struct solver_report {
  bool converged, cancelled;
  size_t iterations; /* applications of the solver's operator, about */
  double residual;   /* |eta - M psi| / |eta| */
  /* Relative residuals of the solved system where they were computed in doubles, with their iterations. Where there are
   * more than fit, every second one is dropped. */
  size_t recorded, stride, seen;
  struct solver_step {
    size_t iteration;
    double residual;
  } history[SOLVER_HISTORY];
};

/* Bytes of the work space; 0 where that overflows. */
size_t dirac_solve_bytes(const struct fermion_shape *shape);

/* psi = M^-1 eta, all blocks, an even lattice; work aligned to 64. Whether it converged: report. */
void dirac_solve(const struct dirac *dirac, const struct solver *solver, const double *eta, double *psi, void *work,
                 struct solver_report *report);

#endif
