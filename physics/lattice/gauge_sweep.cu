/* Heat bath and over-relaxation of the links of one direction and colour: gauge_heatbath.h has the distributions,
 * su2_random.h how they are drawn. A thread draws Philox's numbers of its site until it accepts, as a lane does.
 The
 * counters, logarithms and turns are those of philox_lanes.h, so the links are the same bits. */
struct link_counter { /* as su2_counter, of one site */
  u64 seed, stream;
  u32 site, use;
};

#define ATTEMPTS 4096
#define NO_ATTEMPT 0xFFFFFFu
#define FEW_ALPHA 0.75

/* ---- numbers ---- */

DEVICE void uniforms(const link_counter &counter, u32 attempt, f64 u[4])
{
  u32 w[4] = {counter.site, counter.use | attempt << 8, (u32)counter.stream, (u32)(counter.stream >> 32)};
  u32 k0 = (u32)counter.seed, k1 = (u32)(counter.seed >> 32);
  EVERY(round, 10)
  {
    const u64 first = (u64)0xD2511F53u * w[0], second = (u64)0xCD9E8D57u * w[2];
    w[0] = (u32)(second >> 32) ^ w[1] ^ k0;
    w[1] = (u32)second;
    w[2] = (u32)(first >> 32) ^ w[3] ^ k1;
    w[3] = (u32)first;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  EVERY(k, 4) u[k] = of_bits_f64((u64)w[k] << 20 | 0x3FF0000000000000ull) - (1.0 - 0x1p-33);
}

DEVICE f64 natural_log(f64 u)
{
  const u64 bits = bits_f64(u), exponent = (bits + (0x3FF0000000000000ull - 0x3FE6A09E667F3BCDull)) >> 52;
  const f64 m = of_bits_f64(bits - ((exponent - 1023) << 52));
  const f64 e = of_bits_f64(exponent | 0x4330000000000000ull) - (0x1p52 + 1023.0);
  const f64 s = (m - 1.0) / (m + 1.0), z = s * s;
  f64 series = 1.0 / 21;
  series = series * z + 1.0 / 19;
  series = series * z + 1.0 / 17;
  series = series * z + 1.0 / 15;
  series = series * z + 1.0 / 13;
  series = series * z + 1.0 / 11;
  series = series * z + 1.0 / 9;
  series = series * z + 1.0 / 7;
  series = series * z + 1.0 / 5;
  series = series * z + 1.0 / 3;
  series = series * z + 1.0;
  return e * 0x1.62E42FEFA39EFp-1 + 2.0 * s * series;
}

/* Sine and cosine of 2 pi u. */
DEVICE void turn_of(f64 u, f64 &sine, f64 &cosine)
{
  const f64 t = 4.0 * u, magic = t + 0x1.8p52;
  const u64 quarter = bits_f64(magic);
  const f64 x = (t - (magic - 0x1.8p52)) * 0x1.921FB54442D18p0, z = x * x;
  f64 s = -1.0 / 1307674368000.0, c = 1.0 / 20922789888000.0;
  s = s * z + 1.0 / 6227020800.0;
  s = s * z - 1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  s = x + x * z * s;
  c = c * z - 1.0 / 87178291200.0;
  c = c * z + 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = 1.0 - 0.5 * z + z * z * c;
  const f64 swapped_s = quarter & 1 ? c : s, swapped_c = quarter & 1 ? s : c;
  sine = quarter & 2 ? -swapped_s : swapped_s;
  cosine = (quarter + 1) & 2 ? -swapped_c : swapped_c;
}

/* ---- one SU(2) subgroup, or the phase of U(1) ---- */

/* Whether 1 - a0 = delta is accepted. */
DEVICE bool propose(const f64 u[4], f64 alpha, f64 &delta)
{
  if (alpha < FEW_ALPHA) {
    delta = 2.0 * u[0];
    return natural_log(u[3] * u[3] / (delta * (2.0 - delta))) <= -2.0 * alpha * delta;
  }
  f64 sine, cosine;
  turn_of(u[1], sine, cosine);
  delta = -(natural_log(u[0]) + natural_log(u[2]) * (cosine * cosine)) / alpha;
  return u[3] * u[3] <= 1.0 - 0.5 * delta;
}

DEVICE void random_su2(const link_counter &counter, f64 alpha, f64 a[4])
{
  f64 u[4], delta = 0, next, sine, cosine;
  for (u32 attempt = 0; attempt < ATTEMPTS; attempt++) {
    uniforms(counter, attempt, u);
    if (propose(u, alpha, next)) {
      delta = next;
      break;
    }
  }
  uniforms(counter, NO_ATTEMPT, u);
  const f64 radius = sqrt(delta * (2.0 - delta)), height = 2.0 * u[0] - 1.0;
  const f64 across = radius * sqrt(1.0 - height * height);
  turn_of(u[1], sine, cosine);
  a[0] = 1.0 - delta, a[1] = across * cosine, a[2] = across * sine, a[3] = radius * height;
}

DEVICE void random_phase(const link_counter &counter, f64 k, f64 a[2])
{
  const f64 q = sqrt(1.0 + 4.0 * k * k) + 1.0, root = sqrt(q), upper = (root + (f64)sqrt(2.0)) * q;
  const f64 rho = 2.0 * k * root / upper, s = 1.0 + rho * rho;
  a[0] = 1, a[1] = 0;
  for (u32 attempt = 0; attempt < ATTEMPTS; attempt++) {
    f64 u[4], sine, z;
    uniforms(counter, attempt, u);
    turn_of(0.5 * u[0], sine, z);
    const f64 below = s + 2.0 * rho * z, cosine = (2.0 * rho + s * z) / below;
    const f64 c = upper * s / (4.0 * root) - k * cosine, across = (1.0 - rho * rho) * sine / below;
    if (natural_log(c / u[1]) + 1.0 >= c) {
      a[0] = cosine, a[1] = u[2] < 0.5 ? -across : across;
      return;
    }
  }
}

#if COLOURS == 1
DEVICE void update(su_matrix &link, const su_matrix &w, bool reflect, const link_counter &counter)
{
  const f64 wr = w.re[0], wi = w.im[0], kappa = sqrt(wr * wr + wi * wi);
  const bool some = kappa > 1e-140;
  const f64 vr = some ? wr / kappa : (f64)1, vi = some ? -wi / kappa : (f64)0;
  f64 a[2] = {vr, vi};
  if (!reflect)
    random_phase(counter, kappa, a);
  const f64 gr = a[0] * vr - a[1] * vi, gi = a[0] * vi + a[1] * vr, re = link.re[0], im = link.im[0];
  link.re[0] = gr * re - gi * im;
  link.im[0] = gr * im + gi * re;
}
#else
/* The part of rows and columns i, j of w that is proportional to SU(2): w = norm v. */
DEVICE f64 part_of(const su_matrix &w, u32 i, u32 j, f64 v[4])
{
  const u32 ii = i * N + i, ij = i * N + j, ji = j * N + i, jj = j * N + j;
  const f64 v0 = 0.5 * (w.re[ii] + w.re[jj]), v3 = 0.5 * (w.im[ii] - w.im[jj]);
  const f64 v2 = 0.5 * (w.re[ij] - w.re[ji]), v1 = 0.5 * (w.im[ij] + w.im[ji]);
  const f64 square = v0 * v0 + v1 * v1 + v2 * v2 + v3 * v3;
  if (!(square > 1e-280)) {
    v[0] = 1, v[1] = v[2] = v[3] = 0;
    return 0;
  }
  const f64 length = sqrt(square), inverse = 1.0 / length;
  v[0] = v0 * inverse, v[1] = v1 * inverse, v[2] = v2 * inverse, v[3] = v3 * inverse;
  return length;
}

/* g = x y^dagger */
DEVICE void quotient_of(const f64 x[4], const f64 y[4], f64 g[4])
{
  const f64 y0 = y[0], y1 = -y[1], y2 = -y[2], y3 = -y[3];
  g[0] = x[0] * y0 - x[1] * y1 - x[2] * y2 - x[3] * y3;
  g[1] = x[0] * y1 + x[1] * y0 - x[2] * y3 + x[3] * y2;
  g[2] = x[0] * y2 + x[2] * y0 - x[3] * y1 + x[1] * y3;
  g[3] = x[0] * y3 + x[3] * y0 - x[1] * y2 + x[2] * y1;
}

/* Rows i and j of m = g times them. */
DEVICE void rotate_rows(su_matrix &m, const f64 g[4], u32 i, u32 j)
{
  EVERY(k, N)
  {
    const f64 xr = m.re[i * N + k], xi = m.im[i * N + k], yr = m.re[j * N + k], yi = m.im[j * N + k];
    m.re[i * N + k] = (g[0] * xr - g[3] * xi) + (g[2] * yr - g[1] * yi);
    m.im[i * N + k] = (g[0] * xi + g[3] * xr) + (g[2] * yi + g[1] * yr);
    m.re[j * N + k] = (g[0] * yr + g[3] * yi) - (g[2] * xr + g[1] * xi);
    m.im[j * N + k] = (g[0] * yi - g[3] * yr) - (g[2] * xi - g[1] * xr);
  }
}

/* All subgroups; w = U W^dagger follows the link. */
DEVICE void update(su_matrix &link, su_matrix w, bool reflect, link_counter counter)
{
  const u32 mu = counter.use;
  u32 subgroup = 0;
  EVERY(i, N) EVERY(below, N - 1 - i)
  {
    const u32 j = i + 1 + below;
    f64 v[4], a[4], g[4];
    const f64 norm = part_of(w, i, j, v);
    if (reflect) {
      const f64 twice = 2.0 * v[0];
      g[0] = twice * v[0] - 1.0, g[1] = -twice * v[1], g[2] = -twice * v[2], g[3] = -twice * v[3];
    } else {
      counter.use = mu | subgroup << 3;
      random_su2(counter, norm * (2.0 / (f64)N), a);
      quotient_of(a, v, g);
    }
    rotate_rows(link, g, i, j);
    rotate_rows(w, g, i, j);
    subgroup++;
  }
}
#endif

/* Links mu of blocks [first, first + blocks). site[block][lane]: the number of the site in its stream. */
SCIENCE_KERNEL(gauge_sweep, f64 *links, const u32 *link, const u8 *permutation, const f64 *weights, const u32 *site,
               u64 seed, u64 stream, u32 mu, u32 first, u32 blocks, u32 reflect)
{
  const u64 number = thread_number();
  if (number >= (u64)blocks * LANES)
    return;
  const gauge_links u = {links, {link, permutation}};
  const lane_site x = site_of(number, first);
  const su_matrix paths = staple_sum(u, x, mu, weights + mu * DIMENSIONS);
  su_matrix own = link_at(u, x, mu);
  const su_matrix w = times_adjoint(own, paths);
  update(own, w, reflect != 0, {seed, stream, site[(u64)x.block * LANES + x.lane], mu});
  store(links, (u64)x.block * DIMENSIONS + mu, x.lane, own);
}
