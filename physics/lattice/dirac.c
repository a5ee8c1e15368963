/* Dirac operators of kernels. See dirac.h. */
#include "physics/lattice/dirac.h"

#include "datacube/base/checked.h"
#include "physics/lattice/clover.h"
#include "physics/lattice/fermion_slab.h"

#include <string.h>

size_t dirac_spins(size_t dimensions, bool staggered)
{
  return staggered ? 1 : dimensions <= 2 ? 2 : 4;
}

/* Doubles of the links, and of all sites' matrices of the clover term. */
static size_t link_count(const struct gauge_field *gauge)
{
  return hopping_bytes(gauge) / sizeof(double);
}

static size_t site_count(const struct gauge_field *gauge, const struct dirac_rule *rule)
{
  return rule->clover == 0 || rule->hopping.staggered ? 0
                                                      : clover_bytes(gauge->lattice, gauge->colours) / sizeof(double);
}

size_t dirac_bytes(const struct gauge_field *gauge, const struct dirac_rule *rule, bool floats)
{
  size_t doubles = saturated_add(link_count(gauge), saturated_mul(2, site_count(gauge, rule)));
  size_t bytes = saturated_mul(doubles, sizeof(double) + (floats ? sizeof(float) : 0));
  return bytes == SIZE_MAX ? 0 : bytes;
}

static int make_sites(struct dirac *dirac, const struct dirac_rule *rule, double *site, size_t count)
{
  double *inverse = site + count;
  clover_fill(dirac, -rule->kappa * rule->clover, site);
  dirac->site[FERMION_F64] = site;
  dirac->site_inverse[FERMION_F64] = inverse;
  return clover_invert(dirac, site, inverse);
}

int dirac_init(struct dirac *dirac, const struct gauge_field *gauge, const struct dirac_rule *rule, bool floats,
               unsigned threads, void *memory)
{
  bool staggered = rule->hopping.staggered;
  *dirac = (struct dirac){.shape = {.lattice = gauge->lattice,
                                    .spins = dirac_spins(gauge->lattice->dimensions, staggered),
                                    .colours = gauge->colours},
                          .threads = threads,
                          .factor = staggered ? 1 / rule->mass : -rule->kappa,
                          .scale = staggered ? rule->mass : 1 / (2 * rule->kappa),
                          .staggered = staggered,
                          .slab = gauge->slab};
  double *links = memory;
  size_t count = link_count(gauge), sites = site_count(gauge, rule);
  hopping_fill(gauge, &rule->hopping, threads, links);
  dirac->links[FERMION_F64] = links;
  if (sites > 0 && make_sites(dirac, rule, links + count, sites) != 0) {
    return -1;
  }
  if (floats) {
    float *narrow = (float *)(links + count + 2 * sites);
    fermion_narrow(links, count + 2 * sites, narrow);
    dirac->links[FERMION_F32] = narrow;
    dirac->site[FERMION_F32] = sites > 0 ? narrow + count : NULL;
    dirac->site_inverse[FERMION_F32] = sites > 0 ? narrow + count + sites : NULL;
  }
  return 0;
}

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

/* To sites of that parity. Copies of what it begins with are no part of `in` for anyone else. */
static void run_hop(const struct dirac *dirac, enum fermion_type type, struct hop_task task, enum parity to)
{
  static const enum parity from[] = {[PARITY_EVEN] = PARITY_ODD, [PARITY_ODD] = PARITY_EVEN, [PARITY_ALL] = PARITY_ALL};
  const struct block_range range = lattice_range(dirac->shape.lattice, to);
  const struct fermion_part read = {type, (void *)(uintptr_t)task.in, task.in_first, from[to]};
  fermion_slab_exchange(dirac->slab, &dirac->shape, &read);
  task.shape = dirac->shape;
  task.links = dirac->links[type];
  lattice_run(dirac->threads, range.first, range.last, fermion_kernels(type)->hop, &task);
}

static void run_add(const struct dirac *dirac, double factor, const void *y, void *out, size_t blocks)
{
  struct add_task task = {.numbers = fermion_numbers(&dirac->shape), .x = out, .y = y, .factor = factor, .out = out};
  lattice_run(dirac->threads, 0, blocks, fermion_kernels(FERMION_F64)->add, &task);
}

/* out = A x or A^-1 x, `matrices` beginning with the fields' first block. */
static void run_site(const struct dirac *dirac, enum fermion_type type, const void *matrices, const void *x, void *out,
                     size_t blocks)
{
  struct site_task task = {
      .halves = 2, .rows = dirac->shape.spins / 2 * dirac->shape.colours, .matrix = matrices, .x = x, .out = out};
  lattice_run(dirac->threads, 0, blocks, fermion_kernels(type)->site, &task);
}

/* The matrices of block `block`. */
static const void *site_from(const struct dirac *dirac, enum fermion_type type, const void *matrices, size_t block)
{
  size_t rows = dirac->shape.spins / 2 * dirac->shape.colours;
  size_t reals = block * 2 * rows * rows * 2 * LATTICE_LANES;
  return (const unsigned char *)matrices + reals * fermion_real_bytes(type);
}

