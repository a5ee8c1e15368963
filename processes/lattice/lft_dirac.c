/* lft_dirac: a Dirac operator on fermion fields, configuration by configuration.
 *
 * Two cubes: gauge fields, and fermion fields with the same axes, spin and colour. What else the fermion fields have
 * that the gauge cube has by name runs along; other dimensions (source_spin, say) number more fields. */
#include "processes/cube/shape.h"
#include "processes/lattice/gauge_crew.h"
#include "processes/lattice/quark_arguments.h"

#include "datacube/base/checked.h"

#include <stdlib.h>
#include <string.h>

struct dirac_frames { /* frames.data */
  struct gauge_cube cube;
  struct quark_arguments quark;
  bool narrow; /* the fermion fields are complex64 */
};

static size_t rounded(size_t bytes)
{
  return bytes > SIZE_MAX - 63 ? SIZE_MAX : (bytes + 63) / 64 * 64;
}

/* Bytes of one fermion field in lanes, and of its numbers as doubles. */
static size_t field_bytes(const struct dirac_frames *d, const struct lattice *lattice)
{
  const struct fermion_shape shape = quark_shape(&d->quark, lattice, d->cube.colours);
  return rounded(fermion_bytes(&shape, FERMION_F64, lattice->blocks));
}

static size_t wide_bytes(const struct dirac_frames *d, const struct lattice *lattice)
{
  const struct fermion_shape shape = quark_shape(&d->quark, lattice, d->cube.colours);
  return rounded(saturated_mul(lattice->sites, fermion_numbers(&shape) * sizeof(double)));
}

static size_t scratch_of(const struct dirac_frames *d)
{
  const struct lattice lattice = gauge_cube_lattice(&d->cube);
  size_t fields = saturated_add(saturated_mul(2, field_bytes(d, &lattice)), wide_bytes(d, &lattice));
  return saturated_add(quark_bytes(&d->quark, &lattice, d->cube.colours), fields);
}

static size_t dirac_frame_bytes(const void *data)
{
  const struct dirac_frames *d = data;
  return gauge_work_bytes(&d->cube, scratch_of(d));
}

static int dirac_frame_open(const void *data, void **work, struct error *error)
{
  const struct dirac_frames *d = data;
  struct gauge_work *out = malloc(sizeof *out);
  if (out == NULL) {
    return error_memory(error);
  }
  if (gauge_work_open(&d->cube, scratch_of(d), out, error) != 0) {
    free(out);
    return -1;
  }
  *work = out;
  return 0;
}

static void dirac_frame_close(void *work)
{
  gauge_work_close(work);
  free(work);
}

/* The fermion field as doubles: as it is, or widened into `room`. */
static const double *wide_field(const struct dirac_frames *d, const struct fermion_shape *shape, const void *elements,
                                double *room)
{
  if (!d->narrow) {
    return elements;
  }
  fermion_widen(elements, shape->lattice->sites * fermion_numbers(shape), room);
  return room;
}

static int dirac_frame_compute(const void *data, const struct frame_job *frame, struct error *error)
{
  const struct dirac_frames *d = data;
  struct gauge_work *work = frame->work;
  unsigned char *memory = work->scratch;
  struct dirac dirac;
  bool missing;
  if (gauge_work_set(&d->cube, work, frame, &missing, error) != 0) {
    return -1;
  }
  if (missing) {
    const struct fermion_shape shape = quark_shape(&d->quark, &work->lattice, d->cube.colours);
    gauge_missing(frame->output, work->lattice.sites * fermion_numbers(&shape), false);
    return 0;
  }
  const struct gauge_job job = {.field = work->field, .threads = frame->threads, .cancel = frame->cancel};
  if (quark_open(&d->quark, &job, memory, &dirac, error) != 0) {
    return -1;
  }
  memory += quark_bytes(&d->quark, &work->lattice, d->cube.colours);
  double *in = (double *)(void *)memory, *out = (double *)(void *)(memory + field_bytes(d, &work->lattice));
  double *wide = (double *)(void *)(memory + 2 * field_bytes(d, &work->lattice));
  fermion_set(&dirac.shape, wide_field(d, &dirac.shape, frame->inputs[1], wide), in);
  dirac_apply(&dirac, in, out);
  fermion_get(&dirac.shape, out, frame->output);
  return frame_cancelled(frame, error);
}

static const struct frame_ops dirac_ops = {.name = "Dirac operator",
                                           .bytes = dirac_frame_bytes,
                                           .open = dirac_frame_open,
                                           .compute = dirac_frame_compute,
                                           .close = dirac_frame_close};

/* ---- the fermion fields ------------------------------------------------------------------------------------------ */

static int no_field(struct call *call, const struct cube *cube, size_t spins, size_t colours, const char *why)
{
  const char *names = cube_dimension_names(call->arena, cube);
  return error_parameter(
      call->error, ERROR_ProcessParameterInvalid, "field",
      "parameter 'field' of process '%s' must be a cube of fermion fields, complex elements with the "
      "axes of the gauge fields, spin (%zu) and colour (%zu): %s; it has %s elements and the "
      "dimensions %s",
      call->process->id, spins, colours, why, element_info(cube->type)->name, names ? names : "?");
}

