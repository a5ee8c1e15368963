/* merge_cubes: two cubes as one. Dimensions match by name; x and y of the second follow the first; a dimension whose
 * labels differ has the labels of both. The value is that of the cube that has the label; where both have it, or one of
 * them lacks a dimension, the resolver decides.
 *
 * A few joint labels (bands) are a stack: which cube a label comes from is settled while planning, and costs nothing in
 * the kernel. Many (dates) are two views with holes, one a cube, and one kernel that chooses. */
#include "processes/cube/join_labels.h"
#include "processes/cube/shape.h"
#include "processes/resample/regrid.h"

#include "datacube/base/checked.h"
#include "datacube/base/missing.h"
#include "datacube/geometry.h"
#include "datacube/source/memory_source.h"

#include <math.h>

enum { FEW_LABELS = 64 };

struct joined {                /* a dimension of the result */
  struct joined_labels labels; /* index: only where the labels differ */
  int in[2];                   /* dimension of each cube, or NO_DIMENSION */
  bool differs;                /* labels are not the same in both */
};

struct merge {
  struct call *call;
  const struct node *cubes[2];
  struct joined joined[CUBE_MAX_DIMENSIONS];
  size_t count;
  const struct callback *resolver;
  bool resolves; /* some element has values in both cubes */
  struct program *program;
  struct lanes values[2];             /* of the cubes */
  struct lanes result;                /* of the resolver, where it resolves */
  const struct cube *cube;            /* of the result */
  size_t chosen[CUBE_MAX_DIMENSIONS]; /* label per differing dimension, while stacking */
};

/* ---- dimensions ------------------------------------------------------------------------------------------------- */

/* Points, lines and polygons, as bits. */
static unsigned base_types(const struct geometry_set *set)
{
  static const unsigned bits[] = {
      [GEOMETRY_POINT] = 1,   [GEOMETRY_MULTIPOINT] = 1,   [GEOMETRY_LINE] = 2,      [GEOMETRY_MULTILINE] = 2,
      [GEOMETRY_POLYGON] = 4, [GEOMETRY_MULTIPOLYGON] = 4, [GEOMETRY_COLLECTION] = 8};
  unsigned found = 0;
  for (size_t i = 0; i < set->count; i++)
    found |= bits[set->items[i].type];
  return found;
}

static int check_geometries(const struct merge *m, const struct dimension *a, const struct dimension *b)
{
  const struct geometry_set *one = a->geometries, *other = b->geometries;
  if (!crs_equal(one->crs, other->crs))
    return error_parameter(m->call->error, ERROR_IncompatibleDataCubes, "cube2",
                           "the geometries are in %.60s and in %.60s: use vector_reproject first", one->crs,
                           other->crs);
  unsigned types = base_types(one), others = base_types(other);
  if (types == others || types == 0 || others == 0)
    return 0;
  return error_parameter(m->call->error, ERROR_IncompatibleGeometryTypes, "cube2",
                         "points, lines and polygons cannot be merged with each other");
}

/* Dimensions of pixels in one cube, of geometries in the other. */
static bool is_mixture(const struct cube *a, const struct cube *b)
{
  return cube_find_geometries(a) != SIZE_MAX && cube_find_axis(b, 'x') != SIZE_MAX &&
         cube_find_axis(a, 'x') == SIZE_MAX;
}

static int join_shared(struct merge *m, struct joined *joined)
{
  const struct dimension *a = &m->cubes[0]->cube->dimension[joined->in[0]];
  const struct dimension *b = &m->cubes[1]->cube->dimension[joined->in[1]];
  if (a->type != b->type)
    return error_parameter(m->call->error, ERROR_IncompatibleDataCubes, "cube2",
                           "dimension '%s' is %s in one cube and %s in the other", a->name,
                           dimension_type_name(a->type), dimension_type_name(b->type));
  if (a->labels == LABEL_TIME && b->labels == LABEL_TIME && a->calendar != b->calendar && a->size && b->size)
    return error_parameter(m->call->error, ERROR_IncompatibleDataCubes, "cube2",
                           "the dates of dimension '%s' belong to different calendars", a->name);
  if (a->labels == LABEL_GEOMETRY && b->labels == LABEL_GEOMETRY && check_geometries(m, a, b) != 0)
    return -1;
  joined->differs = !dimension_labels_equal(a, b);
  return joined->differs ? join_labels(m->call->arena, a, b, &joined->labels, m->call->error) : 0;
}

