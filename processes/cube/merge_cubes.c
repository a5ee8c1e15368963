/* merge_cubes: two cubes as one. Dimensions match by name; x and y of the second follow the first; a dimension whose
 * labels differ becomes a stack of the labels of both, and where both have a value, or one of them lacks a dimension,
 * the resolver decides. */
#include "processes/cube/shape.h"
#include "processes/resample/regrid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct joined { /* a dimension of the result */
  struct dimension dimension;
  int in[2];              /* dimension of each cube, or NO_DIMENSION */
  bool differs;           /* labels are not the same in both */
  const size_t *index[2]; /* differs: index of each label in each cube, SIZE_MAX where it lacks the label */
};

struct merge {
  struct call *call;
  const struct node *cubes[2];
  struct joined joined[CUBE_MAX_DIMENSIONS];
  size_t count;
  const struct callback *resolver;
  struct program *program;        /* of the resolver, made at the first use */
  struct lanes result;
  const struct cube *cube;        /* of the result */
  size_t chosen[CUBE_MAX_DIMENSIONS]; /* label per differing dimension, while stacking */
};

/* ---- labels ----------------------------------------------------------------------------------------------------- */

static size_t find_label(const struct dimension *in, const struct dimension *of, size_t i)
{
  for (size_t k = 0; k < in->size; k++)
    if (dimension_same_label(in, k, of, i))
      return k;
  return SIZE_MAX;
}

struct label_source { /* label i of cube c */
  size_t cube, index;
  int64_t time;
};

static int by_time(const void *a, const void *b)
{
  int64_t x = ((const struct label_source *)a)->time, y = ((const struct label_source *)b)->time;
  return (x > y) - (x < y);
}

/* All labels: those of the first, then those only the second has; dates in order. */
static size_t list_labels(const struct dimension *a, const struct dimension *b, struct label_source *out)
{
  size_t n = 0;
  for (size_t i = 0; i < a->size; i++)
    out[n++] = (struct label_source){0, i, a->times ? a->times[i] : 0};
  for (size_t i = 0; i < b->size; i++)
    if (find_label(a, b, i) == SIZE_MAX)
      out[n++] = (struct label_source){1, i, b->times ? b->times[i] : 0};
  if (a->labels == LABEL_TIME && b->labels == LABEL_TIME)
    qsort(out, n, sizeof *out, by_time);
  return n;
}

static int join_labels(struct call *call, const struct dimension *a, const struct dimension *b, struct joined *out)
{
  const struct dimension *both[2] = {a, b};
  struct label_source *labels = ARENA_ARRAY(call->arena, struct label_source, a->size + b->size);
  size_t n = labels ? list_labels(a, b, labels) : 0;
  const char **texts = ARENA_ARRAY(call->arena, const char *, n);
  double *numbers = ARENA_ARRAY(call->arena, double, n);
  int64_t *times = ARENA_ARRAY(call->arena, int64_t, n);
  size_t *index[2] = {ARENA_ARRAY(call->arena, size_t, n), ARENA_ARRAY(call->arena, size_t, n)};
  bool dated = a->labels == LABEL_TIME && b->labels == LABEL_TIME, numeric = a->labels != LABEL_TEXT && b->labels != LABEL_TEXT && !dated;
  if (!labels || !texts || !numbers || !times || !index[0] || !index[1])
    return error_memory(call->error);
  for (size_t i = 0; i < n; i++) {
    const struct dimension *from = both[labels[i].cube];
    char room[LABEL_TEXT_ROOM];
    texts[i] = arena_strdup(call->arena, dimension_label_text(from, labels[i].index, room));
    numbers[i] = dimension_label_number(from, labels[i].index);
    times[i] = labels[i].time;
    index[0][i] = find_label(a, from, labels[i].index);
    index[1][i] = find_label(b, from, labels[i].index);
  }
  out->dimension = *a;
  out->dimension.size = n;
  out->dimension.enumerated = false;
  out->dimension.labels = dated ? LABEL_TIME : numeric ? LABEL_NUMBER : LABEL_TEXT;
  out->dimension.texts = dated && !a->texts && !b->texts ? NULL : texts;
  out->dimension.numbers = numbers;
  out->dimension.times = times;
  out->differs = true;
  out->index[0] = index[0];
  out->index[1] = index[1];
  return 0;
}

