/* lft_wilson_loop: Wilson loops of all sizes of each configuration of a gauge cube. */
#include "processes/lattice/gauge_cube.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_wilson_loop.h"

enum { MAX_SIDE = 64 };

static size_t scratch_bytes(const struct gauge_cube *cube, const void *parameters)
{
  const struct lattice lattice = gauge_cube_lattice(cube);
  return gauge_wilson_loop_bytes(&lattice, cube->colours, parameters);
}

static int measure_loops(const void *parameters, const struct gauge_job *job, struct error *error)
{
  (void)error;
  gauge_wilson_loops(&job->field, parameters, job->threads, job->cancel, job->scratch, job->out);
  return 0;
}

static const struct gauge_op loops_op = {.name = "Wilson loops", .scratch = scratch_bytes, .compute = measure_loops};

static struct dimension lengths(const char *name, size_t most)
{
  struct dimension lengths = dimension_enumerated(name, DIMENSION_OTHER, most);
  lengths.enumerated = false;
  lengths.start = 1;
  lengths.step = 1;
  return lengths;
}

static int lft_wilson_loop_call(struct call *call, struct value *result)
{
  struct gauge_loop_sizes sizes;
  struct gauge_cube cube;
  if (call_gauge_cube(call, "data", &cube) != 0 || lattice_count(call, "r", 1, MAX_SIDE, &sizes.r) != 0 ||
      lattice_count(call, "t", 1, MAX_SIDE, &sizes.t) != 0)
    return -1;
  const struct gauge_measure measure = {.op = &loops_op, .parameters = &sizes, .size = sizeof sizes};
  const struct dimension others[] = {lengths("r", sizes.r), lengths("t", sizes.t)};
  return gauge_cube_measure(call, &cube, &measure, others, 2, result);
}

const struct process process_lft_wilson_loop = {
    .id = "lft_wilson_loop", .shape = PROCESS_CUBE, .call = lft_wilson_loop_call};
