/* lft_gauge_transformation: a random gauge transformation of all fields of a gauge cube. */
#include "processes/lattice/gauge_cube.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_transform.h"

#define MAX_SEED INT64_C(9007199254740991)

static size_t scratch_bytes(const struct gauge_cube *cube, const void *parameters)
{
  const struct lattice lattice = gauge_cube_lattice(cube);
  (void)parameters;
  return gauge_sites_bytes(&lattice, cube->colours);
}

static int transform(const void *parameters, const struct gauge_job *job, struct error *error)
{
  struct gauge_field field = job->field;
  (void)error;
  gauge_random_sites(field.lattice, field.colours, *(const size_t *)parameters, job->threads, job->scratch);
  gauge_transform(&field, job->scratch, job->threads);
  return 0;
}

static const struct gauge_op transform_op = {
    .name = "gauge transformation", .scratch = scratch_bytes, .compute = transform};

static int lft_gauge_transformation_call(struct call *call, struct value *result)
{
  struct gauge_cube cube;
  size_t seed;
  if (call_gauge_cube(call, "data", &cube) != 0 || lattice_count(call, "seed", 0, MAX_SEED, &seed) != 0)
    return -1;
  const struct gauge_measure measure = {.op = &transform_op, .parameters = &seed, .size = sizeof seed};
  return gauge_cube_change(call, &cube, &measure, result);
}

const struct process process_lft_gauge_transformation = {
    .id = "lft_gauge_transformation", .shape = PROCESS_CUBE, .call = lft_gauge_transformation_call};
