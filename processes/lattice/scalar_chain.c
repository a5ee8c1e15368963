/* A Markov chain as a source. See scalar_chain.h.
 *
 * What a read gives is made of frames: frame i is configuration i, or its row of diagnostics. Frames live in a ring of
 * `window` frames; `made` is the number of frames made since the start. */
#include "processes/lattice/scalar_chain.h"

#include "datacube/base/checked.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  WINDOW_BYTES = 8 * 1024 * 1024,
  BLOCK_BYTES = 4 * 1024 * 1024,
  BLOCK_WORK = 100 * 1000 * 1000,
  THREAD_SITES = 16 * 1024 /* fewest sites worth a thread: a sweep over them takes as long as starting and joining it */
};

const char *const scalar_chain_diagnostics[CHAIN_DIAGNOSTICS] = {"dH", "accepted", "acceptance", "exp_minus_dH",
                                                                 "action"};
static const char *const axis_names[SCALAR_FIELD_MAX_DIMENSIONS] = {"x0", "x1", "x2", "x3"};

struct chain {
  struct chain_parameters parameters;
  size_t frame_elements; /* sites, or CHAIN_DIAGNOSTICS */
  size_t window;         /* frames remembered */
  pthread_mutex_t lock;  /* guards all below */
  void *memory;          /* of the field; NULL before the first read */
  double *frames;        /* window * frame_elements */
  unsigned threads;      /* that its sweeps may use: the most that a reader was opened with */
  struct scalar_field field;
  uint64_t trajectory; /* next */
  size_t made;
};

struct source_reader {
  struct chain *chain;
  const struct cube *cube;
};

static void chain_free(void *data)
{
  struct chain *chain = data;
  free(chain->memory);
  free(chain->frames);
  pthread_mutex_destroy(&chain->lock);
}

/* Threads for the sweeps, as many as have enough to do. */
static unsigned sweep_threads(const struct chain *chain)
{
  size_t most = chain->field.sites / THREAD_SITES;
  return most < chain->threads ? (unsigned)(most > 1 ? most : 1) : chain->threads;
}

/* After a cut the chain is as before its first use. */
static int check_cut(struct chain *chain, struct error *error)
{
  if (!hmc_is_cancelled(&chain->parameters.hmc)) {
    return 0;
  }
  free(chain->memory);
  free(chain->frames);
  chain->memory = NULL;
  chain->frames = NULL;
  return error_set(error, ERROR_RequestTimeout, "the run was cancelled");
}

/* Memory at the first use, and phi = 0. */
static int chain_start(struct chain *chain, struct error *error)
{
  if (chain->memory == NULL) {
    void *memory = aligned_alloc(64, scalar_field_bytes(&chain->parameters.action));
    double *frames = malloc(chain->window * chain->frame_elements * sizeof *frames);
    if (memory == NULL || frames == NULL) {
      free(memory);
      free(frames);
      return error_memory(error);
    }
    chain->memory = memory;
    chain->frames = frames;
  }
  scalar_field_init(&chain->field, &chain->parameters.action, chain->memory);
  chain->field.threads = sweep_threads(chain);
  chain->made = 0;
  for (chain->trajectory = 0; chain->trajectory < chain->parameters.thermalisation; chain->trajectory++) {
    hmc_trajectory(&chain->field, &chain->parameters.hmc, chain->trajectory);
    if (check_cut(chain, error) != 0) {
      return -1;
    }
  }
  return 0;
}

/* Makes the next frame. */
static int chain_advance(struct chain *chain, struct error *error)
{
  struct hmc_outcome outcome = {0};
  double accepted = 0, exponential = 0;
  for (size_t k = 0; k < chain->parameters.separation; k++) {
    outcome = hmc_trajectory(&chain->field, &chain->parameters.hmc, chain->trajectory++);
    accepted += outcome.accepted;
    exponential += exp(-outcome.dh);
    if (check_cut(chain, error) != 0) {
      return -1;
    }
  }
  double *frame = chain->frames + chain->made % chain->window * chain->frame_elements;
  if (chain->parameters.quantity == CHAIN_FIELD) {
    scalar_field_get(&chain->field, frame);
  } else {
    const double count = (double)chain->parameters.separation;
    const double row[CHAIN_DIAGNOSTICS] = {outcome.dh, outcome.accepted, accepted / count, exponential / count,
                                           chain->field.current_action};
    memcpy(frame, row, sizeof row);
  }
  chain->made++;
  return 0;
}

