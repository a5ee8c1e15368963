/* How fast kernels are on the device, beside a copy there: bytes are those of each array that a kernel reads or writes,
 * counted once, so what caches do not hold shows as less. */
#include "physics/lattice/dirac.h"
#include "physics/lattice/fermion_device.h"
#include "physics/lattice/gauge_device.h"
#include "tests/device/science_check.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, AT_ONCE = 4, LARGE = 8 };

extern const char saxpy_cu[];

struct speeds {
  struct science *science;
  bool is_small; /* a lattice on which all is fast: one launch, to show that it works */
  double copy;   /* bytes a second */
};

typedef int ordered(void *context, struct error *error);

/* The best of some rounds, in seconds; the first, of a cold device, does not count. */
static int time_order(const struct speeds *s, ordered *order, void *context, double *best, struct error *error)
{
  const int rounds = s->is_small ? 0 : ROUNDS, at_once = s->is_small ? 1 : AT_ONCE;
  for (int i = 0; i <= rounds; i++) {
    const double begin = now();
    for (int k = 0; k < at_once; k++)
      if (order(context, error) != 0)
        return -1;
    if (science_wait(s->science, error) != 0)
      return -1;
    const double took = (now() - begin) / at_once;
    *best = i <= 1 || took < *best ? took : *best;
  }
  return 0;
}

static int print_speed(const struct speeds *s, const char *name, double bytes, ordered *order, void *context,
                       struct error *error)
{
  double took;
  if (time_order(s, order, context, &took, error) != 0)
    return -1;
  printf("%-14s %10.4f ms %10.1f GB/s %6.1f %% of a copy\n", name, 1e3 * took, 1e-9 * bytes / took,
         100 * bytes / took / s->copy);
  return 0;
}

/* ---- a copy ------------------------------------------------------------------------------------------------------ */

struct copy {
  struct science *science;
  struct science_kernel kernel;
  struct science_array from, to;
};

static int order_copy(void *context, struct error *error)
{
  struct copy *c = context;
  unsigned long long count = c->from.bytes / sizeof(double);
  void *parameters[] = {&c->from.address, &c->to.address, &count};
  const struct device_grid grid = {.blocks = {(unsigned)((count + 255) / 256), 1, 1}, .threads = {256, 1, 1}};
  return science_launch(c->science, &c->kernel, &grid, parameters, error);
}

static int time_copy(struct speeds *s, size_t bytes, struct error *error)
{
  struct copy c = {.science = s->science};
  double took = 0;
  int status = science_kernel(s->science, saxpy_cu, "copy_numbers", &c.kernel, error);
  if (status == 0)
    status = science_array_new(s->science, bytes, &c.from, error);
  if (status == 0)
    status = science_array_new(s->science, bytes, &c.to, error);
  if (status == 0)
    status = time_order(s, order_copy, &c, &took, error);
  science_array_free(s->science, &c.from);
  science_array_free(s->science, &c.to);
  if (status != 0)
    return -1;
  s->copy = 2 * (double)bytes / took;
  printf("%-14s %10.4f ms %10.1f GB/s\n", "copy", 1e3 * took, 1e-9 * s->copy);
  return 0;
}

/* ---- gauge fields ------------------------------------------------------------------------------------------------ */

static const struct gauge_action plain = {.beta = 6, .anisotropy = 1};
static const struct gauge_action improved = {.beta = 6, .c1 = GAUGE_C1_SYMANZIK, .anisotropy = 1};

static int order_heatbath(void *device, struct error *error)
{
  return gauge_device_heatbath(device, &plain, (struct philox_stream){1, 2}, error);
}

static int order_overrelax(void *device, struct error *error)
{
  return gauge_device_overrelax(device, &plain, error);
}

static int order_kick(void *device, struct error *error)
{
  return gauge_device_kick(device, &plain, 1e-3, error);
}

static int order_improved_kick(void *device, struct error *error)
{
  return gauge_device_kick(device, &improved, 1e-3, error);
}

static int order_drift(void *device, struct error *error)
{
  return gauge_device_drift(device, 1e-3, error);
}

