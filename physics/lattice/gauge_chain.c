/* Trajectories of gauge fields. See gauge_chain.h. */
#include "physics/lattice/gauge_chain.h"

#include "datacube/base/checked.h"
#include "physics/lattice/gauge_heatbath.h"
#include "physics/lattice/gauge_momentum.h"

#include <math.h>
#include <string.h>

enum { STREAM_MOMENTA = 1, STREAM_ACCEPT = 2, STREAM_FERMIONS = 3, STREAM_HEAT = 4 };

static const uint64_t STREAM_START = UINT64_MAX;

static size_t rounded(size_t bytes)
{
  return saturated_add(bytes, 63) / 64 * 64;
}

struct chain_sizes { /* bytes, multiples of 64 */
  size_t tables, links, fields, fermions, slab;
  struct lattice_slab here; /* slices of x0 */
};

static struct chain_sizes sizes_of(const struct gauge_chain_parameters *p)
{
  struct chain_sizes sizes = {.tables = SIZE_MAX, .fields = p->method == GAUGE_HMC ? 3 : 1};
  struct lattice lattice;
  size_t extent[LATTICE_MAX_DIMENSIONS] = {0};
  sizes.here = gauge_split_slab(&p->split, p->extent[0]);
  lattice_slab_extent(p->dimensions, p->extent, &sizes.here, extent);
  if (p->split.ranks != NULL) {
    sizes.slab = gauge_slab_bytes(p->dimensions, p->extent, p->split.width, p->colours);
  }
  if (lattice_describe(&lattice, p->dimensions, extent) == 0) {
    sizes.tables = rounded(lattice_bytes(p->dimensions, extent));
    sizes.links = gauge_field_bytes(&lattice, p->colours);
    sizes.fermions = p->kappa != 0 ? rounded(schwinger_bytes(p->extent)) : 0;
  }
  return sizes;
}

size_t gauge_chain_bytes(const struct gauge_chain_parameters *parameters)
{
  struct chain_sizes sizes = sizes_of(parameters);
  size_t bytes = saturated_add(sizes.tables, saturated_mul(sizes.fields, sizes.links));
  bytes = saturated_add(bytes, saturated_add(sizes.fermions, sizes.slab));
  return bytes == SIZE_MAX || sizes.links == 0 ? SIZE_MAX : bytes;
}

/* The lattice and its field; returns what lies behind them. */
static unsigned char *place_field(struct gauge_chain *chain, const struct chain_sizes *sizes, unsigned char *at)
{
  const struct gauge_chain_parameters *p = chain->parameters;
  lattice_init_slab(&chain->lattice, p->dimensions, p->extent, &sizes->here, at);
  at += sizes->tables;
  chain->field = gauge_field_over(&chain->lattice, p->colours, at);
  at += sizes->links;
  if (p->split.ranks != NULL) {
    gauge_slab_open(&chain->slab, &p->split, &chain->lattice, p->colours, at);
    chain->field.slab = &chain->slab;
  }
  return at + sizes->slab;
}

static void begin(struct gauge_chain *chain, const double *links, unsigned threads)
{
  const struct gauge_chain_parameters *p = chain->parameters;
  if (links != NULL) {
    gauge_field_set(&chain->field, threads, links);
    if (p->rough) {
      gauge_reunitarise(&chain->field, threads);
    }
    return;
  }
  if (p->start == GAUGE_INSTANTON) {
    gauge_start_instanton(&chain->field, &p->instanton);
  } else {
    gauge_field_cold(&chain->field);
  }
  gauge_start_open(&chain->field, p->action.open);
  if (p->start == GAUGE_HOT) {
    gauge_start_hot(&chain->field, (struct philox_stream){chain->seed, STREAM_START}, threads);
  }
}

void gauge_chain_open(struct gauge_chain *chain, const struct gauge_chain_parameters *parameters, size_t number,
                      const double *links, unsigned threads, void *memory)
{
  struct chain_sizes sizes = sizes_of(parameters);
  *chain = (struct gauge_chain){.parameters = parameters,
                                .seed = parameters->seed | (uint64_t)number << CHAIN_SEED_BITS,
                                .beta = parameters->action.beta,
                                .current = (double)NAN};
  unsigned char *at = place_field(chain, &sizes, memory);
  if (sizes.fields > 1) {
    chain->momentum = (double *)at;
    chain->before = (double *)(at + sizes.links);
    at += 2 * sizes.links;
  }
  if (sizes.fermions > 0) {
    schwinger_open(&chain->fermions, parameters->extent, at);
    chain->fermions.kappa = parameters->kappa;
    chain->fermions.antiperiodic = parameters->antiperiodic;
  }
  begin(chain, links, threads);
}

struct gauge_action gauge_chain_action(const struct gauge_chain *chain)
{
  struct gauge_action action = chain->parameters->action;
  action.beta = chain->beta;
  return action;
}

double gauge_chain_value(struct gauge_chain *chain, unsigned threads)
{
  struct gauge_action action = gauge_chain_action(chain);
  return gauge_action_value(&chain->field, &action, threads);
}

/* ---- hybrid Monte Carlo ------------------------------------------------------------------------------------------ */

struct dynamics {
  struct gauge_chain *chain;
  struct gauge_action action;
  unsigned threads;
  const volatile int *cancel;
};

