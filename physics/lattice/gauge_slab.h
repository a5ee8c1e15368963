/* A gauge field that lies on several ranks: each has a slab of slices of x0, and copies of the slices beside it.
 *
 * The slabs have even numbers of slices, so a site's colour is the same everywhere. A sweep over the links of one
 * direction and colour reads none of these, so it treats the copies like other sites, to no purpose; behind it the
 * slices at the slab's ends go to the neighbours (gauge_slab_exchange), as far as they have changed. Forces and
 * observables of a site reach one link further, with rectangles two: so wide are the copies. Links and random numbers
 * do not depend on who has a site, and sums over sites are exact (exact_sum.h), so the bits do not either. Thread rule:
 * one caller at a time, all ranks the same calls in the same order, in a conversation of rank 0's (hpc/ranks/ranks.h).
 * Where that fails, ranks->broken says so, and what is made means nothing. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_SLAB_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_SLAB_H

#include "hpc/ranks/ranks.h"
#include "physics/lattice/exact_sum.h"
#include "physics/lattice/gauge_field.h"

struct gauge_split {   /* how a lattice is dealt */
  struct ranks *ranks; /* borrowed; NULL: it is not */
  size_t parts;        /* slabs: the first so many ranks have one each, 2 to gauge_split_pieces */
  size_t width;        /* slices copied on each side of a slab: 1, or 2 */
};

enum slab_slice { SLAB_FIRST, SLAB_LAST, SLAB_ABOVE, SLAB_BELOW, SLAB_SLICES };

struct gauge_slab {
  struct ranks *ranks;
  size_t parts;
  size_t above, below; /* ranks */
  size_t sites;        /* of the slices that are copied from a side */
  /* Sites of slices, its own at the ends and the copies, in the same order everywhere: block << 3 | lane. */
  uint32_t *slice[SLAB_SLICES];
  double *out, *in; /* links from those sites, or their spinors */
};

/* This rank's slab: all slices without a split. */
struct lattice_slab gauge_split_slab(const struct gauge_split *split, size_t slices);

/* Pieces that a lattice can be dealt in: pairs of slices; 1 where an extent is odd, or two slabs with their copies
 * would each have more slices than the lattice. */
size_t gauge_split_pieces(size_t dimensions, const size_t *extent, size_t width);

/* Bytes beside the field; saturated. */
size_t gauge_slab_bytes(size_t dimensions, const size_t *extent, size_t width, size_t colours);
/* For fields on the lattice, that of the slab, in `memory` (such bytes, aligned to 64, borrowed). */
void gauge_slab_open(struct gauge_slab *slab, const struct gauge_split *split, const struct lattice *lattice,
                     size_t colours, void *memory);

/* Brings the copies of links along mu from sites of one colour up to date. Nothing to do without a slab. */
void gauge_slab_exchange(struct gauge_field *field, size_t mu, bool odd);
/* The same for all links. */
void gauge_slab_exchange_all(struct gauge_field *field);

/* Adds the lanes of a block that are the slab's own sites. */
static inline void gauge_slab_add(const struct lattice *lattice, size_t block, const double *lanes,
                                  struct exact_sum *sum)
{
  for (unsigned own = lattice_own_lanes(lattice, block), lane = 0; own != 0; own >>= 1, lane++) {
    if ((own & 1) != 0) {
      exact_sum_add(sum, lanes[lane]);
    }
  }
}

/* Sums over a slab's own sites become those over all slabs', on every rank. Nothing to do where slab is NULL. */
void gauge_slab_total(const struct gauge_slab *slab, struct exact_sum *sums, size_t count);
/* The same, for lattices of other fields; nothing to do where there are no ranks. */
void gauge_split_total(const struct gauge_split *split, struct exact_sum *sums, size_t count);
/* *value becomes the greatest of all slabs', on every rank. Nothing to do where slab is NULL. */
void gauge_slab_largest(const struct gauge_slab *slab, double *value);
/* Numbers of which each is 0 on all ranks but one: rank 0 gets all of them. Nothing to do where slab is NULL. */
void gauge_slab_collect(const struct gauge_slab *slab, double *values, size_t count);

#endif