static int join_dimensions(struct merge *m)
{
  size_t first = m->cubes[1]->cube->dimensions > m->cubes[0]->cube->dimensions; /* the one with more of them leads */
  for (size_t pass = 0; pass < 2; pass++) {
    size_t c = pass ^ first, other = 1 - c;
    for (size_t d = 0; d < m->cubes[c]->cube->dimensions; d++) {
      const struct dimension *dimension = &m->cubes[c]->cube->dimension[d];
      size_t there = cube_find_dimension(m->cubes[other]->cube, dimension->name);
      if (pass == 1 && there != SIZE_MAX)
        continue;
      if (m->count == CUBE_MAX_DIMENSIONS)
        return error_set(m->call->error, ERROR_ProcessGraphComplexity, "a cube has at most %d dimensions",
                         (int)CUBE_MAX_DIMENSIONS);
      struct joined *joined = &m->joined[m->count++];
      *joined = (struct joined){.labels = {.dimension = *dimension}};
      joined->in[c] = (int)d;
      joined->in[other] = there == SIZE_MAX ? NO_DIMENSION : (int)there;
      if (there != SIZE_MAX && join_shared(m, joined) != 0)
        return -1;
    }
  }
  return 0;
}

static size_t differing(const struct merge *m)
{
  size_t count = 0;
  for (size_t i = 0; i < m->count; i++)
    count += m->joined[i].differs;
  return count;
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
    const struct joined *joined = &m->joined[i];
    bool some = !joined->differs;
    for (size_t k = 0; !some && k < joined->labels.dimension.size; k++)
      some = joined->labels.index[0][k] != NO_INDEX && joined->labels.index[1][k] != NO_INDEX;
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
    return error_parameter(call->error, ERROR_OverlapResolverMissing, "overlap_resolver",
                           broadcasts(m)
                               ? "one cube lacks a dimension of the other: a process must say how to combine the values"
                               : "both cubes have values at the same labels: a process must say how to combine them");
  struct argument parameters[] = {
      {"x", value_lanes(m->values[0])}, {"y", value_lanes(m->values[1])}, {"context", call_context(call)}};
  if (call_run_callback(call, m->resolver, m->program, parameters, 3, &value) != 0)
    return -1;
  return callback_lanes(call, m->program, &value, false, "overlap_resolver", &m->result);
}

static bool same_missing(const struct cube *a, const struct cube *b)
{
  return a->has_nodata == b->has_nodata && (!a->has_nodata || same_nodata(a->nodata, b->nodata));
}

/* Type of the result: that of both cubes where they agree (and the resolver keeps it), else a float, or complex. */
static void set_type(const struct merge *m, struct cube *cube)
{
  const struct cube *a = m->cubes[0]->cube, *b = m->cubes[1]->cube;
  size_t differ = differing(m);
  cube->type = a->type;
  cube->has_nodata = a->has_nodata;
  cube->nodata = a->nodata;
  if (m->resolves) {
    struct kernel_input inputs[] = {{.node = m->cubes[0]}, {.node = m->cubes[1]}};
    cube_set_result_type(cube, &m->result, inputs, 2);
    if (differ == 0)
      return;
  }
  bool missing = m->resolves || differ > 1; /* resolvers may give NA; labels that no cube has together */
  bool holds_missing = a->has_nodata || element_info(a->type)->is_float;
  if (cube->type == a->type && a->type == b->type && same_missing(a, b) && (holds_missing || !missing))
    return;
  const enum element_type types[] = {a->type, b->type, cube->type};
  bool narrow = true, is_complex = false;
  for (size_t i = 0; i < 3; i++) {
    narrow = narrow && (element_info(types[i])->exact_in_f32 || types[i] == ELEMENT_C64);
    is_complex = is_complex || element_info(types[i])->is_complex;
  }
  if (is_complex)
    cube->type = narrow ? ELEMENT_C64 : ELEMENT_C128;
  else
    cube->type = narrow ? ELEMENT_F32 : ELEMENT_F64;
  cube->has_nodata = true;
  cube->nodata = na_f64();
}

