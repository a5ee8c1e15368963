/* Exponential, projection, loops, charge, flow and smearing against plain arithmetic on matrices and coordinates. */
#include "physics_gauge_fixture.h"

#include "physics/lattice/gauge_flow.h"
#include "physics/lattice/gauge_observables.h"
#include "physics/lattice/gauge_smear.h"

/* ---- the group --------------------------------------------------------------------------------------------------- */

/* exp of random elements of the algebra, small and large, against scaling, 40 terms and squaring. */
static void exponentials(void **state)
{
  (void)state;
  for (size_t n = 1; n <= 5; n++)
    for (double size = 1e-6; size < 30; size *= 7) {
      SU_MATRIX(a);
      SU_MATRIX(out);
      random_numbers(a, su_size(n), (uint64_t)n);
      su_to_algebra(n, a);
      su_scale(n, a, size);
      su_exponential(n, out, a);
      for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
        complex double plain[64], expected[64], got[64];
        take_lane(n, a, lane, plain);
        plain_exponential(n, plain, expected);
        take_lane(n, out, lane, got);
        if (plain_distance(n, got, expected) > 1e-12 * (1 + size))
          fail_msg("n %zu, size %g: %g off", n, size, plain_distance(n, got, expected));
      }
    }
}

/* In the group; the group's own elements stay; the nearest: x^dagger m is Hermitian and positive up to a phase. */
static void projections(void **state)
{
  (void)state;
  for (size_t n = 1; n <= 5; n++) {
    SU_MATRIX(m);
    SU_MATRIX(x);
    SU_MATRIX(y);
    random_numbers(m, su_size(n), 70 + (uint64_t)n);
    su_copy(n, x, m);
    su_project(n, x);
    su_copy(n, y, x);
    su_project(n, y);
    su_add(n, y, -1, x);
    for (size_t i = 0; i < su_size(n); i++)
      assert_true(fabs(y[i]) < 1e-13);
    su_adjoint_multiply(n, y, x, m);
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      complex double u[64], p[64];
      double re, im;
      take_lane(n, x, lane, u);
      assert_true(plain_unitarity(n, u) < 1e-13);
      su_determinant(n, x, lane, &re, &im);
      assert_true(n == 1 || cabs(re + I * im - 1) < 1e-13);
      take_lane(n, y, lane, p);
      complex double phase = 0;
      for (size_t i = 0; i < n; i++)
        phase += p[i * n + i];
      phase /= cabs(phase);
      for (size_t i = 0; i < n * n; i++)
        assert_true(cabs(p[i] / phase - conj(p[i % n * n + i / n] / phase)) < 1e-12);
    }
  }
}

/* ---- plain observables ------------------------------------------------------------------------------------------- */

/* Means of the loops of that size, both orientations, with axis 0 and without. */
static void plain_loops(const struct fixture *f, size_t width, size_t height, double out[2])
{
  complex double *links = fixture_links(f), loop[64];
  double sum[2] = {0, 0}, count[2] = {0, 0};
  for (size_t site = 0; site < f->lattice.sites; site++)
    for (size_t mu = 0; mu < f->lattice.dimensions; mu++)
      for (size_t nu = 0; nu < f->lattice.dimensions; nu++) {
        size_t path[8], length = 0;
        if (mu == nu)
          continue;
        for (size_t i = 0; i < width; i++)
          path[length++] = 2 * mu;
        for (size_t i = 0; i < height; i++)
          path[length++] = 2 * nu;
        for (size_t i = 0; i < width; i++)
          path[length++] = 2 * mu + 1;
        for (size_t i = 0; i < height; i++)
          path[length++] = 2 * nu + 1;
        plain_path(f, links, site, path, length, loop);
        sum[mu > 0 && nu > 0] += creal(plain_trace(f->colours, loop)) / (double)f->colours;
        count[mu > 0 && nu > 0]++;
      }
  for (size_t k = 0; k < 2; k++)
    out[k] = sum[k] / count[k];
  free(links);
}

static complex double plain_polyakov(const struct fixture *f, size_t axis)
{
  complex double *links = fixture_links(f), loop[64], sum = 0;
  size_t path[16];
  for (size_t i = 0; i < 16; i++)
    path[i] = 2 * axis;
  for (size_t site = 0; site < f->lattice.sites; site++) {
    plain_path(f, links, site, path, f->lattice.extent[axis], loop);
    sum += plain_trace(f->colours, loop);
  }
  free(links);
  return sum / (double)(f->lattice.sites * f->colours);
}

