/* lft_chiral_condensate: the trace of the quark propagator, estimated by noise, on each configuration. */
#include "processes/lattice/gauge_share.h"
#include "processes/lattice/lattice_arguments.h"
#include "processes/lattice/quark_arguments.h"

#include "datacube/base/checked.h"
#include "physics/lattice/condensate.h"

#define MAX_SEED INT64_C(9007199254740991)

enum { MAX_SOURCES = 100000 };

struct condensate_arguments { /* numbers alone */
  struct quark_arguments quark;
  struct condensate_noise noise;
};

static size_t condensate_scratch(const struct gauge_cube *cube, const void *parameters)
{
  const struct condensate_arguments *arguments = parameters;
  const struct lattice lattice = gauge_cube_lattice(cube);
  const struct fermion_shape shape = quark_shape(&arguments->quark, &lattice, cube->colours);
  size_t room = condensate_bytes(&shape);
  size_t quark = saturated_add(quark_bytes(&arguments->quark, &lattice, cube->colours),
                               quark_modes_bytes(&arguments->quark, &shape));
  return room == 0 ? SIZE_MAX : saturated_add(quark, room);
}

static int measure_condensate(const void *parameters, const struct gauge_job *job, struct error *error)
{
  const struct condensate_arguments *arguments = parameters;
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
  const struct solver solver = quark_solver(&arguments->quark, job, &modes);
  if (condensate_estimate(&dirac, &job->field, &solver, &arguments->noise, memory, job->out, &report) != 0) {
    return quark_failed(&arguments->quark, job, &report, error);
  }
  return 0;
}

const struct gauge_op gauge_condensate_op = {
    .name = "chiral condensate", .scratch = condensate_scratch, .compute = measure_condensate, .reach = quark_reach};

static int lft_chiral_condensate_call(struct call *call, struct value *result)
{
  static const char *const kinds[] = {"z2", "z4", "gauss", NULL};
  static const char *const labels[] = {"scalar", "scalar_error", "pseudoscalar", "pseudoscalar_error"};
  struct condensate_arguments arguments = {0};
  struct gauge_cube cube;
  size_t seed;
  if (call_gauge_cube(call, "data", &cube) != 0 || call_quark(call, &cube, &arguments.quark) != 0 ||
      call_solver(call, &cube, &arguments.quark) != 0 ||
      lattice_choice(call, "noise", kinds, &arguments.noise.kind) != 0 ||
      lattice_count(call, "sources", 1, MAX_SOURCES, &arguments.noise.sources) != 0 ||
      lattice_count(call, "seed", 0, MAX_SEED, &seed) != 0) {
    return -1;
  }
  arguments.noise.seed = seed;
  const struct dimension observable = dimension_texts("observable", DIMENSION_BANDS, labels, 4);
  const struct gauge_measure measure = {.op = &gauge_condensate_op, .parameters = &arguments, .size = sizeof arguments};
  return gauge_cube_measure(call, &cube, &measure, &observable, 1, result);
}

const struct process process_lft_chiral_condensate = {
    .id = "lft_chiral_condensate", .shape = PROCESS_CUBE, .call = lft_chiral_condensate_call};
