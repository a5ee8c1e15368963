/* Spinors to the neighbours. See fermion_slab.h. */
#include "physics/lattice/fermion_slab.h"

enum { LANE_BITS = 3, LANE_MASK = LATTICE_LANES - 1 };

struct slab_spinors {
  struct gauge_slab *slab;
  const struct fermion_shape *shape;
  const struct fermion_part *part;
};

/* Where the number of a site in the list begins, lane and all, in reals; SIZE_MAX where the site has another colour. */
static size_t find_spinor(const struct slab_spinors *s, uint32_t site)
{
  const size_t block = site >> LANE_BITS;
  const bool odd = block >= s->shape->lattice->blocks / 2;
  return s->part->parity == PARITY_ALL || (s->part->parity == PARITY_ODD) == odd
             ? (block - s->part->first) * fermion_numbers(s->shape) * LATTICE_LANES + (site & LANE_MASK)
             : SIZE_MAX;
}

/* The numbers of a slice's sites one behind the other, and back to the site's own lane and those that repeat it. Both
 * return how many there are. */
#define COPY(real)                                                                                                     \
  static size_t pack_##real(const struct slab_spinors *s, enum slab_slice slice, real *out)                            \
  {                                                                                                                    \
    const size_t numbers = fermion_numbers(s->shape);                                                                  \
    size_t count = 0;                                                                                                  \
    for (size_t i = 0; i < s->slab->sites; i++) {                                                                      \
      const size_t at = find_spinor(s, s->slab->slice[slice][i]);                                                      \
      for (size_t k = 0; k < numbers && at != SIZE_MAX; k++) {                                                         \
        out[count++] = ((const real *)s->part->field)[at + k * LATTICE_LANES];                                         \
      }                                                                                                                \
    }                                                                                                                  \
    return count;                                                                                                      \
  }                                                                                                                    \
  static void unpack_##real(const struct slab_spinors *s, enum slab_slice slice, const real *in)                       \
  {                                                                                                                    \
    const size_t numbers = fermion_numbers(s->shape), lanes = s->shape->lattice->lanes;                                \
    for (size_t i = 0; i < s->slab->sites; i++) {                                                                      \
      const size_t at = find_spinor(s, s->slab->slice[slice][i]);                                                      \
      for (size_t k = 0; k < numbers && at != SIZE_MAX; k++, in++) {                                                   \
        real *to = (real *)s->part->field + at + k * LATTICE_LANES;                                                    \
        for (size_t lane = at % LATTICE_LANES; lane < LATTICE_LANES; lane += lanes, to += lanes) {                     \
          *to = *in;                                                                                                   \
        }                                                                                                              \
      }                                                                                                                \
    }                                                                                                                  \
  }

COPY(double)
COPY(float)

static void shift(const struct slab_spinors *s, enum slab_slice from, size_t to, enum slab_slice into, size_t source)
{
  struct gauge_slab *slab = s->slab;
  struct error ignored = {0}; /* ranks->broken stays */
  const bool narrow = s->part->type == FERMION_F32;
  size_t count = narrow ? pack_float(s, from, (float *)slab->out) : pack_double(s, from, slab->out);
  size_t bytes = count * fermion_real_bytes(s->part->type);
  const struct ranks_message out = {to, slab->out, bytes}, in = {source, slab->in, bytes};
  if (ranks_exchange(slab->ranks, &out, &in, &ignored) != 0) {
    return;
  }
  if (narrow) {
    unpack_float(s, into, (const float *)slab->in);
  } else {
    unpack_double(s, into, slab->in);
  }
}

void fermion_slab_exchange(struct gauge_slab *slab, const struct fermion_shape *shape, const struct fermion_part *part)
{
  if (slab != NULL) {
    const struct slab_spinors spinors = {slab, shape, part};
    shift(&spinors, SLAB_LAST, slab->above, SLAB_BELOW, slab->below);
    shift(&spinors, SLAB_FIRST, slab->below, SLAB_ABOVE, slab->above);
  }
}
