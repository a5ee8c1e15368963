/* Pulling regions: a stage's state is started at its first use; a region with lists is filled run by run. */
#include "hpc/run/tile_worker.h"

#include <stdlib.h>
#include <string.h>

struct tile_worker {
  const struct plan *plan;
  const void *const *kept;
  unsigned threads;
  struct block_cache *blocks;
  struct residents *residents;
  const volatile int *cancel; /* or NULL */
  void **states;      /* per stage, NULL before its first use */
  struct room *whole; /* per stage: what it gives whole, where only a part of it is asked for */
  struct room *piece; /* per stage: part of a region with lists whose elements do not lie together there */
  struct room out;
  struct spent *spent; /* per stage, or NULL */
  uint64_t below;      /* nanoseconds of the pulls that the one under way has made */
};

const struct plan *worker_plan(const struct tile_worker *worker)
{
  return worker->plan;
}

unsigned worker_threads(const struct tile_worker *worker)
{
  return worker->threads;
}

void worker_heed(struct tile_worker *worker, const volatile int *cancel)
{
  worker->cancel = cancel;
}

const volatile int *worker_cancel(const struct tile_worker *worker)
{
  return worker->cancel;
}

void worker_share(struct tile_worker *worker, struct block_cache *blocks, struct residents *residents)
{
  worker->blocks = blocks;
  worker->residents = residents;
}

struct residents *worker_residents(const struct tile_worker *worker)
{
  return worker->residents;
}

struct block_cache *worker_blocks(const struct tile_worker *worker)
{
  return worker->blocks;
}

const void *worker_kept(const struct tile_worker *worker, size_t kept)
{
  return worker->kept[kept];
}

/* ---- regions with lists -------------------------------------------------------------------------------------------
 */

/* Length of the run of consecutive indexes, or of holes, that starts at position i of dimension d. */
static size_t run_length(const struct region *region, size_t d, size_t i)
{
  if (!region->list[d])
    return region->count[d] - i;
  size_t n = 1, step = region->list[d][i] == NO_INDEX ? 0 : 1;
  while (i + n < region->count[d] && region->list[d][i + n] == region->list[d][i] + n * step)
    n++;
  return n;
}

/* The innermost dimension that is not one run of indexes; everything inside it is filled as one box. SIZE_MAX: none. */
static size_t last_broken(const struct region *region)
{
  for (size_t d = region->dimensions; d-- > 0;)
    if (region->count[d] > 0 && (run_length(region, d, 0) < region->count[d] || region_index(region, d, 0) == NO_INDEX))
      return d;
  return SIZE_MAX;
}

struct pulling {
  struct tile_worker *worker;
  const struct stage *stage;
  size_t index; /* of the stage */
  void *state;
};

/* A piece is one run per dimension and dense in `data`. What is only holes is not looked at by anybody. */
static int fill_piece(const struct pulling *p, const struct region *piece, void *data, struct error *error)
{
  for (size_t d = 0; d < piece->dimensions; d++)
    if (piece->start[d] == NO_INDEX) {
      fill_missing(p->stage->cube, data, region_elements(piece));
      return 0;
    }
  return p->stage->ops->fill(p->worker, p->stage, p->state, piece, data, error);
}

/* The outer dimensions that a piece takes one index at a time: not those that the stage gives whole. */
static bool steps_through(const struct stage *stage, size_t d)
{
  return stage->mode[d] != MODE_AXIS;
}

/* Copies a piece to its place in the region's dense elements: `at` is its first element's; from dimension `broken` on
 * it lies together there. */
static void put_piece(const struct pulling *p, const struct region *region, const struct region *piece, size_t broken,
                      unsigned char *at)
{
  size_t size = element_info(p->stage->cube->type)->size, strides[CUBE_MAX_DIMENSIONS],
         position[CUBE_MAX_DIMENSIONS] = {0}, run = size;
  const unsigned char *from = p->worker->piece[p->index].data;
  region_strides(region, strides);
  for (size_t d = broken; d < piece->dimensions; d++)
    run *= piece->count[d];
  do {
    size_t offset = 0;
    for (size_t d = 0; d < broken; d++)
      offset += position[d] * strides[d];
    memcpy(at + offset * size, from, run);
    from += run;
  } while (next_position(piece->count, position, broken));
}