/* Charge by the sum over all permutations of the axes, and energy density. */
static void plain_topology(const struct fixture *f, double out[2])
{
  complex double *links = fixture_links(f), loop[64];
  size_t n = f->colours, d = f->lattice.dimensions;
  out[0] = d == 4 || (d == 2 && n == 1) ? 0 : NAN;
  out[1] = 0;
  for (size_t site = 0; site < f->lattice.sites; site++) {
    complex double strength[4][4][64] = {{{0}}};
    for (size_t mu = 0; mu < d; mu++)
      for (size_t nu = 0; nu < d; nu++) {
        const size_t turn[4] = {2 * mu, 2 * nu, 2 * mu + 1, 2 * nu + 1};
        for (size_t leaf = 0; leaf < 4 && mu != nu; leaf++) {
          const size_t path[4] = {turn[leaf], turn[(leaf + 1) % 4], turn[(leaf + 2) % 4], turn[(leaf + 3) % 4]};
          plain_path(f, links, site, path, 4, loop);
          for (size_t i = 0; i < n * n; i++)
            strength[mu][nu][i] += loop[i] / 4;
        }
        plain_algebra(n, strength[mu][nu]);
        plain_product(n, strength[mu][nu], strength[mu][nu], loop);
        out[1] -= creal(plain_trace(n, loop)) / 2;
      }
    if (d == 2)
      out[0] += cimag(strength[0][1][0]) / (2 * PLAIN_PI);
    for (size_t k = 0; k < 256 && d == 4; k++) {
      const size_t p[4] = {k / 64, k / 16 % 4, k / 4 % 4, k % 4};
      int sign = 1;
      for (size_t a = 0; a < 4; a++)
        for (size_t b = a + 1; b < 4; b++)
          sign *= p[a] == p[b] ? 0 : p[a] > p[b] ? -1 : 1;
      if (sign == 0)
        continue;
      plain_product(n, strength[p[0]][p[1]], strength[p[2]][p[3]], loop);
      out[0] -= sign * creal(plain_trace(n, loop)) / (32 * PLAIN_PI * PLAIN_PI);
    }
  }
  out[1] /= (double)f->lattice.sites;
  free(links);
}

/* ---- plain smearing ---------------------------------------------------------------------------------------------- */

/* The polar projection by halving x + its inverse's adjoint (Higham), inverses by Gauss and Jordan. */
static void plain_project(size_t n, complex double *x)
{
  for (double moved = 1; moved > 1e-14;) {
    complex double a[64], inverse[64];
    moved = 0;
    memcpy(a, x, n * n * sizeof *a);
    plain_unit(n, inverse);
    for (size_t k = 0; k < n; k++) {
      size_t pivot = k;
      for (size_t i = k; i < n; i++)
        pivot = cabs(a[i * n + k]) > cabs(a[pivot * n + k]) ? i : pivot;
      for (size_t j = 0; j < n; j++) {
        complex double t = a[k * n + j], u = inverse[k * n + j];
        a[k * n + j] = a[pivot * n + j];
        a[pivot * n + j] = t;
        inverse[k * n + j] = inverse[pivot * n + j];
        inverse[pivot * n + j] = u;
      }
      complex double factor = 1 / a[k * n + k];
      for (size_t j = 0; j < n; j++) {
        a[k * n + j] *= factor;
        inverse[k * n + j] *= factor;
      }
      for (size_t i = 0; i < n; i++) {
        complex double f = a[i * n + k];
        for (size_t j = 0; j < n && i != k; j++) {
          a[i * n + j] -= f * a[k * n + j];
          inverse[i * n + j] -= f * inverse[k * n + j];
        }
      }
    }
    plain_adjoint(n, inverse, inverse);
    for (size_t i = 0; i < n * n; i++) {
      moved = fmax(moved, cabs(x[i] - inverse[i]));
      x[i] = (x[i] + inverse[i]) / 2;
    }
  }
  /* the determinant's n-th root out, by way of the eigenvalues' sum of a logarithm: here by the group's own function */
  SU_MATRIX(lanes);
  double re, im;
  for (size_t i = 0; i < n * n; i++) {
    lanes[i * 2 * LATTICE_LANES] = creal(x[i]);
    lanes[(i * 2 + 1) * LATTICE_LANES] = cimag(x[i]);
  }
  su_determinant(n, lanes, 0, &re, &im);
  complex double phase = n == 1 ? 1 : cexp(-I * atan2(im, re) / (double)n);
  for (size_t i = 0; i < n * n; i++)
    x[i] *= phase;
}

