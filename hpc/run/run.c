/* The run of a plan: phases in order, each with workers that take its tiles, in groups, from one counter until none is
 * left or one fails. The workers of kept results end with their phase; those of outputs stay for the next box. */
#include "hpc/run/run.h"

#include "datacube/source/block_cache.h"
#include "hpc/device/residents.h"
#include "hpc/run/run_internal.h"
#include "hpc/run/tile_worker.h"
#include "hpc/run/turns.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tile_choice {                                             /* the tiles that meet what is wanted */
  size_t first[CUBE_MAX_DIMENSIONS], tiles[CUBE_MAX_DIMENSIONS]; /* per dimension of the cube */
  size_t count;                                                  /* in all */
};

struct shared { /* a phase at work */
  struct run *run;
  const struct phase *phase;
  const struct tile_target *target;
  struct tile_choice choice;
  struct error *error; /* the first worker's that failed; under the critical section */
  struct turns *turns; /* of tiles into a sink that places them; else NULL */
  atomic_size_t next;  /* group of tiles */
  atomic_bool stop;
};

/* Length of a thread's row of run->spent. */
static size_t spent_row(const struct plan *plan)
{
  return plan->stage_count + plan->phase_count;
}

static void fail(struct shared *s, const struct error *error)
{
#pragma omp critical(twincube_run_error)
  {
    if (!error_is_set(s->error))
      *s->error = *error;
  }
  atomic_store(&s->stop, true);
  turns_stop(s->turns);
}

void run_tiles_done(struct run *run, size_t count)
{
  struct run_progress *progress = run->progress;
  if (!progress)
    return;
  atomic_fetch_add(&progress->tiles_done, count);
  if (progress->notify) {
#pragma omp critical(twincube_run_progress)
    progress->notify(progress, progress->data);
  }
}

/* ---- tiles --------------------------------------------------------------------------------------------------------
 */

/* Number of the tile that holds an index. */
static size_t tile_at(const struct tile_grid *grid, size_t d, size_t index)
{
  const size_t lead = grid->lead[d];
  return lead == 0 ? index / grid->tile[d] : index < lead ? 0 : 1 + (index - lead) / grid->tile[d];
}

/* All tiles, or those that meet the box: a box costs what it holds, however large the output is. */
static struct tile_choice choose_tiles(const struct run *run, const struct phase *phase, const struct box *box)
{
  const struct tile_grid *grid = &phase->grid;
  struct tile_choice choice = {.count = grid->count};
  const size_t dimensions = run->plan->stages[phase->stage].cube->dimensions;
  memcpy(choice.tiles, grid->tiles, sizeof choice.tiles);
  for (size_t d = 0; box && d < dimensions; d++) {
    if (box->count[d] == 0)
      return (struct tile_choice){.count = 0};
    choice.first[d] = tile_at(grid, d, box->start[d]);
    choice.tiles[d] = tile_at(grid, d, box->start[d] + box->count[d] - 1) - choice.first[d] + 1;
    choice.count = d == 0 ? choice.tiles[d] : choice.count * choice.tiles[d];
  }
  return choice;
}

/* Chosen tile i, in the phase's own order. */
static void chosen_tile(const struct shared *s, size_t i, struct region *out)
{
  const struct tile_grid *grid = &s->phase->grid;
  size_t number = 0, step = 1;
  for (size_t k = s->run->plan->stages[s->phase->stage].cube->dimensions; k-- > 0;) {
    const size_t d = grid->order[k];
    number += (s->choice.first[d] + i % s->choice.tiles[d]) * step;
    step *= grid->tiles[d];
    i /= s->choice.tiles[d];
  }
  phase_tile(s->run->plan, s->phase, number, out);
}

/* The part of the tile inside the box; false where there is none. */
static bool clip_tile(const struct box *box, struct region *tile)
{
  for (size_t d = 0; box && d < tile->dimensions; d++) {
    size_t start = tile->start[d] > box->start[d] ? tile->start[d] : box->start[d];
    size_t end = tile->start[d] + tile->count[d], limit = box->start[d] + box->count[d];
    end = end < limit ? end : limit;
    if (end <= start)
      return false;
    tile->start[d] = start;
    tile->count[d] = end - start;
  }
  return true;
}

