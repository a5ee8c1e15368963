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

struct chain_sizes {    /* bytes, multiples of 64 */
  size_t tables, links; /* of a field of doubles */
  size_t moving;        /* of what is simulated */
  size_t fields;        /* of these, besides the one of doubles */
  size_t fermions, slab;
  struct lattice_slab here; /* slices of x0 */
};

static struct chain_sizes sizes_of(const struct gauge_chain_parameters *p)
{
  struct chain_sizes sizes = {.tables = SIZE_MAX, .fields = (p->method == GAUGE_HMC ? 2 : 0) + (p->single ? 1 : 0)};
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
    sizes.moving = p->single ? sizes.links / 2 : sizes.links;
    sizes.fermions = p->kappa != 0 ? rounded(schwinger_bytes(p->extent)) : 0;
  }
  return sizes;
}

size_t gauge_chain_bytes(const struct gauge_chain_parameters *parameters)
{
  struct chain_sizes sizes = sizes_of(parameters);
  size_t bytes = saturated_add(saturated_add(sizes.tables, sizes.links), saturated_mul(sizes.fields, sizes.moving));
  bytes = saturated_add(bytes, saturated_add(sizes.fermions, sizes.slab));
  return bytes == SIZE_MAX || sizes.links == 0 ? SIZE_MAX : bytes;
}

/* The lattice and its fields; returns what lies behind them. */
static unsigned char *place_field(struct gauge_chain *chain, const struct chain_sizes *sizes, unsigned char *at)
{
  const struct gauge_chain_parameters *p = chain->parameters;
  lattice_init_slab(&chain->lattice, p->dimensions, p->extent, &sizes->here, at);
  at += sizes->tables;
  chain->field = gauge_field_over(&chain->lattice, p->colours, at);
  chain->moving = &chain->field;
  at += sizes->links;
  if (p->single) {
    chain->narrow = gauge_field_narrow(&chain->lattice, p->colours, at);
    chain->moving = &chain->narrow;
    at += sizes->moving;
  }
  if (p->split.ranks != NULL) {
    gauge_slab_open(&chain->slab, &p->split, &chain->lattice, p->colours, at);
    chain->field.slab = chain->narrow.slab = &chain->slab;
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
  if (parameters->method == GAUGE_HMC) {
    chain->momentum = at;
    chain->before = at + sizes.moving;
    at += 2 * sizes.moving;
  }
  if (sizes.fermions > 0) {
    schwinger_open(&chain->fermions, parameters->extent, at);
    chain->fermions.kappa = parameters->kappa;
    chain->fermions.antiperiodic = parameters->antiperiodic;
  }
  begin(chain, links, threads);
  if (parameters->single) {
    gauge_field_round(&chain->narrow, &chain->field, threads);
    chain->stale = true;
  }
}

struct gauge_field *gauge_chain_field(struct gauge_chain *chain, unsigned threads)
{
  if (chain->stale) {
    gauge_field_widen(&chain->field, &chain->narrow, threads);
    chain->stale = false;
  }
  return &chain->field;
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
  return gauge_action_value(gauge_chain_field(chain, threads), &action, threads);
}

void gauge_chain_exchange(struct gauge_chain *a, struct gauge_chain *b)
{
  double *links = a->field.links;
  float *narrow = a->narrow.narrow;
  bool stale = a->stale;
  a->field.links = b->field.links;
  a->narrow.narrow = b->narrow.narrow;
  a->stale = b->stale;
  b->field.links = links;
  b->narrow.narrow = narrow;
  b->stale = stale;
  a->current = b->current = (double)NAN;
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
  gauge_action_kick(d->chain->moving, &d->action, d->threads, time, d->chain->momentum);
}

static void drift(void *context, double time)
{
  const struct dynamics *d = context;
  gauge_momentum_drift(d->chain->moving, d->chain->momentum, time, d->threads);
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
  chain->stale = p->single;
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
  struct gauge_field *moving = chain->moving;
  const bool single = moving->narrow != NULL;
  void *links = single ? (void *)moving->narrow : (void *)moving->links;
  const size_t bytes = gauge_field_bytes(&chain->lattice, moving->colours) / (single ? 2 : 1);
  if (isnan(chain->current)) {
    chain->current = gauge_chain_value(chain, threads);
  }
  memcpy(chain->before, links, bytes);
  gauge_momentum_draw(moving, (struct philox_stream){chain->seed, GAUGE_STREAMS * t + STREAM_MOMENTA}, threads,
                      chain->momentum);
  double fermions = draw_fermions(chain, t, cancel);
  double kinetic = gauge_momentum_kinetic(moving, chain->momentum, threads);
  gauge_chain_follow(chain, threads, cancel);
  if (chain->fermions.failed) {
    return (struct gauge_outcome){.failed = true, .iterations = chain->fermions.iterations};
  }
  gauge_reunitarise(moving, threads);
  chain->stale = single;
  double action = gauge_chain_value(chain, threads);
  double end = gauge_momentum_kinetic(moving, chain->momentum, threads);
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
    memcpy(links, chain->before, bytes);
    chain->stale = single;
  }
  return outcome;
}

/* ---- heat bath --------------------------------------------------------------------------------------------------- */

static struct gauge_outcome heat_step(struct gauge_chain *chain, uint64_t t, unsigned threads,
                                      const volatile int *cancel)
{
  struct gauge_action action = gauge_chain_action(chain);
  gauge_heatbath(chain->moving, &action, (struct philox_stream){chain->seed, GAUGE_STREAMS * t + STREAM_HEAT}, threads);
  for (size_t k = 0; k < chain->parameters->overrelaxation && (cancel == NULL || *cancel == 0); k++) {
    gauge_overrelax(chain->moving, &action, threads);
  }
  gauge_reunitarise(chain->moving, threads);
  chain->stale = chain->parameters->single;
  chain->current = (double)NAN;
  return (struct gauge_outcome){.accepted = true};
}

struct gauge_outcome gauge_chain_advance(struct gauge_chain *chain, uint64_t t, unsigned threads,
                                         const volatile int *cancel)
{
  return chain->parameters->method == GAUGE_HMC ? hmc_step(chain, t, threads, cancel)
                                                : heat_step(chain, t, threads, cancel);
}
