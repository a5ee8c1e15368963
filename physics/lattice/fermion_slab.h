/* Spinors of a slab (gauge_slab.h): its copies of the sites beside it, for hops. Nothing else reads copies, so only
 * what a hop begins with is brought up to date. Thread rule: as in gauge_slab.h. */
#ifndef TWINCUBE_PHYSICS_LATTICE_FERMION_SLAB_H
#define TWINCUBE_PHYSICS_LATTICE_FERMION_SLAB_H

#include "physics/lattice/fermion_field.h"
#include "physics/lattice/gauge_slab.h"

struct fermion_part { /* some sites of a field */
  enum fermion_type type;
  void *field;
  size_t first; /* block with which it begins */
  enum parity parity;
};

/* Brings the copies of such sites up to date. Nothing to do where slab is NULL. */
void fermion_slab_exchange(struct gauge_slab *slab, const struct fermion_shape *shape, const struct fermion_part *part);

#endif
