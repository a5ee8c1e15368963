/* Loads and stores of every element type: no-data, rounding, saturation, strides, short pieces, canaries around the
 * memory; and whole kernels that give the same bits however the lanes are split. */
#include "hpc_kernel_fixture.h"

enum { MAX_LANES = 1000, CANARY = 0x5A, MARGIN = 64 };

static const size_t lane_counts[] = {1, 15, 16, 17, 128, 1000};
enum { LANE_COUNTS = 6 };

static const enum element_type types[] = {ELEMENT_U8,  ELEMENT_I8,  ELEMENT_U16,    ELEMENT_I16,
                                          ELEMENT_U32, ELEMENT_I32, ELEMENT_U64,    ELEMENT_I64,
                                          ELEMENT_F32, ELEMENT_F64, ELEMENT_BOOLEAN};
enum { TYPES = 11 };

/* Element i of memory as a number, and back. */
static double element_get(enum element_type type, const void *memory, size_t i)
{
  switch (type) {
  case ELEMENT_U8:
  case ELEMENT_BOOLEAN:
    return ((const uint8_t *)memory)[i];
  case ELEMENT_I8:
    return ((const int8_t *)memory)[i];
  case ELEMENT_U16:
    return ((const uint16_t *)memory)[i];
  case ELEMENT_I16:
    return ((const int16_t *)memory)[i];
  case ELEMENT_U32:
    return ((const uint32_t *)memory)[i];
  case ELEMENT_I32:
    return ((const int32_t *)memory)[i];
  case ELEMENT_U64:
    return (double)((const uint64_t *)memory)[i];
  case ELEMENT_I64:
    return (double)((const int64_t *)memory)[i];
  case ELEMENT_F32:
    return (double)((const float *)memory)[i];
  default:
    return ((const double *)memory)[i];
  }
}

/* Bounds of the integer types, as numbers; 64 bits: the doubles just inside and the saturated values beyond. */
static void bounds_of(enum element_type type, double *low, double *high)
{
  static const double lows[] = {0, -128, 0, -32768, 0, -2147483648.0, 0, -0x1p63};
  static const double highs[] = {255, 127, 65535, 32767, 4294967295.0, 2147483647.0, 0x1p64, 0x1p63};
  *low = lows[type], *high = highs[type];
}

/* One step from memory to lanes and one back. */
struct memory_kernel {
  struct kernel_step steps[2];
  ptrdiff_t load_offsets[2], store_offsets[2];
  size_t registers[1];
  struct kernel kernel;
};

static void memory_kernel_make(struct memory_kernel *k, enum lane_type lanes, size_t lane_block)
{
  k->steps[0] =
      (struct kernel_step){.kind = STEP_LOAD, .dst = 0, .blocks = 2, .offsets = k->load_offsets, .lane_stride = 1};
  k->steps[1] = (struct kernel_step){
      .kind = STEP_STORE, .blocks = 2, .operand = {operand(0, 0, 1)}, .offsets = k->store_offsets, .lane_stride = 1};
  k->registers[0] = 0;
  k->kernel = (struct kernel){.lane_type = lanes,
                              .steps = k->steps,
                              .step_count = 2,
                              .register_offset = k->registers,
                              .register_count = 1,
                              .scratch_blocks = 2,
                              .lane_block = lane_block,
                              .load_count = 1};
}

static void memory_kernel_run(const struct memory_kernel *k, const char *level, const void *in, void *out, size_t lanes)
{
  const struct kernel_engine *engine = kernel_engine_named(level);
  void *scratch = aligned_alloc(64, kernel_scratch_bytes(&k->kernel));
  const void *bases[1] = {in};
  (k->kernel.lane_type == LANE_F32 ? engine->run_f32 : engine->run_f64)(&k->kernel, scratch, bases, out, lanes);
  free(scratch);
}

/* A heap copy, so that the sanitizer sees every byte past its end. */
static void *random_memory(size_t bytes, uint64_t seed)
{
  unsigned char *memory = malloc(bytes);
  assert_non_null(memory);
  for (size_t i = 0; i < bytes; i++)
    memory[i] = (unsigned char)(random_bits(&seed) % 3 ? random_bits(&seed) : random_bits(&seed) % 2 * 255);
  return memory;
}

/* Whether element i is the no-data value, or what that stands for. */
static bool is_marked(enum element_type type, const void *memory, size_t i, double nodata)
{
  return element_is_word(type) ? ((const uint64_t *)memory)[i] == element_word(type, nodata)
                               : element_get(type, memory, i) == nodata;
}

