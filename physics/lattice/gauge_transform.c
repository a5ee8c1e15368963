/* Random gauge transformations. See gauge_transform.h. */
#include "physics/lattice/gauge_transform.h"

#include "physics/lattice/su_group.h"
#include "physics/lattice/su_path.h"
#include "physics/random/philox.h"
#include "physics/simd.h"

#include "datacube/base/checked.h"

enum { STREAM_TRANSFORMATION = 0x67617567 };

struct transforming {
  const struct lattice *lattice;
  struct gauge_field *field;
  double *made;
  const double *given;
  size_t colours;
  uint64_t seed;
};

size_t gauge_sites_bytes(const struct lattice *lattice, size_t colours)
{
  return saturated_mul(lattice->blocks, colours * colours * 2 * LATTICE_LANES * sizeof(double));
}

SU_INLINE void random_block(const struct transforming *t, size_t block, size_t n)
{
  double *matrix = t->made + block * su_size(n), normals[GAUGE_MAX_COLOURS * GAUGE_MAX_COLOURS * 2];
  const struct philox_stream stream = {t->seed, STREAM_TRANSFORMATION};
  for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
    size_t site = lattice_site(t->lattice, block, lane), count = n * n * 2;
    philox_normals(stream, site * count, count, normals);
    for (size_t i = 0; i < count; i++) {
      matrix[i * LATTICE_LANES + lane] = normals[i];
    }
  }
  su_project(n, matrix);
}

SIMD_BODY random_blocks_body(void *context, size_t first, size_t last)
{
  const struct transforming *t = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(t->colours, random_block, t, block);
  }
}
SIMD_LEVELS(random_blocks, (void *context, size_t first, size_t last), (context, first, last))

void gauge_random_sites(const struct lattice *lattice, size_t colours, uint64_t seed, unsigned threads,
                        double *matrices)
{
  struct transforming t = {.lattice = lattice, .made = matrices, .colours = colours, .seed = seed};
  lattice_run(threads, 0, lattice->blocks, SIMD_PICK(random_blocks), &t);
}

SU_INLINE void transform_block(const struct transforming *t, size_t block, size_t n)
{
  SU_MATRIX(half);
  SU_MATRIX(scratch);
  for (size_t mu = 0; mu < t->lattice->dimensions; mu++) {
    double *link = gauge_link(t->field, block, mu);
    struct su_walk walk = su_walk_from(block);
    su_walk_step(&walk, t->lattice, 2 * mu);
    su_multiply(n, half, t->given + block * su_size(n), link);
    su_multiply_adjoint(n, link, half, su_walk_matrix(n, &walk, t->given + walk.block * su_size(n), scratch));
  }
}

SIMD_BODY transform_blocks_body(void *context, size_t first, size_t last)
{
  const struct transforming *t = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(t->field->colours, transform_block, t, block);
  }
}
SIMD_LEVELS(transform_blocks, (void *context, size_t first, size_t last), (context, first, last))

void gauge_transform(struct gauge_field *field, const double *matrices, unsigned threads)
{
  struct transforming t = {.lattice = field->lattice, .field = field, .given = matrices};
  lattice_run(threads, 0, field->lattice->blocks, SIMD_PICK(transform_blocks), &t);
}
