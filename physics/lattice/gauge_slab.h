/* A gauge field that lies on several ranks: each has a slab of slices of x0, and copies of the slices beside it.
 *
 * The slabs have even numbers of slices, so a site's colour is the same everywhere. A sweep over the links of one
 * direction and colour reads none of these, so it treats the copies like other sites, to no purpose; behind it the
 * slices at the slab's ends go to the neighbours (gauge_slab_exchange), as far as they have changed. Links and random
 * numbers do not depend on who has a site, so neither do the bits.
 * Thread rule: one caller at a time, all ranks the same calls in the same order, in a conversation of rank 0's
 * (hpc/ranks/ranks.h). Where that fails, ranks->broken says so, and what is made means nothing. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_SLAB_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_SLAB_H

#include "hpc/ranks/ranks.h"
#include "physics/lattice/gauge_field.h"

struct gauge_split {   /* how a lattice is dealt */
  struct ranks *ranks; /* borrowed; NULL: it is not */
  size_t parts;        /* slabs: the first so many ranks have one each, 2 to pairs of slices */
};

enum slab_slice { SLAB_FIRST, SLAB_LAST, SLAB_ABOVE, SLAB_BELOW, SLAB_SLICES };

struct gauge_slab {
  struct ranks *ranks;
  size_t above, below; /* ranks */
  size_t sites;        /* of a slice */
  /* Sites of a slice, its own at the ends and the copies, in the same order everywhere: block << 3 | lane. */
  uint32_t *slice[SLAB_SLICES];
  double *out, *in; /* links of a slice */
};

/* Where this rank's slab begins, and its slices: 0 and all without a split. */
void gauge_split_slices(const struct gauge_split *split, size_t slices, size_t *begin, size_t *count);

/* Bytes beside the field; saturated. */
size_t gauge_slab_bytes(size_t dimensions, const size_t *extent, size_t colours);
/* For fields on the lattice, that of the slab, in `memory` (such bytes, aligned to 64, borrowed). */
void gauge_slab_open(struct gauge_slab *slab, const struct gauge_split *split, const struct lattice *lattice,
                     size_t colours, void *memory);

/* Brings the copies of links along mu from sites of one colour up to date. Nothing to do without a slab. */
void gauge_slab_exchange(struct gauge_field *field, size_t mu, bool odd);

/* All links to rank 0, there into `whole`, a field on the whole lattice, NULL elsewhere; `values` is room for what
 * gauge_field_get gives of the slab: rank 0 has the largest. */
void gauge_slab_gather(const struct gauge_field *field, const struct gauge_split *split, unsigned threads,
                       double *values, struct gauge_field *whole);

#endif
