/* Chains behind a lock. See markov_chain.h.
 *
 * What a read gives is made of frames: frame i is configuration i of all chains, or its rows of diagnostics. Frames
 * live in a ring of `window` frames; `made` is the number of frames made since the start. */
#include "processes/lattice/markov_chain.h"

#include "datacube/base/checked.h"
#include "processes/lattice/chain_crew.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  WINDOW_BYTES = 8 * 1024 * 1024,
  IDLE_BYTES = 2 * WINDOW_BYTES,
  BLOCK_BYTES = 4 * 1024 * 1024,
  BLOCK_WORK = 100 * 1000 * 1000
};

struct chain {
  struct markov_chain parameters;
  size_t frame_bytes;   /* of all chains */
  size_t window;        /* frames remembered */
  size_t bytes;         /* of memory and frames */
  pthread_mutex_t lock; /* guards all below */
  bool is_open;         /* crew, frames and sum are there: not before the first read */
  struct chain_crew crew;
  unsigned char *frames;
  size_t readers; /* open now */
  uint64_t trajectory;
  size_t made;
  double (*sum)[CHAIN_MAX_DIAGNOSTICS]; /* a row a chain: of all trajectories since the last frame */
};

struct source_reader {
  struct chain *chain;
  const struct cube *cube;
};

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void drop_memory(struct chain *chain)
{
  chain_crew_close(&chain->crew);
  free(chain->frames);
  free(chain->sum);
  chain->frames = NULL;
  chain->sum = NULL;
  chain->is_open = false;
}

static void chain_free(void *data)
{
  struct chain *chain = data;
  drop_memory(chain);
  pthread_mutex_destroy(&chain->lock);
}

static int take_memory(struct chain *chain, struct error *error)
{
  if (chain_crew_open(&chain->crew, &chain->parameters, error) != 0) {
    return -1;
  }
  chain->frames = malloc(chain->window * chain->frame_bytes);
  chain->sum = calloc(chain->parameters.chains, sizeof *chain->sum);
  if (chain->frames == NULL || chain->sum == NULL) {
    drop_memory(chain);
    return error_memory(error);
  }
  chain->is_open = true;
  return 0;
}

/* ---- all chains a step further ----------------------------------------------------------------------------------- */

/* After a cut, or a failure, the chains are as before their first use. */
static int check_step(struct chain *chain, int status, struct error *error)
{
  bool cancelled = chain_is_cancelled(chain->parameters.cancel);
  if (status == 0 && !cancelled) {
    return 0;
  }
  drop_memory(chain);
  return cancelled ? error_set(error, ERROR_RequestTimeout, "the run was cancelled") : -1;
}

static int advance(struct chain *chain, struct error *error)
{
  const struct markov_chain *p = &chain->parameters;
  int status = chain_crew_advance(&chain->crew, chain->trajectory, error);
  if (check_step(chain, status, error) != 0) {
    return -1;
  }
  if (p->ops->couple != NULL) {
    p->ops->couple(p->model, p->chains, chain->trajectory, chain->crew.own.memory, chain->crew.now);
  }
  chain->trajectory++;
  return 0;
}

static int chain_start(struct chain *chain, struct error *error)
{
  if (!chain->is_open && take_memory(chain, error) != 0) {
    return -1;
  }
  chain->trajectory = chain->parameters.first_trajectory;
  chain->made = 0;
  int status = chain_crew_start(&chain->crew, chain->trajectory, error);
  if (check_step(chain, status, error) != 0) {
    return -1;
  }
  for (size_t k = 0; k < chain->parameters.thermalisation; k++) {
    if (advance(chain, error) != 0) {
      return -1;
    }
  }
  return 0;
}

/* Rows of diagnostics, from the last trajectory and the sums. */
static void write_history(const struct chain *chain, double *to)
{
  const struct markov_chain *p = &chain->parameters;
  for (size_t c = 0; c < p->chains; c++) {
    for (size_t k = 0; k < p->diagnostic_count; k++) {
      *to++ = p->diagnostics[k].mean ? chain->sum[c][k] / (double)p->separation : chain->crew.now[c][k];
    }
  }
}