static int join_dimensions(struct merge *m)
{
  size_t first = m->cubes[1]->cube->dimensions > m->cubes[0]->cube->dimensions; /* the cube with more dimensions leads */
  for (size_t pass = 0; pass < 2; pass++) {
    size_t c = pass ^ first, other = 1 - c;
    for (size_t d = 0; d < m->cubes[c]->cube->dimensions; d++) {
      const struct dimension *dimension = &m->cubes[c]->cube->dimension[d];
      size_t there = cube_find_dimension(m->cubes[other]->cube, dimension->name);
      if (pass == 1 && there != SIZE_MAX)
        continue;
      if (m->count == CUBE_MAX_DIMENSIONS)
        return error_set(m->call->error, "ProcessGraphComplexity", "a cube has at most %d dimensions", (int)CUBE_MAX_DIMENSIONS);
      struct joined *joined = &m->joined[m->count++];
      *joined = (struct joined){.dimension = *dimension};
      joined->in[c] = (int)d;
      joined->in[other] = there == SIZE_MAX ? NO_DIMENSION : (int)there;
      if (there == SIZE_MAX)
        continue;
      const struct dimension *a = &m->cubes[0]->cube->dimension[joined->in[0]], *b = &m->cubes[1]->cube->dimension[joined->in[1]];
      if (a->type != b->type)
        return error_parameter(m->call->error, "IncompatibleDataCubes", "cube2", "dimension '%s' is %s in one cube and %s in the other", a->name,
                               dimension_type_name(a->type), dimension_type_name(b->type));
      if (!dimension_labels_equal(a, b) && join_labels(m->call, a, b, joined) != 0)
        return -1;
    }
  }
  return 0;
}

/* ---- elements --------------------------------------------------------------------------------------------------- */

static bool broadcasts(const struct merge *m)
{
  for (size_t i = 0; i < m->count; i++)
    if (m->joined[i].in[0] == NO_DIMENSION || m->joined[i].in[1] == NO_DIMENSION)
      return true;
  return false;
}

/* Whether some element of the result has values in both cubes. */
static bool overlaps(const struct merge *m)
{
  for (size_t i = 0; i < m->count; i++) {
    bool some = !m->joined[i].differs;
    for (size_t k = 0; !some && k < m->joined[i].dimension.size; k++)
      some = m->joined[i].index[0][k] != SIZE_MAX && m->joined[i].index[1][k] != SIZE_MAX;
    if (!some)
      return false;
  }
  return true;
}

static int run_resolver(struct merge *m)
{
  struct call *call = m->call;
  struct value value;
  if (!m->resolver)
    return error_parameter(call->error, "OverlapResolverMissing", "overlap_resolver",
                           broadcasts(m) ? "one cube lacks a dimension of the other: a process must say how to combine the values"
                                         : "both cubes have values at the same labels: a process must say how to combine them");
  m->program = program_new(call->arena);
  if (!m->program)
    return error_memory(call->error);
  struct argument parameters[] = {{"x", value_lanes(program_input(m->program, 0, false, 1, m->cubes[0]->cube->type, NULL))},
                                  {"y", value_lanes(program_input(m->program, 1, false, 1, m->cubes[1]->cube->type, NULL))},
                                  {"context", call_context(call)}};
  if (call_run_callback(call, m->resolver, m->program, parameters, 3, &value) != 0)
    return -1;
  return callback_lanes(call, m->program, &value, false, "overlap_resolver", &m->result);
}

/* Type of the result: that of both cubes where they agree (and the resolver keeps it), else a float. */
static void set_type(const struct merge *m, struct cube *cube)
{
  const struct cube *a = m->cubes[0]->cube, *b = m->cubes[1]->cube;
  bool same_nodata = a->has_nodata == b->has_nodata && (!a->has_nodata || a->nodata == b->nodata || (isnan(a->nodata) && isnan(b->nodata)));
  bool stacks = false;
  for (size_t i = 0; i < m->count; i++)
    stacks = stacks || m->joined[i].differs;
  if (m->program) {
    struct kernel_input inputs[] = {{.node = m->cubes[0]}, {.node = m->cubes[1]}};
    cube_set_result_type(cube, &m->result, inputs, 2);
    if (!stacks)
      return;
  } else {
    cube->type = a->type;
    cube->has_nodata = a->has_nodata;
    cube->nodata = a->nodata;
  }
  bool holes = !a->has_nodata && !element_info(a->type)->is_float && stacks && m->program; /* resolvers may give NA */
  if (cube->type == a->type && a->type == b->type && same_nodata && !holes)
    return;
  bool narrow = element_info(a->type)->exact_in_f32 && element_info(b->type)->exact_in_f32 && element_info(cube->type)->exact_in_f32;
  cube->type = narrow ? ELEMENT_F32 : ELEMENT_F64;
  cube->has_nodata = true;
  cube->nodata = NAN;
}

/* The part of cube c at the chosen labels, its differing dimensions of size 1; NULL in *out where it lacks one. */
static int part_of(struct merge *m, size_t c, const struct node **out)
{
  struct value value = value_cube(m->cubes[c]);
  *out = NULL;
  for (size_t i = 0; i < m->count; i++) {
    if (!m->joined[i].differs)
      continue;
    size_t index = m->joined[i].index[c][m->chosen[i]];
    if (index == SIZE_MAX)
      return 0;
    if (view_pick(m->call, value.cube, (size_t)m->joined[i].in[c], &index, 1, &value) != 0)
      return -1;
  }
  *out = value.cube;
  return 0;
}

