/* Series along named dimensions, as frames. See lattice_series.h. */
#include "processes/lattice/lattice_series.h"

#include "hpc/plan/rewrite.h"
#include "processes/cube/shape.h"

#include <math.h>
#include <string.h>

struct series_frames { /* frames.data */
  struct lattice_series series;
  const struct series_op *op;
  const double *parameters;
};

static int read_labels(struct call *call, const struct dimension *dimension, const double **out)
{
  double *labels = ARENA_ARRAY(call->arena, double, dimension->size);
  bool ascend = dimension->size > 0;
  if (labels == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < dimension->size; i++) {
    labels[i] = dimension_label_number(dimension, i);
    ascend = ascend && labels[i] == labels[i] && (i == 0 || labels[i] > labels[i - 1]);
  }
  *out = labels;
  return ascend ? 0
                : error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                                  "the labels of dimension '%s' must be numbers that ascend", dimension->name);
}

/* The named dimensions last. */
static int sort_dimensions(struct call *call, const size_t *place, struct lattice_series *series)
{
  const struct cube *from = series->node->cube;
  struct cube *to = cube_copy(call->arena, from);
  struct view_dimension *view = view_identity(call->arena, from);
  if (!to || !view)
    return error_memory(call->error);
  for (size_t d = 0, before = 0; d < from->dimensions; d++) {
    size_t at = SIZE_MAX;
    for (size_t k = 0; k < series->count; k++)
      at = place[k] == d ? series->others + k : at;
    view[d].out = (int)(at == SIZE_MAX ? before++ : at);
    to->dimension[view[d].out] = from->dimension[d];
  }
  if (cube_count_type(to, DIMENSION_BANDS) > 0)
    to->bands = NULL;
  series->node = node_view(call->arena, call_origin(call), series->node, to, view);
  return series->node ? 0 : error_memory(call->error);
}

int call_lattice_series(struct call *call, const char *const *names, size_t count, struct lattice_series *out)
{
  size_t place[2];
  *out = (struct lattice_series){.count = count};
  if (call_cube(call, "data", &out->node) != 0)
    return -1;
  const struct cube *cube = out->node->cube;
  for (size_t k = 0; k < count; k++) {
    const char *given = cube_dimension_names(call->arena, cube);
    place[k] = cube_find_dimension(cube, names[k]);
    if (place[k] == SIZE_MAX)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                             "the data of process '%s' must have a dimension '%s'; they have %s", call->process->id,
                             names[k], given ? given : "others");
    out->size[k] = cube->dimension[place[k]].size;
    if (read_labels(call, &cube->dimension[place[k]], &out->labels[k]) != 0)
      return -1;
  }
  out->others = cube->dimensions - count;
  if (element_info(cube->type)->is_complex)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "the data of process '%s' must be real numbers, not complex ones", call->process->id);
  struct cube wide = *cube;
  wide.type = ELEMENT_F64;
  wide.has_nodata = true;
  wide.nodata = NAN;
  if (sort_dimensions(call, place, out) != 0)
    return -1;
  out->node = node_convert(call->arena, out->node, &wide);
  return out->node ? 0 : error_memory(call->error);
}

static int compute(const void *data, const struct frame_job *job, struct error *error)
{
  const struct series_frames *s = data;
  (void)error;
  s->op->compute(&s->series, s->parameters, job->inputs[0], job->output);
  return 0;
}

static const struct frame_ops series_ops = {.name = "series", .compute = compute};

int lattice_series_apply(struct call *call, const struct lattice_series *series, const struct series_op *op,
                         const double *parameters, size_t parameter_count, const struct dimension *to, size_t to_count,
                         struct value *result)
{
  struct series_frames *data = ARENA_NEW(call->arena, struct series_frames);
  struct cube *cube = ARENA_NEW(call->arena, struct cube);
  const double *copy = arena_copy(call->arena, parameters, parameter_count * sizeof *parameters);
  if (!data || !cube || (!copy && parameter_count > 0))
    return error_memory(call->error);
  *data = (struct series_frames){*series, op, copy};
  *cube =
      (struct cube){.type = ELEMENT_F64, .has_nodata = true, .nodata = NAN, .dimensions = series->others + to_count};
  memcpy(cube->dimension, series->node->cube->dimension, series->others * sizeof *to);
  memcpy(cube->dimension + series->others, to, to_count * sizeof *to);
  struct frames frames = {.ops = &series_ops, .data = data, .leading = series->others, .cancel = call_cancel(call)};
  hash_text(&frames.hash, op->name);
  hash_bytes(&frames.hash, parameters, parameter_count * sizeof *parameters);
  for (size_t k = 0; k < series->count; k++)
    hash_bytes(&frames.hash, series->labels[k], series->size[k] * sizeof(double));
  for (size_t d = 0; d < series->node->cube->dimensions; d++)
    frames.to_output[0][d] = d < series->others ? (int)d : NO_DIMENSION;
  const struct node *node = node_frames(call->arena, call_origin(call), cube, &series->node, 1, &frames);
  *result = value_cube(node);
  return node ? 0 : error_memory(call->error);
}