/* What a loaded element is. */
static double loaded(enum element_type type, double x, bool marked, enum lane_type lanes)
{
  if (isnan(x) || marked || (type == ELEMENT_BOOLEAN && x == 255))
    return na_f64();
  return lane_value(lanes, type == ELEMENT_BOOLEAN ? x != 0 : x);
}

/* Loads through f64 stores without no-data: NA comes out as NaN. Strides 1, 2, -1 and 0. */
static void load_one(enum element_type type, enum lane_type lanes, const char *level, size_t count, ptrdiff_t stride)
{
  size_t size = element_info(type)->size, span = (count - 1) * (size_t)(stride < 0 ? -stride : stride) + 1;
  for (int has_nodata = 0; has_nodata < 2; has_nodata++) {
    char *in = random_memory(2 * span * size, count + (size_t)type);
    double *out = malloc(2 * count * sizeof *out);
    double nodata = element_get(type, in, 0);
    nodata = isnan(nodata) || type == ELEMENT_BOOLEAN ? 0 : nodata;
    if (element_is_word(type))
      ((uint64_t *)(void *)in)[0] = element_word(type, nodata);
    struct memory_kernel k;
    memory_kernel_make(&k, lanes, 128);
    k.load_offsets[0] = stride < 0 ? (ptrdiff_t)span - 1 : 0, k.load_offsets[1] = k.load_offsets[0] + (ptrdiff_t)span;
    k.store_offsets[0] = 0, k.store_offsets[1] = (ptrdiff_t)count;
    k.steps[0].type = type, k.steps[0].lane_stride = stride;
    k.steps[0].has_nodata = has_nodata, k.steps[0].nodata = nodata;
    k.steps[1].type = ELEMENT_F64;
    memory_kernel_run(&k, level, in, out, count);
    for (size_t b = 0; b < 2; b++)
      for (size_t i = 0; i < count; i++) {
        ptrdiff_t at = k.load_offsets[b] + (ptrdiff_t)i * stride;
        bool marked = has_nodata && is_marked(type, in, (size_t)at, nodata);
        double want = loaded(type, element_get(type, in, (size_t)at), marked, lanes);
        double got = out[b * count + i];
        if (isnan(want) ? !isnan(got) : got != want)
          fail_msg("load %s lane %zu: %.17g, not %.17g", element_info(type)->name, i, got, want);
      }
    free(in);
    free(out);
  }
}

static void every_type_loads(void **state)
{
  (void)state;
  static const ptrdiff_t strides[] = {1, 2, -1, 0};
  for (int l = 0; l < LEVELS; l++)
    for (int t = 0; kernel_engine_named(levels[l]) && t < TYPES; t++)
      for (int c = 0; c < LANE_COUNTS; c++)
        for (int s = 0; s < 4; s++) {
          load_one(types[t], LANE_F32, levels[l], lane_counts[c], strides[s]);
          load_one(types[t], LANE_F64, levels[l], lane_counts[c], strides[s]);
        }
}

/* A no-data value that the type cannot hold never matches. */
static void foreign_nodata_is_ignored(void **state)
{
  (void)state;
  const uint8_t in[4] = {0, 241, 255, 1}; /* 241 = -9999 mod 256 */
  static const double foreign[] = {-9999, 0.5, 256, (double)NAN, INFINITY};
  for (int f = 0; f < 5; f++) {
    struct memory_kernel k;
    memory_kernel_make(&k, LANE_F32, 16);
    double out[8];
    k.load_offsets[0] = k.load_offsets[1] = 0, k.store_offsets[0] = 0, k.store_offsets[1] = 4;
    k.steps[0].type = ELEMENT_U8, k.steps[0].has_nodata = true, k.steps[0].nodata = foreign[f];
    k.steps[1].type = ELEMENT_F64;
    memory_kernel_run(&k, "baseline", in, out, 4);
    for (int i = 0; i < 4; i++)
      assert_true(out[i] == in[i]);
  }
}

static const double stored_values[] = {0,
                                       -0.0,
                                       0.5,
                                       1.5,
                                       2.5,
                                       -0.5,
                                       -1.5,
                                       0.49999999999999994,
                                       127,
                                       127.5,
                                       128,
                                       -128,
                                       -128.5,
                                       -129,
                                       254.5,
                                       255.5,
                                       256,
                                       32767,
                                       32768,
                                       65534.5,
                                       65535.5,
                                       1e5,
                                       2147483647,
                                       2147483648.0,
                                       -2147483649.0,
                                       4294967295.0,
                                       4294967296.0,
                                       1e18,
                                       -1e18,
                                       1e20,
                                       -1e20,
                                       9.3e18,
                                       1.85e19,
                                       INFINITY,
                                       -INFINITY,
                                       (double)NAN,
                                       42,
                                       -7,
                                       4503599627370495.5,
                                       1e300};
