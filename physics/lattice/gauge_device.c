/* Launches of a gauge field's kernels: gauge_sweep.cu, gauge_drive.cu. See gauge_device.h. */
#include "physics/lattice/gauge_device.h"

#include "physics/lattice/gauge_flow_steps.h"
#include "physics/lattice/lattice_device.h"

#include <stdlib.h>

extern const char su_lane_cu[], gauge_sweep_cu[], gauge_drive_cu[];

enum { KERNEL_COPY, KERNEL_SWEEP, KERNEL_KICK, KERNEL_KICK_RECTANGLES, KERNEL_FLOW, KERNEL_DISTANCE, KERNEL_TURN };
static const char *const kernel_names[] = {
    [KERNEL_COPY] = "field_copy",       [KERNEL_SWEEP] = "gauge_sweep",
    [KERNEL_KICK] = "gauge_kick",       [KERNEL_KICK_RECTANGLES] = "gauge_kick_rectangles",
    [KERNEL_FLOW] = "gauge_flow_force", [KERNEL_DISTANCE] = "gauge_flow_distance",
    [KERNEL_TURN] = "gauge_turn"};
enum { KERNELS = sizeof kernel_names / sizeof *kernel_names };

enum { WEIGHTS = 2 * LATTICE_MAX_DIMENSIONS * LATTICE_MAX_DIMENSIONS }; /* [plaquette, rectangle][mu][nu] */

struct gauge_device {
  struct lattice_device at;
  size_t colours, bytes; /* of the links */
  struct science_kernel kernels[KERNELS];
  struct science_array links, site, weights;
  struct science_array algebra;                 /* momenta, or the flow's; made when needed */
  struct science_array start, second, distance; /* of adaptive flows, likewise */
  double *distances;                            /* room on the host */
  bool is_adaptive;                             /* the flow under way */
};

/* ---- made and taken ---------------------------------------------------------------------------------------------- */

static int put_sites(struct gauge_device *d, struct error *error)
{
  const struct lattice *lattice = d->at.lattice;
  const size_t count = lattice->blocks * LATTICE_LANES;
  uint32_t *sites = calloc(count, sizeof *sites);
  if (sites == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    sites[i] = (uint32_t)lattice_site(lattice, i / LATTICE_LANES, i % LATTICE_LANES);
  }
  const int status = lattice_device_array(&d->at, sites, count * sizeof *sites, &d->site, error);
  free(sites);
  return status;
}

static int prepare(struct gauge_device *d, struct science *science, const struct gauge_field *field,
                   struct error *error)
{
  const char *const parts[] = {su_lane_cu, gauge_sweep_cu, gauge_drive_cu, NULL};
  const struct lattice_text text = {.colours = field->colours, .real = "f64", .parts = parts};
  if (lattice_device_init(&d->at, science, field->lattice, &text, error) != 0) {
    return -1;
  }
  for (size_t i = 0; i < KERNELS; i++) {
    if (lattice_device_kernel(&d->at, kernel_names[i], &d->kernels[i], error) != 0) {
      return -1;
    }
  }
  d->colours = field->colours;
  d->bytes = gauge_field_bytes(field->lattice, field->colours);
  if (put_sites(d, error) != 0 || science_array_new(science, WEIGHTS * sizeof(double), &d->weights, error) != 0) {
    return -1;
  }
  return lattice_device_array(&d->at, field->links, d->bytes, &d->links, error);
}

int gauge_device_check(size_t colours, size_t dimensions, struct error *error)
{
  return colours <= 3 && dimensions >= 2
             ? 0
             : error_set(error, ERROR_FeatureUnsupported,
                         "devices take fields of at most 3 colours in two dimensions or more, not of %zu in %zu",
                         colours, dimensions);
}

int gauge_device_new(struct science *science, const struct gauge_field *field, struct gauge_device **out,
                     struct error *error)
{
  if (gauge_device_check(field->colours, field->lattice->dimensions, error) != 0) {
    return -1;
  }
  struct gauge_device *d = calloc(1, sizeof *d);
  if (d == NULL) {
    return error_memory(error);
  }
  if (prepare(d, science, field, error) != 0) {
    gauge_device_free(d);
    return -1;
  }
  *out = d;
  return 0;
}

