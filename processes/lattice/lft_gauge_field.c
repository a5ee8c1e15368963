/* lft_gauge_field: U(1) and SU(N) gauge fields by heat bath and over-relaxation or hybrid Monte Carlo, as a lazy cube.
 */
#include "processes/lattice/gauge_arguments.h"
#include "processes/lattice/gauge_first.h"

#define MAX_BETA 1e6
#define MAX_THETA 1e6

static int invalid(struct call *call, const char *name, const char *what)
{
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, name, "parameter '%s' of process '%s' must be %s",
                         name, call->process->id, what);
}

static int read_model(struct call *call, struct gauge_model *model)
{
  static const char *const precisions[] = {"double", "single", NULL};
  size_t precision;
  if (gauge_read_action(call, &model->chain) != 0 ||
      lattice_number(call, "beta", -MAX_BETA, MAX_BETA, &model->chain.action.beta) != 0 ||
      gauge_read_update(call, &model->chain) != 0 || gauge_read_start(call, &model->chain) != 0 ||
      lattice_number(call, "theta", -MAX_THETA, MAX_THETA, &model->theta) != 0 ||
      lattice_choice(call, "precision", precisions, &precision) != 0) {
    return -1;
  }
  model->single = precision == 1;
  if (model->theta != 0 && (model->chain.dimensions != 2 || model->chain.colours != 1)) {
    return invalid(call, "theta", "0 but for U(1) in two dimensions");
  }
  return 0;
}

/* chains and first: whether there is a dimension of chains, and where they begin. */
static int read_chains(struct call *call, struct gauge_model *model, struct markov_chain *chain)
{
  size_t chains = 0;
  if (call_has(call, "chains") && lattice_count(call, "chains", 1, CHAIN_MAX_CHAINS, &chains) != 0) {
    return -1;
  }
  bool apart = chains != 0;
  size_t given = apart ? chains : 1, trajectories;
  if (gauge_first_read(call, "chain", model, &given) != 0 ||
      lattice_count(call, "first_trajectory", 0, CHAIN_MAX_SEED, &trajectories) != 0) {
    return -1;
  }
  chain->chains = given;
  chain->first_trajectory = trajectories;
  if (!apart) {
    return 0;
  }
  struct dimension *dimension = ARENA_NEW(call->arena, struct dimension);
  if (dimension == NULL) {
    return error_memory(call->error);
  }
  *dimension = dimension_enumerated("chain", DIMENSION_OTHER, chains);
  chain->apart = dimension;
  return 0;
}

static int lft_gauge_field_call(struct call *call, struct value *result)
{
  struct gauge_model model = {0};
  struct markov_chain chain = {0};
  if (read_model(call, &model) != 0 || chain_read_common(call, &chain, &model.chain.seed) != 0 ||
      read_chains(call, &model, &chain) != 0) {
    return -1;
  }
  model.measures = chain.quantity == CHAIN_HISTORY;
  const char *shape = chain_shape_text(call->arena, model.chain.dimensions, model.chain.extent);
  chain.title = arena_printf(call->arena, "%s(%zu), %s, beta %.10g, seed %llu", model.chain.colours == 1 ? "U" : "SU",
                             model.chain.colours, shape != NULL ? shape : "", model.chain.action.beta,
                             (unsigned long long)model.chain.seed);
  if (shape == NULL || chain.title == NULL) {
    return error_memory(call->error);
  }
  if (gauge_model_describe(call->arena, &model, &chain, call->error) != 0 || chain_check_work(call, &chain) != 0) {
    return -1;
  }
  return chain_result(call, &chain, result);
}

const struct process process_lft_gauge_field = {
    .id = "lft_gauge_field", .shape = PROCESS_CUBE, .call = lft_gauge_field_call};