static const complex double *link_of(const struct fixture *f, const complex double *links, size_t site, size_t mu)
{
  return links + (site * f->lattice.dimensions + mu) * f->colours * f->colours;
}

/* out += both staples along nu, sides of one field and tops of another. */
static void plain_staples(const struct fixture *f, const complex double *side, const complex double *top, size_t site,
                          size_t mu, size_t nu, complex double *out)
{
  size_t n = f->colours, ahead = plain_step(&f->lattice, site, 2 * mu), up = plain_step(&f->lattice, site, 2 * nu);
  size_t down = plain_step(&f->lattice, site, 2 * nu + 1), corner = plain_step(&f->lattice, down, 2 * mu);
  complex double a[64], b[64];
  plain_product(n, link_of(f, side, site, nu), link_of(f, top, up, mu), a);
  plain_adjoint(n, link_of(f, side, ahead, nu), b);
  plain_product(n, a, b, a);
  for (size_t i = 0; i < n * n; i++)
    out[i] += a[i];
  plain_adjoint(n, link_of(f, side, down, nu), a);
  plain_product(n, a, link_of(f, top, down, mu), a);
  plain_product(n, a, link_of(f, side, corner, nu), a);
  for (size_t i = 0; i < n * n; i++)
    out[i] += a[i];
}

/* HYP by its definition, for one link and the directions that it may not have staples in. */
static void plain_hyp(const struct fixture *f, const complex double *links, const double *weight, size_t site,
                      size_t mu, unsigned barred, complex double *out);

static complex double *plain_hyp_links(const struct fixture *f, const complex double *links, const double *weight,
                                       unsigned barred)
{
  size_t n = f->colours, d = f->lattice.dimensions;
  complex double *out = calloc(f->lattice.sites * d * n * n, sizeof *out);
  for (size_t i = 0; i < f->lattice.sites * d; i++)
    if (!(barred & 1u << i % d))
      plain_hyp(f, links, weight, i / d, i % d, barred, out + i * n * n);
  return out;
}

static void plain_hyp(const struct fixture *f, const complex double *links, const double *weight, size_t site,
                      size_t mu, unsigned barred, complex double *out)
{
  size_t n = f->colours;
  int level = __builtin_popcount(barred), axes = 2 * (3 - level);
  complex double sum[64] = {0};
  for (size_t nu = 0; nu < 4; nu++) {
    if (nu == mu || barred & 1u << nu)
      continue;
    if (level == 2) { /* plain links around */
      plain_staples(f, links, links, site, mu, nu, sum);
      continue;
    }
    static complex double *made[2][16]; /* links under each set of barred directions, per level */
    static const complex double *made_of;
    if (made_of != links) {
      for (size_t k = 0; k < 32; k++) {
        free(made[k / 16][k % 16]);
        made[k / 16][k % 16] = NULL;
      }
      made_of = links;
    }
    unsigned top = barred | 1u << nu, side = barred | 1u << mu;
    if (!made[level][top])
      made[level][top] = plain_hyp_links(f, links, weight, top);
    if (!made[level][side])
      made[level][side] = plain_hyp_links(f, links, weight, side);
    plain_staples(f, made[level][side], made[level][top], site, mu, nu, sum);
  }
  for (size_t i = 0; i < n * n; i++)
    out[i] = (1 - weight[level]) * link_of(f, links, site, mu)[i] + weight[level] / axes * sum[i];
  plain_project(n, out);
}

