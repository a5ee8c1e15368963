/* lft_scalar_field: phi^4 on a periodic lattice by hybrid Monte Carlo, as a lazy cube. */
#include "hpc/plan/node.h"
#include "processes/lattice/scalar_chain.h"
#include "processes/process.h"

#include "datacube/base/checked.h"

#include <math.h>
#include <string.h>

/* Limits. Work counts sites times integration steps, about a nanosecond each: what must be done for the first
 * configuration, and for each. */
#define MAX_SITES ((size_t)1 << 22)
#define MAX_CONFIGURATIONS 10000000
#define MAX_THERMALISATION 10000000
#define MAX_SEPARATION 1000000
#define MAX_STEPS 10000
#define MAX_COUPLING 1e6
#define MAX_STEP_SIZE 100.0
#define MAX_SEED INT64_C(9007199254740991)
#define MAX_WORK_FIRST UINT64_C(1000000000000)
#define MAX_WORK_EACH UINT64_C(100000000000)

static int invalid_shape(struct call *call, const char *why)
{
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "shape",
                         "parameter 'shape' of process '%s' must be an array of 1 to %d whole numbers, the lattice's "
                         "extents, with at most %zu sites in all: %s",
                         call->process->id, SCALAR_FIELD_MAX_DIMENSIONS, MAX_SITES, why);
}

static int read_shape(struct call *call, struct scalar_action *action)
{
  const struct value *shape = call_argument(call, "shape");
  if (shape == NULL || shape->kind != VALUE_ARRAY) {
    return invalid_shape(call, "it is not an array of numbers");
  }
  if (shape->count < 1 || shape->count > SCALAR_FIELD_MAX_DIMENSIONS) {
    return invalid_shape(call, "it has no, or too many, elements");
  }
  size_t sites = 1;
  action->dimensions = shape->count;
  for (size_t k = 0; k < shape->count; k++) {
    const struct value *extent = &shape->items[k];
    /* written so that NaN fails */
    if (extent->kind != VALUE_NUMBER || !(extent->number >= 1) || extent->number != trunc(extent->number)) {
      return invalid_shape(call, "an extent is not a whole number of at least 1");
    }
    if (extent->number > (double)MAX_SITES) {
      return invalid_shape(call, "the lattice is too large");
    }
    action->extent[k] = (size_t)extent->number;
    sites = saturated_mul(sites, action->extent[k]);
  }
  return sites <= MAX_SITES ? 0 : invalid_shape(call, "the lattice is too large");
}

/* A number from minimum to maximum. */
static int read_bounded(struct call *call, const char *name, double minimum, double maximum, double *out)
{
  if (call_number(call, name, out) != 0) {
    return -1;
  }
  if (!(*out >= minimum && *out <= maximum)) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                           "parameter '%s' of process '%s' must be a number from %g to %g; it is %.17g", name,
                           call->process->id, minimum, maximum, *out);
  }
  return 0;
}

static int read_action(struct call *call, struct scalar_action *action)
{
  if (read_shape(call, action) != 0 || read_bounded(call, "m2", -MAX_COUPLING, MAX_COUPLING, &action->m2) != 0 ||
      read_bounded(call, "lambda", 0, MAX_COUPLING, &action->lambda) != 0) {
    return -1;
  }
  if (action->lambda == 0 && action->m2 <= 0) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "m2",
                           "parameter 'm2' of process '%s' must be positive where 'lambda' is 0: the action has no "
                           "lower bound, or a flat direction",
                           call->process->id);
  }
  return 0;
}

static int read_count(struct call *call, const char *name, int64_t minimum, int64_t maximum, size_t *out)
{
  int64_t number;
  if (call_integer(call, name, minimum, maximum, &number) != 0) {
    return -1;
  }
  *out = (size_t)number;
  return 0;
}

