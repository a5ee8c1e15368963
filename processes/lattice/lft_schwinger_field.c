/* lft_schwinger_field: the two-flavour Schwinger model by hybrid Monte Carlo with pseudofermions, as a lazy cube. */
#include "processes/lattice/gauge_arguments.h"
#include "processes/lattice/gauge_first.h"

#define MAX_BETA 1e6
#define MAX_KAPPA 1.0
#define MAX_STEPS 10000
#define MAX_STEP_SIZE 100.0
#define MAX_SITES ((size_t)1 << 20)

static int read_chain(struct call *call, struct gauge_chain_parameters *chain)
{
  static const char *const integrators[] = {"leapfrog", "omelyan2", "omelyan4", NULL};
  static const char *const boundaries[] = {"periodic", "antiperiodic", NULL};
  static const char *const starts[] = {"cold", "hot", NULL};
  const struct shape_limits limits = {2, 2, MAX_SITES};
  size_t order, boundary, start;
  if (chain_read_shape(call, &limits, &chain->dimensions, chain->extent) != 0 ||
      lattice_number(call, "beta", -MAX_BETA, MAX_BETA, &chain->action.beta) != 0 ||
      lattice_number(call, "kappa", 0, MAX_KAPPA, &chain->kappa) != 0 ||
      lattice_choice(call, "boundary", boundaries, &boundary) != 0 ||
      lattice_choice(call, "start", starts, &start) != 0 ||
      lattice_choice(call, "integrator", integrators, &order) != 0 ||
      lattice_count(call, "steps", 1, MAX_STEPS, &chain->steps) != 0 ||
      lattice_count(call, "gauge_steps", 1, MAX_STEPS, &chain->gauge_steps) != 0 ||
      chain_read_positive(call, "step_size", MAX_STEP_SIZE, &chain->step_size) != 0) {
    return -1;
  }
  chain->colours = 1;
  chain->action.anisotropy = 1;
  chain->method = GAUGE_HMC;
  chain->order = (enum md_order)order;
  chain->antiperiodic = boundary == 1;
  chain->start = (enum gauge_start)start;
  if (chain->kappa == 0) {
    return gauge_invalid_argument(call, "kappa", "above 0; without fermions there is lft_gauge_field");
  }
  return 0;
}

static int lft_schwinger_field_call(struct call *call, struct value *result)
{
  struct gauge_model model = {0};
  struct markov_chain chain = {0};
  if (read_chain(call, &model.chain) != 0 || chain_read_common(call, &chain, &model.chain.seed) != 0 ||
      gauge_read_chains(call, &model, &chain) != 0) {
    return -1;
  }
  model.measures = chain.quantity == CHAIN_HISTORY;
  const char *couplings = arena_printf(call->arena, "%.10g, kappa %.10g", model.chain.action.beta, model.chain.kappa);
  chain.title = gauge_model_title(call, &model, couplings);
  if (chain.title == NULL) {
    return error_memory(call->error);
  }
  if (gauge_model_describe(call->arena, &model, &chain, call->error) != 0 || chain_check_work(call, &chain) != 0) {
    return -1;
  }
  return chain_result(call, &chain, result);
}

const struct process process_lft_schwinger_field = {
    .id = "lft_schwinger_field", .shape = PROCESS_CUBE, .call = lft_schwinger_field_call};