static void kick(void *context, double time)
{
  const struct dynamics *d = context;
  gauge_action_kick(&d->chain->field, &d->action, d->threads, time, d->chain->momentum);
}

static void drift(void *context, double time)
{
  const struct dynamics *d = context;
  gauge_momentum_drift(&d->chain->field, d->chain->momentum, time, d->threads);
}

static void kick_by_fermions(void *context, double time)
{
  const struct dynamics *d = context;
  if (d->chain->fermions.failed) {
    return;
  }
  schwinger_set(&d->chain->fermions, &d->chain->field);
  schwinger_kick(&d->chain->fermions, &d->chain->lattice, time, d->chain->momentum);
}

/* A drift between the fermions' kicks. */
static void follow_gauge(void *context, double time)
{
  const struct dynamics *d = context;
  const struct gauge_chain_parameters *p = d->chain->parameters;
  if (d->chain->fermions.failed) {
    return;
  }
  md_follow(&(struct md_system){context, kick, drift, d->cancel}, p->order, p->gauge_steps,
            time / (double)p->gauge_steps);
}

void gauge_chain_follow(struct gauge_chain *chain, unsigned threads, const volatile int *cancel)
{
  const struct gauge_chain_parameters *p = chain->parameters;
  struct dynamics dynamics = {chain, gauge_chain_action(chain), threads, cancel};
  struct md_system system = {&dynamics, kick, drift, cancel};
  if (p->kappa != 0) {
    system.kick = kick_by_fermions;
    system.drift = follow_gauge;
  }
  md_follow(&system, p->order, p->steps, p->step_size);
}

/* New pseudofermions for the links; returns their action. */
static double draw_fermions(struct gauge_chain *chain, uint64_t t, const volatile int *cancel)
{
  if (chain->parameters->kappa == 0) {
    return 0;
  }
  chain->fermions.iterations = 0;
  chain->fermions.failed = false;
  chain->fermions.cancel = cancel;
  schwinger_set(&chain->fermions, &chain->field);
  return schwinger_draw(&chain->fermions, (struct philox_stream){chain->seed, GAUGE_STREAMS * t + STREAM_FERMIONS});
}

static struct gauge_outcome hmc_step(struct gauge_chain *chain, uint64_t t, unsigned threads,
                                     const volatile int *cancel)
{
  size_t bytes = gauge_field_bytes(&chain->lattice, chain->field.colours);
  if (isnan(chain->current)) {
    chain->current = gauge_chain_value(chain, threads);
  }
  memcpy(chain->before, chain->field.links, bytes);
  gauge_momentum_draw(&chain->field, (struct philox_stream){chain->seed, GAUGE_STREAMS * t + STREAM_MOMENTA}, threads,
                      chain->momentum);
  double fermions = draw_fermions(chain, t, cancel);
  double kinetic = gauge_momentum_kinetic(&chain->field, chain->momentum, threads);
  gauge_chain_follow(chain, threads, cancel);
  if (chain->fermions.failed) {
    return (struct gauge_outcome){.failed = true, .iterations = chain->fermions.iterations};
  }
  gauge_reunitarise(&chain->field, threads);
  double action = gauge_chain_value(chain, threads);
  double end = gauge_momentum_kinetic(&chain->field, chain->momentum, threads);
  struct gauge_outcome outcome = {.dh = (end - kinetic) + (action - chain->current)};
  if (chain->parameters->kappa != 0) {
    schwinger_set(&chain->fermions, &chain->field);
    outcome.dh += schwinger_action(&chain->fermions) - fermions;
    outcome.iterations = chain->fermions.iterations;
    outcome.failed = chain->fermions.failed;
  }
  if (isnan(outcome.dh)) {
    outcome.dh = (double)INFINITY;
  }
  double u = philox_uniform((struct philox_stream){chain->seed, GAUGE_STREAMS * t + STREAM_ACCEPT}, 0);
  outcome.accepted = outcome.dh <= 0 || u < exp(-outcome.dh);
  if (outcome.accepted) {
    chain->current = action;
  } else {
    memcpy(chain->field.links, chain->before, bytes);
  }
  return outcome;
}

/* ---- heat bath --------------------------------------------------------------------------------------------------- */

static struct gauge_outcome heat_step(struct gauge_chain *chain, uint64_t t, unsigned threads,
                                      const volatile int *cancel)
{
  struct gauge_action action = gauge_chain_action(chain);
  gauge_heatbath(&chain->field, &action, (struct philox_stream){chain->seed, GAUGE_STREAMS * t + STREAM_HEAT}, threads);
  for (size_t k = 0; k < chain->parameters->overrelaxation && (cancel == NULL || *cancel == 0); k++) {
    gauge_overrelax(&chain->field, &action, threads);
  }
  gauge_reunitarise(&chain->field, threads);
  chain->current = (double)NAN;
  return (struct gauge_outcome){.accepted = true};
}

struct gauge_outcome gauge_chain_advance(struct gauge_chain *chain, uint64_t t, unsigned threads,
                                         const volatile int *cancel)
{
  return chain->parameters->method == GAUGE_HMC ? hmc_step(chain, t, threads, cancel)
                                                : heat_step(chain, t, threads, cancel);
}