/* Copies a tile into the whole cube, run by run. */
static void put_kept(const struct cube *cube, const struct region *tile, const void *data, void *kept)
{
  size_t outer = cube->dimensions, run = element_info(cube->type)->size, size = run,
         position[CUBE_MAX_DIMENSIONS] = {0};
  const unsigned char *from = data;
  if (region_elements(tile) == 0)
    return;
  while (outer > 0 && (outer == cube->dimensions || tile->count[outer] == cube->dimension[outer].size))
    run *= tile->count[--outer];
  do {
    size_t at = 0;
    for (size_t d = 0; d < cube->dimensions; d++)
      at = at * cube->dimension[d].size + tile->start[d] + position[d];
    memcpy((unsigned char *)kept + at * size, from, run);
    from += run;
  } while (next_position(tile->count, position, outer));
}

/* The tile in the coordinates of what is wanted. */
static struct box box_of(const struct tile_target *target, const struct region *tile)
{
  struct box box = {.dimensions = tile->dimensions};
  for (size_t d = 0; d < tile->dimensions; d++) {
    box.start[d] = tile->start[d] - (target->box ? target->box->start[d] : 0);
    box.count[d] = tile->count[d];
  }
  return box;
}

static int place_tile(void *data, size_t index, struct error *error)
{
  struct shared *s = data;
  struct region tile;
  chosen_tile(s, index, &tile);
  if (!clip_tile(s->target->box, &tile))
    return 0;
  const struct box box = box_of(s->target, &tile);
  return s->target->sink->ops->place(s->target->sink, &box, error);
}

/* spent: what the sink takes, or NULL; in all that follows. */
static int run_tile(struct shared *s, struct tile_worker *worker, struct spent *spent, size_t index,
                    struct error *error)
{
  struct region tile;
  const void *data;
  chosen_tile(s, index, &tile);
  if (!clip_tile(s->target->box, &tile))
    return 0;
  if (worker_fill(worker, s->phase->stage, &tile, &data, error) != 0)
    return -1;
  if (s->target->sink) {
    const struct box box = box_of(s->target, &tile);
    const uint64_t begin = spent_begin(spent);
    int status = s->target->sink->ops->put(s->target->sink, &box, data, error);
    spent_end(spent, begin);
    return status;
  }
  put_kept(s->run->plan->stages[s->phase->stage].cube, &tile, data, s->target->kept);
  return 0;
}

static bool is_cancelled(const struct run *run)
{
  return run->limits && run->limits->cancel && *run->limits->cancel;
}

/* Places the tile, and others that have waited for it. */
static int leave_tile(struct shared *s, struct spent *spent, size_t index, struct error *error)
{
  if (!s->turns)
    return 0;
  const uint64_t begin = spent_begin(spent);
  int status = turns_leave(s->turns, index, error);
  spent_end(spent, begin);
  return status;
}

static int run_group(struct shared *s, struct tile_worker *worker, struct spent *spent, size_t group,
                     struct error *error)
{
  size_t size = s->phase->grid.group, first = group * size;
  for (size_t i = first; i < first + size && i < s->choice.count && !atomic_load(&s->stop); i++) {
    if (is_cancelled(s->run))
      return error_set(error, ERROR_RequestTimeout, "the run was cancelled");
    if (s->turns && !turns_enter(s->turns, i))
      return 0;
    if (run_tile(s, worker, spent, i, error) != 0 || leave_tile(s, spent, i, error) != 0)
      return -1;
    run_tiles_done(s->run, 1);
  }
  return 0;
}

/* Threads that a worker's stages may use: all that have no worker of their own to do, for a chain has one worker, and a
 * phase of few tiles few. */
static unsigned threads_inside(const struct phase *phase, unsigned threads, size_t groups)
{
  size_t workers = phase->sequential ? 1 : groups;
  return workers > 0 && workers < threads ? threads / (unsigned)workers : 1;
}

static void work(struct shared *s, size_t thread)
{
  struct error error = {0};
  struct run *run = s->run;
  size_t phase = (size_t)(s->phase - run->plan->phases);
  struct tile_worker **worker = &run->workers[phase][thread];
  struct spent *spent = run->spent ? run->spent + thread * spent_row(run->plan) : NULL;
  size_t groups = (s->choice.count + s->phase->grid.group - 1) / s->phase->grid.group;
  unsigned inside = threads_inside(s->phase, run->plan->threads, groups);
  if (!*worker && worker_new(run->plan, (const void *const *)run->kept, inside, worker, &error) != 0) {
    fail(s, &error);
    return;
  }
  worker_measure(*worker, spent);
  worker_share(*worker, run->blocks, run->residents);
  worker_heed(*worker, run->limits ? run->limits->cancel : NULL);
  struct spent *in_sink = spent ? spent + run->plan->stage_count + phase : NULL;
  while (!atomic_load(&s->stop)) {
    size_t group = atomic_fetch_add(&s->next, 1);
    if (group >= groups)
      break;
    if (run_group(s, *worker, in_sink, group, &error) != 0)
      fail(s, &error);
  }
}