/* Fills the piece at `at`, where its elements lie together; else beside it, and copies them. */
static int fill_placed(const struct pulling *p, const struct region *region, const struct region *piece, size_t broken,
                       unsigned char *at, struct error *error)
{
  bool together = true;
  for (size_t d = 0; d < broken; d++)
    together = together && piece->count[d] == 1;
  if (together)
    return fill_piece(p, piece, at, error);
  struct room *room = &p->worker->piece[p->index];
  if (room_for(room, region_bytes(p->stage->cube, piece), error) != 0 || fill_piece(p, piece, room->data, error) != 0)
    return -1;
  put_piece(p, region, piece, broken, at);
  return 0;
}

/* The pieces along the broken dimension, at one position of those before it. */
static int fill_line(const struct pulling *p, const struct region *region, size_t broken, const size_t *position,
                     unsigned char *data, struct error *error)
{
  size_t size = element_info(p->stage->cube->type)->size, strides[CUBE_MAX_DIMENSIONS];
  struct region piece = {.dimensions = region->dimensions};
  region_strides(region, strides);
  for (size_t d = 0; d < region->dimensions; d++) {
    bool one = d < broken && steps_through(p->stage, d);
    piece.start[d] = region_index(region, d, one ? position[d] : 0);
    piece.count[d] = one ? 1 : region->count[d];
    data += one ? position[d] * strides[d] * size : 0;
  }
  for (size_t i = 0; i < region->count[broken]; i += piece.count[broken]) {
    piece.start[broken] = region_index(region, broken, i);
    piece.count[broken] = run_length(region, broken, i);
    if (fill_placed(p, region, &piece, broken, data + i * strides[broken] * size, error) != 0)
      return -1;
  }
  return 0;
}

static int fill_runs(const struct pulling *p, const struct region *region, void *data, struct error *error)
{
  size_t broken = last_broken(region), position[CUBE_MAX_DIMENSIONS] = {0}, steps[CUBE_MAX_DIMENSIONS];
  struct region all = {.dimensions = region->dimensions};
  for (size_t d = 0; d < region->dimensions; d++) {
    all.start[d] = region_index(region, d, 0);
    all.count[d] = region->count[d];
    steps[d] = steps_through(p->stage, d) ? region->count[d] : 1;
  }
  if (broken == SIZE_MAX)
    return fill_piece(p, &all, data, error);
  do
    if (fill_line(p, region, broken, position, data, error) != 0)
      return -1;
  while (next_position(steps, position, broken));
  return 0;
}

/* ---- dimensions that come whole ------------------------------------------------------------------------------------
 */

/* The region with the dimensions that the stage gives whole; true where it is larger. */
static bool make_whole(const struct stage *stage, const struct region *region, struct region *whole)
{
  bool larger = false;
  *whole = *region;
  for (size_t d = 0; d < region->dimensions; d++) {
    size_t size = stage->cube->dimension[d].size;
    bool is_whole = region->count[d] == size &&
                    (size == 0 || (region_index(region, d, 0) == 0 && run_length(region, d, 0) == size));
    if (stage->mode[d] != MODE_AXIS || is_whole)
      continue;
    larger = true;
    whole->start[d] = 0;
    whole->count[d] = size;
    whole->list[d] = NULL;
  }
  return larger;
}

static void copy_part(const struct stage *stage, const struct region *whole, const struct region *part,
                      const void *from, void *to)
{
  size_t size = element_info(stage->cube->type)->size, position[CUBE_MAX_DIMENSIONS] = {0};
  unsigned char *at = to;
  do {
    size_t offset = 0;
    for (size_t d = 0; d < part->dimensions; d++) {
      size_t index = region_index(part, d, position[d]);
      bool came_whole = stage->mode[d] == MODE_AXIS;
      offset = offset * whole->count[d] + (came_whole ? (index == NO_INDEX ? 0 : index) : position[d]);
    }
    memcpy(at, (const unsigned char *)from + offset * size, size);
    at += size;
  } while (next_position(part->count, position, part->dimensions));
}

