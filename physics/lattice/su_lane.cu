/* N x N complex matrices, one a thread, and the paths of links that actions are made of. What su_matrix.h, su_group.h
 * and gauge_staple.h do with eight lanes, in the same order: the same bits. COLOURS is defined before. */
#define N COLOURS
#define ENTRIES (N * N)

struct su_matrix {
  f64 re[ENTRIES], im[ENTRIES];
};

/* ---- in and out: matrix number `index` of those that lie [block][…] ---- */

DEVICE su_matrix load(const f64 *field, u64 index, u32 lane)
{
  su_matrix m;
  const f64 *const from = field + index * ENTRIES * 2 * LANES + lane;
  EVERY(i, ENTRIES)
  {
    m.re[i] = from[2 * i * LANES];
    m.im[i] = from[(2 * i + 1) * LANES];
  }
  return m;
}

DEVICE void store(f64 *field, u64 index, u32 lane, const su_matrix &m)
{
  f64 *const to = field + index * ENTRIES * 2 * LANES + lane;
  EVERY(i, ENTRIES)
  {
    to[2 * i * LANES] = m.re[i];
    to[(2 * i + 1) * LANES] = m.im[i];
  }
}

/* ---- arithmetic ---- */

DEVICE su_matrix su_zero()
{
  su_matrix m;
  EVERY(i, ENTRIES) m.re[i] = m.im[i] = 0;
  return m;
}

DEVICE su_matrix su_unit()
{
  su_matrix m = su_zero();
  EVERY(i, N) m.re[i * N + i] = 1;
  return m;
}

/* m += factor a */
DEVICE void add(su_matrix &m, f64 factor, const su_matrix &a)
{
  EVERY(i, ENTRIES)
  {
    m.re[i] = m.re[i] + factor * a.re[i];
    m.im[i] = m.im[i] + factor * a.im[i];
  }
}

DEVICE void scale(su_matrix &m, f64 factor)
{
  EVERY(i, ENTRIES)
  {
    m.re[i] = m.re[i] * factor;
    m.im[i] = m.im[i] * factor;
  }
}

template <bool adjoint_a, bool adjoint_b> DEVICE su_matrix product(const su_matrix &a, const su_matrix &b)
{
  su_matrix out;
  EVERY(i, N) EVERY(j, N)
  {
    f64 re = 0, im = 0;
    EVERY(k, N)
    {
      const u32 x = adjoint_a ? k * N + i : i * N + k, y = adjoint_b ? j * N + k : k * N + j;
      re = re + a.re[x] * b.re[y];
      re = adjoint_a == adjoint_b ? re - a.im[x] * b.im[y] : re + a.im[x] * b.im[y];
      im = adjoint_b ? im - a.re[x] * b.im[y] : im + a.re[x] * b.im[y];
      im = adjoint_a ? im - a.im[x] * b.re[y] : im + a.im[x] * b.re[y];
    }
    out.re[i * N + j] = re;
    out.im[i * N + j] = im;
  }
  return out;
}

DEVICE su_matrix times(const su_matrix &a, const su_matrix &b) { return product<false, false>(a, b); }
DEVICE su_matrix times_adjoint(const su_matrix &a, const su_matrix &b) { return product<false, true>(a, b); }
DEVICE su_matrix adjoint_times(const su_matrix &a, const su_matrix &b) { return product<true, false>(a, b); }

/* Sum of the squares of all entries. */
DEVICE f64 square_of(const su_matrix &a)
{
  f64 sum = 0;
  EVERY(i, ENTRIES) sum = sum + (a.re[i] * a.re[i] + a.im[i] * a.im[i]);
  return sum;
}

