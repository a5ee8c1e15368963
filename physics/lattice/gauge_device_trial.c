/* How long the flow takes, by trial. See gauge_device.h. */
#include "physics/lattice/gauge_device.h"

#include <stdlib.h>
#include <time.h>

enum { CPU_SIDE = 6, DEVICE_SIDE = 16 }; /* axes are at most that long: a device is fast only with many sites */
enum { ROUNDS = 2 };                     /* the first finds memory and clocks cold */

struct flow_trial {
  struct lattice lattice;
  struct gauge_field field;
  void *tables, *links, *scratch;
  double share; /* of the lattice that is asked about */
};

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void free_trial(struct flow_trial *t)
{
  free(t->tables);
  free(t->links);
  free(t->scratch);
}

/* A cold field: a step takes as long on any. */
static int make_trial(struct flow_trial *t, const struct lattice *lattice, size_t colours, size_t side,
                      struct error *error)
{
  size_t extent[LATTICE_MAX_DIMENSIONS];
  for (size_t k = 0; k < lattice->dimensions; k++) {
    extent[k] = lattice->extent[k] < side ? lattice->extent[k] : side;
  }
  *t = (struct flow_trial){.tables = aligned_alloc(64, lattice_bytes(lattice->dimensions, extent))};
  if (t->tables == NULL) {
    return error_memory(error);
  }
  lattice_init(&t->lattice, lattice->dimensions, extent, t->tables);
  t->links = aligned_alloc(64, gauge_field_bytes(&t->lattice, colours));
  t->scratch = aligned_alloc(64, gauge_flow_bytes(&t->lattice, colours, false));
  if (t->links == NULL || t->scratch == NULL) {
    return error_memory(error);
  }
  t->field = gauge_field_over(&t->lattice, colours, t->links);
  gauge_field_cold(&t->field);
  t->share = (double)t->lattice.sites / (double)lattice->sites;
  return 0;
}

static double step_on_cpu(struct flow_trial *t)
{
  struct gauge_flow flow = {.step = 0.01};
  const double begin = now();
  gauge_flow_on(&t->field, &flow, flow.step, 1, NULL, t->scratch);
  return (now() - begin) / t->share;
}

static int step_on_device(struct flow_trial *t, struct gauge_device *device, double *seconds, struct error *error)
{
  struct gauge_flow flow = {.step = 0.01};
  bool done;
  const double begin = now();
  if (gauge_device_put(device, &t->field, error) != 0 ||
      gauge_device_flow(device, &flow, flow.step, NULL, &done, error) != 0 ||
      gauge_device_take(device, &t->field, error) != 0) {
    return -1;
  }
  *seconds = (now() - begin) / t->share;
  return 0;
}

static int try_cpu(const struct lattice *lattice, size_t colours, double *seconds, struct error *error)
{
  struct flow_trial t;
  const int status = make_trial(&t, lattice, colours, CPU_SIDE, error);
  for (int i = 0; status == 0 && i < ROUNDS; i++) {
    *seconds = step_on_cpu(&t);
  }
  free_trial(&t);
  return status;
}

static int try_device(struct science *science, const struct lattice *lattice, size_t colours, double *seconds,
                      struct error *error)
{
  struct flow_trial t;
  struct gauge_device *device = NULL;
  int status = make_trial(&t, lattice, colours, DEVICE_SIDE, error);
  if (status == 0) {
    status = gauge_device_new(science, &t.field, &device, error);
  }
  for (int i = 0; status == 0 && i < ROUNDS; i++) {
    status = step_on_device(&t, device, seconds, error);
  }
  gauge_device_free(device);
  free_trial(&t);
  return status;
}

int gauge_device_try_flow(struct science *science, const struct lattice *lattice, size_t colours, double seconds[2],
                          struct error *error)
{
  return try_cpu(lattice, colours, &seconds[0], error) == 0 ? try_device(science, lattice, colours, &seconds[1], error)
                                                            : -1;
}
