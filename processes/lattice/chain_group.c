/* See chain_group.h. Several chains advance on a thread each, one chain shares its work among them. */
#include "processes/lattice/chain_group.h"

#include "physics/lattice/lattice.h"

#include <stdlib.h>

size_t chain_group_state_bytes(const struct markov_chain *parameters)
{
  return (parameters->ops->bytes(parameters->model) + 63) / 64 * 64;
}

void chain_group_close(struct chain_group *group)
{
  for (size_t c = 0; group->memory != NULL && c < group->count; c++) {
    free(group->memory[c]);
  }
  free(group->memory);
  group->memory = NULL;
}

int chain_group_open(struct chain_group *group, const struct markov_chain *parameters, size_t first, size_t count,
                     struct error *error)
{
  group->parameters = parameters;
  group->first = first;
  group->count = count;
  group->memory = calloc(count > 0 ? count : 1, sizeof *group->memory);
  bool whole = group->memory != NULL;
  for (size_t c = 0; whole && c < count; c++) {
    group->memory[c] = aligned_alloc(64, chain_group_state_bytes(parameters));
    whole = group->memory[c] != NULL;
  }
  if (!whole) {
    chain_group_close(group);
    return error_memory(error);
  }
  return 0;
}

enum group_task_kind { TASK_START, TASK_ADVANCE, TASK_FRAME };

struct group_task {
  struct chain_group *group;
  enum group_task_kind kind;
  unsigned threads; /* inside each chain */
  uint64_t trajectory;
  size_t first, each; /* all below: of frames */
  unsigned char *to;
};

static void do_chains(void *context, size_t first, size_t last)
{
  const struct group_task *task = context;
  struct chain_group *group = task->group;
  const struct markov_chain *p = group->parameters;
  for (size_t c = first; c < last; c++) {
    struct chain_step step = {group->first + c, task->trajectory, task->threads, p->cancel};
    if (task->kind == TASK_START) {
      p->ops->start(p->model, &step, group->memory[c]);
    } else if (task->kind == TASK_ADVANCE) {
      const char *problem = p->ops->advance(p->model, &step, group->memory[c], group->now[c]);
      if (problem != NULL) {
        atomic_store(&group->problem, problem);
      }
    } else {
      p->ops->frame(p->model, group->memory[c], task->threads, task->to + task->each * (c - task->first));
    }
  }
}

/* Chains first … first + count - 1 of the group. One chain shares its work among as many threads as have enough. */
static void run_task(struct group_task *task, size_t first, size_t count)
{
  const struct markov_chain *p = task->group->parameters;
  unsigned threads = task->group->threads;
  size_t most = p->grain > 0 ? p->sites / p->grain : 1;
  unsigned inside = most < threads ? (unsigned)(most > 1 ? most : 1) : threads;
  task->threads = count > 1 ? 1 : inside;
  if (count > 0) {
    lattice_run(threads, first, first + count, do_chains, task);
  }
}

void chain_group_start(struct chain_group *group, uint64_t trajectory)
{
  run_task(&(struct group_task){.group = group, .kind = TASK_START, .trajectory = trajectory}, 0, group->count);
}

const char *chain_group_advance(struct chain_group *group, uint64_t trajectory)
{
  atomic_store(&group->problem, NULL);
  run_task(&(struct group_task){.group = group, .kind = TASK_ADVANCE, .trajectory = trajectory}, 0, group->count);
  return atomic_load(&group->problem);
}

void chain_group_frames(struct chain_group *group, size_t first, size_t count, size_t each, unsigned char *to)
{
  run_task(&(struct group_task){.group = group, .kind = TASK_FRAME, .first = first, .each = each, .to = to}, first,
           count);
}
