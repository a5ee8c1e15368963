/* Smearing a gauge field. See gauge_smear.h.
 *
 * A step writes new links beside the old ones. HYP needs fields of partly smeared links:
 *   bar[eta]   links mu, smeared with staples along eta alone
 *   tilde[nu]  links mu, smeared with staples of bar[eta] along rho, for the two orders of {rho, eta} = not mu, not nu
 *   new        links mu, smeared along all nu with sides of tilde[mu] and tops of tilde[nu] */
#include "physics/lattice/gauge_smear.h"

#include "physics/lattice/gauge_slab.h"
#include "physics/lattice/gauge_staple.h"
#include "physics/lattice/su_group.h"
#include "physics/simd.h"

#include "datacube/base/checked.h"

#include <string.h>

enum { HYP_FIELDS = 2 * LATTICE_MAX_DIMENSIONS };

struct smearing {
  const struct gauge_field *field; /* the old links */
  const struct gauge_smear *smear;
  struct gauge_field to;                            /* the new ones */
  struct gauge_field bar[LATTICE_MAX_DIMENSIONS];   /* HYP */
  struct gauge_field tilde[LATTICE_MAX_DIMENSIONS]; /* HYP */
  int level;                                        /* HYP: 3, 2, 1 */
};

static size_t links_bytes(const struct lattice *lattice, size_t colours)
{
  return saturated_mul(lattice->blocks, lattice->dimensions * colours * colours * 2 * LATTICE_LANES * sizeof(double));
}

size_t gauge_smear_bytes(const struct lattice *lattice, size_t colours, enum gauge_smearing kind)
{
  return saturated_mul(links_bytes(lattice, colours), kind == SMEAR_HYP ? HYP_FIELDS : 1);
}

/* ---- staples ----------------------------------------------------------------------------------------------------- */

/* out = sum of the staples at (x, mu) along the axes that are smeared along: APE and stout. */
SU_INLINE void smeared_staples(size_t n, double *out, const struct smearing *s, size_t block, size_t mu)
{
  SU_MATRIX(staple);
  su_zero(n, out);
  for (size_t nu = s->smear->spatial ? 1 : 0; nu < s->field->lattice->dimensions; nu++) {
    if (nu != mu) {
      gauge_staple_upper(n, staple, s->field, block, mu, nu);
      su_add(n, out, 1, staple);
      gauge_staple_lower(n, staple, s->field, block, mu, nu);
      su_add(n, out, 1, staple);
    }
  }
}

/* out += both staples along nu with sides of one field and the top of another. */
SU_INLINE void add_mixed_staples(size_t n, double *out, const struct gauge_field *side, const struct gauge_field *top,
                                 size_t block, const size_t plane[2])
{
  const struct lattice *lattice = side->lattice;
  const size_t mu = plane[0], nu = plane[1];
  SU_MATRIX(half);
  SU_MATRIX(staple);
  SU_MATRIX(there);
  gauge_multiply(n, side, half, su_link_here(n, side, block, nu), gauge_link_there(n, top, block, 2 * nu, mu, there));
  gauge_multiply_adjoint(n, side, staple, half, gauge_link_there(n, side, block, 2 * mu, nu, there));
  su_add(n, out, 1, staple);
  uint32_t link = lattice->link[block * 2 * lattice->dimensions + 2 * nu + 1];
  size_t below = link & LATTICE_BLOCK;
  gauge_adjoint_multiply(n, side, half, su_link_here(n, side, below, nu), su_link_here(n, top, below, mu));
  gauge_multiply(n, side, staple, half, gauge_link_there(n, side, below, 2 * mu, nu, there));
  if (link & LATTICE_CROSSES) {
    gauge_permute(n, side, there, staple, lattice->permutation[2 * nu + 1]);
    su_add(n, out, 1, there);
  } else {
    su_add(n, out, 1, staple);
  }
}

