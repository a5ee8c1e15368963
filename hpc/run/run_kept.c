/* Kept results of a run: a phase needs those that its stages read, and they what their own phases read, as far as they
 * are not there. */
#include "hpc/device/residents.h"
#include "hpc/run/checkpoint.h"
#include "hpc/run/run_internal.h"

#include "datacube/sink/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *keep_room(const struct run *run, const struct keep *keep, struct error *error)
{
  const char *checkpoint = run->limits ? run->limits->checkpoint : NULL;
  if (!keep->in_memory && checkpoint)
    return checkpoint_room(checkpoint, keep, error);
  if (!keep->in_memory) {
    const char *folder = getenv("TMPDIR");
    const char *beside = run->limits ? run->limits->beside : NULL;
    char path[4096];
    snprintf(path, sizeof path, "%s/kept", folder && *folder ? folder : "/var/tmp");
    return spill_file(keep->bytes, beside ? beside : path, error);
  }
  void *room = malloc(keep->bytes ? keep->bytes : 1);
  if (!room)
    error_memory(error);
  return room;
}

void run_free_kept(struct run *run, size_t k)
{
  if (run->plan->keeps[k].given)
    return;
  if (run->residents)
    residents_forget(run->residents, k);
  if (run->plan->keeps[k].in_memory)
    free(run->kept[k]);
  else if (run->kept[k])
    spill_free(run->kept[k], run->plan->keeps[k].bytes);
  run->kept[k] = NULL;
}

/* It must be worth the time that writing takes. */
static void leave(const struct run *run, const struct keep *keep, const void *room, double seconds)
{
  static const double written_per_second = 100e6;
  const struct run_limits *limits = run->limits;
  if (!limits || !limits->checkpoint)
    return;
  if (limits->checkpoint_seconds == 0 ||
      (seconds > limits->checkpoint_seconds && (double)keep->bytes < seconds * written_per_second))
    checkpoint_leave(limits->checkpoint, keep, room);
  else if (!keep->in_memory)
    checkpoint_drop(limits->checkpoint, keep);
}

static int make_one(struct run *run, size_t p, struct error *error)
{
  const size_t k = run->plan->phases[p].target;
  const struct keep *keep = &run->plan->keeps[k];
  struct tile_target target = {.kept = keep_room(run, keep, error)};
  if (!target.kept)
    return error_at_node(error, keep->node->id);
  struct spent clock = {0};
  const uint64_t begin = spent_begin(&clock);
  int status = run_phase(run, p, &target, error);
  spent_end(&clock, begin);
  run_end_phase(run, p);
  run->kept[k] = target.kept;
  if (status != 0)
    run_free_kept(run, k);
  else
    leave(run, keep, target.kept, 1e-9 * (double)clock.nanoseconds);
  return status;
}

/* What an earlier run has left. */
static bool take_one(struct run *run, size_t p)
{
  const size_t k = run->plan->phases[p].target;
  run->kept[k] = checkpoint_take(run->limits->checkpoint, &run->plan->keeps[k]);
  run->taken[k] = run->kept[k] != NULL;
  return run->taken[k];
}

/* ---- what is needed ---------------------------------------------------------------------------------------------- */

/* Sets run->wanted for what outputs `first` to `end` need and is not there. take: looks for what earlier runs left. */
static int choose(struct run *run, size_t first, size_t end, bool take, struct error *error)
{
  const struct plan *plan = run->plan;
  size_t *room = calloc(2 * plan->stage_count + 1, sizeof *room);
  if (!room)
    return error_memory(error);
  memset(run->wanted, 0, plan->phase_count * sizeof *run->wanted);
  for (size_t i = first; i < end; i++)
    phase_inputs(plan, plan->output_phase[i], room, run->wanted);
  for (size_t p = plan->phase_count; p-- > 0;) { /* those that read come behind what they read */
    if (!run->wanted[p])
      continue;
    run->wanted[p] = !run->kept[plan->phases[p].target] && !(take && take_one(run, p));
    if (run->wanted[p])
      phase_inputs(plan, p, room, run->wanted);
  }
  free(room);
  return 0;
}

int run_make_kept(struct run *run, size_t output, struct error *error)
{
  if (run->plan->keep_count == 0)
    return 0;
  if (choose(run, output, output + 1, false, error) != 0)
    return -1;
  for (size_t p = 0; p < run->plan->phase_count; p++)
    if (run->wanted[p] && make_one(run, p, error) != 0)
      return -1;
  return 0;
}

int run_take_kept(struct run *run, struct error *error)
{
  const struct plan *plan = run->plan;
  if (choose(run, 0, plan->output_count, true, error) != 0)
    return -1;
  for (size_t p = 0; p < plan->phase_count; p++) {
    const struct phase *phase = &plan->phases[p];
    if (phase->end != PHASE_KEEP || run->wanted[p])
      continue;
    if (run->taken[phase->target])
      run_tiles_done(run, phase->grid.count);
    else if (run->progress) /* only what was taken had needed it */
      run->progress->tiles -= phase->grid.count;
  }
  return 0;
}
