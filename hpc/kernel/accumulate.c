/* Accumulators: the rows of kernel_reducers.def on states in memory.
 *
 * States are [elements, NA elements, the row's own][position]. Steps go strip by strip through the engine's lanes
 * (kernel_strip.inc), which leave the states of a strip; here they are merged. How lanes are laid over positions
 * follows from the shape, for speed alone: neighbours in memory where there are enough, else positions of different
 * outer index, else strips of one position. */
#include "hpc/kernel/accumulate.h"

#include "datacube/base/missing.h"
#include "hpc/kernel/kernel_engine.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define T double
#define NA na_f64()
#define IS_NA(x) is_na_f64(x)
#define ISNAN(x) ((x) != (x))
#define SETTLE(least, result) (n - na < (ignore || n < (least) ? (least) : n) ? NA : quiet((double)(result)))

enum { COUNTS_OF_STATE = 2, NARROW = 16, FEWEST_INNER = 8, ZONE_PIXELS = 512 };

/* States of positions: state j of position i is at[j * pitch + i * advance]. */
struct state_view {
  double *at;
  size_t pitch, advance;
};

/* A run of elements of zones. */
struct zone_run {
  const double *x;
  const uint32_t *zone;
  size_t count;
};

static double quiet(double value)
{
  return ISNAN(value) ? (double)NAN : value;
}

static bool ignores(const struct accumulator *a)
{
  return a->parameters[0] != 0;
}

static int mode_of(const struct accumulator *a)
{
  return a->reducer == KRED_COUNT ? (int)a->parameters[1] : 0;
}

/* States of neighbours do not overlap. */
#if defined(__clang__)
#define NEIGHBOURS _Pragma("clang loop vectorize(assume_safety)")
#else
#define NEIGHBOURS _Pragma("GCC ivdep")
#endif
#define STATES_1(M) M(0)
#define STATES_2(M) M(0) M(1)
#define STATES_3(M) M(0) M(1) M(2)
#define EMPTY(j) double s##j;
#define FETCH(j) double s##j = s[(COUNTS_OF_STATE + (j)) * pitch]; (void)s##j;
#define FETCH_NEXT(j) const double r##j = r[(COUNTS_OF_STATE + (j)) * next_pitch];
#define PUT(j) s[(COUNTS_OF_STATE + (j)) * pitch] = s##j;
#define KRED_WHOLE(name, parameters)
#define KRED(name, parameters, kind, states, init, step, merge, finish)                                                \
  static void init_##name(double *state, size_t pitch)                                                                 \
  {                                                                                                                    \
    STATES_##states(EMPTY) init;                                                                                       \
    for (size_t i = 0; i < pitch; i++) {                                                                               \
      double *s = state + i;                                                                                           \
      s[0] = s[pitch] = 0;                                                                                             \
      STATES_##states(PUT)                                                                                             \
    }                                                                                                                  \
  }                                                                                                                    \
  static inline void merge_one_##name(double *s, size_t pitch, const double *r, size_t next_pitch)                     \
  {                                                                                                                    \
    STATES_##states(FETCH) STATES_##states(FETCH_NEXT) merge;                                                          \
    STATES_##states(PUT) s[0] += r[0];                                                                                 \
    s[pitch] += r[next_pitch];                                                                                         \
  }                                                                                                                    \
  static void merge_##name(struct state_view into, struct state_view from, size_t count)                               \
  {                                                                                                                    \
    if (into.advance == 1) {                                                                                           \
      NEIGHBOURS for (size_t i = 0; i < count; i++) merge_one_##name(into.at + i, into.pitch, from.at + i, from.pitch);\
    } else {                                                                                                           \
      for (size_t i = 0; i < count; i++)                                                                               \
        merge_one_##name(into.at + i * into.advance, into.pitch, from.at + i, from.pitch);                             \
    }                                                                                                                  \
  }                                                                                                                    \
  static void zones_##name(const struct accumulator *a, double *state, size_t pitch, const struct zone_run *run)       \
  {                                                                                                                    \
    const bool ignore = ignores(a);                                                                                    \
    const int mode = mode_of(a);                                                                                       \
    (void)ignore, (void)mode;                                                                                          \
    for (size_t i = 0; i < run->count;) {                                                                              \
      const uint32_t zone = run->zone[i];                                                                              \
      double *s = state + zone, n = s[0], na = s[pitch];                                                               \
      STATES_##states(FETCH) do                                                                                        \
      {                                                                                                                \
        const double x = run->x[i];                                                                                    \
        step;                                                                                                          \
        n += 1;                                                                                                        \
        na += IS_NA(x);                                                                                                \
      }                                                                                                                \
      while (++i < run->count && run->zone[i] == zone)                                                                 \
        ;                                                                                                              \
      s[0] = n, s[pitch] = na;                                                                                         \
      STATES_##states(PUT)                                                                                             \
    }                                                                                                                  \
  }                                                                                                                    \
  static void finish_##name(const struct accumulator *a, const double *state, size_t pitch, double *out)               \
  {                                                                                                                    \
    const bool ignore = ignores(a);                                                                                    \
    (void)ignore;                                                                                                      \
    for (size_t i = 0; i < pitch; i++) {                                                                               \
      const double *s = state + i, n = s[0], na = s[pitch];                                                            \
      (void)n, (void)na;                                                                                               \
      STATES_##states(FETCH) out[i] = (finish);                                                                        \
    }                                                                                                                  \
  }