static complex double *plain_smear(const struct fixture *f, const struct gauge_smear *smear)
{
  size_t n = f->colours, d = f->lattice.dimensions, links_count = f->lattice.sites * d;
  complex double *links = fixture_links(f);
  for (size_t step = 0; step < smear->steps; step++) {
    complex double *next = calloc(links_count * n * n, sizeof *next);
    for (size_t i = 0; i < links_count; i++) {
      complex double sum[64] = {0}, *to = next + i * n * n;
      const complex double *link = links + i * n * n;
      if (smear->kind == SMEAR_HYP) {
        plain_hyp(f, links, smear->weight, i / d, i % d, 0, to);
        continue;
      }
      for (size_t nu = 0; nu < d; nu++)
        if (nu != i % d)
          plain_staples(f, links, links, i / d, i % d, nu, sum);
      if (smear->kind == SMEAR_APE) {
        for (size_t k = 0; k < n * n; k++)
          to[k] = (1 - smear->weight[0]) * link[k] + smear->weight[0] / (double)(2 * (d - 1)) * sum[k];
        plain_project(n, to);
      } else {
        plain_adjoint(n, link, to);
        plain_product(n, sum, to, to);
        plain_algebra(n, to);
        for (size_t k = 0; k < n * n; k++)
          to[k] *= smear->weight[0];
        plain_exponential(n, to, sum);
        plain_product(n, sum, link, to);
      }
    }
    free(links);
    links = next;
  }
  return links;
}

/* Loops, charge, energy; those of the flowed and of the smeared field. */
static void observe_all(struct fixture *f, double out[16])
{
  void *smearing = aligned_alloc(64, gauge_smear_bytes(&f->lattice, f->colours, SMEAR_HYP));
  struct gauge_flow flow = {0.05, 0};
  for (size_t k = 0; k < 4; k++) {
    struct gauge_loop_means means;
    struct gauge_topology topology;
    gauge_rectangle(&f->field, 1, &means);
    gauge_topology(&f->field, k % 2 ? GAUGE_IMPROVED : GAUGE_CLOVER, 1, &topology);
    out[4 * k] = means.all;
    out[4 * k + 1] = topology.charge;
    out[4 * k + 2] = topology.energy;
    gauge_polyakov(&f->field, 0, 1, &out[4 * k + 2]);
    if (k == 0)
      gauge_flow_on(&f->field, &flow, 0.1, 1, NULL, smearing);
    const struct gauge_smear smear = {.kind = k == 1                       ? SMEAR_STOUT
                                              : f->lattice.dimensions == 4 ? SMEAR_HYP
                                                                           : SMEAR_APE,
                                      .weight = {0.2, 0.3, 0.4},
                                      .steps = 1};
    if (k > 0)
      gauge_smear(&f->field, &smear, 1, NULL, smearing);
  }
  free(smearing);
}

/* ---- loops ------------------------------------------------------------------------------------------------------- */

static void loops_and_charge(void **state)
{
  (void)state;
  for (size_t i = 0; i < FIXTURES; i++) {
    struct fixture f;
    fixture_open(&f, &fixtures[i], 5);
    for (unsigned threads = 1; threads <= 2; threads++) {
      struct gauge_loop_means means;
      double plain[2], loop[2];
      gauge_plaquette(&f.field, threads, &means);
      plain_loops(&f, 1, 1, plain);
      assert_near(means.temporal, plain[0]);
      assert_near(means.spatial, plain[1]);
      gauge_rectangle(&f.field, threads, &means);
      plain_loops(&f, 1, 2, plain);
      assert_near(means.temporal, plain[0]);
      assert_near(means.spatial, plain[1]);
      for (size_t axis = 0; axis < f.lattice.dimensions; axis++) {
        complex double expected = plain_polyakov(&f, axis);
        gauge_polyakov(&f.field, axis, threads, loop);
        assert_near(loop[0], creal(expected));
        assert_near(loop[1], cimag(expected));
      }
      struct gauge_topology topology;
      gauge_topology(&f.field, GAUGE_CLOVER, threads, &topology);
      plain_topology(&f, plain);
      assert_near(topology.energy, plain[1]);
      assert_near(topology.charge, plain[0]);
    }
    fixture_close(&f);
  }
}

/* A gauge transformation changes none of them; nor does it matter whether flow and smearing come before or after. */
static void gauge_invariance(void **state)
{
  (void)state;
  for (size_t i = 0; i < FIXTURES; i++) {
    double seen[2][16];
    for (int transformed = 0; transformed < 2; transformed++) {
      struct fixture f;
      fixture_open(&f, &fixtures[i], 11);
      if (transformed)
        fixture_transform(&f, 77);
      observe_all(&f, seen[transformed]);
      fixture_close(&f);
    }
    for (size_t k = 0; k < 16; k++)
      assert_near(seen[0][k], seen[1][k]);
  }
}

