/* See chain_arguments.h. */
#include "processes/lattice/chain_arguments.h"

#include "datacube/base/checked.h"
#include "hpc/plan/node.h"

#include <math.h>
#include <string.h>

/* Limits. Work counts about nanoseconds: what must be done for the first configuration, and for each. */
#define MAX_THERMALISATION 10000000
#define MAX_SEPARATION 1000000
#define MAX_WORK_FIRST UINT64_C(1000000000000)
#define MAX_WORK_EACH UINT64_C(100000000000)

static int invalid_shape(struct call *call, const struct shape_limits *limits, const char *why)
{
  return error_parameter(
      call->error, ERROR_ProcessParameterInvalid, "shape",
      "parameter 'shape' of process '%s' must be an array of %zu to %zu whole numbers, the lattice's "
      "extents, with at most %zu sites in all: %s",
      call->process->id, limits->least, limits->most, limits->sites, why);
}

int chain_read_shape(struct call *call, const struct shape_limits *limits, size_t *dimensions, size_t *extent)
{
  const struct value *shape = call_argument(call, "shape");
  if (shape == NULL || shape->kind != VALUE_ARRAY) {
    return invalid_shape(call, limits, "it is not an array of numbers");
  }
  if (shape->count < limits->least || shape->count > limits->most) {
    return invalid_shape(call, limits, "it has too few, or too many, elements");
  }
  size_t sites = 1;
  *dimensions = shape->count;
  for (size_t k = 0; k < shape->count; k++) {
    const struct value *item = &shape->items[k];
    /* written so that NaN fails */
    if (item->kind != VALUE_NUMBER || !(item->number >= 1) || item->number != trunc(item->number)) {
      return invalid_shape(call, limits, "an extent is not a whole number of at least 1");
    }
    if (item->number > (double)limits->sites) {
      return invalid_shape(call, limits, "the lattice is too large");
    }
    extent[k] = (size_t)item->number;
    sites = saturated_mul(sites, extent[k]);
  }
  return sites <= limits->sites ? 0 : invalid_shape(call, limits, "the lattice is too large");
}

int chain_read_positive(struct call *call, const char *name, double maximum, double *out)
{
  if (call_number(call, name, out) != 0) {
    return -1;
  }
  if (!(*out > 0 && *out <= maximum)) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                           "parameter '%s' of process '%s' must be a number above 0, at most %g; it is %.17g", name,
                           call->process->id, maximum, *out);
  }
  return 0;
}

int chain_read_common(struct call *call, struct markov_chain *chain, uint64_t *seed)
{
  static const char *const quantities[] = {"field", "history", NULL};
  size_t number, quantity;
  if (lattice_count(call, "seed", 0, CHAIN_MAX_SEED, &number) != 0 ||
      lattice_count(call, "configurations", 1, CHAIN_MAX_CONFIGURATIONS, &chain->configurations) != 0 ||
      lattice_count(call, "thermalisation", 0, MAX_THERMALISATION, &chain->thermalisation) != 0 ||
      lattice_count(call, "separation", 1, MAX_SEPARATION, &chain->separation) != 0 ||
      lattice_choice(call, "quantity", quantities, &quantity) != 0) {
    return -1;
  }
  *seed = number;
  chain->quantity = quantity == 0 ? CHAIN_FIELD : CHAIN_HISTORY;
  chain->cancel = call_cancel(call);
  chain->ranks = call_ranks(call);
  return 0;
}

int chain_check_work(struct call *call, const struct markov_chain *chain)
{
  const struct {
    const char *name;
    size_t count;
    uint64_t limit;
  } rows[] = {{"thermalisation", chain->thermalisation, MAX_WORK_FIRST},
              {"separation", chain->separation, MAX_WORK_EACH}};
  for (size_t i = 0; i < 2; i++) {
    size_t work = saturated_mul(saturated_mul(chain->work, chain->chains), rows[i].count);
    if (work > rows[i].limit) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, rows[i].name,
                             "parameter '%s' of process '%s' is too large: what it asks for takes about %.3g seconds, "
                             "at most %.3g are allowed",
                             rows[i].name, call->process->id, (double)work * 1e-9, (double)rows[i].limit * 1e-9);
    }
  }
  return 0;
}

const char *chain_shape_text(struct arena *arena, size_t dimensions, const size_t *extent)
{
  const char *shape = "";
  for (size_t k = 0; k < dimensions && shape != NULL; k++) {
    shape = arena_printf(arena, "%s%s%zu", shape, k == 0 ? "" : " x ", extent[k]);
  }
  return shape;
}

/* Says where the chains go, where there is a choice. */
static void tell_ranks(struct call *call, const struct markov_chain *chain)
{
  const struct ranks *all = call_ranks(call);
  size_t ranks = all != NULL ? all->count : 1, busy = markov_chain_ranks(chain);
  const char *message = arena_printf(call->arena, "chains: %zu, on %zu of %zu ranks", chain->chains, busy, ranks);
  if (ranks > 1 && message != NULL) {
    call_log(call, &(struct log_entry){.level = busy < ranks ? LOG_WARNING : LOG_INFO, .message = message});
  }
}

int chain_result(struct call *call, const struct markov_chain *chain, struct value *result)
{
  struct markov_chain dealt = *chain;
  const struct source *source;
  if (markov_chain_deal(call->arena, &dealt, call->error) != 0) {
    return -1;
  }
  tell_ranks(call, &dealt);
  if (markov_chain_source(call->arena, &dealt, &source, call->error) != 0) {
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