/* out = sum of the staples at (x, mu) for bar[nu], tilde[nu] or, at level 1, the new links. */
SU_INLINE void hyp_staples(size_t n, double *out, const struct smearing *s, size_t block, size_t mu, size_t nu)
{
  su_zero(n, out);
  for (size_t along = 0; along < LATTICE_MAX_DIMENSIONS; along++) {
    if (along != mu && (s->level == 1 || (along == nu) == (s->level == 3))) {
      const struct gauge_field *side = s->level == 3   ? s->field
                                       : s->level == 2 ? &s->bar[6 - mu - nu - along] /* the fourth of 0, 1, 2, 3 */
                                                       : &s->tilde[mu];
      const struct gauge_field *top = s->level == 1 ? &s->tilde[along] : side;
      add_mixed_staples(n, out, side, top, block, (const size_t[]){mu, along});
    }
  }
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

/* to = projection of (1 - weight) U + share staples; staples are overwritten. */
SU_INLINE void blend_link(size_t n, double *restrict to, const double *link, double weight, double share,
                          double *staples)
{
  su_scale(n, staples, share);
  su_add(n, staples, 1 - weight, link);
  su_project(n, staples);
  su_copy(n, to, staples);
}

/* to = exp(rho times the plaquettes in the algebra) U; staples are overwritten. */
SU_INLINE void turn_link(size_t n, double *restrict to, const double *link, double weight, double *staples)
{
  SU_MATRIX(turn);
  su_multiply_adjoint(n, turn, staples, link);
  su_to_algebra(n, turn);
  su_scale(n, turn, weight);
  su_exponential(n, staples, turn);
  su_multiply(n, to, staples, link);
}

/* The link (x, mu) of the field that a step makes: at levels 3 and 2 of bar[nu] and tilde[nu]. All kinds share each
 * inlined piece, which is what this file's time to compile goes by. */
SU_INLINE void smear_link(size_t n, const struct smearing *s, size_t block, size_t mu, size_t nu)
{
  static const double hyp_paths[] = {6, 4, 2}; /* staples at a link of level 1, 2, 3 */
  const bool is_hyp = s->smear->kind == SMEAR_HYP;
  const struct gauge_field *made = s->level == 3 ? &s->bar[nu] : s->level == 2 ? &s->tilde[nu] : &s->to;
  const double *link = su_link_here(n, s->field, block, mu);
  double *to = gauge_link(made, block, mu), weight = s->smear->weight[s->level - 1];
  const size_t axes = s->field->lattice->dimensions - (s->smear->spatial ? 1 : 0);
  if ((mu == 0 && s->smear->spatial) || axes < 2) {
    su_copy(n, to, link);
    return;
  }
  SU_MATRIX(staples);
  if (is_hyp) {
    hyp_staples(n, staples, s, block, mu, nu);
  } else {
    smeared_staples(n, staples, s, block, mu);
  }
  if (s->smear->kind == SMEAR_STOUT) {
    turn_link(n, to, link, weight, staples);
  } else {
    blend_link(n, to, link, weight, weight / (is_hyp ? hyp_paths[s->level - 1] : (double)(2 * (axes - 1))), staples);
  }
}

SU_INLINE void smear_block(const struct smearing *s, size_t block, size_t n)
{
  for (size_t mu = 0; mu < s->field->lattice->dimensions; mu++) {
    for (size_t nu = 0; nu < LATTICE_MAX_DIMENSIONS; nu++) {
      if ((nu == mu) == (s->level == 1)) {
        smear_link(n, s, block, mu, nu);
      }
    }
  }
}

SIMD_BODY smear_blocks_body(void *context, size_t first, size_t last)
{
  const struct smearing *s = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(s->field->colours, smear_block, s, block);
  }
}
SIMD_LEVELS(smear_blocks, (void *context, size_t first, size_t last), (context, first, last))

bool gauge_smear(struct gauge_field *field, const struct gauge_smear *smear, unsigned threads,
                 const volatile int *cancel, void *scratch)
{
  size_t bytes = links_bytes(field->lattice, field->colours);
  struct smearing s = {.field = field, .smear = smear, .level = 1};
  for (size_t k = 0; k < LATTICE_MAX_DIMENSIONS; k++) {
    unsigned char *at = (unsigned char *)scratch + (smear->kind == SMEAR_HYP ? k : 0) * bytes;
    s.bar[k] = gauge_field_over(field->lattice, field->colours, at);
    s.tilde[k] = gauge_field_over(field->lattice, field->colours, at + LATTICE_MAX_DIMENSIONS * bytes);
  }
  s.to = s.bar[0]; /* free once the tilde fields are made */
  for (size_t step = 0; step < smear->steps; step++) {
    for (s.level = smear->kind == SMEAR_HYP ? 3 : 1; s.level >= 1; s.level--) {
      if (cancel != NULL && *cancel) {
        return false;
      }
      lattice_run(threads, 0, field->lattice->blocks, SIMD_PICK(smear_blocks), &s);
    }
    memcpy(field->links, s.to.links, bytes);
    gauge_slab_exchange_all(field);
  }
  return true;
}
