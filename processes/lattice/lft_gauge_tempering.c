/* lft_gauge_tempering: replicas of a gauge field at several couplings that exchange configurations, as a lazy cube. */
#include "processes/lattice/gauge_arguments.h"
#include "processes/lattice/gauge_first.h"

#define MAX_BETA 1e6

enum { MAX_REPLICAS = 256 };

/* betas: positive, ascending. */
static int read_betas(struct call *call, struct gauge_model *model, size_t *count)
{
  const char *expected = "an array of 2 to 256 positive numbers in ascending order";
  const struct value *given = call_argument(call, "betas");
  if (given == NULL || given->kind != VALUE_ARRAY || given->count < 2 || given->count > MAX_REPLICAS) {
    return gauge_invalid_argument(call, "betas", expected);
  }
  double *betas = ARENA_ARRAY(call->arena, double, given->count), last = 0;
  if (betas == NULL) {
    return error_memory(call->error);
  }
  for (size_t k = 0; k < given->count; k++) {
    if (given->items[k].kind != VALUE_NUMBER || !(given->items[k].number > last) || given->items[k].number > MAX_BETA) {
      return gauge_invalid_argument(call, "betas", expected);
    }
    last = betas[k] = given->items[k].number;
  }
  model->betas = betas;
  model->chain.action.beta = betas[0];
  *count = given->count;
  return 0;
}

static int describe_replicas(struct call *call, const struct gauge_model *model, struct markov_chain *chain)
{
  struct dimension *dimension = ARENA_NEW(call->arena, struct dimension);
  if (dimension == NULL) {
    return error_memory(call->error);
  }
  *dimension = (struct dimension){
      .name = "beta", .type = DIMENSION_OTHER, .size = chain->chains, .labels = LABEL_NUMBER, .numbers = model->betas};
  chain->apart = dimension;
  double last = model->betas[chain->chains - 1];
  chain->title = gauge_model_title(call, model, arena_printf(call->arena, "%.10g to %.10g", model->betas[0], last));
  return chain->title != NULL ? 0 : error_memory(call->error);
}

static int lft_gauge_tempering_call(struct call *call, struct value *result)
{
  struct gauge_model model = {0};
  struct markov_chain chain = {0};
  size_t trajectories;
  if (gauge_read_model(call, &model) != 0 || read_betas(call, &model, &chain.chains) != 0 ||
      chain_read_common(call, &chain, &model.chain.seed) != 0 ||
      gauge_first_read(call, "beta", &model, &chain.chains) != 0 ||
      lattice_count(call, "first_trajectory", 0, CHAIN_MAX_SEED, &trajectories) != 0) {
    return -1;
  }
  chain.first_trajectory = trajectories;
  model.measures = true;
  if (describe_replicas(call, &model, &chain) != 0 ||
      gauge_model_describe(call->arena, &model, &chain, call->error) != 0 || chain_check_work(call, &chain) != 0) {
    return -1;
  }
  return chain_result(call, &chain, result);
}

const struct process process_lft_gauge_tempering = {
    .id = "lft_gauge_tempering", .shape = PROCESS_CUBE, .call = lft_gauge_tempering_call};