enum { STORED_VALUES = sizeof stored_values / sizeof stored_values[0] };

/* What the stored element reads as. */
static double stored(enum element_type type, double x, bool has_nodata, double nodata)
{
  if (isnan(x))
    return type == ELEMENT_BOOLEAN ? 255 : has_nodata ? nodata : element_info(type)->is_float ? (double)NAN : 0;
  if (type == ELEMENT_BOOLEAN)
    return x != 0;
  if (element_info(type)->is_float)
    return type == ELEMENT_F32 ? lane_value(LANE_F32, x) : x;
  double low, high;
  bounds_of(type, &low, &high);
  return x < low ? low : x > high ? high : nearbyint(x);
}

static void store_one(enum element_type type, enum lane_type lanes, const char *level, size_t count, ptrdiff_t stride)
{
  size_t size = element_info(type)->size, span = (count - 1) * (size_t)stride + 1;
  for (int has_nodata = 0; has_nodata < 2; has_nodata++) {
    double *in = malloc(count * sizeof *in);
    for (size_t i = 0; i < count; i++)
      in[i] = stored_values[(i + count) % STORED_VALUES];
    size_t bytes = 2 * span * size + 2 * MARGIN;
    unsigned char *out = malloc(bytes), *first = out + MARGIN;
    memset(out, CANARY, bytes);
    struct memory_kernel k;
    memory_kernel_make(&k, lanes, 64);
    k.load_offsets[0] = k.load_offsets[1] = 0, k.store_offsets[0] = 0, k.store_offsets[1] = (ptrdiff_t)span;
    k.steps[0].type = ELEMENT_F64;
    k.steps[1].type = type, k.steps[1].lane_stride = stride;
    k.steps[1].has_nodata = has_nodata, k.steps[1].nodata = 99;
    memory_kernel_run(&k, level, in, first, count);
    for (size_t at = 0; at < 2 * span; at++) {
      if (at % span % (size_t)stride != 0) {
        for (size_t byte = 0; byte < size; byte++)
          assert_int_equal(first[at * size + byte], CANARY);
        continue;
      }
      double x = lane_value(lanes, in[at % span / (size_t)stride]);
      double want = stored(type, x, has_nodata, 99), got = element_get(type, first, at);
      if (isnan(want) ? !isnan(got) : got != want)
        fail_msg("%s %s: store %s of %.17g gives %.17g, not %.17g", level, lanes == LANE_F32 ? "f32" : "f64",
                 element_info(type)->name, x, got, want);
    }
    for (size_t i = 0; i < MARGIN; i++)
      assert_true(out[i] == CANARY && first[2 * span * size + i] == CANARY);
    free(in);
    free(out);
  }
}

static void every_type_stores(void **state)
{
  (void)state;
  for (int l = 0; l < LEVELS; l++)
    for (int t = 0; kernel_engine_named(levels[l]) && t < TYPES; t++)
      for (int c = 0; c < LANE_COUNTS; c++)
        for (ptrdiff_t stride = 1; stride < 4; stride += 2) {
          store_one(types[t], LANE_F32, levels[l], lane_counts[c], stride);
          store_one(types[t], LANE_F64, levels[l], lane_counts[c], stride);
        }
}

/* The main job in small: NDVI of two uint16 bands with no-data over dates, its median and mean. */
enum { DATES = 11 };

struct ndvi {
  struct kernel_step steps[8];
  ptrdiff_t offsets[DATES], results[1], second[1];
  double parameters[1];
  size_t registers[6];
  struct kernel kernel;
};

