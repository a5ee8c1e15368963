/* lft_smear: the fields of a gauge cube, smeared. */
#include "processes/lattice/gauge_share.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_smear.h"

enum { MAX_STEPS = 10000 };
static const char *const methods[] = {"ape", "stout", "hyp", NULL};
static const double usual_weights[][3] = {{0.5}, {0.1}, {0.75, 0.6, 0.3}};

static size_t scratch_bytes(const struct gauge_cube *cube, const void *parameters)
{
  const struct gauge_smear *smear = parameters;
  const struct lattice lattice = gauge_cube_lattice(cube);
  return gauge_smear_bytes(&lattice, cube->colours, smear->kind);
}

static int smear_field(const void *parameters, const struct gauge_job *job, struct error *error)
{
  struct gauge_field field = job->field;
  (void)error;
  gauge_smear(&field, parameters, job->threads, job->cancel, job->scratch);
  return 0;
}

const struct gauge_op gauge_smear_op = {
    .name = "smearing", .scratch = scratch_bytes, .compute = smear_field, .reach = gauge_reach_next};

static int invalid_weights(struct call *call, size_t wanted)
{
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "weights",
                         "parameter 'weights' of process '%s' must be %zu number%s from 0 to 1 for this method",
                         call->process->id, wanted, wanted == 1 ? "" : "s");
}

static int read_weights(struct call *call, struct gauge_smear *smear)
{
  const struct value *weights = call_argument(call, "weights");
  size_t wanted = smear->kind == SMEAR_HYP ? 3 : 1;
  for (size_t i = 0; i < wanted; i++)
    smear->weight[i] = usual_weights[smear->kind][i];
  if (!call_has(call, "weights"))
    return 0;
  if (weights->kind != VALUE_ARRAY || weights->count != wanted)
    return invalid_weights(call, wanted);
  for (size_t i = 0; i < wanted; i++) {
    const struct value *weight = &weights->items[i];
    if (weight->kind != VALUE_NUMBER || !(weight->number >= 0 && weight->number <= 1))
      return invalid_weights(call, wanted);
    smear->weight[i] = weight->number;
  }
  return 0;
}

static int lft_smear_call(struct call *call, struct value *result)
{
  struct gauge_smear *smear = ARENA_NEW(call->arena, struct gauge_smear); /* zeroed: it is hashed */
  struct gauge_cube cube;
  size_t method;
  if (smear == NULL)
    return error_memory(call->error);
  if (call_gauge_cube(call, "data", &cube) != 0 || lattice_choice(call, "method", methods, &method) != 0 ||
      lattice_count(call, "steps", 0, MAX_STEPS, &smear->steps) != 0 ||
      call_boolean(call, "spatial", &smear->spatial) != 0)
    return -1;
  smear->kind = (enum gauge_smearing)method;
  if (read_weights(call, smear) != 0)
    return -1;
  if (smear->kind == SMEAR_HYP && (cube.dimensions != LATTICE_MAX_DIMENSIONS || smear->spatial))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "method",
                           "HYP smearing is that of all axes in four dimensions; the field has %zu", cube.dimensions);
  const struct gauge_measure measure = {.op = &gauge_smear_op, .parameters = smear, .size = sizeof *smear};
  return gauge_cube_change(call, &cube, &measure, result);
}

const struct process process_lft_smear = {.id = "lft_smear", .shape = PROCESS_CUBE, .call = lft_smear_call};
