/* Gauge fields on the device: physics/lattice/gauge_device.h against the CPU's functions of the same names. */
#include "physics/lattice/gauge_device.h"
#include "physics/lattice/gauge_heatbath.h"
#include "physics/lattice/gauge_momentum.h"
#include "tests/device/science_check.h"

#include <stdlib.h>
#include <string.h>

/* Lattices with a checkerboard, of 4, 2 and 8 lanes, and others; some with an open axis. */
static const struct check_shape checkered[] = {
    {.colours = 1, .dimensions = 2, .extent = {8, 6}, .open = true},
    {.colours = 2, .dimensions = 3, .extent = {4, 6, 2}},
    {.colours = 3, .dimensions = 4, .extent = {4, 4, 2, 4}, .open = true},
};
static const struct check_shape odd[] = {
    {.colours = 1, .dimensions = 2, .extent = {3, 5}},
    {.colours = 2, .dimensions = 3, .extent = {3, 2, 5}, .open = true},
    {.colours = 3, .dimensions = 4, .extent = {3, 2, 1, 4}},
};
static const struct gauge_action plain = {.beta = 2.3, .anisotropy = 1.5};
static const struct gauge_action improved = {.beta = 4.1, .c1 = GAUGE_C1_IWASAKI, .anisotropy = 1};

static void note_all(struct outcome *out, const double *have, const double *want, size_t bytes)
{
  for (size_t i = 0; i < bytes / sizeof *have; i++)
    note(out, have[i], want[i]);
}

/* What both do with a field; the CPU's leaves it in `f`. */
struct both {
  int (*on_device)(struct gauge_device *device, struct check_field *f, struct outcome *out, struct error *error);
  void (*on_cpu)(struct check_field *f);
};

static int take_and_note(struct gauge_device *device, const struct check_field *want, struct outcome *out,
                         struct error *error)
{
  struct gauge_field have = want->field;
  have.links = room_new(want->bytes);
  if (!have.links)
    return error_memory(error);
  const int status = gauge_device_take(device, &have, error);
  if (status == 0)
    note_all(out, have.links, want->field.links, want->bytes);
  free(have.links);
  return status;
}

static int run_both(struct science *science, const struct check_shape *shape, const struct both *both,
                    struct outcome *out, struct error *error)
{
  struct check_field f;
  struct gauge_device *device = NULL;
  int status = field_make(&f, shape, error);
  if (status == 0)
    status = gauge_device_new(science, &f.field, &device, error);
  double begin = now();
  if (status == 0)
    status = both->on_device(device, &f, out, error);
  if (status == 0)
    status = science_wait(science, error);
  out->on_device = now() - begin, begin = now();
  if (status == 0)
    both->on_cpu(&f);
  out->on_cpu = now() - begin;
  if (status == 0)
    status = take_and_note(device, &f, out, error);
  gauge_device_free(device);
  field_free(&f);
  return status;
}

/* ---- sweeps ------------------------------------------------------------------------------------------------------ */

static int heatbath_on_device(struct gauge_device *device, struct check_field *f, struct outcome *out,
                              struct error *error)
{
  (void)f, (void)out;
  for (uint64_t i = 0; i < 2; i++)
    if (gauge_device_heatbath(device, &plain, (struct philox_stream){11, UINT64_C(1) << 40 | i}, error) != 0 ||
        gauge_device_overrelax(device, &plain, error) != 0)
      return -1;
  return 0;
}

static void heatbath_on_cpu(struct check_field *f)
{
  for (uint64_t i = 0; i < 2; i++) {
    gauge_heatbath(&f->field, &plain, (struct philox_stream){11, UINT64_C(1) << 40 | i}, 1);
    gauge_overrelax(&f->field, &plain, 1);
  }
}

static int check_heatbath(struct science *science, const struct check *check, struct outcome *out, struct error *error)
{
  static const struct both both = {heatbath_on_device, heatbath_on_cpu};
  return run_both(science, check->what, &both, out, error);
}

/* ---- molecular dynamics: kicks of two actions, and drifts ---------------------------------------------------------
 */

