/* Numbers that are no gauge field: links are told apart, and what such links reach comes to an end. */
#include "physics_gauge_fixture.h"

#include "datacube/source/gauge_sums.h"
#include "physics/lattice/gauge_flow_steps.h"
#include "physics/lattice/gauge_unitarity.h"

/* A fault of the field with that link, times a factor, as one thread and two see it. */
static bool find_fault(struct fixture *f, size_t number, double factor, struct gauge_fault *fault)
{
  const size_t n = f->colours;
  complex double *links = fixture_links(f), *link = links + number * n * n, *kept = fixture_links(f);
  struct gauge_fault again = {0};
  for (size_t i = 0; i < n * n; i++)
    link[i] *= factor;
  fixture_put(f, links);
  bool good = gauge_links_of_group(&f->field, 1, fault);
  assert_true(gauge_links_of_group(&f->field, 2, &again) == good);
  assert_true(good || (again.site == fault->site && again.mu == fault->mu));
  fixture_put(f, kept);
  free(links);
  free(kept);
  return !good;
}

/* Whether the link leaves the last slice of its axis. */
static bool is_last(const struct fixture *f, size_t number)
{
  size_t site = number / f->lattice.dimensions, mu = number % f->lattice.dimensions;
  return plain_step(&f->lattice, site, 2 * mu) <= site;
}

static void one_link_is_found(void **state)
{
  (void)state;
  const double factors[] = {1.001, 3, 0.9, 1e-9, 1e100, 1e200, INFINITY, NAN};
  for (size_t i = 0; i < FIXTURES; i++) {
    struct fixture f;
    struct gauge_fault fault;
    fixture_open(&f, &fixtures[i], 5);
    const size_t d = f.lattice.dimensions, links = f.lattice.sites * d;
    for (size_t number = 0; number < links; number += links / 32 + 1) {
      const double factor = factors[number % (sizeof factors / sizeof *factors)];
      assert_false(find_fault(&f, number, 1.0001, &fault));
      assert_true(find_fault(&f, number, factor, &fault));
      assert_true(fault.site == number / d && fault.mu == number % d);
      if (isfinite(factor * factor))
        assert_true(fabs(fault.off - fabs(factor * factor - 1)) <= 1e-9 * (1 + factor * factor));
      assert_true(find_fault(&f, number, 0, &fault) == !is_last(&f, number));
      assert_false(gauge_links_missing(&f.field));
    }
    for (size_t k = 0; k < f.numbers; k++)
      if ((k / LATTICE_LANES + i) % 2) /* one part of each */
        f.field.links[k] = NAN;
    assert_true(!gauge_links_of_group(&f.field, 1, &fault) && gauge_links_missing(&f.field));
    fixture_close(&f);
  }
}

/* The phase of a link's determinant, taken to the angle, is found where there are two colours or more. */
static void determinants_are_one(void **state)
{
  (void)state;
  for (size_t i = 0; i < FIXTURES; i++) {
    struct fixture f;
    struct gauge_fault fault;
    fixture_open(&f, &fixtures[i], 8);
    const size_t d = f.lattice.dimensions, links = f.lattice.sites * d, n = f.colours;
    complex double *all = fixture_links(&f), *kept = fixture_links(&f);
    for (size_t number = 1; number < links; number += links / 16 + 1) {
      const double angle = number % 2 ? 0.5 : -3;
      complex double *link = all + number * n * n;
      bool absent = link[0] == 0;
      for (size_t k = 0; k < n; k++) /* one row alone: unitary still, det U = exp(i angle) */
        link[k] *= cexp(I * angle);
      fixture_put(&f, all);
      assert_true(gauge_links_of_group(&f.field, 2, &fault) == (n == 1 || absent));
      if (n > 1 && !absent) {
        assert_true(fault.turned && fault.site == number / d && fault.mu == number % d);
        assert_true(fabs(fault.off - 2 * fabs(sin(angle / 2))) < 1e-9);
      }
      memcpy(link, kept + number * n * n, n * n * sizeof *link);
    }
    free(all);
    free(kept);
    fixture_close(&f);
  }
}