static void ndvi_make(struct ndvi *k, enum lane_type type, size_t lane_block)
{
  *k = (struct ndvi){.results = {0}, .second = {MAX_LANES}, .parameters = {1}};
  for (size_t d = 0; d < DATES; d++)
    k->offsets[d] = (ptrdiff_t)(d * MAX_LANES);
  for (size_t r = 0; r < 6; r++)
    k->registers[r] = r * DATES;
  struct kernel_step load = {.kind = STEP_LOAD,
                             .blocks = DATES,
                             .offsets = k->offsets,
                             .lane_stride = 1,
                             .type = ELEMENT_U16,
                             .has_nodata = true};
  struct kernel_step element = {.kind = STEP_ELEMENT, .blocks = DATES, .operand = {operand(0, 0, 1), operand(1, 0, 1)}};
  struct kernel_step reduce = {.kind = STEP_REDUCE,
                               .blocks = 1,
                               .outer = 1,
                               .n = DATES,
                               .parameters = k->parameters,
                               .parameter_count = 1,
                               .operand = {operand(0, 0, 1)}};
  struct kernel_step store = {
      .kind = STEP_STORE, .blocks = 1, .lane_stride = 1, .type = ELEMENT_F32, .offsets = k->results};
  k->steps[0] = load, k->steps[1] = load, k->steps[1].dst = 1, k->steps[1].load = 1;
  k->steps[2] = element, k->steps[2].op = KOP_SUB, k->steps[2].dst = 2;
  k->steps[3] = element, k->steps[3].op = KOP_ADD, k->steps[3].dst = 3;
  k->steps[4] = element, k->steps[4].op = KOP_DIV, k->steps[4].dst = 0;
  k->steps[4].operand[0] = operand(2, 0, 1), k->steps[4].operand[1] = operand(3, 0, 1);
  k->steps[5] = reduce, k->steps[5].op = KRED_MEDIAN, k->steps[5].dst = 4;
  k->steps[6] = reduce, k->steps[6].op = KRED_MEAN, k->steps[6].dst = 5;
  k->steps[7] = store, k->steps[7].blocks = 1, k->steps[7].operand[0] = operand(4, 0, 1);
  k->kernel = (struct kernel){.lane_type = type,
                              .steps = k->steps,
                              .step_count = 8,
                              .register_offset = k->registers,
                              .register_count = 6,
                              .scratch_blocks = 6 * DATES,
                              .lane_block = lane_block,
                              .work_blocks = kernel_step_work_blocks(&k->steps[5]),
                              .load_count = 2};
}