static int order_flow(void *device, struct error *error)
{
  struct gauge_flow flow = {.step = 0.01};
  bool done;
  return gauge_device_flow(device, &flow, 0.01, NULL, &done, error);
}

/* A sweep reads nearly all links once a direction and colour, and writes all; a flow's step has three kicks and drifts,
 * and clears K. */
static int time_gauge(const struct speeds *s, const struct check_field *f, struct gauge_device *device,
                      struct error *error)
{
  const double links = (double)f->bytes, dimensions = (double)f->lattice.dimensions;
  const double sweep = links * (2 * dimensions + 1), both = 3 * links;
  if (gauge_device_put_momentum(device, f->field.links, error) != 0 ||
      print_speed(s, "heatbath", sweep, order_heatbath, device, error) != 0 ||
      print_speed(s, "overrelax", sweep, order_overrelax, device, error) != 0 ||
      print_speed(s, "kick", both, order_kick, device, error) != 0 ||
      print_speed(s, "kick_improved", both, order_improved_kick, device, error) != 0)
    return -1;
  return print_speed(s, "drift", both, order_drift, device, error) == 0
             ? print_speed(s, "flow_step", 3 * (both + both) + links, order_flow, device, error)
             : -1;
}

/* ---- quarks ------------------------------------------------------------------------------------------------------ */

struct hops {
  struct fermion_device device;
  struct science_array in, out;
};

static int order_hop(void *context, struct error *error)
{
  struct hops *h = context;
  const struct device_hop hop = {
      .in = &h->in, .out = &h->out, .range = {0, h->device.at.lattice->blocks}, .factor = 0.12};
  return fermion_device_hop(&h->device, &hop, error);
}

static int time_hops(const struct speeds *s, const struct dirac *dirac, enum fermion_type type, struct error *error)
{
  const struct lattice *lattice = dirac->shape.lattice;
  const size_t bytes = fermion_bytes(&dirac->shape, type, lattice->blocks);
  struct hops h = {0};
  int status = fermion_device_init(&h.device, s->science, &dirac->shape, type, dirac->links[type], error);
  if (status == 0)
    status = science_array_new(s->science, bytes, &h.in, error);
  if (status == 0)
    status = science_array_new(s->science, bytes, &h.out, error);
  if (status == 0)
    status = print_speed(s, type == FERMION_F32 ? "dslash_f32" : "dslash_f64",
                         (double)h.device.links.bytes + 2 * (double)bytes, order_hop, &h, error);
  science_array_free(s->science, &h.in);
  science_array_free(s->science, &h.out);
  fermion_device_free(&h.device);
  return status;
}

static int time_quarks(const struct speeds *s, const struct check_field *f, struct error *error)
{
  const struct dirac_rule rule = {.kappa = 0.12};
  struct dirac dirac;
  void *const memory = room_new(dirac_bytes(&f->field, &rule, true));
  if (!memory)
    return error_memory(error);
  int status = dirac_init(&dirac, &f->field, &rule, true, 1, memory);
  for (int type = 0; status == 0 && type < FERMION_TYPES; type++)
    status = time_hops(s, &dirac, (enum fermion_type)type, error);
  free(memory);
  return status;
}

int science_speeds(struct science *science, size_t side, struct error *error)
{
  const struct check_shape shape = {.colours = 3, .dimensions = 4, .extent = {side, side, side, side}};
  struct speeds s = {.science = science, .is_small = side < LARGE};
  struct check_field f;
  struct gauge_device *device = NULL;
  if (side % 2 != 0)
    return error_set(error, ERROR_Internal, "a side is even, got %zu", side);
  int status = field_make(&f, &shape, error);
  printf("== SU(3), %zu^4 sites\n", side);
  if (status == 0)
    status = time_copy(&s, f.bytes, error);
  if (status == 0)
    status = gauge_device_new(science, &f.field, &device, error);
  if (status == 0)
    status = time_gauge(&s, &f, device, error);
  gauge_device_free(device);
  if (status == 0)
    status = time_quarks(&s, &f, error);
  field_free(&f);
  return status;
}