static int read_hmc(struct call *call, struct hmc *hmc)
{
  size_t seed;
  const char *integrator;
  if (read_count(call, "seed", 0, MAX_SEED, &seed) != 0 || read_count(call, "steps", 1, MAX_STEPS, &hmc->steps) != 0 ||
      call_number(call, "step_size", &hmc->step_size) != 0 || call_text(call, "integrator", &integrator) != 0) {
    return -1;
  }
  hmc->seed = seed;
  if (!(hmc->step_size > 0 && hmc->step_size <= MAX_STEP_SIZE)) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "step_size",
                           "parameter 'step_size' of process '%s' must be a number above 0, at most %g; it is %.17g",
                           call->process->id, MAX_STEP_SIZE, hmc->step_size);
  }
  hmc->integrator = strcmp(integrator, "omelyan") == 0 ? HMC_OMELYAN : HMC_LEAPFROG;
  if (hmc->integrator == HMC_LEAPFROG && strcmp(integrator, "leapfrog") != 0) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "integrator",
                           "parameter 'integrator' of process '%s' must be 'leapfrog' or 'omelyan'; it is '%s'",
                           call->process->id, integrator);
  }
  return 0;
}

static int read_quantity(struct call *call, enum chain_quantity *quantity)
{
  const char *name;
  if (call_text(call, "quantity", &name) != 0) {
    return -1;
  }
  *quantity = strcmp(name, "history") == 0 ? CHAIN_HISTORY : CHAIN_FIELD;
  if (*quantity == CHAIN_FIELD && strcmp(name, "field") != 0) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "quantity",
                           "parameter 'quantity' of process '%s' must be 'field' or 'history'; it is '%s'",
                           call->process->id, name);
  }
  return 0;
}

/* Work within the limits; names the count to lower. */
static int check_work(struct call *call, const struct chain_parameters *parameters)
{
  size_t per_trajectory = parameters->hmc.steps;
  for (size_t k = 0; k < parameters->action.dimensions; k++) {
    per_trajectory = saturated_mul(per_trajectory, parameters->action.extent[k]);
  }
  const struct {
    const char *name;
    size_t count;
    uint64_t limit;
  } rows[] = {{"thermalisation", parameters->thermalisation, MAX_WORK_FIRST},
              {"separation", parameters->separation, MAX_WORK_EACH}};
  for (size_t i = 0; i < 2; i++) {
    size_t work = saturated_mul(per_trajectory, rows[i].count);
    if (work > rows[i].limit) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, rows[i].name,
                             "parameter '%s' of process '%s' is too large: sites x steps x trajectories are %.3g, at "
                             "most %.3g are allowed",
                             rows[i].name, call->process->id, (double)work, (double)rows[i].limit);
    }
  }
  return 0;
}

static int lft_scalar_field_call(struct call *call, struct value *result)
{
  struct chain_parameters parameters = {0};
  if (read_action(call, &parameters.action) != 0 || read_hmc(call, &parameters.hmc) != 0 ||
      read_count(call, "configurations", 1, MAX_CONFIGURATIONS, &parameters.configurations) != 0 ||
      read_count(call, "thermalisation", 0, MAX_THERMALISATION, &parameters.thermalisation) != 0 ||
      read_count(call, "separation", 1, MAX_SEPARATION, &parameters.separation) != 0 ||
      read_quantity(call, &parameters.quantity) != 0 || check_work(call, &parameters) != 0) {
    return -1;
  }
  parameters.hmc.cancel = call_cancel(call);
  const struct source *source;
  if (scalar_chain_source(call->arena, &parameters, &source, call->error) != 0) {
    return -1;
  }
  struct node_origin origin = {.id = call->node, .process = call->process->id};
  const struct node *node = node_source(call->arena, origin, source);
  if (node == NULL) {
    return error_memory(call->error);
  }
  *result = value_cube(node);
  return 0;
}

const struct process process_lft_scalar_field = {
    .id = "lft_scalar_field", .shape = PROCESS_CUBE, .call = lft_scalar_field_call};