/* Frame i; valid until the next call. NULL with the error set. */
static const double *chain_frame(struct chain *chain, size_t i, struct error *error)
{
  bool forgotten = chain->made > chain->window && i < chain->made - chain->window;
  if ((chain->memory == NULL || forgotten) && chain_start(chain, error) != 0) {
    return NULL;
  }
  while (chain->made <= i) {
    if (chain_advance(chain, error) != 0) {
      return NULL;
    }
  }
  return chain->frames + i % chain->window * chain->frame_elements;
}

/* The box's part of one frame (dimensions 1 … of the cube), row by row. Returns what lies behind it in `out`. */
static double *copy_frame(const struct cube *cube, const struct box *box, const double *frame, double *out)
{
  size_t last = cube->dimensions - 1, at[CUBE_MAX_DIMENSIONS] = {0};
  for (;;) {
    size_t offset = 0;
    for (size_t k = 1; k <= last; k++) {
      offset = offset * cube->dimension[k].size + box->start[k] + (k < last ? at[k] : 0);
    }
    memcpy(out, frame + offset, box->count[last] * sizeof *out);
    out += box->count[last];
    size_t k = last - 1;
    while (k >= 1 && ++at[k] == box->count[k]) {
      at[k--] = 0;
    }
    if (k < 1) {
      return out;
    }
  }
}

static int chain_open(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  struct chain *chain = source->state;
  struct source_reader *reader = malloc(sizeof *reader);
  if (reader == NULL) {
    return error_memory(error);
  }
  *reader = (struct source_reader){.chain = chain, .cube = &source->cube};
  pthread_mutex_lock(&chain->lock);
  chain->threads = threads > chain->threads ? threads : chain->threads;
  chain->field.threads = sweep_threads(chain);
  pthread_mutex_unlock(&chain->lock);
  *out = reader;
  return 0;
}

static int chain_read(struct source_reader *reader, const struct box *box, void *data, struct error *error)
{
  if (box_elements(box) == 0) {
    return 0;
  }
  struct chain *chain = reader->chain;
  double *out = data;
  int status = 0;
  pthread_mutex_lock(&chain->lock);
  for (size_t i = 0; i < box->count[0] && status == 0; i++) {
    const double *frame = chain_frame(chain, box->start[0] + i, error);
    if (frame == NULL) {
      status = -1;
    } else {
      out = copy_frame(reader->cube, box, frame, out);
    }
  }
  pthread_mutex_unlock(&chain->lock);
  return status;
}

static void chain_close(struct source_reader *reader)
{
  free(reader);
}

static void chain_identity(const struct source *source, struct buffer *out)
{
  const struct chain *chain = source->state;
  const struct chain_parameters *p = &chain->parameters;
  buffer_printf(out, "HMC chain %zu ", p->action.dimensions);
  for (size_t k = 0; k < p->action.dimensions; k++) {
    buffer_printf(out, "%zu ", p->action.extent[k]);
  }
  buffer_printf(out, "%a %a %llu %a %zu %d %zu %zu %zu %d ", p->action.m2, p->action.lambda,
                (unsigned long long)p->hmc.seed, p->hmc.step_size, p->hmc.steps, (int)p->hmc.integrator,
                p->configurations, p->thermalisation, p->separation, (int)p->quantity);
}

static const struct source_ops chain_ops = {
    .name = "HMC chain", .open = chain_open, .read = chain_read, .close = chain_close, .identity = chain_identity};

