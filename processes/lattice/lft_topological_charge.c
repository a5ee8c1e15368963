/* lft_topological_charge: of each configuration of a gauge cube. */
#include "processes/lattice/gauge_share.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_observables.h"

enum charge_method { CHARGE_CLOVER, CHARGE_IMPROVED, CHARGE_GEOMETRIC };
static const char *const names[] = {"clover", "improved", "geometric", NULL};

static int measure_charge(const void *parameters, const struct gauge_job *job, struct error *error)
{
  size_t method = *(const size_t *)parameters;
  struct gauge_topology topology;
  (void)error;
  if (method == CHARGE_GEOMETRIC) {
    job->out[0] = gauge_geometric_charge(&job->field, job->threads);
    return 0;
  }
  gauge_topology(&job->field, method == CHARGE_CLOVER ? GAUGE_CLOVER : GAUGE_IMPROVED, job->threads, &topology);
  job->out[0] = topology.charge;
  return 0;
}

static size_t reach(const void *parameters)
{
  return *(const size_t *)parameters == CHARGE_IMPROVED ? 2 : 1;
}

const struct gauge_op gauge_charge_op = {.name = "topological charge", .compute = measure_charge, .reach = reach};

/* Where the field has one: in four dimensions, and U(1) in two. */
static int check_charge(struct call *call, const struct gauge_cube *cube, size_t method)
{
  bool flat = cube->dimensions == 2 && cube->colours == 1;
  if (method == CHARGE_GEOMETRIC && !flat)
    return error_parameter(
        call->error, ERROR_ProcessParameterInvalid, "method",
        "the geometric charge is that of U(1) fields in two dimensions; the field has %zu dimensions "
        "and %zu colours",
        cube->dimensions, cube->colours);
  if (flat || cube->dimensions == LATTICE_MAX_DIMENSIONS)
    return 0;
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                         "a topological charge have fields in four dimensions, and U(1) fields in two; the field has "
                         "%zu dimensions and %zu colours",
                         cube->dimensions, cube->colours);
}

static int lft_topological_charge_call(struct call *call, struct value *result)
{
  struct gauge_cube cube;
  size_t method;
  if (call_gauge_cube(call, "data", &cube) != 0 || lattice_choice(call, "method", names, &method) != 0 ||
      check_charge(call, &cube, method) != 0)
    return -1;
  const struct gauge_measure measure = {.op = &gauge_charge_op, .parameters = &method, .size = sizeof method};
  return gauge_cube_measure(call, &cube, &measure, NULL, 0, result);
}

const struct process process_lft_topological_charge = {
    .id = "lft_topological_charge", .shape = PROCESS_CUBE, .call = lft_topological_charge_call};
