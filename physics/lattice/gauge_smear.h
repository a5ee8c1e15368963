/* Smearing: links become means of the paths around them, in the group.
 *
 *   APE    U' = projection of (1 - alpha) U + alpha / (2 (d - 1)) times the sum of the staples
 *   stout  U' = exp(projection on the algebra of -rho times the plaquettes at the link) U  (hep-lat/0311018)
 *   HYP    three levels of projected APE smearing inside the hypercubes of the link (hep-lat/0103029); in 4
 *          dimensions
 * d counts the axes that are smeared along: all, or those behind axis 0 where `spatial` (links along axis 0 then stay
 * as they are). All commute with gauge transformations; links that are not there (open axes) stay zero.
 * A field in slabs (gauge_slab.h) is smeared by all ranks at the same time, with copies of one slice: HYP's links are
 * made of the hypercubes that they are part of, its partly smeared ones as well.
 * Thread rule: one writer; work inside goes to threads by blocks, the same bits for any number. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_SMEAR_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_SMEAR_H

#include "physics/lattice/gauge_field.h"

#include <stdbool.h>

enum gauge_smearing { SMEAR_APE, SMEAR_STOUT, SMEAR_HYP };

struct gauge_smear {
  enum gauge_smearing kind;
  double weight[3]; /* alpha, or rho, in weight[0]; HYP: alpha1, alpha2, alpha3 */
  bool spatial;     /* not for HYP */
  size_t steps;
};

/* Bytes of scratch, aligned to 64; SIZE_MAX where that overflows. */
size_t gauge_smear_bytes(const struct lattice *lattice, size_t colours, enum gauge_smearing kind);

/* Smears the field; false where *cancel (may be NULL) became nonzero on the way. */
bool gauge_smear(struct gauge_field *field, const struct gauge_smear *smear, unsigned threads,
                 const volatile int *cancel, void *scratch);

#endif
