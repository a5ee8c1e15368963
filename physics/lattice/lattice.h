/* A periodic lattice of 1 to 4 dimensions, laid out for vectors.
 *
 * Virtual nodes: the axes are cut so that 8 equal sublattices arise, one a lane. A *block* is the 8 sites at the same
 * place of their sublattices; what a field has on them lies together, lane by lane, so that one instruction treats 8
 * sites and every lane does the same. Where a neighbour lies in another sublattice the lanes change places:
 *
 *   site (block b, lane l) + direction  =  block (link & LATTICE_BLOCK), lane (link & LATTICE_CROSSES
 *                                                                                ? permutation[direction][l] : l)
 *
 * An axis is cut into 2, 4 or 8 parts of even extent, so all lanes of a block have the same parity. Where the extents
 * allow fewer than 8 sublattices the lanes repeat (lane l is lane l % lanes): such a lattice is slower, the code and
 * the results are the same. Sums over sites take the first `lanes` lanes of each block.
 *
 * Blocks with even sites come first, then those with odd ones (parity: sum of the coordinates mod 2), each in row-major
 * order. Where an extent is odd, the torus has no two colours: has_parity is false, and the order is row-major alone.
 * Coordinates: x0 varies slowest; x0 is the Euclidean time where time matters. Directions of links: 2 k forward along
 * axis k, 2 k + 1 backward.
 * Thread rule: immutable after lattice_init. */
#ifndef TWINCUBE_PHYSICS_LATTICE_LATTICE_H
#define TWINCUBE_PHYSICS_LATTICE_LATTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LATTICE_MAX_DIMENSIONS = 4, LATTICE_LANES = 8 };

#define LATTICE_CROSSES UINT32_C(0x80000000) /* the neighbours lie in other lanes */
#define LATTICE_BLOCK UINT32_C(0x7FFFFFFF)

struct lattice {
  size_t dimensions, extent[LATTICE_MAX_DIMENSIONS];
  size_t sites;
  size_t parts[LATTICE_MAX_DIMENSIONS]; /* sublattices along each axis: 1, 2, 4 or 8 */
  size_t inner[LATTICE_MAX_DIMENSIONS]; /* extent of a sublattice */
  size_t lanes;                         /* sublattices in all: 1, 2, 4 or 8 */
  size_t blocks;                        /* sites / lanes */
  size_t begin, whole;                  /* x0 of slice 0, slices of the whole lattice: 0, extent[0] unless a slab */
  size_t halo;                          /* last slices that are other slabs', an even number: lattice_init_slab */
  bool has_parity;                      /* all extents are even: blocks / 2 even ones come first */
  uint32_t *link;                       /* [block][2 dimensions]: block of the neighbour, | LATTICE_CROSSES */
  uint32_t *place;                      /* [block]: row-major number of its place in the sublattice */
  uint32_t *block;                      /* inverse of place */
  uint32_t lane_site[LATTICE_LANES];    /* of a lane, its site's number less that of lane 0, unless a slab */
  uint8_t permutation[2 * LATTICE_MAX_DIMENSIONS][LATTICE_LANES];
};

/* All but the tables, for sizes; -1 where the extents are out of range. */
int lattice_describe(struct lattice *lattice, size_t dimensions, const size_t *extent);

/* Bytes of memory that the tables need; 0 where the extents are out of range or the lattice is too large. */
size_t lattice_bytes(size_t dimensions, const size_t *extent);

/* Makes the tables in `memory` (lattice_bytes, aligned to 64, borrowed while the lattice lives). */
void lattice_init(struct lattice *lattice, size_t dimensions, const size_t *extent, void *memory);

struct lattice_slab { /* slices begin … begin + count - 1 of x0, even both */
  size_t begin, count;
  size_t width; /* slices on each side that it has copies of; 0: the whole lattice */
};

/* Extents of a slab of a lattice, with its copies. */
void lattice_slab_extent(size_t dimensions, const size_t *extent, const struct lattice_slab *slab, size_t *out);

/* The same for a slab of a lattice with two colours. Behind its slices lie copies of the next ones and then, as a torus
 * would have it, of those before the first, all in their order: they are neighbours like others, and whoever changes
 * fields brings them up to date (gauge_slab.h). lattice_site counts on the whole lattice. */
void lattice_init_slab(struct lattice *lattice, size_t dimensions, const size_t *extent,
                       const struct lattice_slab *slab, void *memory);

/* Where slice `at` of x0 is on the whole lattice, and whether it belongs to another slab. */
size_t lattice_slice(const struct lattice *lattice, size_t at);
static inline bool lattice_is_halo(const struct lattice *lattice, size_t at)
{
  return at + lattice->halo >= lattice->extent[0];
}

/* The lanes of a block, as bits, that are sites of this slab: neither repeats nor copies. */
static inline unsigned lattice_own_lanes(const struct lattice *lattice, size_t block)
{
  unsigned all = (1U << lattice->lanes) - 1, own = 0;
  if (lattice->halo == 0) {
    return all;
  }
  const size_t slice = lattice->blocks / lattice->inner[0], each = lattice->lanes / lattice->parts[0];
  for (size_t lane = 0; lane < lattice->lanes; lane++) {
    size_t at = lattice->place[block] / slice + lane / each * lattice->inner[0];
    own |= (lattice_is_halo(lattice, at) ? 0U : 1U) << lane;
  }
  return own;
}

/* Where a site is; coordinate k is below extent[k]. */
void lattice_locate(const struct lattice *lattice, const size_t *coordinate, size_t *block, size_t *lane);

/* Coordinates of a site; lane below LATTICE_LANES. */
void lattice_coordinates(const struct lattice *lattice, size_t block, size_t lane, size_t *coordinate);

/* Row-major number of a site, x0 slowest; of a slab's, on the whole lattice. */
size_t lattice_site(const struct lattice *lattice, size_t block, size_t lane);
/* Of all lanes, as their low words. */
void lattice_sites(const struct lattice *lattice, size_t block, uint32_t site[LATTICE_LANES]);
/* The same, counted from the first site of the slab; SIZE_MAX where the site is a copy. */
size_t lattice_own_site(const struct lattice *lattice, size_t block, size_t lane);

/* Sites of the whole lattice that a slab is of. */
static inline size_t lattice_all_sites(const struct lattice *lattice)
{
  return lattice->sites / lattice->extent[0] * lattice->whole;
}

/* Tasks over ranges of blocks [first, last), one a thread, of equal sizes; returns when all are done. A task must not
 * write what another reads or writes. */
typedef void lattice_task(void *context, size_t first, size_t last);
void lattice_run(unsigned threads, size_t first, size_t last, lattice_task *task, void *context);

/* Sum of one number a block, in block order, compensated: the same bits for any number of threads. */
double lattice_sum(const double *values, size_t count);

#endif