/* ---- flow -------------------------------------------------------------------------------------------------------- */

static double distance_of_fields(const struct fixture *a, const struct fixture *b)
{
  double largest = 0;
  for (size_t i = 0; i < a->numbers; i++)
    largest = fmax(largest, fabs(a->field.links[i] - b->field.links[i]));
  return largest;
}

static void flow_by(struct fixture *f, struct gauge_flow flow, double time, unsigned threads)
{
  void *scratch = aligned_alloc(64, gauge_flow_bytes(&f->lattice, f->colours, flow.tolerance > 0));
  assert_true(gauge_flow_on(&f->field, &flow, time, threads, NULL, scratch));
  free(scratch);
}

/* The error falls with the third power of the step; adaptive steps agree; two threads give the same bits. */
static void flow_is_of_third_order(void **state)
{
  (void)state;
  for (size_t i = 0; i < FIXTURES; i++) {
    struct fixture f[5];
    const struct gauge_flow flows[5] = {{0.05, 0}, {0.025, 0}, {0.003125, 0}, {0.05, 1e-8}, {0.003125, 0}};
    for (size_t k = 0; k < 5; k++) {
      fixture_open(&f[k], &fixtures[i], 3);
      flow_by(&f[k], flows[k], 0.1, k == 4 && i % 4 == 0 ? 2 : 1);
    }
    double coarse = distance_of_fields(&f[0], &f[2]), fine = distance_of_fields(&f[1], &f[2]);
    assert_true(coarse / fine > 5 && coarse / fine < 14);
    if (distance_of_fields(&f[3], &f[2]) > 1e-5)
      fail_msg("fixture %zu: %g off", i, distance_of_fields(&f[3], &f[2]));
    assert_true(distance_of_fields(&f[4], &f[2]) == 0);
    for (size_t k = 0; k < 5; k++)
      fixture_close(&f[k]);
  }
}

/* The flow goes down the Wilson action. */
static void flow_descends_the_action(void **state)
{
  (void)state;
  for (size_t i = 0; i < FIXTURES; i++) {
    struct fixture f;
    struct gauge_loop_means before, after;
    fixture_open(&f, &fixtures[i], 8);
    gauge_plaquette(&f.field, 1, &before);
    for (int step = 0; step < 10; step++) {
      flow_by(&f, (struct gauge_flow){0.02, 0}, 0.02, 1);
      gauge_plaquette(&f.field, 1, &after);
      assert_true(after.all > before.all);
      before = after;
    }
    fixture_close(&f);
  }
}

/* ---- smearing ---------------------------------------------------------------------------------------------------- */

static void smearing_against_plain(void **state)
{
  (void)state;
  for (size_t i = 0; i < FIXTURES; i++)
    for (int kind = SMEAR_APE; kind <= SMEAR_HYP; kind++) {
      struct fixture f, one;
      const struct gauge_smear smear = {.kind = (enum gauge_smearing)kind, .weight = {0.5, 0.4, 0.3}, .steps = 2};
      fixture_open(&f, &fixtures[i], 21);
      fixture_open(&one, &fixtures[i], 21);
      if (kind == SMEAR_HYP && f.lattice.dimensions != 4) {
        fixture_close(&f);
        fixture_close(&one);
        continue;
      }
      void *scratch = aligned_alloc(64, gauge_smear_bytes(&f.lattice, f.colours, smear.kind));
      complex double *expected = plain_smear(&f, &smear);
      assert_true(gauge_smear(&f.field, &smear, 1, NULL, scratch));
      assert_true(gauge_smear(&one.field, &smear, 2, NULL, scratch));
      assert_true(distance_of_fields(&f, &one) == 0);
      assert_true(fixture_distance(&f, expected) < 1e-11);
      free(expected);
      free(scratch);
      fixture_close(&f);
      fixture_close(&one);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exponentials),           cmocka_unit_test(projections),
      cmocka_unit_test(loops_and_charge),       cmocka_unit_test(gauge_invariance),
      cmocka_unit_test(flow_is_of_third_order), cmocka_unit_test(flow_descends_the_action),
      cmocka_unit_test(smearing_against_plain)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