static bool is_whole(const size_t *index, size_t count, size_t size)
{
  for (size_t i = 0; i < count; i++)
    if (index[i] != i)
      return false;
  return count == size;
}

/* Cube c under the labels of the result: a view, with holes where it lacks a label. */
static int spread(struct merge *m, size_t c, const struct node **out)
{
  struct call *call = m->call;
  const struct node *node = m->cubes[c];
  struct cube *cube = cube_copy(call->arena, node->cube);
  struct view_dimension *view = view_identity(call->arena, node->cube);
  bool same = true;
  if (!cube || !view)
    return error_memory(call->error);
  for (size_t i = 0; i < m->count; i++) {
    const struct joined *joined = &m->joined[i];
    const struct joined_labels *labels = &joined->labels;
    int d = joined->in[c];
    if (!joined->differs || is_whole(labels->index[c], labels->dimension.size, node->cube->dimension[d].size))
      continue;
    same = false;
    cube->dimension[d] = labels->dimension;
    view[d].indexes = labels->index[c];
  }
  *out = same ? node : node_view(call->arena, call_origin(call), node, cube, view);
  return *out ? 0 : error_memory(call->error);
}

/* Which cube has a label, per label of a dimension: a cube of one dimension that holds 1 (the first), 2 or 3 (both). */
static int presence(struct merge *m, const struct joined_labels *joined, const struct node **out)
{
  struct call *call = m->call;
  struct cube *cube = ARENA_NEW(call->arena, struct cube);
  unsigned char *codes = ARENA_ARRAY(call->arena, unsigned char, joined->dimension.size);
  if (!cube || !codes)
    return error_memory(call->error);
  *cube = (struct cube){.dimensions = 1, .dimension = {joined->dimension}, .type = ELEMENT_U8};
  for (size_t k = 0; k < joined->dimension.size; k++)
    codes[k] = (unsigned char)((joined->index[0][k] != NO_INDEX) | (joined->index[1][k] != NO_INDEX) << 1);
  const struct source *source = memory_source(call->arena, cube, codes, "labels of both cubes");
  *out = source ? node_source(call->arena, call_origin(call), source) : NULL;
  return *out ? 0 : error_memory(call->error);
}

/* inputs[0] and inputs[1] are the cubes. Without an overlap one of the two values is a hole; with one, presences are
 * further inputs that say where the resolver decides. */
static int choose(struct merge *m, const struct node **inputs, size_t *count, struct lanes *out)
{
  struct program *p = m->program;
  struct lanes both = {0}, first = {0};
  bool some = false;
  for (size_t i = 0; i < m->count; i++) {
    if (!m->joined[i].differs)
      continue;
    struct lanes code = program_input(p, *count, false, 1, ELEMENT_U8, NULL);
    struct lanes in_both = program_binary(p, KOP_EQ, code, program_constant(p, 3));
    struct lanes in_first = program_binary(p, KOP_NEQ, code, program_constant(p, 2));
    if (presence(m, &m->joined[i].labels, &inputs[(*count)++]) != 0)
      return -1;
    both = some ? program_binary(p, KOP_AND, both, in_both) : in_both;
    first = some ? program_binary(p, KOP_AND, first, in_first) : in_first;
    some = true;
  }
  *out = m->result;
  if (some) {
    struct lanes one = program_ternary(p, KOP_SELECT, m->values[0], m->values[1], first);
    *out = program_ternary(p, KOP_SELECT, m->result, one, both);
  }
  return 0;
}