static int ascending(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static float ndvi_median(const uint16_t *red, const uint16_t *nir, size_t lane)
{
  float v[DATES];
  size_t n = 0;
  for (size_t d = 0; d < DATES; d++) {
    float r = red[d * MAX_LANES + lane], i = nir[d * MAX_LANES + lane];
    if (r != 0 && i != 0)
      v[n++] = (r - i) / (r + i);
  }
  if (n == 0)
    return -99;
  qsort(v, n, sizeof *v, ascending);
  return n % 2 ? v[n / 2] : (float)(((double)v[n / 2 - 1] + (double)v[n / 2]) / 2);
}

static void splitting_changes_no_bit(void **state)
{
  (void)state;
  static const size_t blocks[] = {16, 64, 128, 1024};
  static const size_t counts[] = {1, 17, 128, 1000};
  uint16_t *bands[2] = {malloc(DATES * MAX_LANES * 2), malloc(DATES * MAX_LANES * 2)};
  uint64_t seed = 3;
  for (size_t i = 0; i < (size_t)DATES * MAX_LANES; i++)
    for (int b = 0; b < 2; b++)
      bands[b][i] = random_bits(&seed) % 3 ? (uint16_t)(random_bits(&seed) % 10000) : 0;
  for (int l = 0; l < LEVELS; l++)
    for (int b = 0; kernel_engine_named(levels[l]) && b < 4; b++)
      for (int c = 0; c < 4; c++) {
        struct ndvi k;
        ndvi_make(&k, LANE_F32, blocks[b]);
        k.steps[7].has_nodata = true, k.steps[7].nodata = -99;
        void *scratch = aligned_alloc(64, kernel_scratch_bytes(&k.kernel));
        float out[MAX_LANES];
        const void *bases[2];
        for (size_t at = 0; at < MAX_LANES; at += counts[c]) {
          bases[0] = bands[0] + at, bases[1] = bands[1] + at;
          size_t lanes = MAX_LANES - at < counts[c] ? MAX_LANES - at : counts[c];
          kernel_engine_named(levels[l])->run_f32(&k.kernel, scratch, bases, out + at, lanes);
        }
        for (size_t i = 0; i < MAX_LANES; i++)
          assert_true(out[i] == ndvi_median(bands[0], bands[1], i));
        free(scratch);
      }
  free(bands[0]);
  free(bands[1]);
}

/* Windows of 2 x 3 x 5 elements in rows of `pitch`, weighed: two arrays side by side. */
enum { ROW = 5, WINDOW = 3 * ROW, WINDOWS = 2, WEIGHED_LANES = 77 };

struct weighing {
  struct kernel_step steps[3];
  ptrdiff_t offsets[WINDOWS * WINDOW], results[WINDOWS];
  double parameters[WINDOW + 1];
  size_t registers[2];
  struct kernel kernel;
};

static void weighing_make(struct weighing *k, enum lane_type type, ptrdiff_t stride, size_t lane_block, bool in_place)
{
  const enum element_type element = type == LANE_F32 ? ELEMENT_F32 : ELEMENT_F64;
  const ptrdiff_t pitch = WEIGHED_LANES * stride + ROW - 1;
  *k = (struct weighing){.results = {0, WEIGHED_LANES}, .registers = {0, WINDOWS * WINDOW}};
  for (size_t i = 0; i < WINDOWS * WINDOW; i++)
    k->offsets[i] = (ptrdiff_t)(i / WINDOW + i % WINDOW / ROW) * pitch + (ptrdiff_t)(i % ROW);
  for (size_t i = 1; i <= WINDOW; i++)
    k->parameters[i] = 0.1 * (double)i - 0.35;
  k->steps[0] = (struct kernel_step){.kind = STEP_LOAD,
                                     .blocks = WINDOWS * WINDOW,
                                     .offsets = k->offsets,
                                     .lane_stride = stride,
                                     .type = element,
                                     .has_nodata = true,
                                     .nodata = na_f64(),
                                     .in_place = in_place};
  k->steps[1] = (struct kernel_step){.kind = STEP_REDUCE,
                                     .op = KRED_WEIGHTED_SUM,
                                     .dst = 1,
                                     .blocks = WINDOWS,
                                     .outer = WINDOWS,
                                     .n = WINDOW,
                                     .operand = {operand(0, 0, 1)},
                                     .parameters = k->parameters,
                                     .parameter_count = WINDOW + 1,
                                     .in_place = in_place};
  k->steps[2] = k->steps[0];
  k->steps[2].kind = STEP_STORE, k->steps[2].in_place = false, k->steps[2].operand[0] = operand(1, 0, 1);
  k->steps[2].blocks = WINDOWS, k->steps[2].offsets = k->results, k->steps[2].lane_stride = 1;
  k->kernel = (struct kernel){.lane_type = type,
                              .steps = k->steps,
                              .step_count = 3,
                              .register_offset = k->registers,
                              .register_count = 2,
                              .scratch_blocks = WINDOWS * (WINDOW + 1),
                              .lane_block = lane_block,
                              .work_blocks = kernel_step_work_blocks(&k->steps[1]),
                              .load_count = 1};
}

static void weigh(const char *level, const struct weighing *k, const void *elements, void *out)
{
  const struct kernel_engine *engine = kernel_engine_named(level);
  void *scratch = aligned_alloc(64, kernel_scratch_bytes(&k->kernel));
  (k->kernel.lane_type == LANE_F32 ? engine->run_f32 : engine->run_f64)(&k->kernel, scratch, &elements, out,
                                                                        WEIGHED_LANES);
  free(scratch);
}

/* What a weighted sum reads in memory gives the bits that it gives from registers, and no element more is read. */
static void weighed_in_place(void **state)
{
  (void)state;
  static const size_t blocks[] = {16, 48, 512};
  for (int l = 0; l < LEVELS; l++)
    for (int c = 0; kernel_engine_named(levels[l]) && c < 18; c++) {
      const enum lane_type type = c % 2 ? LANE_F32 : LANE_F64;
      const ptrdiff_t stride = c / 2 % 3;
      const size_t count =
          3 * (size_t)(WEIGHED_LANES * stride + ROW - 1) + (size_t)((WEIGHED_LANES - 1) * stride) + ROW;
      const size_t bytes = (size_t)WINDOWS * WEIGHED_LANES * lane_size(type);
      struct weighing loaded, left;
      void *elements = malloc(count * lane_size(type)); /* exactly, so that sanitizers see what lies beyond */
      double one[WINDOWS * WEIGHED_LANES] = {0}, other[WINDOWS * WEIGHED_LANES] = {0};
      uint64_t seed = (uint64_t)c;
      for (size_t i = 0; i < count; i++)
        lane_set(type, elements, i, i % 31 == 3 ? na_f64() : i % 37 == 5 ? (double)NAN : random_unit(&seed) - 0.5);
      weighing_make(&loaded, type, stride, blocks[c / 6], false);
      weighing_make(&left, type, stride, blocks[c / 6], true);
      left.registers[0] = left.registers[1] = 0; /* the windows have no memory */
      left.kernel.scratch_blocks = WINDOWS;
      weigh(levels[l], &loaded, elements, one);
      weigh(levels[l], &left, elements, other);
      assert_memory_equal(one, other, bytes);
      free(elements);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_loads),  cmocka_unit_test(foreign_nodata_is_ignored),
      cmocka_unit_test(every_type_stores), cmocka_unit_test(splitting_changes_no_bit),
      cmocka_unit_test(weighed_in_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
