/* Looking at each link once. See gauge_unitarity.h.
 *
 * A block with links of the group alone is told by vectors; the others are looked at again, link by link. */
#include "physics/lattice/gauge_unitarity.h"

#include "datacube/source/gauge_sums.h"
#include "physics/lattice/su_matrix.h"
#include "physics/simd.h"

typedef int64_t lane_mask __attribute__((vector_size(32)));

struct unitarity {
  const struct gauge_field *field;
  size_t fault; /* the first block with one; SIZE_MAX: none */
};

/* All entries of U U^dagger - 1 are small; written so that NaN fails. */
SU_INLINE bool block_is_unitary(const struct gauge_field *field, size_t block, size_t n)
{
  lane_mask good = {-1, -1, -1, -1};
  for (size_t mu = 0; mu < field->lattice->dimensions; mu++) {
    const double *u = su_link_here(n, field, block, mu);
    for (size_t half = 0; half < SU_HALVES; half++) {
      for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
          su_vector re = {0}, im = {0};
          for (size_t k = 0; k < n; k++) {
            su_vector ar = *su_re_of(u, n, i, k, half), ai = *su_im_of(u, n, i, k, half);
            su_vector br = *su_re_of(u, n, j, k, half), bi = *su_im_of(u, n, j, k, half);
            re += ar * br + ai * bi;
            if (i != j) {
              im += ai * br - ar * bi;
            }
          }
          re -= i == j ? 1.0 : 0.0;
          good &= (lane_mask)(re * re + im * im < GAUGE_UNITARITY * GAUGE_UNITARITY);
        }
      }
    }
  }
  return (good[0] & good[1] & good[2] & good[3]) != 0;
}

/* The determinant of lanes of 2 x 2 and 3 x 3 matrices. */
SU_INLINE void add_product(su_vector out[2], const su_vector *a, const su_vector *b, double sign)
{
  out[0] += sign * (a[0] * b[0] - a[SU_HALVES] * b[SU_HALVES]);
  out[1] += sign * (a[0] * b[SU_HALVES] + a[SU_HALVES] * b[0]);
}

SU_INLINE void small_determinant(size_t n, su_vector out[2], const double *u, size_t half)
{
  out[0] = out[1] = (su_vector){0};
  if (n == 2) {
    add_product(out, su_re_of(u, 2, 0, 0, half), su_re_of(u, 2, 1, 1, half), 1);
    add_product(out, su_re_of(u, 2, 0, 1, half), su_re_of(u, 2, 1, 0, half), -1);
    return;
  }
  for (size_t j = 0; j < 3; j++) {
    su_vector minor[2] = {{0}, {0}};
    const su_vector *first = su_re_of(u, 3, 0, j, half);
    add_product(minor, su_re_of(u, 3, 1, (j + 1) % 3, half), su_re_of(u, 3, 2, (j + 2) % 3, half), 1);
    add_product(minor, su_re_of(u, 3, 1, (j + 2) % 3, half), su_re_of(u, 3, 2, (j + 1) % 3, half), -1);
    out[0] += first[0] * minor[0] - first[SU_HALVES] * minor[1];
    out[1] += first[0] * minor[1] + first[SU_HALVES] * minor[0];
  }
}

/* Whether all determinants are near 1; of more colours find_fault tells. */
SU_INLINE bool block_is_special(const struct gauge_field *field, size_t block, size_t n)
{
  const double most = GAUGE_UNITARITY * (double)n;
  lane_mask good = {-1, -1, -1, -1};
  for (size_t mu = 0; mu < field->lattice->dimensions && n > 1; mu++) {
    for (size_t half = 0; half < SU_HALVES && n < 4; half++) {
      su_vector determinant[2];
      small_determinant(n, determinant, su_link_here(n, field, block, mu), half);
      determinant[0] -= 1.0;
      good &= (lane_mask)(determinant[0] * determinant[0] + determinant[1] * determinant[1] < most * most);
    }
  }
  return n < 4 && (good[0] & good[1] & good[2] & good[3]) != 0;
}

/* The first link of the block that is neither of the group nor absent at the end of an open axis. */
static bool find_fault(const struct gauge_field *field, size_t block, struct gauge_fault *out)
{
  const struct lattice *lattice = field->lattice;
  const size_t n = field->colours;
  double link[2 * GAUGE_MAX_COLOURS * GAUGE_MAX_COLOURS];
  for (size_t lane = 0; lane < lattice->lanes; lane++) {
    size_t at[LATTICE_MAX_DIMENSIONS];
    lattice_coordinates(lattice, block, lane, at);
    for (size_t mu = 0; mu < lattice->dimensions; mu++) {
      bool zero = mu == 0 ? lattice_slice(lattice, at[0]) + 1 == lattice->whole : at[mu] + 1 == lattice->extent[mu];
      for (size_t i = 0; i < 2 * n * n; i++) {
        link[i] = gauge_link(field, block, mu)[i * LATTICE_LANES + lane];
        zero = zero && link[i] == 0;
      }
      double off = zero ? 0 : gauge_link_off(n, link);
      double turned = !zero && off < GAUGE_UNITARITY ? gauge_link_turned(n, link) : 0;
      if (!(off < GAUGE_UNITARITY) || !(turned < GAUGE_UNITARITY)) {
        *out = (struct gauge_fault){lattice_site(lattice, block, lane), mu, off, off < GAUGE_UNITARITY};
        out->off = out->turned ? turned * (double)n : off;
        return true;
      }
    }
  }
  return false;
}

static void note_fault(struct unitarity *check, size_t block)
{
#pragma omp critical(gauge_unitarity)
  check->fault = block < check->fault ? block : check->fault;
}

SU_INLINE void check_blocks(struct unitarity *check, size_t first, size_t last, size_t n)
{
  struct gauge_fault fault;
  for (size_t block = first; block < last; block++) {
    bool good = block_is_unitary(check->field, block, n) && block_is_special(check->field, block, n);
    if (!good && find_fault(check->field, block, &fault)) {
      note_fault(check, block);
      return;
    }
  }
}

SIMD_BODY unitarity_body(void *context, size_t first, size_t last)
{
  struct unitarity *check = context;
  SU_SWITCH(check->field->colours, check_blocks, check, first, last);
}
SIMD_LEVELS(unitarity, (void *context, size_t first, size_t last), (context, first, last))

bool gauge_links_of_group(const struct gauge_field *field, unsigned threads, struct gauge_fault *fault)
{
  struct unitarity check = {.field = field, .fault = SIZE_MAX};
  lattice_run(threads, 0, field->lattice->blocks, SIMD_PICK(unitarity), &check);
  return check.fault == SIZE_MAX || !find_fault(field, check.fault, fault);
}

bool gauge_links_missing(const struct gauge_field *field)
{
  const size_t numbers = field->lattice->blocks * gauge_block_stride(field);
  for (size_t i = 0; i < numbers; i += i % LATTICE_LANES + 1 < LATTICE_LANES ? 1 : LATTICE_LANES + 1) {
    if (!isnan(field->links[i]) && !isnan(field->links[i + LATTICE_LANES])) {
      return false;
    }
  }
  return true;
}
