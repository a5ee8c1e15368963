/* lft_scalar_field: phi^4 on a periodic lattice by Markov chains, as a lazy cube. */
#include "processes/lattice/chain_first.h"
#include "processes/lattice/scalar_chain.h"
#include "processes/lattice/scalar_first.h"

#define MAX_SITES ((size_t)1 << 22)
#define MAX_STEPS 10000
#define MAX_STEP_SIZE 100.0
#define MAX_WIDTH 1000.0

static int read_action(struct call *call, struct scalar_action *action)
{
  const struct shape_limits limits = {1, SCALAR_FIELD_MAX_DIMENSIONS, MAX_SITES};
  if (chain_read_shape(call, &limits, &action->dimensions, action->extent) != 0 ||
      lattice_number(call, "m2", -CHAIN_MAX_COUPLING, CHAIN_MAX_COUPLING, &action->m2) != 0 ||
      lattice_number(call, "lambda", 0, CHAIN_MAX_COUPLING, &action->lambda) != 0) {
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

static int read_hmc(struct call *call, struct hmc *hmc)
{
  static const char *const integrators[] = {"leapfrog", "omelyan", NULL};
  size_t integrator;
  if (lattice_count(call, "steps", 1, MAX_STEPS, &hmc->steps) != 0 ||
      chain_read_positive(call, "step_size", MAX_STEP_SIZE, &hmc->step_size) != 0 ||
      lattice_choice(call, "integrator", integrators, &integrator) != 0) {
    return -1;
  }
  hmc->integrator = integrator == 0 ? HMC_LEAPFROG : HMC_OMELYAN;
  return 0;
}

static int read_update(struct call *call, struct chain_parameters *parameters)
{
  static const char *const updates[] = {"hmc", "metropolis", "cluster", NULL};
  size_t update;
  if (lattice_choice(call, "update", updates, &update) != 0 || read_hmc(call, &parameters->hmc) != 0 ||
      chain_read_positive(call, "width", MAX_WIDTH, &parameters->width) != 0) {
    return -1;
  }
  parameters->update = (enum scalar_update)update;
  return 0;
}

static int lft_scalar_field_call(struct call *call, struct value *result)
{
  struct chain_parameters parameters = {0};
  struct markov_chain chain = {0};
  if (read_action(call, &parameters.action) != 0 || read_update(call, &parameters) != 0 ||
      chain_read_common(call, &chain, &parameters.hmc.seed) != 0 || chain_read_chains(call, &chain) != 0 ||
      scalar_first_read(call, &parameters, chain.chains) != 0) {
    return -1;
  }
  parameters.hmc.cancel = chain.cancel;
  if (scalar_chain_describe(call->arena, &parameters, &chain, call->error) != 0 ||
      chain_check_work(call, &chain) != 0) {
    return -1;
  }
  return chain_result(call, &chain, result);
}

const struct process process_lft_scalar_field = {
    .id = "lft_scalar_field", .shape = PROCESS_CUBE, .call = lft_scalar_field_call};
