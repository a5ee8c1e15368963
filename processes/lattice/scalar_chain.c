/* The scalar field as a model of a Markov chain. See scalar_chain.h. */
#include "processes/lattice/scalar_chain.h"

#include "datacube/base/checked.h"
#include "physics/lattice/scalar_cluster.h"
#include "physics/lattice/scalar_metropolis.h"
#include "physics/random/philox.h"
#include "processes/lattice/chain_arguments.h"
#include "processes/lattice/chain_models.h"

#include <math.h>

enum {
  THREAD_SITES = 16 * 1024, /* fewest sites worth a thread: a sweep takes as long as starting and joining it */
  METROPOLIS_WORK = 50,     /* nanoseconds a site */
  CLUSTER_WORK = 170        /* the same, and clusters */
};

static const struct chain_diagnostic diagnostics[CHAIN_DIAGNOSTICS + 1] = {{"dH", false},        {"accepted", false},
                                                                           {"acceptance", true}, {"exp_minus_dH", true},
                                                                           {"action", false},    {"cluster", true}};
static const char *const axis_names[SCALAR_FIELD_MAX_DIMENSIONS] = {"x0", "x1", "x2", "x3"};

enum { STATE_BYTES = (sizeof(struct scalar_field) + 63) / 64 * 64 }; /* the field's description, then its memory */

static size_t model_bytes(const void *model)
{
  const struct chain_parameters *p = model;
  return saturated_add(STATE_BYTES, scalar_field_bytes(&p->action, &p->split));
}

static uint64_t chain_key(const struct chain_parameters *p, size_t chain)
{
  return p->hmc.seed | (uint64_t)chain << CHAIN_SEED_BITS;
}

static void model_start(const void *model, const struct chain_step *step, void *memory)
{
  const struct chain_parameters *p = model;
  struct scalar_field *field = memory;
  scalar_field_init(field, &p->action, &p->split, (unsigned char *)memory + STATE_BYTES);
  field->threads = step->threads;
  if (p->first != NULL) {
    scalar_field_set(field, p->first + (step->chain - p->first_chain) * field->sites);
  }
}

static void advance_hmc(const struct chain_parameters *p, const struct chain_step *step, struct scalar_field *field,
                        double *values)
{
  struct hmc hmc = p->hmc;
  hmc.seed = chain_key(p, step->chain);
  struct hmc_outcome outcome = hmc_trajectory(field, &hmc, step->trajectory);
  values[0] = outcome.dh;
  values[1] = values[2] = outcome.accepted;
  values[3] = exp(-outcome.dh);
}

static void advance_sweep(const struct chain_parameters *p, const struct chain_step *step, struct scalar_field *field,
                          double *values)
{
  uint64_t key = chain_key(p, step->chain);
  values[0] = 0;
  values[1] = values[2] = scalar_metropolis(field, key, p->width, step->trajectory);
  values[3] = 1;
  if (p->update == SCALAR_CLUSTER) {
    values[CHAIN_DIAGNOSTICS] = scalar_cluster_flip(field, key, step->trajectory);
  }
  if (p->quantity == CHAIN_HISTORY) {
    field->current_action = scalar_field_action(field, field->phi);
  }
}

static const char *model_advance(const void *model, const struct chain_step *step, void *memory, double *values)
{
  const struct chain_parameters *p = model;
  struct scalar_field *field = memory;
  field->threads = step->threads;
  if (p->update == SCALAR_HMC) {
    advance_hmc(p, step, field, values);
  } else {
    advance_sweep(p, step, field, values);
  }
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
  buffer_printf(out, "%a %a %llu %a %zu %d %d %a %s ", p->action.m2, p->action.lambda, (unsigned long long)p->hmc.seed,
                p->hmc.step_size, p->hmc.steps, (int)p->hmc.integrator, (int)p->update, p->width,
                p->first_text != NULL ? p->first_text : "-");
}

static size_t sites_of(const struct scalar_action *action)
{
  size_t sites = 1;
  for (size_t k = 0; k < action->dimensions; k++) {
    sites *= action->extent[k];
  }
  return sites;
}