static int merge_views(struct merge *m, const struct node **out)
{
  struct call *call = m->call;
  const struct node *inputs[2 + CUBE_MAX_DIMENSIONS];
  size_t count = 2;
  struct lanes lanes;
  struct cube *cube = cube_copy(call->arena, m->cube);
  struct kernel_input *list = ARENA_ARRAY(call->arena, struct kernel_input, 2 + CUBE_MAX_DIMENSIONS);
  if (!cube || !list)
    return error_memory(call->error);
  if (spread(m, 0, &inputs[0]) != 0 || spread(m, 1, &inputs[1]) != 0)
    return -1;
  if (m->resolves && choose(m, inputs, &count, &lanes) != 0)
    return -1;
  if (!m->resolves) {
    struct lanes missing = program_unary(m->program, KOP_IS_NODATA, m->values[0]);
    lanes = program_ternary(m->program, KOP_SELECT, m->values[1], m->values[0], missing);
  }
  if (program_failed(m->program))
    return program_error(m->program, call->error);
  kernel_inputs_by_names(cube, inputs, count, list);
  *out = node_kernel(call->arena, call_origin(call), cube, list, count, m->program, lanes, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

/* The part of cube c at the chosen labels, its differing dimensions of size 1; NULL in *out where it lacks one. */
static int part_of(struct merge *m, size_t c, const struct node **out)
{
  struct value value = value_cube(m->cubes[c]);
  *out = NULL;
  for (size_t i = 0; i < m->count; i++) {
    if (!m->joined[i].differs)
      continue;
    size_t index = m->joined[i].labels.index[c][m->chosen[i]];
    if (index == NO_INDEX)
      return 0;
    if (view_pick(m->call, value.cube, (size_t)m->joined[i].in[c], &index, 1, &value) != 0)
      return -1;
  }
  *out = value.cube;
  return 0;
}

/* The result's cube with the chosen label of each differing dimension before `until`. */
static struct cube *cube_at_chosen(const struct merge *m, size_t until)
{
  struct cube *cube = cube_copy(m->call->arena, m->cube);
  for (size_t i = 0; cube && i < until; i++)
    if (m->joined[i].differs &&
        dimension_pick(m->call->arena, &m->joined[i].labels.dimension, &m->chosen[i], 1, &cube->dimension[i]) != 0)
      return NULL;
  return cube;
}

/* The result at the chosen labels. */
static int make_leaf(struct merge *m, const struct node **out)
{
  const struct node *parts[2];
  struct cube *cube = cube_at_chosen(m, m->count);
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
  size_t size = m->joined[from].labels.dimension.size;
  const struct node **children = ARENA_ARRAY(m->call->arena, const struct node *, size);
  struct cube *cube = cube_at_chosen(m, from);
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

static int merge_elements(struct merge *m, const struct node **out)
{
  size_t labels = 1;
  for (size_t i = 0; i < m->count; i++)
    if (m->joined[i].differs)
      labels = saturated_mul(labels, m->joined[i].labels.dimension.size);
  return labels <= FEW_LABELS ? make_stack(m, 0, out) : merge_views(m, out);
}

/* ---- the result ------------------------------------------------------------------------------------------------- */

/* Metadata of a band whose values come from both cubes, or from what the resolver makes of them (a, b: or NULL). */
static struct band_info band_of_both(const struct band_info *a, const struct band_info *b, bool selected)
{
  static const struct band_info none = {.scale = 1};
  struct band_info band = a ? *a : b ? *b : none;
  if (!selected || !band_same_packing(a ? a : &none, b ? b : &none))
    band_set_plain(&band);
  return band;
}

/* Band metadata of the merged labels; without bands, of all values. selected: the resolver gives one of the two. */
static const struct band_info *merge_bands(struct merge *m, const struct joined *bands, bool selected)
{
  const struct band_info *infos[2];
  size_t size = bands ? bands->labels.dimension.size : 1;
  for (size_t c = 0; c < 2; c++) { /* bands of another dimension say nothing of these */
    size_t own = cube_find_type(m->cubes[c]->cube, DIMENSION_BANDS);
    int there = own == SIZE_MAX ? NO_DIMENSION : (int)own, here = bands ? bands->in[c] : NO_DIMENSION;
    infos[c] = there == here ? m->cubes[c]->cube->bands : NULL;
  }
  struct band_info *out = infos[0] || infos[1] ? ARENA_ARRAY(m->call->arena, struct band_info, size) : NULL;
  for (size_t i = 0; out && i < size; i++) {
    const struct band_info *from[2];
    bool there[2];
    for (size_t c = 0; c < 2; c++) {
      bool listed = bands && bands->in[c] != NO_DIMENSION;
      size_t index = listed ? (bands->differs ? bands->labels.index[c][i] : i) : 0;
      there[c] = index != NO_INDEX;
      from[c] = infos[c] && there[c] ? &infos[c][index] : NULL;
    }
    out[i] =
        band_of_both(there[0] ? from[0] : from[1], there[1] ? from[1] : from[0], selected || !(there[0] && there[1]));
  }
  return out;
}

/* A cube without x and y may still name the CRS that it had. */
static bool has_places(const struct cube *cube)
{
  return cube_find_axis(cube, 'x') != SIZE_MAX || cube_find_axis(cube, 'y') != SIZE_MAX;
}

static int describe(struct merge *m)
{
  struct cube *cube = cube_copy(m->call->arena, m->cubes[0]->cube);
  if (!cube)
    return error_memory(m->call->error);
  cube->dimensions = m->count;
  const struct joined *bands = NULL;
  if (!cube->crs || (!has_places(m->cubes[0]->cube) && has_places(m->cubes[1]->cube)))
    cube->crs = m->cubes[1]->cube->crs;
  for (size_t i = 0; i < m->count; i++) {
    cube->dimension[i] = m->joined[i].labels.dimension;
    if (cube->dimension[i].type == DIMENSION_BANDS && !bands)
      bands = &m->joined[i];
  }
  cube->bands = merge_bands(m, bands, !m->resolves || program_selects(m->program, &m->result));
  set_type(m, cube);
  m->cube = cube;
  return 0;
}

static int merge_cubes_call(struct call *call, struct value *result)
{
  struct merge m = {.call = call, .program = program_new(call->arena)};
  const struct node *second, *node;
  if (!m.program)
    return error_memory(call->error);
  if (call_cube(call, "cube1", &m.cubes[0]) != 0 || call_cube(call, "cube2", &second) != 0 ||
      regrid_like(call, second, m.cubes[0], "cube2", &m.cubes[1]) != 0)
    return -1;
  if (call_has(call, "overlap_resolver") && call_callback_argument(call, "overlap_resolver", &m.resolver) != 0)
    return -1;
  if (is_mixture(m.cubes[0]->cube, second->cube) || is_mixture(second->cube, m.cubes[0]->cube))
    return error_parameter(call->error, ERROR_IncompatibleDataCubes, "cube2",
                           "a vector cube and a raster cube cannot be merged");
  for (size_t c = 0; c < 2; c++)
    m.values[c] = program_input(m.program, c, false, 1, m.cubes[c]->cube->type, NULL);
  if (join_dimensions(&m) != 0)
    return -1;
  m.resolves = overlaps(&m);
  if (m.resolves && run_resolver(&m) != 0)
    return -1;
  if (describe(&m) != 0 || merge_elements(&m, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_merge_cubes = {.id = "merge_cubes", .shape = PROCESS_CUBE, .call = merge_cubes_call};
