/* Two flavours of Wilson fermions in two dimensions, coupled to U(1): the Schwinger model's part of molecular dynamics.
 *
 *   M = 1 - kappa sum_mu [ (1 - gamma_mu) U(x, mu) T_mu + (1 + gamma_mu) T_mu^dagger U(x, mu)^dagger ]
 *   S = phi^dagger (M M^dagger)^-1 phi,   phi = M eta, eta normal with <|eta|^2> = 1 a component
 * gamma_0 = sigma_1, gamma_1 = sigma_2; M^dagger = gamma_5 M gamma_5. M M^dagger is solved by conjugate gradients from
 * zero, so that ways lead back. Fields of two spins a site: values[site][spin][re, im], sites row-major.
 * Thread rule: one caller at a time; it uses one thread. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SCHWINGER_H
#define TWINCUBE_PHYSICS_LATTICE_SCHWINGER_H

#include "physics/lattice/gauge_field.h"
#include "physics/random/philox.h"

struct schwinger {
  size_t extent[2], sites;
  double kappa;
  bool antiperiodic;          /* in x0 */
  double *links;              /* [site][mu][re, im], with the sign of the boundary */
  double *phi, *x, *y;        /* pseudofermion, (M M^dagger)^-1 phi, M^dagger x */
  double *r, *p, *q, *mp;     /* work */
  size_t iterations;          /* of the solvers since it was set to 0 */
  bool failed;                /* one of them did not converge, or was cut off: stays, and no other begins */
  const volatile int *cancel; /* becomes nonzero: solvers are cut off; or NULL */
};

/* Bytes of memory; saturated. */
size_t schwinger_bytes(const size_t *extent);
void schwinger_open(struct schwinger *schwinger, const size_t *extent, void *memory);

/* About how many iterations a solution takes. */
double schwinger_iterations(const size_t *extent, double kappa);

/* Takes over the links; after that the functions below are about them. */
void schwinger_set(struct schwinger *schwinger, const struct gauge_field *field);

/* out = M in, or M^dagger in. */
void schwinger_apply(const struct schwinger *schwinger, double *out, const double *in, bool dagger);

/* A new pseudofermion; returns its action. Site x has the normals from 4 x on. */
double schwinger_draw(struct schwinger *schwinger, struct philox_stream stream);

/* The pseudofermion's action, by a solution to x that the next kick uses. */
double schwinger_action(struct schwinger *schwinger);

/* Momenta (gauge_momentum.h) -= time dS/dU; solves. */
void schwinger_kick(struct schwinger *schwinger, const struct lattice *lattice, double time, double *momentum);

#endif