/* (a - a^dagger) / 2, for N > 1 less its trace. */
DEVICE void to_algebra(su_matrix &a)
{
  f64 trace = 0;
  EVERY(i, N)
  {
    EVERY(j, i)
    {
      const f64 re = 0.5 * (a.re[i * N + j] - a.re[j * N + i]), im = 0.5 * (a.im[i * N + j] + a.im[j * N + i]);
      a.re[i * N + j] = re, a.re[j * N + i] = -re;
      a.im[i * N + j] = a.im[j * N + i] = im;
    }
    a.re[i * N + i] = a.re[i * N + i] - a.re[i * N + i];
    trace = trace + a.im[i * N + i];
  }
  EVERY(i, N > 1 ? N : 0) a.im[i * N + i] = a.im[i * N + i] - trace / (f64)N;
}

/* ---- the exponential: su_group.h has the equations ---- */

/* Greatest norm of the eight threads of a block, which call it together with all others; `room`: a number a thread. */
DEVICE f64 largest_norm(const su_matrix &a, f64 *room)
{
  f64 largest = 0;
  room[threadIdx.x] = square_of(a);
  __syncthreads();
  EVERY(l, LANES)
  {
    const f64 other = room[threadIdx.x / LANES * LANES + l];
    largest = other > largest ? other : largest;
  }
  __syncthreads();
  return sqrt(largest);
}

#define TERMS 19 /* SU_TERMS */

#if COLOURS == 2
DEVICE su_matrix series(const su_matrix &a, int terms)
{
  f64 square = 0, p = 1, q = 0;
  EVERY(i, 4) square = square - 0.5 * (a.re[i] * a.re[i] + a.im[i] * a.im[i]);
  for (int k = terms; k >= 1; k--) {
    const f64 next = 1 + q * square / (f64)k;
    q = p / (f64)k;
    p = next;
  }
  su_matrix out;
  EVERY(i, 4) out.re[i] = q * a.re[i], out.im[i] = q * a.im[i];
  EVERY(i, 2) out.re[i * 3] = out.re[i * 3] + p;
  return out;
}
#elif COLOURS == 3
DEVICE void add_complex(su_matrix &out, f64 re, f64 im, const su_matrix &a)
{
  EVERY(i, ENTRIES)
  {
    out.re[i] = out.re[i] + (re * a.re[i] - im * a.im[i]);
    out.im[i] = out.im[i] + (re * a.im[i] + im * a.re[i]);
  }
}

DEVICE su_matrix series(const su_matrix &a, int terms)
{
  const su_matrix square = times(a, a);
  f64 trace = 0, det = 0, p_re = 1, p_im = 0, q_re = 0, q_im = 0, r_re = 0, r_im = 0;
  EVERY(i, 3)
  {
    trace = trace + 0.5 * square.re[i * 4];
    EVERY(j, 3)
    det = det + (square.re[i * 3 + j] * a.im[j * 3 + i] + square.im[i * 3 + j] * a.re[j * 3 + i]) / 3.0;
  }
  for (int k = terms; k >= 1; k--) {
    const f64 part = 1.0 / (f64)k, next_re = 1 - part * (r_im * det), next_im = part * (r_re * det);
    const f64 r_next_re = part * q_re, r_next_im = part * q_im;
    q_re = part * (p_re + r_re * trace);
    q_im = part * (p_im + r_im * trace);
    r_re = r_next_re, r_im = r_next_im;
    p_re = next_re, p_im = next_im;
  }
  su_matrix out = su_zero();
  add_complex(out, q_re, q_im, a);
  add_complex(out, r_re, r_im, square);
  EVERY(i, 3)
  {
    out.re[i * 4] = out.re[i * 4] + p_re;
    out.im[i * 4] = out.im[i * 4] + p_im;
  }
  return out;
}
#else
DEVICE su_matrix series(const su_matrix &a, int terms)
{
  su_matrix out = su_unit();
  for (int k = terms; k >= 1; k--) {
    const su_matrix next = times(a, out);
    out = su_unit();
    add(out, 1.0 / (f64)k, next);
  }
  return out;
}
#endif