void gauge_device_free(struct gauge_device *d)
{
  if (d == NULL) {
    return;
  }
  struct science_array *const arrays[] = {&d->links, &d->site,   &d->weights, &d->algebra,
                                          &d->start, &d->second, &d->distance};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
    science_array_free(d->at.science, arrays[i]);
  }
  lattice_device_free(&d->at);
  free(d->distances);
  free(d);
}

int gauge_device_put(struct gauge_device *d, const struct gauge_field *field, struct error *error)
{
  return science_put(d->at.science, &d->links, field->links, d->bytes, error);
}

int gauge_device_take(struct gauge_device *d, struct gauge_field *field, struct error *error)
{
  return science_take(d->at.science, &d->links, field->links, d->bytes, error);
}

static int room_for(struct gauge_device *d, struct science_array *array, size_t bytes, struct error *error)
{
  return array->bytes > 0 ? 0 : science_array_new(d->at.science, bytes, array, error);
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

/* A thread a link. */
static int launch_links(struct gauge_device *d, int kernel, void **parameters, struct error *error)
{
  const struct lattice *lattice = d->at.lattice;
  return lattice_device_launch(&d->at, &d->kernels[kernel], (const size_t[]){lattice->blocks, lattice->dimensions},
                               parameters, error);
}

/* to = from, or 0 where from is NULL: all numbers of the links. */
static int copy(struct gauge_device *d, const struct science_array *from, const struct science_array *to,
                struct error *error)
{
  uint64_t source = from != NULL ? from->address : 0, target = to->address, count = d->bytes / sizeof(double);
  void *parameters[] = {&source, &target, &count};
  return lattice_device_launch(&d->at, &d->kernels[KERNEL_COPY], (const size_t[]){d->at.lattice->blocks, 1}, parameters,
                               error);
}

/* The action's weights; NULL: 1. */
static int put_weights(struct gauge_device *d, const struct gauge_action *action, struct error *error)
{
  const size_t dimensions = d->at.lattice->dimensions;
  double weights[WEIGHTS] = {0};
  for (size_t mu = 0; mu < dimensions; mu++) {
    for (size_t nu = 0; nu < dimensions; nu++) {
      const double weight = action != NULL ? gauge_action_weight(action, mu, nu) : 1;
      const double c1 = action != NULL ? action->c1 : 0;
      weights[mu * dimensions + nu] = (1.0 - 8.0 * c1) * weight;
      weights[(dimensions + mu) * dimensions + nu] = c1 * weight;
    }
  }
  return science_put(d->at.science, &d->weights, weights, sizeof weights, error);
}

/* ---- sweeps ------------------------------------------------------------------------------------------------------ */

static int sweep(struct gauge_device *d, const struct gauge_action *action, struct philox_stream stream,
                 uint32_t reflect, struct error *error)
{
  uint32_t mu, first, blocks = (uint32_t)(d->at.lattice->blocks / 2);
  void *parameters[] = {&d->links.address,
                        &d->at.link.address,
                        &d->at.permutation.address,
                        &d->weights.address,
                        &d->site.address,
                        &stream.seed,
                        &stream.stream,
                        &mu,
                        &first,
                        &blocks,
                        &reflect};
  if (put_weights(d, action, error) != 0) {
    return -1;
  }
  for (mu = 0; mu < d->at.lattice->dimensions; mu++) {
    for (first = 0; first <= blocks; first += blocks) {
      if (lattice_device_launch(&d->at, &d->kernels[KERNEL_SWEEP], (const size_t[]){blocks, 1}, parameters, error) !=
          0) {
        return -1;
      }
    }
  }
  return 0;
}

int gauge_device_heatbath(struct gauge_device *d, const struct gauge_action *action, struct philox_stream stream,
                          struct error *error)
{
  return sweep(d, action, stream, 0, error);
}

int gauge_device_overrelax(struct gauge_device *d, const struct gauge_action *action, struct error *error)
{
  return sweep(d, action, (struct philox_stream){0}, 1, error);
}

/* ---- molecular dynamics ------------------------------------------------------------------------------------------ */

int gauge_device_put_momentum(struct gauge_device *d, const double *momentum, struct error *error)
{
  return room_for(d, &d->algebra, d->bytes, error) == 0
             ? science_put(d->at.science, &d->algebra, momentum, d->bytes, error)
             : -1;
}

int gauge_device_take_momentum(struct gauge_device *d, double *momentum, struct error *error)
{
  return science_take(d->at.science, &d->algebra, momentum, d->bytes, error);
}

int gauge_device_kick(struct gauge_device *d, const struct gauge_action *action, double time, struct error *error)
{
  double factor = d->colours == 1 ? -time : -time / (2.0 * (double)d->colours);
  uint32_t blocks = (uint32_t)d->at.lattice->blocks;
  void *parameters[] = {&d->links.address,
                        &d->at.link.address,
                        &d->at.permutation.address,
                        &d->weights.address,
                        &d->algebra.address,
                        &factor,
                        &blocks};
  return put_weights(d, action, error) == 0
             ? launch_links(d, action->c1 != 0 ? KERNEL_KICK_RECTANGLES : KERNEL_KICK, parameters, error)
             : -1;
}

int gauge_device_drift(struct gauge_device *d, double time, struct error *error)
{
  uint32_t blocks = (uint32_t)d->at.lattice->blocks;
  void *parameters[] = {&d->links.address, &d->algebra.address, &time, &blocks};
  return launch_links(d, KERNEL_TURN, parameters, error);
}

/* ---- flow -------------------------------------------------------------------------------------------------------- */

static int flow_keep(void *context, struct error *error)
{
  struct gauge_device *d = context;
  return copy(d, &d->links, &d->start, error);
}

static int flow_again(void *context, struct error *error)
{
  struct gauge_device *d = context;
  return copy(d, &d->start, &d->links, error) == 0 ? copy(d, NULL, &d->second, error) : -1;
}

static int flow_stage(void *context, const struct flow_stage *stage, struct error *error)
{
  struct gauge_device *d = context;
  double of_z = stage->of_z, of_k = stage->of_k, add_k = d->is_adaptive ? stage->add_k : 0;
  uint32_t blocks = (uint32_t)d->at.lattice->blocks;
  void *parameters[] = {&d->links.address,
                        &d->at.link.address,
                        &d->at.permutation.address,
                        &d->weights.address,
                        &d->algebra.address,
                        &d->second.address,
                        &of_z,
                        &of_k,
                        &add_k,
                        &blocks};
  return launch_links(d, KERNEL_FLOW, parameters, error) == 0 ? gauge_device_drift(d, 1, error) : -1;
}

static int flow_distance(void *context, double *out, struct error *error)
{
  struct gauge_device *d = context;
  uint32_t blocks = (uint32_t)d->at.lattice->blocks;
  void *parameters[] = {&d->links.address, &d->start.address, &d->second.address, &d->distance.address, &blocks};
  if (launch_links(d, KERNEL_DISTANCE, parameters, error) != 0 ||
      science_take(d->at.science, &d->distance, d->distances, d->distance.bytes, error) != 0) {
    return -1;
  }
  *out = 0;
  for (size_t i = 0; i < d->distance.bytes / sizeof(double); i++) {
    *out = d->distances[i] > *out ? d->distances[i] : *out;
  }
  return 0;
}

static int room_for_flow(struct gauge_device *d, struct error *error)
{
  const size_t distances = d->at.lattice->blocks * d->at.lattice->dimensions * sizeof(double);
  if (room_for(d, &d->algebra, d->bytes, error) != 0 || put_weights(d, NULL, error) != 0 ||
      copy(d, NULL, &d->algebra, error) != 0) {
    return -1;
  }
  if (!d->is_adaptive) {
    return 0;
  }
  if (room_for(d, &d->start, d->bytes, error) != 0 || room_for(d, &d->second, d->bytes, error) != 0 ||
      room_for(d, &d->distance, distances, error) != 0) {
    return -1;
  }
  d->distances = d->distances != NULL ? d->distances : malloc(distances);
  return d->distances != NULL ? 0 : error_memory(error);
}

int gauge_device_flow(struct gauge_device *d, struct gauge_flow *flow, double time, const volatile int *cancel,
                      bool *done, struct error *error)
{
  d->is_adaptive = flow->tolerance > 0;
  const struct flow_steps steps = {d, flow_keep, flow_again, flow_stage, flow_distance, cancel};
  return room_for_flow(d, error) == 0 ? flow_steps_on(&steps, flow, time, done, error) : -1;
}