/* Of each dimension of the fermion cube its place within a field, or NO_DIMENSION. */
static int find_field(struct call *call, const struct dirac_frames *d, const struct cube *from, int *place)
{
  static const char *const axes[] = {"x0", "x1", "x2", "x3"};
  const size_t dimensions = d->cube.dimensions, spins = dirac_spins(dimensions, d->quark.staggered != 0);
  for (size_t k = 0; k < from->dimensions; k++) {
    place[k] = NO_DIMENSION;
  }
  for (size_t k = 0; k < dimensions + 2; k++) {
    const char *name = k < dimensions ? axes[k] : k == dimensions ? "spin" : "colour";
    size_t size = k < dimensions ? d->cube.extent[k] : k == dimensions ? spins : d->cube.colours;
    size_t found = cube_find_dimension(from, name);
    if (found == SIZE_MAX || from->dimension[found].size != size) {
      return no_field(call, from, spins, d->cube.colours, "a dimension is missing or of another size");
    }
    if (k < dimensions && !dimension_counts(&from->dimension[found])) {
      return no_field(call, from, spins, d->cube.colours, "the labels of an axis are not 0, 1, …");
    }
    place[found] = (int)k;
  }
  return element_info(from->type)->is_complex
             ? 0
             : no_field(call, from, spins, d->cube.colours, "the elements are not complex");
}

/* The cube with a field's dimensions last, in their order. */
static const struct node *sorted(struct call *call, const struct node *node, const int *place, size_t inner)
{
  const struct cube *from = node->cube;
  struct cube *to = cube_copy(call->arena, from);
  struct view_dimension *view = view_identity(call->arena, from);
  if (to == NULL || view == NULL) {
    return NULL;
  }
  for (size_t k = 0, next = 0; k < from->dimensions; k++) {
    view[k].out = place[k] == NO_DIMENSION ? (int)next++ : (int)(from->dimensions - inner) + place[k];
    to->dimension[view[k].out] = from->dimension[k];
  }
  return node_view(call->arena, call_origin(call), node, to, view);
}

/* Leading dimensions of the result: those of the gauge cube, then what the fermion cube alone has. */
static int lead(struct call *call, const struct dirac_frames *d, const struct cube *field, size_t inner,
                struct cube *to, int *to_output)
{
  to->dimensions = d->cube.frames;
  memcpy(to->dimension, d->cube.node->cube->dimension, d->cube.frames * sizeof *to->dimension);
  for (size_t k = 0; k < field->dimensions; k++) {
    to_output[k] = NO_DIMENSION;
    if (k >= field->dimensions - inner) {
      continue;
    }
    size_t same = cube_find_dimension(to, field->dimension[k].name);
    if (same != SIZE_MAX && !dimension_labels_equal(&to->dimension[same], &field->dimension[k])) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "field",
                             "parameter 'field' of process '%s' must have the labels of the gauge fields along '%s'",
                             call->process->id, field->dimension[k].name);
    }
    if (same == SIZE_MAX && to->dimensions + inner >= CUBE_MAX_DIMENSIONS) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "field",
                             "parameter 'field' of process '%s' has too many dimensions: with those of the gauge "
                             "fields there would be more than %d",
                             call->process->id, CUBE_MAX_DIMENSIONS);
    }
    if (same == SIZE_MAX) {
      same = to->dimensions++;
      to->dimension[same] = field->dimension[k];
    }
    to_output[k] = (int)same;
  }
  return 0;
}

static int make_node(struct call *call, struct dirac_frames *data, const struct node *field, size_t inner,
                     struct value *result)
{
  struct frames frames = {.ops = &dirac_ops, .data = data, .cancel = call_cancel(call)};
  struct cube *to = ARENA_NEW(call->arena, struct cube);
  if (to == NULL) {
    return error_memory(call->error);
  }
  if (lead(call, data, field->cube, inner, to, frames.to_output[1]) != 0) {
    return -1;
  }
  frames.leading = to->dimensions;
  memcpy(to->dimension + to->dimensions, field->cube->dimension + field->cube->dimensions - inner,
         inner * sizeof *to->dimension);
  to->dimensions += inner;
  to->type = ELEMENT_C128;
  to->title = field->cube->title;
  gauge_cube_map(&data->cube, frames.to_output[0]);
  hash_bytes(&frames.hash, &data->quark, sizeof data->quark);
  gauge_crew_none(call, dirac_ops.name, &frames);
  const struct node *inputs[] = {data->cube.node, field};
  const struct node *node = node_frames(call->arena, call_origin(call), to, inputs, 2, &frames);
  *result = value_cube(node);
  return node != NULL ? 0 : error_memory(call->error);
}

static int lft_dirac_call(struct call *call, struct value *result)
{
  struct dirac_frames *data = ARENA_NEW(call->arena, struct dirac_frames);
  const struct node *field;
  int place[CUBE_MAX_DIMENSIONS];
  if (data == NULL) {
    return error_memory(call->error);
  }
  if (call_gauge_cube(call, "data", &data->cube) != 0 || call_quark(call, &data->cube, &data->quark) != 0 ||
      call_cube(call, "field", &field) != 0 || find_field(call, data, field->cube, place) != 0) {
    return -1;
  }
  data->narrow = field->cube->type == ELEMENT_C64;
  const size_t inner = data->cube.dimensions + 2;
  const struct node *node = sorted(call, field, place, inner);
  return node != NULL ? make_node(call, data, node, inner, result) : error_memory(call->error);
}

const struct process process_lft_dirac = {.id = "lft_dirac", .shape = PROCESS_CUBE, .call = lft_dirac_call};