/* exp(a), a in the algebra. */
DEVICE su_matrix exponential(su_matrix a)
{
  f64 norm = sqrt(square_of(a)), part = 1;
  int halvings = 0;
  for (; norm > 1 && norm / 2 < norm; norm = norm / 2) {
    part = part * 0.5;
    halvings++;
  }
  scale(a, part);
  su_matrix out = series(a, TERMS);
  for (; halvings > 0; halvings--)
    out = times(out, out);
  return out;
}

/* ---- links, staples, rectangles: gauge_staple.h has the equations ---- */

struct gauge_links {
  const f64 *field;
  lattice_tables tables;
};

DEVICE su_matrix link_at(const gauge_links &u, lane_site x, u32 mu)
{
  return load(u.field, (u64)x.block * DIMENSIONS + mu, x.lane);
}

DEVICE lane_site step_to(const gauge_links &u, lane_site x, u32 direction) { return step_to(u.tables, x, direction); }

DEVICE su_matrix staple_upper(const gauge_links &u, lane_site x, u32 mu, u32 nu)
{
  const su_matrix half = times(link_at(u, x, nu), link_at(u, step_to(u, x, 2 * nu), mu));
  return times_adjoint(half, link_at(u, step_to(u, x, 2 * mu), nu));
}

DEVICE su_matrix staple_lower(const gauge_links &u, lane_site x, u32 mu, u32 nu)
{
  const lane_site y = step_to(u, x, 2 * nu + 1);
  const su_matrix half = adjoint_times(link_at(u, y, nu), link_at(u, y, mu));
  return times(half, link_at(u, step_to(u, y, 2 * mu), nu));
}

DEVICE su_matrix staple_sum(const gauge_links &u, lane_site x, u32 mu, const f64 *weight)
{
  const u32 begin = mu == 0 ? 1 : 0;
  su_matrix out = staple_upper(u, x, mu, begin);
  scale(out, weight[begin]);
#pragma unroll 1 /* unrolled, it needs more registers than there are */
  for (u32 nu = begin; nu < DIMENSIONS; nu++) {
    if (nu == mu)
      continue;
    if (nu != begin)
      add(out, weight[nu], staple_upper(u, x, mu, nu));
    add(out, weight[nu], staple_lower(u, x, mu, nu));
  }
  return out;
}

DEVICE void rectangles_upper(const gauge_links &u, su_matrix &out, lane_site x, u32 mu, u32 nu, f64 weight)
{
  const lane_site above = step_to(u, x, 2 * nu), beside = step_to(u, x, 2 * mu);
  const su_matrix left = link_at(u, x, nu), middle = link_at(u, above, mu), right = link_at(u, beside, nu);
  add(out, weight, times_adjoint(times(staple_lower(u, x, nu, mu), middle), right));
  add(out, weight, times_adjoint(times(left, staple_upper(u, above, mu, nu)), right));
  add(out, weight, times_adjoint(times(left, middle), staple_upper(u, beside, nu, mu)));
}

DEVICE void rectangles_lower(const gauge_links &u, su_matrix &out, lane_site y, u32 mu, u32 nu, f64 weight)
{
  const lane_site beside = step_to(u, y, 2 * mu);
  const su_matrix left = link_at(u, y, nu), middle = link_at(u, y, mu), right = link_at(u, beside, nu);
  add(out, weight, times(adjoint_times(staple_lower(u, y, nu, mu), middle), right));
  add(out, weight, times(adjoint_times(left, staple_lower(u, y, mu, nu)), right));
  add(out, weight, times(adjoint_times(left, middle), staple_upper(u, beside, nu, mu)));
}

/* m += the rectangles' paths in the plane of mu and nu. */
DEVICE void add_rectangles(const gauge_links &u, su_matrix &m, lane_site x, u32 mu, u32 nu, f64 weight)
{
  su_matrix below = su_zero();
  rectangles_upper(u, m, x, mu, nu, weight);
  rectangles_lower(u, below, step_to(u, x, 2 * nu + 1), mu, nu, weight);
  add(m, 1, below);
}