/* ---- phases -------------------------------------------------------------------------------------------------------
 */

void run_end_phase(struct run *run, size_t p)
{
  for (unsigned t = 0; run->workers[p] && t < run->plan->phases[p].threads; t++)
    worker_free(run->workers[p][t]);
  free(run->workers[p]);
  run->workers[p] = NULL;
}

/* Tiles that may be under way: two a thread, and a group each as far as memory is left. */
static size_t window_of(const struct run *run, const struct phase *phase, unsigned threads)
{
  const struct plan *plan = run->plan;
  const struct cube *cube = plan->stages[phase->stage].cube;
  size_t bytes = element_info(cube->type)->size, used = plan_peak_memory(plan), spare;
  for (size_t d = 0; d < cube->dimensions; d++)
    bytes *= phase->grid.tile[d];
  spare = used < plan->memory ? (plan->memory - used) / bytes : 0;
  size_t groups = phase->grid.group > 1 ? threads * phase->grid.group : 0;
  return 2 * threads + (groups < spare ? groups : spare);
}

int run_phase(struct run *run, size_t p, const struct tile_target *target, struct error *error)
{
  const struct phase *phase = &run->plan->phases[p];
  struct shared shared = {.run = run, .phase = phase, .target = target, .error = error};
  shared.choice = choose_tiles(run, phase, target->box);
  unsigned threads = shared.choice.count < phase->threads ? (unsigned)shared.choice.count : phase->threads;
  if (!run->workers[p])
    run->workers[p] = calloc(phase->threads, sizeof *run->workers[p]);
  if (!run->workers[p])
    return error_memory(error);
  if (target->sink && target->sink->ops->place &&
      turns_new(window_of(run, phase, threads), place_tile, &shared, &shared.turns, error) != 0)
    return -1;
  const uint64_t begin = spent_begin(run->walls ? &run->walls[p] : NULL);
  if (threads <= 1)
    work(&shared, 0); /* no thread pool for small results */
  else {
#pragma omp parallel num_threads(threads)
    work(&shared, (size_t)omp_get_thread_num());
  }
  spent_end(run->walls ? &run->walls[p] : NULL, begin);
  turns_free(shared.turns);
  return error_is_set(error) ? -1 : 0;
}

/* ---- the run ------------------------------------------------------------------------------------------------------
 */

static int make_clocks(struct run *run)
{
  run->spent = calloc(plan_threads(run->plan) * spent_row(run->plan) + 1, sizeof *run->spent);
  run->walls = calloc(run->plan->phase_count + 1, sizeof *run->walls);
  return run->spent && run->walls ? 0 : -1;
}

int run_open(const struct plan *plan, const struct run_limits *limits, struct run_progress *progress, struct run **out,
             struct error *error)
{
  struct run *run = calloc(1, sizeof *run);
  if (!run)
    return error_memory(error);
  run->plan = plan;
  run->kept = calloc(plan->keep_count + 1, sizeof *run->kept);
  run->taken = calloc(plan->keep_count + 1, sizeof *run->taken);
  run->wanted = calloc(plan->phase_count + 1, sizeof *run->wanted);
  run->workers = calloc(plan->phase_count + 1, sizeof *run->workers);
  if (!run->kept || !run->taken || !run->wanted || !run->workers ||
      (plan->block_bytes > 0 && block_cache_new(plan->block_bytes, &run->blocks, error) != 0) ||
      (plan->devices && plan->keep_count > 0 && residents_new(plan->keep_count, &run->residents, error) != 0) ||
      (limits && limits->measured && make_clocks(run) != 0)) {
    run_close(run);
    return error_memory(error);
  }
  if (run->blocks && plan->keeps_blocks)
    block_cache_keep(run->blocks);
  run_renew(run, limits, progress);
  if (limits && limits->checkpoint && run_take_kept(run, error) != 0) {
    run_close(run);
    return -1;
  }
  *out = run;
  return 0;
}

