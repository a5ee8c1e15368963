#include "processes/array/kept.h"

static const double skip_missing = 1; /* parameter 0 of a reducer or series */

int kept_unsupported(struct call *call, const char *name)
{
  return error_parameter(call->error, ERROR_FeatureUnsupported, name,
                         "the array has elements of its own at each pixel, because the condition of 'array_filter' "
                         "depends on the pixel; process '%s' needs an array whose length is the same everywhere",
                         call->process->id);
}

int call_kept_array(struct call *call, const char *name, struct lanes *out, const struct lanes **kept)
{
  const struct value *value = call_argument(call, name);
  *kept = value != NULL && value->kind == VALUE_LANES ? value->kept : NULL;
  if (*kept == NULL)
    return call_lanes_array(call, name, out);
  *out = value->lanes;
  return 0;
}

struct lanes kept_mask(struct program *p, struct lanes data, struct lanes kept)
{
  return program_binary(p, KOP_MASK, data, program_unary(p, KOP_NOT, kept));
}

struct lanes all_indexes(struct program *p, size_t count)
{
  double *numbers = ARENA_ARRAY(p->arena, double, count);
  if (numbers == NULL) {
    p->failed = true;
    return program_missing(p);
  }
  for (size_t i = 0; i < count; i++)
    numbers[i] = (double)i;
  return program_array(p, numbers, count);
}

struct lanes kept_indexes(struct program *p, struct lanes kept)
{
  struct lanes so_far = program_series(p, KSER_CUMSUM, kept, &skip_missing, 1);
  return program_binary(p, KOP_SUB, so_far, program_constant(p, 1));
}

/* The one element whose index (in the whole array) is the scalar `index`; missing where that is. */
static struct lanes at_index(struct program *p, struct lanes data, struct lanes indexes, struct lanes index)
{
  struct lanes others = program_binary(p, KOP_NEQ, indexes, index);
  struct lanes nowhere = program_unary(p, KOP_IS_NODATA, others);
  struct lanes only = program_binary(p, KOP_MASK, data, program_binary(p, KOP_OR, others, nowhere));
  return program_reduce(p, KRED_FIRST, only, &skip_missing, 1);
}

struct lanes kept_element(struct program *p, struct lanes data, struct lanes kept, size_t i)
{
  struct lanes here = program_binary(p, KOP_EQ, kept_indexes(p, kept), program_constant(p, (double)i));
  return program_reduce(p, KRED_FIRST, kept_mask(p, data, program_binary(p, KOP_AND, here, kept)), &skip_missing, 1);
}

/* The first or last element that is left, be it missing. */
static struct lanes end_element(struct program *p, struct lanes data, struct lanes kept, bool is_first)
{
  struct lanes indexes = all_indexes(p, data.length);
  enum kernel_reducer outermost = is_first ? KRED_MIN : KRED_MAX;
  struct lanes index = program_reduce(p, outermost, kept_mask(p, indexes, kept), &skip_missing, 1);
  return at_index(p, data, indexes, index);
}

/* How many of these booleans are true. */
static struct lanes count_true(struct program *p, struct lanes booleans)
{
  const double parameters[] = {1, 2};
  return program_reduce(p, KRED_COUNT, booleans, parameters, 2);
}

/* Three-valued logic where missing elements count: as the reducer has it, a single one is as good as nothing. */
static struct lanes decide(struct program *p, enum kernel_reducer reducer, struct lanes data, struct lanes kept)
{
  struct lanes answer = program_reduce(p, reducer, kept_mask(p, data, kept), &skip_missing, 1);
  struct lanes undecided = reducer == KRED_ALL ? answer : program_unary(p, KOP_NOT, answer);
  struct lanes missing = program_unary(p, KOP_NOT, program_unary(p, KOP_IS_VALID, data));
  struct lanes some =
      program_binary(p, KOP_GT, count_true(p, program_binary(p, KOP_AND, missing, kept)), program_constant(p, 0));
  struct lanes several = program_binary(p, KOP_GT, count_true(p, kept), program_constant(p, 1));
  return program_binary(p, KOP_MASK, answer,
                        program_binary(p, KOP_AND, undecided, program_binary(p, KOP_AND, some, several)));
}

/* With the others missing and skipped over; a missing one among those left makes the result missing where it counts. */
static struct lanes reduce_masked(struct program *p, enum kernel_reducer reducer, struct lanes data, struct lanes kept,
                                  const double *parameters, size_t count)
{
  double *skipping = arena_copy(p->arena, parameters, count * sizeof *parameters);
  if (skipping == NULL) {
    p->failed = true;
    return program_missing(p);
  }
  skipping[0] = skip_missing;
  struct lanes result = program_reduce(p, reducer, kept_mask(p, data, kept), skipping, count);
  if (parameters[0] != 0 || reducer == KRED_COUNT)
    return result;
  struct lanes missing = program_binary(p, KOP_AND, program_unary(p, KOP_IS_NODATA, data), kept);
  return program_binary(p, KOP_MASK, result, program_binary(p, KOP_GT, count_true(p, missing), program_constant(p, 0)));
}

struct lanes kept_reduce(struct program *p, enum kernel_reducer reducer, struct lanes data, const struct lanes *kept,
                         const double *parameters, size_t count)
{
  if (kept == NULL)
    return program_reduce(p, reducer, data, parameters, count);
  bool ignore = parameters[0] != 0;
  if (!ignore && (reducer == KRED_FIRST || reducer == KRED_LAST))
    return end_element(p, data, *kept, reducer == KRED_FIRST);
  if (!ignore && (reducer == KRED_ALL || reducer == KRED_ANY))
    return decide(p, reducer, data, *kept);
  if (reducer == KRED_COUNT && parameters[1] == 1)
    return count_true(p, *kept);
  return reduce_masked(p, reducer, data, *kept, parameters, count);
}
