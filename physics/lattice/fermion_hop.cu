/* The hopping term of Dirac operators, and the clover term's matrices: what fermion_hop.inc and fermion_kernel.inc do
 * with vectors, one site a thread, in the same order: the same bits. Fields and links lie as fermion_field.h says.
 *
 * DIMENSIONS, COLOURS, SPINS (4, 2, or 1 without projectors) and REAL (f64 or f32) are defined before. */
#define HALF (SPINS > 1 ? SPINS / 2 : 1)
#define NUMBERS (SPINS * COLOURS * 2) /* of a site */

struct complex_number {
  REAL re, im;
};

/* sum += i^power term */
DEVICE void add_turned(complex_number &sum, complex_number term, u32 power)
{
  const REAL re = power & 1 ? term.im : term.re, im = power & 1 ? term.re : term.im;
  const bool less_re = (power & 3) == 1 || (power & 3) == 2, less_im = (power & 3) >= 2;
  sum.re = less_re ? sum.re - re : sum.re + re;
  sum.im = less_im ? sum.im - im : sum.im + im;
}

/* Row `row` of a_mu has its entry i^power in this column: gamma.h. */
DEVICE constexpr u32 gamma_column(u32 mu, u32 row)
{
  return SPINS < 4 ? 0 : mu == 1 || mu == 2 ? 1 - row : row;
}

DEVICE constexpr u32 gamma_power(u32 mu, u32 row)
{
  return SPINS < 4 ? (mu == 0 ? 0 : 3) : mu == 0 ? 0 : mu == 1 ? 1 : row == 0 ? (mu == 2 ? 0 : 1) : mu == 2 ? 2 : 3;
}

/* Complex number i of a site's. */
DEVICE complex_number number_at(const REAL *field, u32 i)
{
  return {field[2 * i * LANES], field[(2 * i + 1) * LANES]};
}

/* sum += the hop in one direction, from the neighbour's spinor `psi` and by the link's matrix. */
template <u32 mu, bool backward>
DEVICE void add_hop(complex_number *sum, const REAL *psi, const REAL *matrix)
{
  const u32 turn = backward ? 0 : 2;
  complex_number half[HALF * COLOURS];
  EVERY(spin, HALF) EVERY(c, COLOURS)
  {
    complex_number &h = half[spin * COLOURS + c];
    h = number_at(psi, spin * COLOURS + c);
    if (SPINS > 1)
      add_turned(h, number_at(psi, (HALF + gamma_column(mu, spin)) * COLOURS + c), gamma_power(mu, spin) + turn);
  }
  EVERY(row, COLOURS)
  {
    complex_number product[HALF];
    EVERY(c, COLOURS)
    {
      const complex_number link = number_at(matrix, row * COLOURS + c);
      EVERY(spin, HALF)
      {
        const complex_number h = half[spin * COLOURS + c];
        const complex_number term = {link.re * h.re - link.im * h.im, link.re * h.im + link.im * h.re};
        if (c == 0)
          product[spin] = term;
        else
          add_turned(product[spin], term, 0);
      }
    }
    EVERY(spin, HALF)
    {
      add_turned(sum[spin * COLOURS + row], product[spin], 0);
      if (SPINS > 1)
        add_turned(sum[(HALF + gamma_column(mu, spin)) * COLOURS + row], product[spin],
                   turn + 4 - gamma_power(mu, spin));
    }
  }
}

struct hop_fields {
  lattice_tables tables;
  const REAL *links, *in; /* of block 0, of block in_first */
  u32 in_first;
};

template <u32 mu, bool backward> DEVICE void add_hop_from(complex_number *sum, const hop_fields &f, lane_site x)
{
  const u32 direction = 2 * mu + backward;
  const lane_site y = step_to(f.tables, x, direction);
  add_hop<mu, backward>(sum, f.in + (u64)(y.block - f.in_first) * NUMBERS * LANES + y.lane,
                        f.links + ((u64)x.block * 2 * DIMENSIONS + direction) * COLOURS * COLOURS * 2 * LANES + x.lane);
}

template <u32 mu> DEVICE void add_hops(complex_number *sum, const hop_fields &f, lane_site x)
{
  add_hop_from<mu, false>(sum, f, x);
  add_hop_from<mu, true>(sum, f, x);
  if constexpr (mu + 1 < DIMENSIONS)
    add_hops<mu + 1>(sum, f, x);
}

/* out(x) = base(x) + factor (H in)(x) on blocks [out_first, out_first + blocks), with which `out` and `base` begin;
 * without a base where has_base is 0. */
SCIENCE_KERNEL(fermion_hop, const REAL *links, const u32 *link, const u8 *permutation, const REAL *in, const REAL *base,
               REAL *out, f64 factor, u32 in_first, u32 out_first, u32 blocks, u32 has_base)
{
  if (thread_number() >= (u64)blocks * LANES)
    return;
  const lane_site x = site_of(thread_number(), out_first);
  const u64 offset = (u64)(x.block - out_first) * NUMBERS * LANES + x.lane;
  const REAL scale = (REAL)factor;
  complex_number sum[SPINS * COLOURS];
  EVERY(i, SPINS * COLOURS) sum[i] = {0, 0};
  add_hops<0>(sum, {{link, permutation}, links, in, in_first}, x);
  EVERY(i, SPINS * COLOURS)
  {
    const u64 at = offset + 2 * i * LANES;
    out[at] = has_base ? base[at] + scale * sum[i].re : scale * sum[i].re;
    out[at + LANES] = has_base ? base[at + LANES] + scale * sum[i].im : scale * sum[i].im;
  }
}

/* out = A x, with a matrix for the upper and one for the lower half of each site's spinor. */
SCIENCE_KERNEL(fermion_site, const REAL *matrices, const REAL *x, REAL *out, u32 blocks)
{
  const u32 rows = HALF * COLOURS, halves = SPINS / HALF;
  if (thread_number() >= (u64)blocks * LANES)
    return;
  const lane_site at = site_of(thread_number(), 0);
  EVERY(half, halves)
  {
    const u64 first = (u64)at.block * halves + half;
    const REAL *const spinor = x + first * rows * 2 * LANES + at.lane;
    const REAL *const matrix = matrices + first * rows * rows * 2 * LANES + at.lane;
    EVERY(row, rows)
    {
      complex_number sum = {0, 0};
      EVERY(i, rows)
      {
        const complex_number m = number_at(matrix, row * rows + i), s = number_at(spinor, i);
        sum.re = sum.re + (m.re * s.re - m.im * s.im);
        sum.im = sum.im + (m.re * s.im + m.im * s.re);
      }
      out[(first * rows + row) * 2 * LANES + at.lane] = sum.re;
      out[((first * rows + row) * 2 + 1) * LANES + at.lane] = sum.im;
    }
  }
}