/* The cube at the labels chosen for the differing dimensions before `end`. */
static struct cube *chosen_cube(const struct merge *m, size_t end)
{
  struct cube *cube = cube_copy(m->call->arena, m->cube);
  for (size_t i = 0; cube && i < end; i++)
    if (m->joined[i].differs &&
        dimension_pick(m->call->arena, &m->joined[i].dimension, &m->chosen[i], 1, &cube->dimension[i]) != 0)
      return NULL;
  return cube;
}

/* The result at the chosen labels. */
static int make_leaf(struct merge *m, const struct node **out)
{
  const struct node *parts[2];
  struct cube *cube = chosen_cube(m, m->count);
  if (!cube)
    return error_memory(m->call->error);
  if (part_of(m, 0, &parts[0]) != 0 || part_of(m, 1, &parts[1]) != 0)
    return -1;
  if (parts[0] && parts[1])
    return kernel_by_names(m->call, cube, parts, 2, m->program, m->result, out);
  struct program *program = program_new(m->call->arena);
  if (!program)
    return error_memory(m->call->error);
  const struct node *only = parts[0] ? parts[0] : parts[1];
  struct lanes lanes = only ? program_input(program, 0, false, 1, only->cube->type, NULL) : program_missing(program);
  return kernel_by_names(m->call, cube, &only, only ? 1 : 0, program, lanes, out);
}

/* Stacks over the differing dimensions from `from` on. */
static int make_stack(struct merge *m, size_t from, const struct node **out)
{
  while (from < m->count && !m->joined[from].differs)
    from++;
  if (from == m->count)
    return make_leaf(m, out);
  size_t size = m->joined[from].dimension.size;
  const struct node **children = ARENA_ARRAY(m->call->arena, const struct node *, size);
  struct cube *cube = chosen_cube(m, from);
  if (!children || !cube)
    return error_memory(m->call->error);
  for (size_t k = 0; k < size; k++) {
    m->chosen[from] = k;
    if (make_stack(m, from + 1, &children[k]) != 0)
      return -1;
  }
  *out = node_stack(m->call->arena, call_origin(m->call), cube, (int)from, children);
  return *out ? 0 : error_memory(m->call->error);
}

/* Band metadata of the merged labels. */
static const struct band_info *merge_bands(struct merge *m, const struct joined *bands)
{
  const struct band_info *infos[2] = {m->cubes[0]->cube->bands, m->cubes[1]->cube->bands};
  if (!bands->differs)
    return infos[0] ? infos[0] : infos[1];
  struct band_info *out = infos[0] || infos[1] ? ARENA_ARRAY(m->call->arena, struct band_info, bands->dimension.size) : NULL;
  for (size_t i = 0; out && i < bands->dimension.size; i++) {
    size_t c = bands->index[0][i] == SIZE_MAX;
    out[i] = infos[c] ? infos[c][bands->index[c][i]] : (struct band_info){.scale = 1};
  }
  return out;
}

static int describe(struct merge *m)
{
  struct cube *cube = cube_copy(m->call->arena, m->cubes[0]->cube);
  if (!cube)
    return error_memory(m->call->error);
  cube->dimensions = m->count;
  cube->bands = NULL;
  if (!cube->crs)
    cube->crs = m->cubes[1]->cube->crs;
  for (size_t i = 0; i < m->count; i++) {
    cube->dimension[i] = m->joined[i].dimension;
    if (cube->dimension[i].type == DIMENSION_BANDS)
      cube->bands = merge_bands(m, &m->joined[i]);
  }
  set_type(m, cube);
  m->cube = cube;
  return 0;
}

static int merge_cubes_call(struct call *call, struct value *result)
{
  struct merge m = {.call = call};
  const struct node *second, *node;
  if (call_cube(call, "cube1", &m.cubes[0]) != 0 || call_cube(call, "cube2", &second) != 0 ||
      regrid_like(call, second, m.cubes[0], "cube2", &m.cubes[1]) != 0)
    return -1;
  if (call_has(call, "overlap_resolver") && call_callback_argument(call, "overlap_resolver", &m.resolver) != 0)
    return -1;
  if (join_dimensions(&m) != 0)
    return -1;
  if (overlaps(&m) && run_resolver(&m) != 0)
    return -1;
  if (describe(&m) != 0 || make_stack(&m, 0, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_merge_cubes = {.id = "merge_cubes", .shape = PROCESS_CUBE, .call = merge_cubes_call};
