/* Products of links along paths from the sites of a block, lane by lane.
 *
 * A path is a row of directions (lattice.h: 2 k forward along axis k, 2 k + 1 backward). On the way the lanes of the
 * starting sites may come to lie in others: `lane[l]` is where the walk of lane l has arrived.
 * Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SU_PATH_H
#define TWINCUBE_PHYSICS_LATTICE_SU_PATH_H

#include "physics/lattice/su_matrix.h"

struct su_walk {
  size_t block;
  bool crossed; /* lanes are not those of the start */
  uint8_t lane[LATTICE_LANES];
};

SU_INLINE struct su_walk su_walk_from(size_t block)
{
  return (struct su_walk){.block = block, .lane = {0, 1, 2, 3, 4, 5, 6, 7}};
}

SU_INLINE void su_walk_step(struct su_walk *walk, const struct lattice *lattice, size_t direction)
{
  uint32_t link = lattice->link[walk->block * 2 * lattice->dimensions + direction];
  walk->block = link & LATTICE_BLOCK;
  if (link & LATTICE_CROSSES) {
    walk->crossed = true;
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      walk->lane[l] = lattice->permutation[direction][walk->lane[l]];
    }
  }
}

/* The matrix that a field of one a site has where the walk is; it lies there or in `scratch`. */
SU_INLINE const double *su_walk_matrix(size_t n, const struct su_walk *walk, const double *matrix, double *scratch)
{
  if (!walk->crossed) {
    return matrix;
  }
  su_permute(n, scratch, matrix, walk->lane);
  return scratch;
}

/* out = the product of the links along the path, from left to right; length at least 1. */
SU_INLINE void su_path(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                       const uint8_t *path, size_t length)
{
  SU_MATRIX(scratch);
  SU_MATRIX(before);
  struct su_walk walk = su_walk_from(block);
  for (size_t i = 0; i < length; i++) {
    bool backward = path[i] % 2 != 0;
    if (backward) {
      su_walk_step(&walk, field->lattice, path[i]);
    }
    const double *link = su_walk_matrix(n, &walk, su_link_here(n, field, walk.block, path[i] / 2), scratch);
    if (i == 0 && backward) {
      su_adjoint(n, out, link);
    } else if (i == 0) {
      su_copy(n, out, link);
    } else {
      su_copy(n, before, out);
      if (backward) {
        su_multiply_adjoint(n, out, before, link);
      } else {
        su_multiply(n, out, before, link);
      }
    }
    if (!backward) {
      su_walk_step(&walk, field->lattice, path[i]);
    }
  }
}

enum { SU_LONGEST_LOOP = 8 };

/* Path around a rectangle: `width` steps in direction a, `height` in b, and back; returns its length. */
SU_INLINE size_t su_rectangle(uint8_t path[SU_LONGEST_LOOP], size_t a, size_t width, size_t b, size_t height)
{
  const size_t direction[4] = {a, b, a ^ 1, b ^ 1};
  size_t length = 0;
  for (size_t side = 0; side < 4; side++) {
    for (size_t i = 0; i < (side % 2 ? height : width); i++) {
      path[length++] = (uint8_t)direction[side];
    }
  }
  return length;
}

#endif
