/* lft_propagator: quark propagators from a source, on each configuration of a gauge cube. */
#include "processes/lattice/gauge_share.h"
#include "processes/lattice/quark_arguments.h"
#include "processes/lattice/quark_source_arguments.h"

#include "datacube/base/checked.h"

#include <string.h>

struct propagator_arguments { /* numbers alone */
  struct quark_arguments quark;
  struct source_arguments source;
};

static size_t propagator_scratch(const struct gauge_cube *cube, const void *parameters)
{
  const struct propagator_arguments *arguments = parameters;
  const struct lattice lattice = gauge_cube_lattice(cube);
  const struct fermion_shape shape = quark_shape(&arguments->quark, &lattice, cube->colours);
  size_t room = propagator_bytes(&shape);
  size_t quark = saturated_add(quark_bytes(&arguments->quark, &lattice, cube->colours),
                               quark_modes_bytes(&arguments->quark, &shape));
  return room == 0 ? SIZE_MAX : saturated_add(quark, room);
}

/* out[site][row][column], complex, of the lattice's own sites. */
static void copy_columns(const struct fermion_shape *shape, const double *columns, double *out)
{
  const size_t size = propagator_columns(shape), blocks = shape->lattice->blocks;
  for (size_t block = 0; block < blocks; block++) {
    for (size_t lane = 0; lane < shape->lattice->lanes; lane++) {
      const size_t site = lattice_own_site(shape->lattice, block, lane);
      double *matrix = out + (site != SIZE_MAX ? site : 0) * size * size * 2;
      for (size_t i = 0; i < size * size && site != SIZE_MAX; i++) {
        const double *number = columns + ((i % size * blocks + block) * size + i / size) * 2 * LATTICE_LANES + lane;
        matrix[2 * i] = number[0];
        matrix[2 * i + 1] = number[LATTICE_LANES];
      }
    }
  }
}

static int measure_propagator(const void *parameters, const struct gauge_job *job, struct error *error)
{
  const struct propagator_arguments *arguments = parameters;
  unsigned char *memory = job->scratch;
  struct dirac dirac;
  struct dirac_modes modes;
  struct solver_report report;
  if (quark_open(&arguments->quark, job, memory, &dirac, error) != 0) {
    return -1;
  }
  memory += quark_bytes(&arguments->quark, job->field.lattice, job->field.colours);
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
  copy_columns(&dirac.shape, room.columns, job->out);
  return 0;
}

const struct gauge_op gauge_propagator_op = {.name = "propagator",
                                             .scratch = propagator_scratch,
                                             .compute = measure_propagator,
                                             .is_complex = true,
                                             .by_site = true,
                                             .reach = quark_reach};

static int lft_propagator_call(struct call *call, struct value *result)
{
  struct propagator_arguments arguments = {0};
  struct gauge_cube cube;
  if (call_gauge_cube(call, "data", &cube) != 0 || call_quark(call, &cube, &arguments.quark) != 0 ||
      call_solver(call, &cube, &arguments.quark) != 0 || call_source(call, &cube, &arguments.source) != 0) {
    return -1;
  }
  struct dimension others[LATTICE_MAX_DIMENSIONS + 4];
  const size_t d = cube.dimensions, spins = dirac_spins(d, arguments.quark.staggered != 0);
  memcpy(others, cube.node->cube->dimension + cube.frames, d * sizeof *others);
  others[d] = dimension_enumerated("spin", DIMENSION_OTHER, spins);
  others[d + 1] = dimension_enumerated("colour", DIMENSION_OTHER, cube.colours);
  others[d + 2] = dimension_enumerated("source_spin", DIMENSION_OTHER, spins);
  others[d + 3] = dimension_enumerated("source_colour", DIMENSION_OTHER, cube.colours);
  if (cube.frames + d + 4 > CUBE_MAX_DIMENSIONS) {
    return error_parameter(
        call->error, ERROR_ProcessParameterInvalid, "data",
        "parameter 'data' of process '%s' has %zu dimensions that number configurations; with those of "
        "propagators there would be more than %d",
        call->process->id, cube.frames, CUBE_MAX_DIMENSIONS);
  }
  const struct gauge_measure measure = {.op = &gauge_propagator_op, .parameters = &arguments, .size = sizeof arguments};
  return gauge_cube_measure(call, &cube, &measure, others, d + 4, result);
}

const struct process process_lft_propagator = {
    .id = "lft_propagator", .shape = PROCESS_CUBE, .call = lft_propagator_call};
