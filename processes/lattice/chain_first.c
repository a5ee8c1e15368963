/* A view of the last configurations, run into memory. See chain_first.h. */
#include "processes/lattice/chain_first.h"

#include "datacube/base/checked.h"
#include "hpc/run/run.h"
#include "hpc/stage/stage.h"
#include "processes/cube/shape.h"
#include "processes/graph/lower.h"

#include <string.h>

struct first_sink {
  struct sink sink;
  const struct cube *cube;
  size_t each;    /* numbers in an element */
  double *values; /* row-major */
};

static void copy_run(struct first_sink *to, size_t offset, const void *from, size_t count)
{
  size_t numbers = count * to->each;
  double *values = to->values + offset * to->each;
  if (to->cube->type == ELEMENT_C128 || to->cube->type == ELEMENT_F64) {
    memcpy(values, from, numbers * sizeof *values);
    return;
  }
  const float *narrow = from;
  for (size_t i = 0; i < numbers; i++) {
    values[i] = (double)narrow[i];
  }
}

static int put_box(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  struct first_sink *to = (struct first_sink *)sink;
  size_t last = box->dimensions - 1, position[CUBE_MAX_DIMENSIONS] = {0};
  const unsigned char *from = data;
  (void)error;
  do {
    size_t offset = 0;
    for (size_t d = 0; d <= last; d++) {
      offset = offset * to->cube->dimension[d].size + box->start[d] + (d < last ? position[d] : 0);
    }
    copy_run(to, offset, from, box->count[last]);
    from += box->count[last] * element_info(to->cube->type)->size;
  } while (next_position(box->count, position, last));
  return 0;
}

/* Bytes of memory that what is held until now leaves. */
static size_t memory_left(const struct call *call)
{
  size_t memory = call->lowering->options->memory, used = arena_used(call->arena);
  memory = memory ? memory : PLAN_MEMORY;
  return used < memory ? memory - used : 1;
}

static int compute(struct call *call, const struct node *node, double *values)
{
  static const struct sink_ops ops = {.put = put_box};
  const struct graph_options *options = call->lowering->options;
  const struct plan_options planning = {
      .memory = memory_left(call), .threads = options->threads, .cancel = options->cancel, .devices = options->devices};
  const struct run_limits limits = {.cancel = options->cancel, .beside = options->beside};
  size_t each = element_info(node->cube->type)->is_complex ? 2 : 1;
  struct first_sink sink = {.sink = {.ops = &ops}, .cube = node->cube, .each = each, .values = values};
  const struct plan *plan;
  if (plan_make(call->arena, node, &planning, &plan, call->error) != 0) {
    return -1;
  }
  return plan_run(plan, &sink.sink, &limits, NULL, call->error);
}

int chain_first_invalid(struct call *call, const struct chain_first *first, const char *expected, const char *given)
{
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "first",
                         "parameter 'first' of process '%s' must be a cube of %s %s; %s", call->process->id,
                         first->what, expected ? expected : "?", given ? given : "it is not");
}

int chain_first_pick(struct call *call, struct chain_first *first, size_t *chains)
{
  size_t given = 1;
  for (size_t d = 0; d < first->frames; d++) {
    const struct dimension *dimension = &first->node->cube->dimension[d];
    if (dimension->size == 0) {
      return chain_first_invalid(call, first, "with at least one configuration", "a dimension has no labels");
    }
    if (strcmp(dimension->name, first->apart) == 0) {
      given = dimension->size;
      continue;
    }
    struct value picked;
    size_t *last = ARENA_NEW(call->arena, size_t);
    if (last == NULL) {
      return error_memory(call->error);
    }
    *last = dimension->size - 1;
    if (view_pick(call, first->node, d, last, 1, &picked) != 0) {
      return -1;
    }
    first->node = picked.cube;
  }
  if (*chains != 0 && given != *chains) {
    return chain_first_invalid(call, first, arena_printf(call->arena, "with %zu labels in '%s'", *chains, first->apart),
                               arena_printf(call->arena, "it has %zu", given));
  }
  *chains = given;
  return 0;
}

int chain_first_values(struct call *call, const struct chain_first *first, double **values, const char **text,
                       bool *computed)
{
  const struct node *node = first->node;
  size_t numbers = element_info(node->cube->type)->is_complex ? 2 : 1;
  size_t bytes = saturated_mul(saturated_mul(cube_elements(node->cube), numbers), sizeof **values);
  if (bytes >= memory_left(call)) {
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "first",
                           "the last configurations of parameter 'first' of process '%s' take %zu bytes, but %zu "
                           "bytes of memory are left",
                           call->process->id, bytes, memory_left(call));
  }
  *values = ARENA_ARRAY(call->arena, double, bytes / sizeof **values);
  *text =
      arena_printf(call->arena, "%016llx%016llx", (unsigned long long)node->hash.a, (unsigned long long)node->hash.b);
  if (*values == NULL || *text == NULL) {
    return error_memory(call->error);
  }
  *computed = !call->lowering->options->describes_only;
  return *computed ? compute(call, node, *values) : 0;
}

int chain_read_chains(struct call *call, struct markov_chain *chain)
{
  bool apart = call_has(call, "chains");
  size_t trajectories;
  chain->chains = 1;
  if ((apart && lattice_count(call, "chains", 1, CHAIN_MAX_CHAINS, &chain->chains) != 0) ||
      lattice_count(call, "first_trajectory", 0, CHAIN_MAX_SEED, &trajectories) != 0) {
    return -1;
  }
  chain->first_trajectory = trajectories;
  if (!apart) {
    return 0;
  }
  struct dimension *dimension = ARENA_NEW(call->arena, struct dimension);
  if (dimension == NULL) {
    return error_memory(call->error);
  }
  *dimension = dimension_enumerated("chain", DIMENSION_OTHER, chain->chains);
  chain->apart = dimension;
  return 0;
}
