/* The scalar field as a model of a Markov chain. See scalar_chain.h. */
#include "processes/lattice/scalar_chain.h"

#include "datacube/base/checked.h"
#include "processes/lattice/chain_arguments.h"

#include <math.h>

enum { THREAD_SITES = 16 * 1024 }; /* fewest sites worth a thread: a sweep takes as long as starting and joining it */

static const struct chain_diagnostic diagnostics[CHAIN_DIAGNOSTICS] = {
    {"dH", false}, {"accepted", false}, {"acceptance", true}, {"exp_minus_dH", true}, {"action", false}};
static const char *const axis_names[SCALAR_FIELD_MAX_DIMENSIONS] = {"x0", "x1", "x2", "x3"};

enum { STATE_BYTES = (sizeof(struct scalar_field) + 63) / 64 * 64 }; /* the field's description, then its memory */

static size_t model_bytes(const void *model)
{
  const struct chain_parameters *p = model;
  return saturated_add(STATE_BYTES, scalar_field_bytes(&p->action));
}

static void model_start(const void *model, const struct chain_step *step, void *memory)
{
  const struct chain_parameters *p = model;
  struct scalar_field *field = memory;
  scalar_field_init(field, &p->action, (unsigned char *)memory + STATE_BYTES);
  field->threads = step->threads;
}

static const char *model_advance(const void *model, const struct chain_step *step, void *memory, double *values)
{
  const struct chain_parameters *p = model;
  struct scalar_field *field = memory;
  field->threads = step->threads;
  struct hmc_outcome outcome = hmc_trajectory(field, &p->hmc, step->trajectory);
  values[0] = outcome.dh;
  values[1] = values[2] = outcome.accepted;
  values[3] = exp(-outcome.dh);
  values[4] = field->current_action;
  return NULL;
}

static void model_frame(const void *model, void *memory, unsigned threads, void *out)
{
  (void)model;
  struct scalar_field *field = memory;
  field->threads = threads;
  scalar_field_get(field, out);
}

static void model_identity(const void *model, struct buffer *out)
{
  const struct chain_parameters *p = model;
  buffer_printf(out, "%zu ", p->action.dimensions);
  for (size_t k = 0; k < p->action.dimensions; k++) {
    buffer_printf(out, "%zu ", p->action.extent[k]);
  }
  buffer_printf(out, "%a %a %llu %a %zu %d ", p->action.m2, p->action.lambda, (unsigned long long)p->hmc.seed,
                p->hmc.step_size, p->hmc.steps, (int)p->hmc.integrator);
}

static const struct chain_model_ops model_ops = {.name = "scalar field",
                                                 .bytes = model_bytes,
                                                 .start = model_start,
                                                 .advance = model_advance,
                                                 .frame = model_frame,
                                                 .identity = model_identity};

int scalar_chain_describe(struct arena *arena, const struct chain_parameters *parameters, struct markov_chain *chain,
                          struct error *error)
{
  const struct scalar_action *action = &parameters->action;
  struct cube *frame = ARENA_NEW(arena, struct cube);
  struct chain_parameters *model = ARENA_NEW(arena, struct chain_parameters);
  const char *shape = chain_shape_text(arena, action->dimensions, action->extent);
  if (frame == NULL || model == NULL || shape == NULL) {
    return error_memory(error);
  }
  frame->type = ELEMENT_F64;
  frame->dimensions = action->dimensions;
  chain->sites = 1;
  for (size_t k = 0; k < frame->dimensions; k++) {
    frame->dimension[k] = dimension_enumerated(axis_names[k], DIMENSION_OTHER, action->extent[k]);
    chain->sites *= action->extent[k];
  }
  *model = *parameters;
  chain->title = arena_printf(arena, "phi^4, %s, M2 %.10g, lambda %.10g, seed %llu", shape, action->m2, action->lambda,
                              (unsigned long long)parameters->hmc.seed);
  chain->ops = &model_ops;
  chain->model = model;
  chain->frame = frame;
  chain->diagnostics = diagnostics;
  chain->diagnostic_count = CHAIN_DIAGNOSTICS;
  chain->chains = 1;
  chain->work = saturated_mul(chain->sites, parameters->hmc.steps);
  chain->grain = THREAD_SITES;
  return chain->title != NULL ? 0 : error_memory(error);
}

int scalar_chain_source(struct arena *arena, const struct chain_parameters *parameters, const struct source **out,
                        struct error *error)
{
  struct markov_chain chain = {.configurations = parameters->configurations,
                               .thermalisation = parameters->thermalisation,
                               .separation = parameters->separation,
                               .quantity = parameters->quantity,
                               .cancel = parameters->hmc.cancel};
  if (scalar_chain_describe(arena, parameters, &chain, error) != 0) {
    return -1;
  }
  return markov_chain_source(arena, &chain, out, error);
}