static int pull_region(struct pulling *p, const struct region *region, void *data, struct error *error)
{
  return p->stage->ops->takes_lists ? p->stage->ops->fill(p->worker, p->stage, p->state, region, data, error)
                                    : fill_runs(p, region, data, error);
}

static int pull_part(struct pulling *p, const struct region *region, void *data, struct error *error)
{
  struct region whole;
  struct room *room = &p->worker->whole[p->index];
  if (!make_whole(p->stage, region, &whole))
    return pull_region(p, region, data, error);
  if (room_for(room, region_bytes(p->stage->cube, &whole), error) != 0 ||
      pull_region(p, &whole, room->data, error) != 0)
    return -1;
  copy_part(p->stage, &whole, region, room->data, data);
  return 0;
}

static int pull(struct tile_worker *worker, size_t index, const struct region *region, void *data, struct error *error)
{
  const struct stage *stage = &worker->plan->stages[index];
  if (!worker->states[index] && stage->ops->start(worker, stage, &worker->states[index], error) != 0)
    return error_at_node(error, stage->node->id);
  struct pulling pulling = {worker, stage, index, worker->states[index]};
  return pull_part(&pulling, region, data, error) == 0 ? 0 : error_at_node(error, stage->node->id);
}

int worker_pull(struct tile_worker *worker, size_t index, const struct region *region, void *data, struct error *error)
{
  if (region_elements(region) == 0)
    return 0;
  struct spent *spent = worker->spent ? &worker->spent[index] : NULL;
  const uint64_t before = worker->below, begin = spent_begin(spent);
  worker->below = 0;
  int status = pull(worker, index, region, data, error);
  const uint64_t took = spent_end(spent, begin);
  if (spent) {
    spent->nanoseconds -= worker->below;
    spent->bytes += region_bytes(worker->plan->stages[index].cube, region);
  }
  worker->below = before + took;
  return status;
}

void worker_measure(struct tile_worker *worker, struct spent *spent)
{
  worker->spent = spent;
}

/* ---- the worker ---------------------------------------------------------------------------------------------------
 */

int worker_new(const struct plan *plan, const void *const *kept, unsigned threads, struct tile_worker **out,
               struct error *error)
{
  struct tile_worker *worker = calloc(1, sizeof *worker);
  if (!worker)
    return error_memory(error);
  *worker = (struct tile_worker){.plan = plan, .kept = kept, .threads = threads};
  worker->states = calloc(plan->stage_count, sizeof *worker->states);
  worker->whole = calloc(plan->stage_count, sizeof *worker->whole);
  worker->piece = calloc(plan->stage_count, sizeof *worker->piece);
  if (!worker->states || !worker->whole || !worker->piece) {
    free(worker->states);
    free(worker->whole);
    free(worker->piece);
    free(worker);
    return error_memory(error);
  }
  *out = worker;
  return 0;
}

int worker_fill(struct tile_worker *worker, size_t stage, const struct region *region, const void **data,
                struct error *error)
{
  if (room_for(&worker->out, region_bytes(worker->plan->stages[stage].cube, region), error) != 0)
    return -1;
  *data = worker->out.data;
  return worker_pull(worker, stage, region, worker->out.data, error);
}

void worker_release(struct tile_worker *worker, size_t first, size_t last)
{
  for (size_t s = first; s < last; s++) {
    const struct stage *stage = &worker->plan->stages[s];
    if (stage->ops == &source_stage) /* a reader is dear to open */
      continue;
    stage->ops->stop(stage, worker->states[s]);
    worker->states[s] = NULL;
    room_free(&worker->whole[s]);
    room_free(&worker->piece[s]);
  }
}

void worker_free(struct tile_worker *worker)
{
  if (!worker)
    return;
  for (size_t s = 0; s < worker->plan->stage_count; s++) {
    worker->plan->stages[s].ops->stop(&worker->plan->stages[s], worker->states[s]);
    room_free(&worker->whole[s]);
    room_free(&worker->piece[s]);
  }
  free(worker->states);
  free(worker->whole);
  free(worker->piece);
  room_free(&worker->out);
  free(worker);
}