static void describe_cube(const struct chain_parameters *parameters, struct cube *cube)
{
  const struct scalar_action *action = &parameters->action;
  cube->type = ELEMENT_F64;
  cube->dimension[0] = dimension_enumerated("configuration", DIMENSION_OTHER, parameters->configurations);
  if (parameters->quantity == CHAIN_HISTORY) {
    cube->dimensions = 2;
    cube->dimension[1] = dimension_texts("diagnostic", DIMENSION_BANDS, scalar_chain_diagnostics, CHAIN_DIAGNOSTICS);
    return;
  }
  cube->dimensions = 1 + action->dimensions;
  for (size_t k = 0; k < action->dimensions; k++) {
    cube->dimension[1 + k] = dimension_enumerated(axis_names[k], DIMENSION_OTHER, action->extent[k]);
  }
}

/* "phi^4, 8 x 8, M2 -4, lambda 8, seed 1" */
static const char *chain_title(struct arena *arena, const struct chain_parameters *parameters)
{
  const struct scalar_action *action = &parameters->action;
  const char *shape = "";
  for (size_t k = 0; k < action->dimensions && shape != NULL; k++) {
    shape = arena_printf(arena, "%s%s%zu", shape, k == 0 ? "" : " x ", action->extent[k]);
  }
  if (shape == NULL) {
    return NULL;
  }
  return arena_printf(arena, "phi^4, %s, M2 %.10g, lambda %.10g, seed %llu", shape, action->m2, action->lambda,
                      (unsigned long long)parameters->hmc.seed);
}

/* Configurations that fit `limit`, from 1 to all, where each takes `each`. */
static size_t fitting(size_t limit, size_t each, size_t all)
{
  size_t count = limit / (each > 0 ? each : 1);
  count = count < all ? count : all;
  return count > 0 ? count : 1;
}

static struct chain *chain_new(struct arena *arena, const struct chain_parameters *parameters, size_t elements)
{
  struct chain *chain = ARENA_NEW(arena, struct chain);
  if (chain == NULL) {
    return NULL;
  }
  chain->parameters = *parameters;
  chain->frame_elements = elements;
  chain->window = fitting(WINDOW_BYTES, elements * sizeof(double), parameters->configurations);
  if (chain->window < 2) {
    chain->window = 2;
  }
  if (pthread_mutex_init(&chain->lock, NULL) != 0) {
    return NULL;
  }
  return arena_on_free(arena, chain_free, chain) == 0 ? chain : NULL;
}

int scalar_chain_source(struct arena *arena, const struct chain_parameters *parameters, const struct source **out,
                        struct error *error)
{
  struct source *source = ARENA_NEW(arena, struct source);
  if (source == NULL) {
    return error_memory(error);
  }
  describe_cube(parameters, &source->cube);
  size_t elements = 1, sites = 1;
  for (size_t k = 1; k < source->cube.dimensions; k++) {
    elements *= source->cube.dimension[k].size;
    source->block[k] = source->cube.dimension[k].size;
  }
  for (size_t k = 0; k < parameters->action.dimensions; k++) {
    sites *= parameters->action.extent[k];
  }
  struct chain *chain = chain_new(arena, parameters, elements);
  source->cube.title = chain_title(arena, parameters);
  if (chain == NULL || source->cube.title == NULL) {
    return error_memory(error);
  }
  size_t work = saturated_mul(saturated_mul(sites, parameters->hmc.steps), parameters->separation);
  size_t by_work = fitting(BLOCK_WORK, work, parameters->configurations);
  size_t by_bytes = fitting(BLOCK_BYTES, elements * sizeof(double), parameters->configurations);
  source->block[0] = by_work < by_bytes ? by_work : by_bytes;
  source->ops = &chain_ops;
  source->sequential = true;
  source->reader_bytes = scalar_field_bytes(&parameters->action) + chain->window * elements * sizeof(double);
  source->origin = source->cube.title;
  source->state = chain;
  *out = source;
  return 0;
}