/* Sites of the right length whose rows are not orthogonal. */
static void rows_are_orthogonal(void **state)
{
  (void)state;
  const double link[] = {1, 0, 0, 0, 0.6, 0, 0.8, 0};
  assert_near(gauge_link_off(2, link), 0.6);
  for (size_t part = 0; part < 2; part++) {
    struct fixture f;
    struct gauge_fault fault;
    fixture_open(&f, &fixtures[3], 6);
    gauge_field_cold(&f.field);
    complex double *links = fixture_links(&f);
    links[4 * 5 + 2] = part ? 0.6 * I : 0.6;
    links[4 * 5 + 3] = 0.8;
    fixture_put(&f, links);
    assert_false(gauge_links_of_group(&f.field, 1, &fault));
    assert_true(fault.site == 1 && fault.mu == 1);
    assert_near(fault.off, 0.6);
    free(links);
    fixture_close(&f);
  }
}

/* Without a step that is short enough the flow says so; numbers beyond all bounds come to an end, too. */
static void flow_of_large_links_ends(void **state)
{
  (void)state;
  const double factors[] = {1e3, 1e25, 1e50, 1e100, 1e200, NAN};
  for (size_t i = 0; i < 2 * sizeof factors / sizeof *factors; i++) {
    struct fixture f;
    struct gauge_flow flow = {0.05, i % 2 ? 1e-5 : 0};
    fixture_open(&f, &fixtures[i % 3 * 2], 7);
    void *scratch = aligned_alloc(64, gauge_flow_bytes(&f.lattice, f.colours, true));
    for (size_t k = 0; k < f.numbers; k++)
      f.field.links[k] *= factors[i / 2];
    bool done = gauge_flow_on(&f.field, &flow, 0.1, 1, NULL, scratch);
    assert_true(done || flow.step < FLOW_MIN_STEP);
    assert_true(i != 1 || !done);
    free(scratch);
    fixture_close(&f);
  }
}

static void exponential_of_large_numbers_ends(void **state)
{
  (void)state;
  for (size_t n = 1; n <= 4; n++) {
    SU_MATRIX(a);
    SU_MATRIX(out);
    su_zero(n, a);
    for (size_t lane = 0; lane < LATTICE_LANES; lane++)
      a[LATTICE_LANES + lane] = 1e200;
    su_exponential(n, out, a);
    assert_false(isfinite(out[0]));
  }
}

/* ---- steps that are never short enough --------------------------------------------------------------------------- */

struct refusing {
  int cancel, stages, tries, most;
  double distance;
};

static int nothing(void *context, struct error *error)
{
  (void)context;
  (void)error;
  return 0;
}

static int count_stage(void *context, const struct flow_stage *stage, struct error *error)
{
  (void)stage;
  (void)error;
  ((struct refusing *)context)->stages++;
  return 0;
}

static int refuse(void *context, double *out, struct error *error)
{
  struct refusing *r = context;
  (void)error;
  r->cancel = ++r->tries == r->most;
  *out = r->distance;
  return 0;
}

static void refused_steps_end(void **state)
{
  (void)state;
  const double distances[] = {1.0000001e-5, 1, 1e300, INFINITY, NAN};
  for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
    struct refusing r = {.distance = distances[i], .most = -1}, stopped = {.distance = 1.1e-5, .most = 3};
    struct flow_steps steps = {&r, nothing, nothing, count_stage, refuse, &r.cancel};
    struct gauge_flow flow = {0.1, 1e-5};
    struct error error = {0};
    bool done = true;
    assert_true(flow_steps_on(&steps, &flow, 1, &done, &error) == 0);
    assert_true(!done && !(flow.step >= FLOW_MIN_STEP) && r.tries < 400);
    steps.context = &stopped;
    steps.cancel = &stopped.cancel;
    flow.step = 0.1;
    assert_true(flow_steps_on(&steps, &flow, 1, &done, &error) == 0);
    assert_true(!done && stopped.tries == 3 && stopped.stages == 9);
  }
}

/* A step that ends at the time asked for tells nothing of the next one. */
static void cut_steps_are_forgotten(void **state)
{
  (void)state;
  struct refusing r = {.distance = 1e-300, .most = -1};
  const struct flow_steps steps = {&r, nothing, nothing, count_stage, refuse, NULL};
  struct gauge_flow flow = {0.1, 1e-5};
  struct error error = {0};
  bool done;
  assert_true(flow_steps_on(&steps, &flow, 1e-12, &done, &error) == 0);
  assert_true(done && flow.step == 0.1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_link_is_found),
                                     cmocka_unit_test(determinants_are_one),
                                     cmocka_unit_test(rows_are_orthogonal),
                                     cmocka_unit_test(flow_of_large_links_ends),
                                     cmocka_unit_test(exponential_of_large_numbers_ends),
                                     cmocka_unit_test(refused_steps_end),
                                     cmocka_unit_test(cut_steps_are_forgotten)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
