/* Dirac operators on a gauge field.
 *
 *   M = scale (A + factor H)                     H: the hopping term, fermion_field.h
 *   Wilson     (1 - kappa H) / (2 kappa), r = 1: m + sum (1 - cos p) + i gamma sin p on plane waves. A = 1,
 *              factor = -kappa, scale = 1 / (2 kappa) = m + d
 *   clover     the same with A = 1 - kappa c_sw sum_(mu < nu) gamma_mu gamma_nu F_(mu nu), F = (Q - Q^dagger) / 8,
 *              Q the sum of the four plaquettes around the site in the plane (the sign of B. Sheikholeslami and
 *              R. Wohlert, Nucl. Phys. B 259 (1985) 572, as C. Gattringer and C. B. Lang, "Quantum Chromodynamics on
 *              the Lattice" (2010), eq. 9.13, have it)
 *   staggered  m + sum_mu eta_mu / 2 (forward - backward), one spin: A = 1, factor = 1 / m, scale = m
 *
 * Even-odd: of M psi = eta the odd half is solved at once, and the even half by
 *
 *   K = A_ee - factor^2 H_eo A_oo^-1 H_oe,   K psi_e = (eta_e - factor H_eo A_oo^-1 eta_o) / scale
 *   psi_o = A_oo^-1 (eta_o / scale - factor H_oe psi_e)
 *
 * whose condition is about half of M's square root. M and K are gamma_5-Hermitian with spin; the staggered K is
 * Hermitian and positive. A field in slabs (gauge_slab.h) has its operator made and applied by all ranks at the same
 * time; results hold on their own sites. Thread rule: immutable once made, except for the work space that calls are
 * given. */
#ifndef TWINCUBE_PHYSICS_LATTICE_DIRAC_H
#define TWINCUBE_PHYSICS_LATTICE_DIRAC_H

#include "physics/lattice/fermion_field.h"
#include "physics/lattice/hopping.h"

struct dirac_rule {
  struct hopping_rule hopping;
  double kappa;  /* Wilson; not 0 */
  double clover; /* c_sw; 0: none */
  double mass;   /* staggered; not 0 */
};

struct dirac {
  struct fermion_shape shape;
  unsigned threads;
  double factor, scale;
  bool staggered;
  struct gauge_slab *slab; /* the gauge field's, whose halo hops bring up to date (fermion_slab.h); NULL: it has none */
  const void *links[FERMION_TYPES];                              /* floats NULL where there are none */
  const void *site[FERMION_TYPES], *site_inverse[FERMION_TYPES]; /* A and A^-1; NULL: 1 */
};

/* Spins of a quark in that many dimensions. */
size_t dirac_spins(size_t dimensions, bool staggered);

/* Bytes that dirac_init wants, with floats beside doubles or without; 0 where that overflows. */
size_t dirac_bytes(const struct gauge_field *gauge, const struct dirac_rule *rule, bool floats);

/* Makes the operator in `memory` (aligned to 64, borrowed). 0, or -1 where the clover term has no inverse,
 * on whatever slab. */
int dirac_init(struct dirac *dirac, const struct gauge_field *gauge, const struct dirac_rule *rule, bool floats,
               unsigned threads, void *memory);

/* out = M in, on all blocks. in and out differ. M^dagger = gamma_5 M gamma_5 with spin, 2 m - M without. */
void dirac_apply(const struct dirac *dirac, const double *in, double *out);

/* x = gamma_5 x, on so many blocks. */
void dirac_chiral(const struct dirac *dirac, enum fermion_type type, void *x, size_t blocks);

/* out = K in on even blocks; work: a field of half the blocks. All differ. */
void dirac_even(const struct dirac *dirac, enum fermion_type type, const void *in, void *out, void *work);

/* The Hermitian positive operator of the even half: out = K^dagger K in; of staggered quarks out = K in, which is so
 * itself. work: two fields of half the blocks. */
void dirac_normal(const struct dirac *dirac, enum fermion_type type, const void *in, void *out, void *const work[2]);

/* The even half's right-hand side, from eta on all blocks; work: one field of half the blocks. */
void dirac_even_source(const struct dirac *dirac, const double *eta, double *rhs, double *work);

/* Completes psi, on all blocks, whose even half is solved. */
void dirac_odd_solution(const struct dirac *dirac, const double *eta, double *psi, double *work);

#endif