#include "hpc/kernel/kernel_reducers.def"
#undef KRED

struct accumulate_row {
  size_t states; /* own ones */
  void (*init)(double *state, size_t pitch);
  void (*merge)(struct state_view into, struct state_view from, size_t count);
  void (*zones)(const struct accumulator *, double *state, size_t pitch, const struct zone_run *);
  void (*finish)(const struct accumulator *, const double *state, size_t pitch, double *out);
};

static const struct accumulate_row rows[KRED_COUNT_] = {
#define KRED_WHOLE(name, parameters)
#define KRED(name, parameters, kind, states, init, step, merge, finish)                                                \
  [KRED_##name] = {states, init_##name, merge_##name, zones_##name, finish_##name},
#include "hpc/kernel/kernel_reducers.def"
#undef KRED
};

static const struct accumulate_row *row_of(const struct accumulator *a)
{
  assert(rows[a->reducer].states > 0);
  return &rows[a->reducer];
}

size_t kernel_reducer_states(enum kernel_reducer reducer)
{
  return rows[reducer].states ? COUNTS_OF_STATE + rows[reducer].states : 0;
}

void kernel_accumulate_init(const struct accumulator *a, double *state, size_t positions)
{
  row_of(a)->init(state, positions);
}

void kernel_accumulate_merge(const struct accumulator *a, double *into, const double *from, size_t positions)
{
  const struct state_view earlier = {into, positions, 1}, later = {(double *)from, positions, 1}; /* only read */
  row_of(a)->merge(earlier, later, positions);
}

void kernel_accumulate_finish(const struct accumulator *a, const double *state, size_t positions, double *out)
{
  row_of(a)->finish(a, state, positions, out);
}

/* One call of step. */
struct accumulate_pass {
  const struct accumulator *a;
  const struct accumulate_data *data;
  struct accumulate_shape shape;
  double *state;
  size_t positions;
  double states[(COUNTS_OF_STATE + MOST_STATES) * STRIP_LANES]; /* of a strip */
};

/* Reduces the strip whose lane 0 starts at element `first`, and merges lane i into position + i * step. */
static void add_strip(struct accumulate_pass *pass, struct kernel_strip *strip, size_t first, size_t position,
                      size_t step)
{
  const struct accumulate_data *data = pass->data;
  const struct element_info *info = element_info(data->type);
  strip->reducer = pass->a->reducer;
  strip->ignore = ignores(pass->a);
  strip->mode = mode_of(pass->a);
  strip->type = data->type;
  strip->has_nodata = data->has_nodata;
  strip->nodata = data->nodata;
  strip->data = (const char *)data->data + first * info->size;
  const struct kernel_engine *engine = kernel_engine_chosen();
  (info->exact_in_f32 ? engine->strip_f32 : engine->strip_f64)(strip, pass->states);
  row_of(pass->a)->merge((struct state_view){pass->state + position, pass->positions, step},
                         (struct state_view){pass->states, STRIP_LANES, 1}, strip->lanes);
}

static size_t at_most(size_t count, size_t most)
{
  return count < most ? count : most;
}

/* Lanes are neighbours in memory. */
static void add_inner(struct accumulate_pass *pass, size_t outer)
{
  const struct accumulate_shape *shape = &pass->shape;
  for (size_t i = 0; i < shape->inner; i += STRIP_LANES)
    for (size_t k = 0; k < shape->n; k += STRIP_ROWS) {
      struct kernel_strip strip = {.lane_stride = 1,
                                   .row_stride = (ptrdiff_t)shape->inner,
                                   .lanes = at_most(shape->inner - i, STRIP_LANES),
                                   .rows = at_most(shape->n - k, STRIP_ROWS)};
      add_strip(pass, &strip, (outer * shape->n + k) * shape->inner + i, outer * shape->inner + i, 1);
    }
}

/* Lanes are outer indexes. */
static void add_outer(struct accumulate_pass *pass, size_t inner)
{
  const struct accumulate_shape *shape = &pass->shape;
  for (size_t o = 0; o < shape->outer; o += NARROW)
    for (size_t k = 0; k < shape->n; k += STRIP_ROWS) {
      struct kernel_strip strip = {.lane_stride = (ptrdiff_t)(shape->n * shape->inner),
                                   .row_stride = (ptrdiff_t)shape->inner,
                                   .lanes = at_most(shape->outer - o, NARROW),
                                   .rows = at_most(shape->n - k, STRIP_ROWS)};
      add_strip(pass, &strip, (o * shape->n + k) * shape->inner + inner, o * shape->inner + inner, shape->inner);
    }
}

/* Lanes are strips of one position: whole ones, then what is left. */
static void add_strips(struct accumulate_pass *pass, size_t outer, size_t inner)
{
  const struct accumulate_shape *shape = &pass->shape;
  for (size_t k = 0; k < shape->n;) {
    const size_t left = shape->n - k, whole = at_most(left / STRIP_ROWS, NARROW);
    struct kernel_strip strip = {.lane_stride = (ptrdiff_t)(STRIP_ROWS * shape->inner),
                                 .row_stride = (ptrdiff_t)shape->inner,
                                 .lanes = whole ? whole : 1,
                                 .rows = whole ? STRIP_ROWS : left};
    add_strip(pass, &strip, (outer * shape->n + k) * shape->inner + inner, outer * shape->inner + inner, 0);
    k += strip.lanes * strip.rows;
  }
}

void kernel_accumulate_step(const struct accumulator *a, double *state, const struct accumulate_data *data,
                            struct accumulate_shape shape)
{
  assert(!element_info(data->type)->is_complex);
  struct accumulate_pass pass = {
      .a = a, .data = data, .shape = shape, .state = state, .positions = shape.outer * shape.inner};
  if (shape.inner >= FEWEST_INNER) {
    for (size_t o = 0; o < shape.outer; o++)
      add_inner(&pass, o);
    return;
  }
  for (size_t i = 0; i < shape.inner; i++)
    if (shape.outer >= NARROW)
      add_outer(&pass, i);
    else
      for (size_t o = 0; o < shape.outer; o++)
        add_strips(&pass, o, i);
}

/* Copies elements of `size` bytes, one behind the other. */
#define GATHER(size, E)                                                                                                \
  case size:                                                                                                           \
    for (size_t i = 0; i < count; i++)                                                                                 \
      ((E *)to)[i] = ((const E *)from)[pixel[i]];                                                                      \
    break;

static void gather(void *to, const void *from, const uint32_t *pixel, size_t count, size_t size)
{
  switch (size) {
    GATHER(1, uint8_t)
    GATHER(2, uint16_t)
    GATHER(4, uint32_t)
    GATHER(8, uint64_t)
  default:
    assert(false);
  }
}

/* A kernel that reads elements as doubles, no-data as NA. */
static void read_numbers(const struct accumulate_data *data, const void *elements, size_t count, double *out)
{
  static const ptrdiff_t offset = 0;
  static const size_t start = 0;
  const struct kernel_step steps[] = {{.kind = STEP_LOAD,
                                       .blocks = 1,
                                       .offsets = &offset,
                                       .lane_stride = 1,
                                       .type = data->type,
                                       .has_nodata = data->has_nodata,
                                       .nodata = data->nodata},
                                      {.kind = STEP_STORE,
                                       .blocks = 1,
                                       .offsets = &offset,
                                       .lane_stride = 1,
                                       .type = ELEMENT_F64,
                                       .has_nodata = true,
                                       .nodata = na_f64()}};
  const struct kernel kernel = {.lane_type = LANE_F64,
                                .steps = steps,
                                .step_count = 2,
                                .register_offset = &start,
                                .register_count = 1,
                                .scratch_blocks = 1,
                                .lane_block = ZONE_PIXELS};
  double scratch[ZONE_PIXELS] __attribute__((aligned(64)));
  kernel_run(&kernel, scratch, &elements, out, count);
}

void kernel_accumulate_zones(const struct accumulator *a, double *state, const struct accumulate_data *data,
                             const struct accumulate_zones *zones)
{
  uint64_t elements[ZONE_PIXELS];
  double x[ZONE_PIXELS];
  for (size_t first = 0; first < zones->count; first += ZONE_PIXELS) {
    const size_t count = at_most(zones->count - first, ZONE_PIXELS);
    gather(elements, data->data, zones->pixel + first, count, element_info(data->type)->size);
    read_numbers(data, elements, count, x);
    const struct zone_run run = {.x = x, .zone = zones->zone + first, .count = count};
    row_of(a)->zones(a, state, zones->zones, &run);
  }
}
