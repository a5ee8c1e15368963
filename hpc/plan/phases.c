/* Which phase reads what others keep. A phase comes behind those that it reads, so one walk from the last to the first
 * finds all that is needed. */
#include "hpc/plan/plan_internal.h"

#include <string.h>

void phase_inputs(const struct plan *plan, size_t p, size_t *room, bool *wanted)
{
  size_t *seen = room, *stack = room + plan->stage_count, depth = 0; /* seen: by phase p where it is p + 1 */
  seen[plan->phases[p].stage] = p + 1;
  stack[depth++] = plan->phases[p].stage;
  while (depth > 0) {
    const struct stage *stage = &plan->stages[stack[--depth]];
    const struct keep *keep = stage_keep(plan, stage);
    if (keep && !keep->given)
      wanted[keep->phase] = true;
    for (size_t i = 0; i < stage->input_count; i++) {
      const size_t input = stage->inputs[i]->stage;
      if (seen[input] == p + 1)
        continue;
      seen[input] = p + 1;
      stack[depth++] = input;
    }
  }
}

static void move_phase(struct plan *plan, size_t from, size_t to)
{
  const struct phase *phase = &plan->phases[from];
  plan->phases[to] = *phase;
  if (phase->end == PHASE_KEEP)
    ((struct keep *)(uintptr_t)plan->keeps)[phase->target].phase = to;
  else
    ((size_t *)(uintptr_t)plan->output_phase)[phase->target] = to;
}

int plan_drop_idle(struct arena *arena, struct plan *plan, struct error *error)
{
  if (plan->keep_count == 0)
    return 0;
  bool *wanted = ARENA_ARRAY(arena, bool, plan->phase_count);
  size_t *room = ARENA_ARRAY(arena, size_t, 2 * plan->stage_count), left = 0;
  if (!wanted || !room)
    return error_memory(error);
  for (size_t p = plan->phase_count; p-- > 0;) {
    wanted[p] = wanted[p] || plan->phases[p].end == PHASE_OUTPUT;
    if (wanted[p])
      phase_inputs(plan, p, room, wanted);
  }
  for (size_t p = 0; p < plan->phase_count; p++)
    if (wanted[p])
      move_phase(plan, p, left++);
    else
      ((struct keep *)(uintptr_t)plan->keeps)[plan->phases[p].target].idle = true;
  plan->phase_count = left;
  return 0;
}

int plan_count_phases(struct arena *arena, struct plan *plan, struct error *error)
{
  bool *wanted = ARENA_ARRAY(arena, bool, plan->phase_count);
  size_t *room = ARENA_ARRAY(arena, size_t, 2 * plan->stage_count);
  if (!wanted || !room)
    return error_memory(error);
  for (size_t p = 0; p < plan->phase_count; p++) {
    phase_inputs(plan, p, room, wanted);
    for (size_t s = 0; s < plan->stage_count; s++)
      plan->stages[s].phases += room[s] == p + 1;
  }
  return 0;
}