/* The model, the chains' first configurations. */
static void model_pack(const void *model, size_t first, size_t count, struct buffer *out)
{
  const struct chain_parameters *p = model;
  struct chain_parameters copy = *p;
  size_t sites = sites_of(&p->action);
  copy.first_chain = first;
  buffer_add(out, &copy, sizeof copy);
  if (p->first != NULL) {
    buffer_add(out, p->first + (first - p->first_chain) * sites, count * sites * sizeof *p->first);
  }
}

static const void *model_unpack(struct arena *arena, const void *bytes, const volatile int *cancel)
{
  struct chain_parameters *p = arena_copy(arena, bytes, sizeof *p);
  if (p != NULL) {
    p->hmc.cancel = cancel;
    p->first = p->first != NULL ? (const double *)((const unsigned char *)bytes + sizeof *p) : NULL;
    p->first_text = NULL;
    p->split = (struct gauge_split){0};
  }
  return p;
}

static size_t model_pieces(const void *model, const char **why)
{
  const struct chain_parameters *p = model;
  if (p->update == SCALAR_CLUSTER) {
    *why = "clusters grow over the whole lattice";
    return 1;
  }
  *why = "x0 is odd, or too short for slabs, or the only axis";
  return scalar_field_pieces(&p->action);
}

static const void *model_split(struct arena *arena, const void *model, struct ranks *ranks, size_t parts)
{
  struct chain_parameters *p = arena_copy(arena, model, sizeof *p);
  if (p != NULL) {
    p->split = (struct gauge_split){ranks, parts, 1};
  }
  return p;
}

const struct chain_model_ops scalar_model_ops = {.name = "scalar field",
                                                 .bytes = model_bytes,
                                                 .start = model_start,
                                                 .advance = model_advance,
                                                 .frame = model_frame,
                                                 .identity = model_identity,
                                                 .pack = model_pack,
                                                 .unpack = model_unpack,
                                                 .pieces = model_pieces,
                                                 .split = model_split};

/* Of a trajectory, about nanoseconds a site. */
static size_t work_of(const struct chain_parameters *p)
{
  return p->update == SCALAR_HMC ? p->hmc.steps : p->update == SCALAR_METROPOLIS ? METROPOLIS_WORK : CLUSTER_WORK;
}

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
  chain->sites = sites_of(action);
  for (size_t k = 0; k < frame->dimensions; k++) {
    frame->dimension[k] = dimension_enumerated(axis_names[k], DIMENSION_OTHER, action->extent[k]);
  }
  *model = *parameters;
  model->quantity = chain->quantity;
  chain->title = arena_printf(arena, "phi^4, %s, M2 %.10g, lambda %.10g, seed %llu", shape, action->m2, action->lambda,
                              (unsigned long long)parameters->hmc.seed);
  chain->ops = &scalar_model_ops;
  chain->model = model;
  chain->frame = frame;
  chain->diagnostics = diagnostics;
  chain->diagnostic_count = parameters->update == SCALAR_CLUSTER ? CHAIN_DIAGNOSTICS + 1 : CHAIN_DIAGNOSTICS;
  chain->held = parameters->first_text != NULL ? saturated_mul(chain->chains, chain->sites * sizeof(double)) : 0;
  chain->work = saturated_mul(chain->sites, work_of(parameters));
  chain->grain = THREAD_SITES;
  return chain->title != NULL ? 0 : error_memory(error);
}

int scalar_chain_source(struct arena *arena, const struct chain_parameters *parameters, const struct source **out,
                        struct error *error)
{
  struct markov_chain chain = {.chains = 1,
                               .configurations = parameters->configurations,
                               .thermalisation = parameters->thermalisation,
                               .separation = parameters->separation,
                               .quantity = parameters->quantity,
                               .cancel = parameters->hmc.cancel};
  if (scalar_chain_describe(arena, parameters, &chain, error) != 0) {
    return -1;
  }
  return markov_chain_source(arena, &chain, out, error);
}
