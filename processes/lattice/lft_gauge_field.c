/* lft_gauge_field: U(1) and SU(N) gauge fields by heat bath and over-relaxation or hybrid Monte Carlo, as a lazy cube.
 */
#include "processes/lattice/gauge_arguments.h"
#include "processes/lattice/gauge_first.h"

#define MAX_BETA 1e6
#define MAX_THETA 1e6

static int read_model(struct call *call, struct gauge_model *model)
{
  if (gauge_read_model(call, model) != 0 ||
      lattice_number(call, "beta", -MAX_BETA, MAX_BETA, &model->chain.action.beta) != 0 ||
      lattice_number(call, "theta", -MAX_THETA, MAX_THETA, &model->theta) != 0) {
    return -1;
  }
  if (model->theta != 0 && (model->chain.dimensions != 2 || model->chain.colours != 1)) {
    return gauge_invalid_argument(call, "theta", "0 but for U(1) in two dimensions");
  }
  return 0;
}

static int lft_gauge_field_call(struct call *call, struct value *result)
{
  struct gauge_model model = {0};
  struct markov_chain chain = {0};
  if (read_model(call, &model) != 0 || chain_read_common(call, &chain, &model.chain.seed) != 0 ||
      gauge_read_chains(call, &model, &chain) != 0) {
    return -1;
  }
  model.measures = chain.quantity == CHAIN_HISTORY;
  chain.title = gauge_model_title(call, &model, arena_printf(call->arena, "%.10g", model.chain.action.beta));
  if (chain.title == NULL) {
    return error_memory(call->error);
  }
  if (gauge_model_describe(call->arena, &model, &chain, call->error) != 0 || chain_check_work(call, &chain) != 0) {
    return -1;
  }
  return chain_result(call, &chain, result);
}

const struct process process_lft_gauge_field = {
    .id = "lft_gauge_field", .shape = PROCESS_CUBE, .call = lft_gauge_field_call};