void run_renew(struct run *run, const struct run_limits *limits, struct run_progress *progress)
{
  size_t done = 0;
  run->limits = limits;
  run->progress = progress;
  for (size_t p = 0; p < run->plan->phase_count; p++) {
    const struct phase *phase = &run->plan->phases[p];
    if (phase->end == PHASE_KEEP && run->kept[phase->target])
      done += phase->grid.count;
    if (phase->sequential)
      run_end_phase(run, p); /* a chain goes forward only */
  }
  if (progress) {
    progress->tiles = plan_tiles(run->plan);
    atomic_store(&progress->tiles_done, done);
  }
}

int run_box(struct run *run, size_t output, const struct box *box, struct sink *sink, struct error *error)
{
  const struct plan *plan = run->plan;
  size_t last = plan->output_phase[output];
  if (run_make_kept(run, output, error) != 0)
    return -1;
  return run_phase(run, last, &(struct tile_target){.sink = sink, .box = box}, error);
}

void run_give(struct run *run, const void *data)
{
  for (size_t p = 0; p < run->plan->phase_count; p++)
    run_end_phase(run, p); /* what workers remember of inputs is of other data */
  for (size_t k = 0; k < run->plan->keep_count; k++) {
    run_free_kept(run, k);
    if (run->plan->keeps[k].given)
      run->kept[k] = (void *)(uintptr_t)data;
  }
}

void run_close(struct run *run)
{
  if (!run)
    return;
  for (size_t p = 0; run->workers && p < run->plan->phase_count; p++)
    run_end_phase(run, p);
  for (size_t k = 0; run->kept && k < run->plan->keep_count; k++)
    run_free_kept(run, k);
  block_cache_free(run->blocks);
  residents_free(run->residents);
  free(run->kept);
  free(run->taken);
  free(run->wanted);
  free(run->workers);
  free(run->spent);
  free(run->walls);
  free(run);
}

/* Of all threads. */
static struct spent spent_sum(const struct run *run, size_t column)
{
  struct spent sum = {0};
  for (size_t t = 0; t < plan_threads(run->plan); t++) {
    const struct spent *spent = run->spent + t * spent_row(run->plan) + column;
    sum.nanoseconds += spent->nanoseconds;
    sum.bytes += spent->bytes;
  }
  return sum;
}

bool run_stage_time(const struct run *run, size_t index, struct stage_time *out)
{
  if (!run->spent || index >= run->plan->stage_count)
    return false;
  const struct stage *stage = &run->plan->stages[index];
  const struct spent spent = spent_sum(run, index);
  *out = (struct stage_time){.kind = stage->ops->name,
                             .node = stage->node->id,
                             .seconds = 1e-9 * (double)spent.nanoseconds,
                             .bytes = (double)spent.bytes};
  return true;
}

bool run_phase_time(const struct run *run, size_t index, struct phase_time *out)
{
  if (!run->spent || index >= run->plan->phase_count)
    return false;
  const struct phase *phase = &run->plan->phases[index];
  const bool keeps = phase->end == PHASE_KEEP;
  *out = (struct phase_time){.kept = keeps ? run->plan->keeps[phase->target].node->id : NULL,
                             .taken = keeps && run->taken[phase->target],
                             .seconds = 1e-9 * (double)run->walls[index].nanoseconds,
                             .writing = 1e-9 * (double)spent_sum(run, run->plan->stage_count + index).nanoseconds,
                             .tiles = phase->grid.count,
                             .threads = phase->threads};
  return true;
}

int plan_run_outputs(const struct plan *plan, struct sink *const *sinks, const struct run_limits *limits,
                     struct run_progress *progress, struct error *error)
{
  struct run *run;
  if (run_open(plan, limits, progress, &run, error) != 0)
    return -1;
  int status = 0;
  for (size_t i = 0; status == 0 && i < plan->output_count; i++)
    status = run_box(run, i, NULL, sinks[i], error);
  run_close(run);
  return status;
}

int plan_run(const struct plan *plan, struct sink *sink, const struct run_limits *limits, struct run_progress *progress,
             struct error *error)
{
  struct run *run;
  if (run_open(plan, limits, progress, &run, error) != 0)
    return -1;
  int status = run_box(run, 0, NULL, sink, error);
  run_close(run);
  return status;
}
