/* lft_meson_correlator: two-point functions of mesons on each configuration of a gauge cube. */
#include "processes/lattice/gauge_share.h"
#include "processes/lattice/lattice_arguments.h"
#include "processes/lattice/quark_arguments.h"
#include "processes/lattice/quark_source_arguments.h"

#include "datacube/base/checked.h"
#include "physics/lattice/meson.h"

#include <string.h>

enum { MAX_MOMENTA = 32, MAX_MOMENTUM = 1000 };

struct meson_arguments { /* numbers alone */
  struct quark_arguments quark;
  struct source_arguments source;
  size_t momenta;
  int momentum[MAX_MOMENTA][LATTICE_MAX_DIMENSIONS];
};

static size_t meson_scratch(const struct gauge_cube *cube, const void *parameters)
{
  const struct meson_arguments *arguments = parameters;
  const struct lattice lattice = gauge_cube_lattice(cube);
  const struct fermion_shape shape = quark_shape(&arguments->quark, &lattice, cube->colours);
  size_t room = propagator_bytes(&shape);
  size_t quark = saturated_add(quark_bytes(&arguments->quark, &lattice, cube->colours),
                               quark_modes_bytes(&arguments->quark, &shape));
  return room == 0 ? SIZE_MAX : saturated_add(quark, room);
}

static int measure_mesons(const void *parameters, const struct gauge_job *job, struct error *error)
{
  const struct meson_arguments *arguments = parameters;
  const struct lattice *lattice = job->field.lattice;
  unsigned char *memory = job->scratch;
  struct dirac dirac;
  struct dirac_modes modes;
  struct solver_report report;
  if (quark_open(&arguments->quark, job, memory, &dirac, error) != 0) {
    return -1;
  }
  memory += quark_bytes(&arguments->quark, lattice, job->field.colours);
  if (quark_deflate(&arguments->quark, job, &dirac, memory, &modes, error) != 0) {
    return -1;
  }
  memory += quark_modes_bytes(&arguments->quark, &dirac.shape);
  const struct propagator_room room = propagator_room(&dirac.shape, memory);
  const struct quark_source source = quark_source_of(&arguments->source, &job->field);
  const struct solver solver = quark_solver(&arguments->quark, job, &modes);
  if (propagator_solve(&dirac, &solver, &source, &room, &report) != 0) {
    return quark_failed(&arguments->quark, job, &report, error);
  }
  struct meson_request request = {
      .momenta = arguments->momenta,
      .momentum = arguments->momentum,
      .weight = source.kind == SOURCE_NOISE ? (double)lattice->extent[0] / (double)lattice->sites : 1};
  memcpy(request.source, source.place, sizeof request.source);
  meson_correlators(&dirac, room.columns, &request, job->out);
  return 0;
}

const struct gauge_op gauge_mesons_op = {
    .name = "meson correlators", .scratch = meson_scratch, .compute = measure_mesons, .reach = quark_reach};

static int invalid_momenta(struct call *call, size_t axes, const char *why)
{
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "momenta",
                         "parameter 'momenta' of process '%s' must be an array of 1 to %d arrays of %zu whole numbers "
                         "from %d to %d, one for each spatial axis: %s",
                         call->process->id, MAX_MOMENTA, axes, -MAX_MOMENTUM, MAX_MOMENTUM, why);
}

static int read_momentum(struct call *call, const struct value *given, size_t axes, int *out)
{
  if (given->kind != VALUE_ARRAY || given->count != axes) {
    return invalid_momenta(call, axes, "one has no, too few or too many components");
  }
  for (size_t k = 0; k < axes; k++) {
    double number = given->items[k].kind == VALUE_NUMBER ? given->items[k].number : 0.5;
    if (!(number >= -MAX_MOMENTUM && number <= MAX_MOMENTUM) || number != (int)number) {
      return invalid_momenta(call, axes, "a component is not a whole number, or out of range");
    }
    out[k + 1] = (int)number;
  }
  return 0;
}

static int read_momenta(struct call *call, const struct gauge_cube *cube, struct meson_arguments *out)
{
  const struct value *given = call_argument(call, "momenta");
  const size_t axes = cube->dimensions - 1;
  bool moves = false;
  out->momenta = 1;
  if (given == NULL || given->kind == VALUE_NULL) {
    return 0;
  }
  if (given->kind != VALUE_ARRAY || given->count < 1 || given->count > MAX_MOMENTA) {
    return invalid_momenta(call, axes, "there is none, or there are too many");
  }
  out->momenta = given->count;
  for (size_t i = 0; i < given->count; i++) {
    if (read_momentum(call, &given->items[i], axes, out->momentum[i]) != 0) {
      return -1;
    }
    for (size_t k = 1; k <= axes; k++) {
      moves = moves || out->momentum[i][k] != 0;
    }
  }
  return moves && out->source.kind != SOURCE_POINT
             ? invalid_momenta(call, axes, "with a source that is no point all must be 0")
             : 0;
}

/* "1,0,0" */
static int momentum_labels(struct call *call, const struct meson_arguments *arguments, size_t axes,
                           struct dimension *out)
{
  const char **labels = ARENA_ARRAY(call->arena, const char *, arguments->momenta);
  for (size_t i = 0; labels != NULL && i < arguments->momenta; i++) {
    labels[i] = "";
    for (size_t k = 1; k <= axes && labels[i] != NULL; k++) {
      labels[i] = arena_printf(call->arena, "%s%s%d", labels[i], k > 1 ? "," : "", arguments->momentum[i][k]);
    }
    if (labels[i] == NULL) {
      return error_memory(call->error);
    }
    for (size_t j = 0; j < i; j++) {
      if (strcmp(labels[i], labels[j]) == 0) {
        return invalid_momenta(call, axes, "one is given twice");
      }
    }
  }
  *out = dimension_texts("momentum", DIMENSION_OTHER, labels, arguments->momenta);
  return labels != NULL ? 0 : error_memory(call->error);
}

static int lft_meson_correlator_call(struct call *call, struct value *result)
{
  struct meson_arguments arguments = {0};
  struct gauge_cube cube;
  struct dimension momenta;
  if (call_gauge_cube(call, "data", &cube) != 0 || call_quark(call, &cube, &arguments.quark) != 0 ||
      call_solver(call, &cube, &arguments.quark) != 0 || call_source(call, &cube, &arguments.source) != 0 ||
      read_momenta(call, &cube, &arguments) != 0 ||
      momentum_labels(call, &arguments, cube.dimensions - 1, &momenta) != 0) {
    return -1;
  }
  size_t spins = dirac_spins(cube.dimensions, arguments.quark.staggered != 0);
  const struct dimension others[] = {
      dimension_texts("gamma", DIMENSION_BANDS, meson_names(spins), meson_structures(spins)), momenta,
      dimension_enumerated("t", DIMENSION_OTHER, cube.extent[0])};
  const struct gauge_measure measure = {.op = &gauge_mesons_op, .parameters = &arguments, .size = sizeof arguments};
  return gauge_cube_measure(call, &cube, &measure, others, 3, result);
}

const struct process process_lft_meson_correlator = {
    .id = "lft_meson_correlator", .shape = PROCESS_CUBE, .call = lft_meson_correlator_call};