static size_t half_blocks(const struct dirac *dirac)
{
  return dirac->shape.lattice->blocks / 2;
}

/* ---- operators --------------------------------------------------------------------------------------------------- */

void dirac_chiral(const struct dirac *dirac, enum fermion_type type, void *x, size_t blocks)
{
  struct chiral_task task = {.numbers = fermion_numbers(&dirac->shape), .x = x, .out = x};
  lattice_run(dirac->threads, 0, blocks, fermion_kernels(type)->chiral, &task);
}

/* out = factor out */
static void run_scale(const struct dirac *dirac, double factor, double *out, size_t blocks)
{
  if (factor != 1) {
    run_add(dirac, factor - 1, out, out, blocks);
  }
}

void dirac_apply(const struct dirac *dirac, const double *in, double *out)
{
  const size_t blocks = dirac->shape.lattice->blocks;
  const void *base = in;
  if (dirac->site[FERMION_F64] != NULL) {
    run_site(dirac, FERMION_F64, dirac->site[FERMION_F64], in, out, blocks);
    base = out;
  }
  run_hop(dirac, FERMION_F64, (struct hop_task){.in = in, .base = base, .out = out, .factor = dirac->factor},
          PARITY_ALL);
  run_scale(dirac, dirac->scale, out, blocks);
}

/* odd = factor A_oo^-1 H_oe even, by way of `spare`, which may be NULL where A = 1. */
static void hop_to_odd(const struct dirac *dirac, enum fermion_type type, const void *even, void *odd, void *spare)
{
  const size_t half = half_blocks(dirac);
  const void *inverse = dirac->site_inverse[type];
  run_hop(
      dirac, type,
      (struct hop_task){.in = even, .out = inverse != NULL ? spare : odd, .out_first = half, .factor = dirac->factor},
      PARITY_ODD);
  if (inverse != NULL) {
    run_site(dirac, type, site_from(dirac, type, inverse, half), spare, odd, half);
  }
}

/* even = base - factor H_eo odd */
static void hop_to_even(const struct dirac *dirac, enum fermion_type type, const void *odd, const void *base,
                        void *even)
{
  run_hop(
      dirac, type,
      (struct hop_task){.in = odd, .in_first = half_blocks(dirac), .base = base, .out = even, .factor = -dirac->factor},
      PARITY_EVEN);
}

void dirac_even(const struct dirac *dirac, enum fermion_type type, const void *in, void *out, void *work)
{
  hop_to_odd(dirac, type, in, work, out);
  const void *base = in;
  if (dirac->site[type] != NULL) {
    run_site(dirac, type, dirac->site[type], in, out, half_blocks(dirac));
    base = out;
  }
  hop_to_even(dirac, type, work, base, out);
}

void dirac_normal(const struct dirac *dirac, enum fermion_type type, const void *in, void *out, void *const work[2])
{
  if (dirac->staggered) {
    dirac_even(dirac, type, in, out, work[0]);
    return;
  }
  dirac_even(dirac, type, in, work[1], work[0]);
  dirac_chiral(dirac, type, work[1], half_blocks(dirac));
  dirac_even(dirac, type, work[1], out, work[0]);
  dirac_chiral(dirac, type, out, half_blocks(dirac));
}

/* Where the odd half of a field on all blocks begins. */
static size_t odd_offset(const struct dirac *dirac)
{
  return half_blocks(dirac) * fermion_numbers(&dirac->shape) * LATTICE_LANES;
}

/* odd = A_oo^-1 odd, by way of `spare`. */
static void solve_odd(const struct dirac *dirac, double *odd, double *spare)
{
  const size_t half = half_blocks(dirac);
  if (dirac->site_inverse[FERMION_F64] != NULL) {
    memcpy(spare, odd, fermion_bytes(&dirac->shape, FERMION_F64, half));
    run_site(dirac, FERMION_F64, site_from(dirac, FERMION_F64, dirac->site_inverse[FERMION_F64], half), spare, odd,
             half);
  }
}

void dirac_even_source(const struct dirac *dirac, const double *eta, double *rhs, double *work)
{
  const size_t half = half_blocks(dirac);
  memcpy(work, eta + odd_offset(dirac), fermion_bytes(&dirac->shape, FERMION_F64, half));
  solve_odd(dirac, work, rhs);
  hop_to_even(dirac, FERMION_F64, work, eta, rhs);
  run_scale(dirac, 1 / dirac->scale, rhs, half);
}

void dirac_odd_solution(const struct dirac *dirac, const double *eta, double *psi, double *work)
{
  const size_t half = half_blocks(dirac);
  double *odd = psi + odd_offset(dirac);
  memcpy(odd, eta + odd_offset(dirac), fermion_bytes(&dirac->shape, FERMION_F64, half));
  run_scale(dirac, 1 / dirac->scale, odd, half);
  run_hop(dirac, FERMION_F64,
          (struct hop_task){.in = psi, .base = odd, .out = odd, .out_first = half, .factor = -dirac->factor},
          PARITY_ODD);
  solve_odd(dirac, odd, work);
}
