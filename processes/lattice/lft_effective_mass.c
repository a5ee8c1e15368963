/* lft_effective_mass: effective masses of correlators along a dimension of times. */
#include "hpc/stage/frame_stage.h"
#include "processes/cube/shape.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/effective_mass.h"

#include <math.h>

struct effective_frames { /* frames.data */
  size_t kind, times;     /* enum effective_mass_kind; of the correlator */
  bool narrow;            /* it is of float32 */
  double nodata;          /* NaN where there is none */
};

/* NaN where it is missing. */
static double value_at(const struct effective_frames *e, const void *values, size_t t)
{
  double value = e->narrow ? (double)((const float *)values)[t] : ((const double *)values)[t];
  return value == e->nodata ? NAN : value;
}

static int compute_masses(const void *data, const struct frame_job *job, struct error *error)
{
  const struct effective_frames *e = data;
  double *out = job->output;
  (void)error;
  for (size_t t = 0; t + 1 < e->times; t++) {
    out[t] = effective_mass((enum effective_mass_kind)e->kind, value_at(e, job->inputs[0], t),
                            value_at(e, job->inputs[0], t + 1), (double)t, (double)e->times);
  }
  return 0;
}

static const struct frame_ops effective_ops = {.name = "effective mass", .compute = compute_masses};

static int check_times(struct call *call, const struct cube *cube, size_t t)
{
  const char *why = cube->dimension[t].size < 2 ? "it has fewer than two labels" : NULL;
  if (cube->type != ELEMENT_F64 && cube->type != ELEMENT_F32) {
    why = "the elements are no real floating-point numbers";
  }
  return why == NULL ? 0
                     : error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                                       "parameter 'data' of process '%s' must be a cube of correlators, float64 or "
                                       "float32 with two or more labels along '%s': %s",
                                       call->process->id, cube->dimension[t].name, why);
}

/* The cube of the masses, and its number of dimensions that are not times, which come first. */
static struct cube *describe(struct call *call, const struct cube *from, size_t t, int *to_output)
{
  struct cube *to = ARENA_NEW(call->arena, struct cube);
  size_t *kept = ARENA_ARRAY(call->arena, size_t, from->dimension[t].size);
  if (to == NULL || kept == NULL) {
    error_memory(call->error);
    return NULL;
  }
  to->type = ELEMENT_F64;
  to->title = from->title;
  to->dimensions = from->dimensions;
  for (size_t d = 0, next = 0; d < from->dimensions; d++) {
    to_output[d] = d == t ? NO_DIMENSION : (int)next;
    if (d != t) {
      to->dimension[next++] = from->dimension[d];
    }
  }
  for (size_t i = 0; i + 1 < from->dimension[t].size; i++) {
    kept[i] = i;
  }
  struct dimension *last = &to->dimension[to->dimensions - 1];
  if (dimension_pick(call->arena, &from->dimension[t], kept, from->dimension[t].size - 1, last) != 0) {
    error_memory(call->error);
    return NULL;
  }
  return to;
}

static int lft_effective_mass_call(struct call *call, struct value *result)
{
  static const char *const kinds[] = {"log", "cosh", "sinh", NULL};
  const struct node *node;
  struct effective_frames *data = ARENA_NEW(call->arena, struct effective_frames);
  struct frames frames = {.ops = &effective_ops, .data = data, .cancel = call_cancel(call)};
  size_t t;
  if (data == NULL) {
    return error_memory(call->error);
  }
  if (call_cube(call, "data", &node) != 0 || call_dimension(call, "dimension", node, &t) != 0 ||
      lattice_choice(call, "method", kinds, &data->kind) != 0 || check_times(call, node->cube, t) != 0) {
    return -1;
  }
  const struct cube *to = describe(call, node->cube, t, frames.to_output[0]);
  if (to == NULL) {
    return -1;
  }
  data->times = node->cube->dimension[t].size;
  data->narrow = node->cube->type == ELEMENT_F32;
  data->nodata = node->cube->has_nodata ? node->cube->nodata : NAN;
  frames.leading = to->dimensions - 1;
  hash_word(&frames.hash, data->kind);
  const struct node *masses = node_frames(call->arena, call_origin(call), to, &node, 1, &frames);
  *result = value_cube(masses);
  return masses != NULL ? 0 : error_memory(call->error);
}

const struct process process_lft_effective_mass = {
    .id = "lft_effective_mass", .shape = PROCESS_CUBE, .call = lft_effective_mass_call};
