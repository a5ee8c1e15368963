/* lft_wilson_flow: the fields of a gauge cube flowed on, or what is measured on the way. */
#include "processes/lattice/gauge_share.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_observables.h"

#include <math.h>

enum { FLOW_OBSERVABLES, FLOW_FIELD };
enum { MEASURES = 3, MAX_TIMES = 100000 };
static const char *const labels[MEASURES] = {"energy_plaquette", "energy_clover", "charge"};
static const char *const quantities[] = {"observables", "field", NULL};

struct flow_parameters {
  double step, tolerance; /* as in struct gauge_flow */
  double interval;        /* of flow time between measurements; the field's own flow time */
  size_t times;           /* measurements: the first at 0; 0: the field is given */
};

static size_t scratch_bytes(const struct gauge_cube *cube, const void *parameters)
{
  const struct flow_parameters *p = parameters;
  const struct lattice lattice = gauge_cube_lattice(cube);
  return gauge_flow_bytes(&lattice, cube->colours, p->tolerance > 0);
}

/* The energy density by plaquettes is twice the sum of Re Tr (1 - U_P) over the plaquettes of a site. */
static void measure(const struct gauge_field *field, unsigned threads, double *out)
{
  struct gauge_loop_means means;
  struct gauge_topology topology;
  double colours = (double)field->colours;
  gauge_plaquette(field, threads, &means);
  out[0] = 2 * colours * (means.temporal_count + means.spatial_count) * (1 - means.all) /
           (double)lattice_all_sites(field->lattice);
  gauge_topology(field, GAUGE_CLOVER, threads, &topology);
  out[1] = topology.energy;
  out[2] = topology.charge;
}

static int too_short(const struct gauge_flow *flow, struct error *error)
{
  return error_parameter(error, ERROR_ProcessParameterInvalid, "tolerance",
                         "parameter 'tolerance' must be one that steps of the flow can keep: steps of %g are too long "
                         "for %g",
                         FLOW_MIN_STEP, flow->tolerance);
}

/* Flows the field of the job on, by the device that has it, if there is one. *done: it was not cancelled. */
static int flow_on(const struct gauge_job *job, struct gauge_flow *flow, double time, bool *done, struct error *error)
{
  struct gauge_field field = job->field;
  if (job->device == NULL) {
    *done = gauge_flow_on(&field, flow, time, job->threads, job->cancel, job->scratch);
  } else if (gauge_device_flow(job->device, flow, time, job->cancel, done, error) != 0 ||
             gauge_device_take(job->device, &field, error) != 0) {
    return -1;
  }
  return flow->step >= FLOW_MIN_STEP ? 0 : too_short(flow, error);
}

static int compute(const void *parameters, const struct gauge_job *job, struct error *error)
{
  const struct flow_parameters *p = parameters;
  struct gauge_flow flow = {p->step, p->tolerance};
  bool done = true;
  if (p->times == 0)
    return flow_on(job, &flow, p->interval, &done, error);
  measure(&job->field, job->threads, job->out);
  for (size_t i = 1; i < p->times && done; i++) {
    if (flow_on(job, &flow, p->interval, &done, error) != 0)
      return -1;
    if (done)
      measure(&job->field, job->threads, job->out + i * MEASURES);
  }
  return 0;
}

/* Adapted steps are taken for quarters of the longest. */
static double flow_steps(const void *parameters)
{
  const struct flow_parameters *p = parameters;
  const double step = p->tolerance > 0 ? FLOW_MAX_STEP / 4 : p->step;
  return ceil(p->interval / step) * (p->times == 0 ? 1 : (double)(p->times - 1));
}

const struct gauge_op gauge_flow_op = {.name = "Wilson flow",
                                       .scratch = scratch_bytes,
                                       .compute = compute,
                                       .flow_steps = flow_steps,
                                       .reach = gauge_reach_next};

static int read_parameters(struct call *call, struct flow_parameters *p, size_t *quantity)
{
  double time;
  if (lattice_number(call, "flow_time", 0, 1000, &time) != 0 ||
      lattice_number(call, "interval", 1e-6, 1000, &p->interval) != 0 ||
      lattice_number(call, "step_size", 1e-5, FLOW_MAX_STEP, &p->step) != 0 ||
      lattice_choice(call, "quantity", quantities, quantity) != 0)
    return -1;
  if (call_has(call, "tolerance") && lattice_number(call, "tolerance", 1e-12, 1, &p->tolerance) != 0)
    return -1;
  double times = floor(time / p->interval * (1 + 1e-12)) + 1;
  if (times > MAX_TIMES)
    return error_parameter(
        call->error, ERROR_ProcessParameterInvalid, "interval",
        "parameter 'interval' of process '%s' is too short: %.0f measurements would be made, at most "
        "%d are",
        call->process->id, times, MAX_TIMES);
  p->times = (size_t)times;
  if (*quantity == FLOW_FIELD) {
    p->times = 0;
    p->interval = time;
  }
  return 0;
}

static int lft_wilson_flow_call(struct call *call, struct value *result)
{
  struct flow_parameters p = {0};
  struct gauge_cube cube;
  size_t quantity;
  if (call_gauge_cube(call, "data", &cube) != 0 || read_parameters(call, &p, &quantity) != 0)
    return -1;
  const struct gauge_measure measuring = {.op = &gauge_flow_op, .parameters = &p, .size = sizeof p};
  if (quantity == FLOW_FIELD)
    return gauge_cube_change(call, &cube, &measuring, result);
  struct dimension others[] = {dimension_enumerated("flow_time", DIMENSION_OTHER, p.times),
                               dimension_texts("observable", DIMENSION_BANDS, labels, MEASURES)};
  others[0].enumerated = false;
  others[0].step = p.interval;
  return gauge_cube_measure(call, &cube, &measuring, others, 2, result);
}

const struct process process_lft_wilson_flow = {
    .id = "lft_wilson_flow", .shape = PROCESS_CUBE, .call = lft_wilson_flow_call};