static const struct philox_stream of_momenta = {5, 3};

static int move_device(struct gauge_device *device, double *momentum, struct check_field *f, struct error *error)
{
  gauge_momentum_draw(&f->field, of_momenta, 1, momentum);
  if (gauge_device_put_momentum(device, momentum, error) != 0 || gauge_device_kick(device, &plain, 0.1, error) != 0 ||
      gauge_device_drift(device, 0.6, error) != 0 || gauge_device_kick(device, &improved, 0.2, error) != 0 ||
      gauge_device_drift(device, -1.7, error) != 0)
    return -1;
  return gauge_device_take_momentum(device, momentum, error);
}

static void move_cpu(struct check_field *f, double *momentum)
{
  gauge_momentum_draw(&f->field, of_momenta, 1, momentum);
  gauge_action_kick(&f->field, &plain, 1, 0.1, momentum);
  gauge_momentum_drift(&f->field, momentum, 0.6, 1);
  gauge_action_kick(&f->field, &improved, 1, 0.2, momentum);
  gauge_momentum_drift(&f->field, momentum, -1.7, 1);
}

static int check_dynamics(struct science *science, const struct check *check, struct outcome *out, struct error *error)
{
  struct check_field f;
  struct gauge_device *device = NULL;
  int status = field_make(&f, check->what, error);
  double *const have = room_new(f.bytes), *const want = room_new(f.bytes);
  if (status == 0 && (!have || !want))
    status = error_memory(error);
  if (status == 0)
    status = gauge_device_new(science, &f.field, &device, error);
  double begin = now();
  if (status == 0)
    status = move_device(device, have, &f, error);
  out->on_device = now() - begin, begin = now();
  if (status == 0) {
    move_cpu(&f, want);
    out->on_cpu = now() - begin;
    note_all(out, have, want, f.bytes);
    status = take_and_note(device, &f, out, error);
  }
  gauge_device_free(device);
  free(have);
  free(want);
  field_free(&f);
  return status;
}

/* ---- flow: equal steps, then adapted ones -------------------------------------------------------------------------
 */

static const struct gauge_flow fixed = {.step = 0.05};
static const struct gauge_flow adapted = {.step = 0.15, .tolerance = 2e-3}; /* the first step is too long */

static int flow_device(struct gauge_device *device, struct check_field *f, struct outcome *out, struct error *error)
{
  struct gauge_flow steady = fixed, careful = adapted;
  bool done[2] = {false};
  (void)f;
  if (gauge_device_flow(device, &steady, 0.04, NULL, &done[0], error) != 0 ||
      gauge_device_flow(device, &careful, 0.1, NULL, &done[1], error) != 0)
    return -1;
  note(out, done[0] + done[1], 2);
  return 0;
}

static void flow_cpu(struct check_field *f)
{
  struct gauge_flow steady = fixed, careful = adapted;
  void *const scratch = room_new(gauge_flow_bytes(&f->lattice, f->field.colours, true));
  if (!scratch)
    return;
  gauge_flow_on(&f->field, &steady, 0.04, 1, NULL, scratch);
  gauge_flow_on(&f->field, &careful, 0.1, 1, NULL, scratch);
  free(scratch);
}

static int check_flow(struct science *science, const struct check *check, struct outcome *out, struct error *error)
{
  static const struct both both = {flow_device, flow_cpu};
  return run_both(science, check->what, &both, out, error);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static const struct check checks[] = {
    {"heatbath_u1", check_heatbath, &checkered[0]},  {"heatbath_su2", check_heatbath, &checkered[1]},
    {"heatbath_su3", check_heatbath, &checkered[2]}, {"dynamics_u1", check_dynamics, &odd[0]},
    {"dynamics_su2", check_dynamics, &checkered[1]}, {"dynamics_su3", check_dynamics, &odd[2]},
    {"flow_u1", check_flow, &checkered[0]},          {"flow_su2", check_flow, &odd[1]},
    {"flow_su3", check_flow, &checkered[2]},
};
const struct check_table gauge_checks = {checks, sizeof checks / sizeof checks[0]};