/* Makes the next frame. */
static int make_frame(struct chain *chain, struct error *error)
{
  const struct markov_chain *p = &chain->parameters;
  memset(chain->sum, 0, p->chains * sizeof *chain->sum);
  for (size_t t = 0; t < p->separation; t++) {
    if (advance(chain, error) != 0) {
      return -1;
    }
    for (size_t c = 0; c < p->chains; c++) {
      for (size_t k = 0; k < p->diagnostic_count; k++) {
        chain->sum[c][k] += chain->crew.now[c][k];
      }
    }
  }
  unsigned char *frame = chain->frames + chain->made % chain->window * chain->frame_bytes;
  if (p->quantity == CHAIN_FIELD) {
    int status = chain_crew_frames(&chain->crew, chain->frame_bytes / p->chains, frame, error);
    if (check_step(chain, status, error) != 0) {
      return -1;
    }
  } else {
    write_history(chain, (double *)frame);
  }
  chain->made++;
  return 0;
}

/* Frame i; valid until the next call. NULL with the error set. */
static const unsigned char *chain_frame(struct chain *chain, size_t i, struct error *error)
{
  bool forgotten = chain->made > chain->window && i < chain->made - chain->window;
  if ((!chain->is_open || forgotten) && chain_start(chain, error) != 0) {
    return NULL;
  }
  while (chain->made <= i) {
    if (make_frame(chain, error) != 0) {
      return NULL;
    }
  }
  return chain->frames + i % chain->window * chain->frame_bytes;
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

/* The box's part of one frame (dimensions 1 … of the cube), row by row. Returns what lies behind it in `out`. */
static unsigned char *copy_frame(const struct cube *cube, const struct box *box, const unsigned char *frame,
                                 unsigned char *out)
{
  size_t last = cube->dimensions - 1, at[CUBE_MAX_DIMENSIONS] = {0}, size = element_info(cube->type)->size;
  for (;;) {
    size_t offset = 0;
    for (size_t k = 1; k <= last; k++) {
      offset = offset * cube->dimension[k].size + box->start[k] + (k < last ? at[k] : 0);
    }
    memcpy(out, frame + offset * size, box->count[last] * size);
    out += box->count[last] * size;
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
  chain->crew.own.threads = threads > chain->crew.own.threads ? threads : chain->crew.own.threads;
  chain->readers++;
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
  unsigned char *out = data;
  int status = 0;
  pthread_mutex_lock(&chain->lock);
  for (size_t i = 0; i < box->count[0] && status == 0; i++) {
    const unsigned char *frame = chain_frame(chain, box->start[0] + i, error);
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
  struct chain *chain = reader->chain;
  pthread_mutex_lock(&chain->lock);
  if (--chain->readers == 0 && chain->bytes > IDLE_BYTES) {
    drop_memory(chain);
  }
  pthread_mutex_unlock(&chain->lock);
  free(reader);
}

static void chain_identity(const struct source *source, struct buffer *out)
{
  const struct chain *chain = source->state;
  const struct markov_chain *p = &chain->parameters;
  buffer_printf(out, "%s ", p->ops->name);
  p->ops->identity(p->model, out);
  buffer_printf(out, "%zu %d %zu %zu %zu %llu %d ", p->chains, p->apart != NULL, p->configurations, p->thermalisation,
                p->separation, (unsigned long long)p->first_trajectory, (int)p->quantity);
}

static const struct source_ops chain_ops = {
    .name = "Markov chain", .open = chain_open, .read = chain_read, .close = chain_close, .identity = chain_identity};

static int describe_cube(struct arena *arena, const struct markov_chain *p, struct cube *cube)
{
  cube->title = p->title;
  cube->dimension[cube->dimensions++] = dimension_enumerated("configuration", DIMENSION_OTHER, p->configurations);
  if (p->apart != NULL) {
    cube->dimension[cube->dimensions++] = *p->apart;
  }
  cube->type = ELEMENT_F64;
  if (p->quantity == CHAIN_FIELD) {
    cube->type = p->frame->type;
    for (size_t d = 0; d < p->frame->dimensions; d++) {
      cube->dimension[cube->dimensions++] = p->frame->dimension[d];
    }
    return 0;
  }
  const char **labels = ARENA_ARRAY(arena, const char *, p->diagnostic_count);
  if (labels == NULL) {
    return -1;
  }
  for (size_t k = 0; k < p->diagnostic_count; k++) {
    labels[k] = p->diagnostics[k].label;
  }
  cube->dimension[cube->dimensions++] = dimension_texts("diagnostic", DIMENSION_BANDS, labels, p->diagnostic_count);
  return 0;
}

/* Configurations that fit `limit`, from 1 to all, where each takes `each`. */
static size_t fitting(size_t limit, size_t each, size_t all)
{
  size_t count = limit / (each > 0 ? each : 1);
  count = count < all ? count : all;
  return count > 0 ? count : 1;
}

struct chain_deal {
  const char *what; /* NULL: it stays whole on one rank */
  size_t most;      /* ranks that get some */
  const char *why;  /* it stays whole */
};

/* Chains, or pieces of the only one; those that do something with each other lie together. */
static struct chain_deal find_deal(const struct markov_chain *p)
{
  struct chain_deal deal = {.most = 1, .why = "a chain of this kind stays whole"};
  if (p->ops->couple != NULL) {
    deal.why = "its chains exchange what they have";
  } else if (p->ops->pack != NULL && p->chains > 1) {
    deal = (struct chain_deal){.what = "chains", .most = p->chains};
  } else if (p->ops->pack != NULL && p->ops->pieces != NULL) {
    deal.most = p->ops->pieces(p->model, &deal.why);
    deal.what = deal.most > 1 ? "slabs of x0" : NULL;
  }
  return deal;
}

size_t markov_chain_ranks(const struct markov_chain *dealt)
{
  size_t all = dealt->ranks != NULL ? dealt->ranks->count : 1, most = find_deal(dealt).most;
  return all < most ? all : most;
}

int markov_chain_deal(struct arena *arena, struct markov_chain *chain, struct error *error)
{
  size_t parts = markov_chain_ranks(chain);
  if (parts == 1) {
    chain->ranks = NULL;
  }
  if (parts == 1 || chain->chains > 1) {
    return 0;
  }
  struct markov_chain pieces = *chain;
  pieces.pieces = find_deal(chain).most;
  pieces.model = chain->ops->split(arena, chain->model, chain->ranks, parts);
  if (pieces.model == NULL) {
    return error_memory(error);
  }
  *chain = pieces;
  return 0;
}

static struct chain *chain_new(struct arena *arena, const struct markov_chain *parameters, size_t frame_bytes)
{
  struct chain *chain = ARENA_NEW(arena, struct chain);
  if (chain == NULL) {
    return NULL;
  }
  chain->parameters = *parameters;
  chain->parameters.frame = NULL; /* was for the description */
  chain->frame_bytes = frame_bytes;
  chain->window = fitting(WINDOW_BYTES, frame_bytes, parameters->configurations);
  if (chain->window < 2) {
    chain->window = 2;
  }
  if (pthread_mutex_init(&chain->lock, NULL) != 0) {
    return NULL;
  }
  return arena_on_free(arena, chain_free, chain) == 0 ? chain : NULL;
}

/* What it is, and what ranks would have of it; NULL: out of memory. */
static const char *tell_origin(struct arena *arena, const struct markov_chain *p)
{
  const struct chain_deal deal = find_deal(p);
  const char *title = p->title != NULL ? p->title : "";
  return deal.what != NULL ? arena_printf(arena, "%s; on ranks: %s, at most %zu", title, deal.what, deal.most)
                           : arena_printf(arena, "%s; on ranks: one, because %s", title, deal.why);
}

int markov_chain_source(struct arena *arena, const struct markov_chain *parameters, const struct source **out,
                        struct error *error)
{
  struct source *source = ARENA_NEW(arena, struct source);
  if (source == NULL || describe_cube(arena, parameters, &source->cube) != 0) {
    return error_memory(error);
  }
  size_t bytes = element_info(source->cube.type)->size;
  for (size_t k = 1; k < source->cube.dimensions; k++) {
    bytes = saturated_mul(bytes, source->cube.dimension[k].size);
    source->block[k] = source->cube.dimension[k].size;
  }
  struct chain *chain = chain_new(arena, parameters, bytes);
  if (chain == NULL) {
    return error_memory(error);
  }
  size_t work = saturated_mul(saturated_mul(parameters->work, parameters->chains), parameters->separation);
  size_t by_work = fitting(BLOCK_WORK, work, parameters->configurations);
  size_t by_bytes = fitting(BLOCK_BYTES, bytes, parameters->configurations);
  source->block[0] = by_work < by_bytes ? by_work : by_bytes;
  source->ops = &chain_ops;
  source->sequential = true;
  chain->bytes =
      saturated_add(saturated_mul(chain_crew_chains(&chain->parameters), chain_group_state_bytes(&chain->parameters)),
                    saturated_mul(chain->window, bytes));
  source->reader_bytes = saturated_add(chain->bytes, parameters->held);
  source->origin = tell_origin(arena, parameters);
  if (source->origin == NULL) {
    return error_memory(error);
  }
  source->state = chain;
  *out = source;
  return 0;
}
