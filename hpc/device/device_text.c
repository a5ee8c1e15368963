/* One statement, or loop over blocks, a step. Registers are arrays g0, g1 … of a lane's blocks: those of a device's
 * thread, which its compiler keeps in registers where they are short. */
#include "hpc/device/device_text.h"

#include "datacube/base/missing.h"

#include <float.h>
#include <inttypes.h>
#include <stdlib.h>

extern const char device_prelude[], device_lane[]; /* prelude.cu and lane.cu */

static const char *const expressions[] = {
#define KOP(name, arity, class, expression) [KOP_##name] = #expression,
#include "hpc/kernel/kernel_ops.def"
#undef KOP
};

struct row_text {
  const char *kind, *init, *step, *finish; /* NULL: a function of lane.cu */
  int states;
};

/* Rows name macros of their own, which are replaced, and these of C's headers, which stay. */
#pragma push_macro("bool")
#pragma push_macro("INFINITY")
#undef bool
#undef INFINITY
#define TEXT(...) TEXT_AS_IT_IS(__VA_ARGS__)
#define TEXT_AS_IT_IS(...) #__VA_ARGS__
static const struct row_text reducers[] = {
#define KRED_WHOLE(name, parameters) [KRED_##name] = {0},
#define KRED(name, parameters, kind, states, init, step, merge, finish)                                                \
  [KRED_##name] = {#kind, TEXT(init), TEXT(step), #finish, states},
#include "hpc/kernel/kernel_reducers.def"
#undef KRED
};

static const struct row_text series[] = {
#define KSER_WHOLE(name, parameters) [KSER_##name] = {0},
#define KSER(name, parameters, init, step) [KSER_##name] = {"SUMS", TEXT(init), TEXT(step), NULL, 1},
#include "hpc/kernel/kernel_series.def"
#undef KSER
};

#pragma pop_macro("bool")
#pragma pop_macro("INFINITY")

struct writing {
  const struct kernel *kernel;
  const char *name;
  struct buffer *out;
  size_t memory_steps, offsets; /* LOADs and STOREs so far, and their blocks */
};

static uint64_t bits_of(double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* ---- the beginning ---- */

static void lane_names(struct buffer *out, enum lane_type type)
{
  const char *const name = type == LANE_F32 ? "f32" : "f64";
  buffer_text(out, "#undef T\n#undef TINT\n#undef FN\n#undef F\n#undef NA\n#undef IS_NA\n#undef LANE_IS_F32\n");
  buffer_printf(out, "#define T %s\n#define TINT %s\n#define FN(name) name##_%s\n", name,
                type == LANE_F32 ? "i32" : "i64", name);
  buffer_printf(out, "#define F(name) name%s\n#define NA na_%s()\n#define IS_NA(x) is_na_%s(x)\n",
                type == LANE_F32 ? "##f" : "", name, name);
  buffer_printf(out, "#define LANE_IS_F32 %d\n", type == LANE_F32);
}

void device_text_begin(struct buffer *out)
{
  buffer_text(out, device_prelude);
  for (int type = LANE_F32; type <= LANE_F64; type++) {
    lane_names(out, (enum lane_type)type);
    buffer_text(out, device_lane);
  }
}

/* ---- tables ---- */

static void write_table(struct writing *w, size_t step, const double *values, size_t count)
{
  buffer_printf(w->out, "TABLE u64 %s_t%zu[] = {", w->name, step);
  for (size_t i = 0; i < count; i++)
    buffer_printf(w->out, "%s0x%016" PRIX64 "ull", i ? ", " : "", bits_of(values[i]));
  buffer_text(w->out, "};\n");
}

static void write_map(struct writing *w, size_t step, const uint32_t *map, size_t count)
{
  buffer_printf(w->out, "TABLE u32 %s_t%zu[] = {", w->name, step);
  for (size_t i = 0; i < count; i++)
    buffer_printf(w->out, "%s%" PRIu32, i ? ", " : "", map[i]);
  buffer_text(w->out, "};\n");
}

static void write_tables(struct writing *w)
{
  for (size_t i = 0; i < w->kernel->step_count; i++) {
    const struct kernel_step *step = &w->kernel->steps[i];
    if (step->kind == STEP_CONSTANT && step->parameters)
      write_table(w, i, step->parameters, step->blocks);
    if (step->kind == STEP_REDUCE && step->parameter_count > 1 &&
        (step->op == KRED_QUANTILES || step->op == KRED_WEIGHTED_SUM))
      write_table(w, i, step->parameters + 1, step->parameter_count - 1);
    if (step->kind == STEP_GATHER && step->blocks > 0)
      write_map(w, i, step->map, step->blocks);
  }
}

/* ---- steps ---- */

static const char *stored_name(enum element_type type)
{
  static const char *const names[ELEMENT_TYPE_COUNT] = {
      [ELEMENT_U8] = "u8",   [ELEMENT_I8] = "i8",   [ELEMENT_U16] = "u16",        [ELEMENT_I16] = "i16",
      [ELEMENT_U32] = "u32", [ELEMENT_I32] = "i32", [ELEMENT_U64] = "u64",        [ELEMENT_I64] = "i64",
      [ELEMENT_F32] = "f32", [ELEMENT_F64] = "f64", [ELEMENT_BOOLEAN] = "boolean"};
  return names[type];
}

static void each_block(struct writing *w, size_t blocks)
{
  buffer_printf(w->out, "    for (u32 k = 0; k < %zu; k++)\n      ", blocks);
}

/* A block of the operand, for block k of the destination. */
static void write_operand(struct writing *w, const struct kernel_operand *operand)
{
  buffer_printf(w->out, operand->step ? "g%u[%u + k]" : "g%u[%u]", (unsigned)operand->reg, (unsigned)operand->block);
}

static void write_constant(struct writing *w, const struct kernel_step *step, size_t index)
{
  each_block(w, step->blocks);
  buffer_printf(w->out, "g%u[%u + k] = ", (unsigned)step->dst, (unsigned)step->dst_block);
  if (step->parameters)
    buffer_printf(w->out, "FN(constant)(%s_t%zu[k]);\n", w->name, index);
  else
    buffer_printf(w->out, "FN(constant)(0x%016" PRIX64 "ull);\n", bits_of(step->value));
}

/* Whether elements are compared with a no-data value, and that value as the load takes it. */
static void write_nodata_in(struct writing *w, const struct kernel_step *step)
{
  const bool marks = step->has_nodata && element_can_mark(step->type, step->nodata);
  const double nan = (double)NAN;
  if (step->type == ELEMENT_F32 || step->type == ELEMENT_F64) {
    const bool stays = step->has_nodata && is_na_f64(step->nodata);
    double nodata = step->has_nodata ? step->nodata : nan;
    if (step->type == ELEMENT_F32 && !(fabs(nodata) > FLT_MAX && fabs(nodata) <= DBL_MAX))
      nodata = (double)(float)nodata;
    else if (step->type == ELEMENT_F32)
      nodata = nan; /* no f32 is it */
    buffer_printf(w->out, "%s, 0x%016" PRIX64 "ull", stays ? "false" : "true", bits_of(nodata));
    return;
  }
  if (step->type == ELEMENT_U64)
    buffer_printf(w->out, "%d, %" PRIu64 "ull", marks, marks ? element_u64(step->nodata) : 0);
  else
    buffer_printf(w->out, "%d, (%s)%" PRId64 "ll", marks,
                  step->type == ELEMENT_BOOLEAN ? "u8" : stored_name(step->type),
                  marks ? element_i64(step->nodata) : 0);
}

/* Place of block k's element of the lane in memory. */
static void write_place(struct writing *w, const struct kernel_step *step)
{
  buffer_printf(w->out, "offsets[%zu + k] + along(at, strides + %zu), ", w->offsets, 3 * w->memory_steps++);
  w->offsets += step->blocks;
}

static void write_load(struct writing *w, const struct kernel_step *step)
{
  each_block(w, step->blocks);
  buffer_printf(w->out, "g%u[%u + k] = FN(load_%s)(bases[%u], ", (unsigned)step->dst, (unsigned)step->dst_block,
                stored_name(step->type), (unsigned)step->load);
  write_place(w, step);
  write_nodata_in(w, step);
  buffer_text(w->out, ");\n");
}

/* What missing elements become in an integer type: as the type holds it; 0 without a no-data value. */
static double nodata_out(const struct kernel_step *step)
{
  static const double bounds[][2] = {[ELEMENT_U8] = {0, UINT8_MAX},   [ELEMENT_I8] = {INT8_MIN, INT8_MAX},
                                     [ELEMENT_U16] = {0, UINT16_MAX}, [ELEMENT_I16] = {INT16_MIN, INT16_MAX},
                                     [ELEMENT_U32] = {0, UINT32_MAX}, [ELEMENT_I32] = {INT32_MIN, INT32_MAX}};
  const double *bound = bounds[step->type];
  if (!step->has_nodata || isnan(step->nodata))
    return 0;
  return rint(fmin(fmax(step->nodata, bound[0]), bound[1]));
}

static void write_nodata_out(struct writing *w, const struct kernel_step *step)
{
  const double nodata = step->has_nodata ? step->nodata : (double)NAN;
  switch (step->type) {
  case ELEMENT_BOOLEAN:
    break;
  case ELEMENT_F32:
  case ELEMENT_F64:
    buffer_printf(w->out, ", %s, 0x%016" PRIX64 "ull", is_na_f64(nodata) ? "true" : "false",
                  bits_of(step->type == ELEMENT_F32 && !is_na_f64(nodata) ? (double)(float)nodata : nodata));
    break;
  case ELEMENT_U64:
    buffer_printf(w->out, ", %" PRIu64 "ull", element_u64(rint(nodata)));
    break;
  case ELEMENT_I64:
    buffer_printf(w->out, ", (i64)%" PRIu64 "ull", (uint64_t)element_i64(rint(nodata)));
    break;
  default:
    buffer_printf(w->out, ", (%s)%" PRId64 "ll", stored_name(step->type), (int64_t)nodata_out(step));
  }
}

static void write_store(struct writing *w, const struct kernel_step *step)
{
  each_block(w, step->blocks);
  buffer_printf(w->out, "FN(store_%s)(out, ", stored_name(step->type));
  write_place(w, step);
  write_operand(w, &step->operand[0]);
  write_nodata_out(w, step);
  buffer_text(w->out, ");\n");
}

static void write_element(struct writing *w, const struct kernel_step *step)
{
  static const char names[] = {'a', 'b', 'c'};
  const int arity = kernel_op_arity((enum kernel_op)step->op);
  buffer_printf(w->out, "    for (u32 k = 0; k < %u; k++) {\n      const T ", (unsigned)step->blocks);
  for (int i = 0; i < arity; i++) {
    buffer_printf(w->out, "%s%c = ", i ? ", " : "", names[i]);
    write_operand(w, &step->operand[i]);
  }
  buffer_printf(w->out, ";\n      g%u[%u + k] = (T)(%s);\n    }\n", (unsigned)step->dst, (unsigned)step->dst_block,
                expressions[step->op]);
}

static void write_gather(struct writing *w, const struct kernel_step *step, size_t index)
{
  each_block(w, step->blocks);
  buffer_printf(w->out, "g%u[%u + k] = g%u[%u + %s_t%zu[k]];\n", (unsigned)step->dst, (unsigned)step->dst_block,
                (unsigned)step->operand[0].reg, (unsigned)step->operand[0].block, w->name, index);
}

/* ---- arrays ---- */

static bool ignores(const struct kernel_step *step)
{
  return step->parameter_count == 0 || step->parameters[0] != 0;
}

/* What rows of reducers and series may name, and the states. */
static void write_row_begin(struct writing *w, const struct kernel_step *step, const struct row_text *row)
{
  const int mode = step->parameter_count > 1 ? (int)step->parameters[1] : 0;
  buffer_printf(w->out, "      const bool ignore = %s;\n      const int mode = %d;\n      const TINT n = %u;\n",
                ignores(step) ? "true" : "false", mode, (unsigned)step->n);
  buffer_text(w->out, "      TINT na = 0;\n      (void)ignore, (void)mode, (void)n, (void)na;\n");
  const char *type = strcmp(row->kind, "SUMS") == 0 ? "f64" : strcmp(row->kind, "VALUES") == 0 ? "T" : "TINT";
  for (int s = 0; s < row->states; s++)
    buffer_printf(w->out, "      %s s%d;\n", type, s);
  buffer_printf(w->out, "      %s;\n", row->init);
}

static void write_reduce_row(struct writing *w, const struct kernel_step *step, const struct row_text *row)
{
  write_row_begin(w, step, row);
  buffer_printf(w->out,
                "      for (u32 k = 0; k < %u; k++) {\n        const T x = from[k];\n        %s;\n"
                "        na += IS_NA(x);\n      }\n      to[o] = (T)(%s);\n",
                (unsigned)step->n, row->step, row->finish);
}

static void write_series_row(struct writing *w, const struct kernel_step *step, const struct row_text *row)
{
  write_row_begin(w, step, row);
  buffer_printf(w->out,
                "      bool ended = false;\n      for (u32 k = 0; k < %u; k++) {\n        const T x = from[k];\n"
                "        if (!IS_NA(x)) {\n          %s;\n        }\n        ended |= IS_NA(x) && !ignore;\n"
                "        to[o * %u + k] = IS_NA(x) || ended ? NA : FN(quiet)(s0);\n      }\n",
                (unsigned)step->n, row->step, (unsigned)step->n);
}

static void write_reduce_whole(struct writing *w, const struct kernel_step *step, size_t index)
{
  const unsigned n = step->n, room = n ? n : 1;
  const char *ignore = ignores(step) ? "true" : "false";
  if (step->op == KRED_MEDIAN)
    buffer_printf(w->out, "      T sorted[%u];\n      to[o] = FN(median)(from, sorted, %u, %s);\n", room, n, ignore);
  else if (step->op == KRED_WEIGHTED_SUM)
    buffer_printf(w->out, "      to[o] = FN(weighted_sum)(from, %s_t%zu, %u, %s);\n", w->name, index, n, ignore);
  else
    buffer_printf(w->out,
                  "      T sorted[%u];\n      u32 missing, na;\n      FN(sorted)(from, sorted, %u, &missing, &na);\n"
                  "      for (u32 q = 0; q < %u; q++)\n"
                  "        to[o * %u + q] = FN(quantile)(sorted, %u, missing, na, %s, %s_t%zu[q]);\n",
                  room, n, (unsigned)step->parameter_count - 1, (unsigned)step->parameter_count - 1, n, ignore, w->name,
                  index);
}

static void write_series_whole(struct writing *w, const struct kernel_step *step)
{
  const unsigned n = step->n, room = n ? n : 1;
  if (step->op == KSER_REVERSE) {
    buffer_printf(w->out, "      for (u32 k = 0; k < %u; k++)\n        to[o * %u + k] = from[%u - 1 - k];\n", n, n, n);
    return;
  }
  if (step->op == KSER_INTERPOLATE) {
    buffer_printf(w->out,
                  "      for (u32 k = 0; k < %u; k++)\n        to[o * %u + k] = from[k];\n"
                  "      FN(interpolate)(to + o * %u, %u);\n",
                  n, n, n, n);
    return;
  }
  const bool drops = step->parameters[1] < 0, first = step->parameters[1] == 0;
  buffer_printf(
      w->out,
      "      u32 order[%u];\n      FN(order)(from, order, %u, %s, %s);\n      for (u32 k = 0; k < %u; k++) {\n"
      "        const T x = from[order[k]];\n        to[o * %u + k] = %s%s;\n      }\n",
      room, n, step->parameters[0] != 0 ? "true" : "false", first ? "true" : "false", n, n,
      drops ? "IS_NA(x) ? NA : " : "", step->op == KSER_ORDER ? "(T)order[k]" : "x");
}

/* `from`: the array at outer index o; `to`: the destination. */
static void write_arrays(struct writing *w, const struct kernel_step *step, size_t index)
{
  buffer_printf(
      w->out, "    for (u32 o = 0; o < %u; o++) {\n      const T *from = g%u + %u + o * %u;\n      T *to = g%u + %u;\n",
      (unsigned)step->outer, (unsigned)step->operand[0].reg, (unsigned)step->operand[0].block, (unsigned)step->n,
      (unsigned)step->dst, (unsigned)step->dst_block);
  const struct row_text *row = step->kind == STEP_REDUCE ? &reducers[step->op] : &series[step->op];
  if (step->kind == STEP_REDUCE && row->kind)
    write_reduce_row(w, step, row);
  else if (step->kind == STEP_REDUCE)
    write_reduce_whole(w, step, index);
  else if (row->kind)
    write_series_row(w, step, row);
  else
    write_series_whole(w, step);
  buffer_text(w->out, "    }\n");
}

static void write_step(struct writing *w, size_t index)
{
  const struct kernel_step *step = &w->kernel->steps[index];
  switch (step->kind) {
  case STEP_CONSTANT:
    write_constant(w, step, index);
    break;
  case STEP_LOAD:
    write_load(w, step);
    break;
  case STEP_ELEMENT:
    write_element(w, step);
    break;
  case STEP_REDUCE:
  case STEP_SERIES:
    write_arrays(w, step, index);
    break;
  case STEP_GATHER:
    write_gather(w, step, index);
    break;
  case STEP_STORE:
    write_store(w, step);
    break;
  case STEP_FIT: /* refused before */
    break;
  }
}

/* ---- registers ---- */

/* One past the last block that the step writes in its register. */
static size_t blocks_written(const struct kernel_step *step)
{
  const size_t results = step->kind != STEP_REDUCE    ? step->n
                         : step->op == KRED_QUANTILES ? step->parameter_count - 1
                                                      : 1;
  const bool is_array = step->kind == STEP_REDUCE || step->kind == STEP_SERIES;
  return step->kind == STEP_STORE ? 0 : step->dst_block + (is_array ? step->outer * results : step->blocks);
}

/* Bytes of a lane: its registers, and the copy that sorting takes. */
static size_t lane_bytes(const struct kernel *kernel, const size_t *blocks)
{
  const size_t size = kernel->lane_type == LANE_F32 ? sizeof(float) : sizeof(double);
  size_t sum = 0, most = 0;
  for (size_t r = 0; r < kernel->register_count; r++)
    sum += blocks[r];
  for (size_t i = 0; i < kernel->step_count; i++)
    if (kernel->steps[i].kind == STEP_REDUCE || kernel->steps[i].kind == STEP_SERIES)
      most = kernel->steps[i].n > most ? kernel->steps[i].n : most;
  return (sum + most) * size;
}

static int measure(const struct kernel *kernel, size_t *blocks, struct error *error)
{
  for (size_t i = 0; i < kernel->step_count; i++) {
    const struct kernel_step *step = &kernel->steps[i];
    const size_t end = blocks_written(step);
    if (step->kind == STEP_FIT)
      return error_set(error, ERROR_FeatureUnsupported, "fitted curves do not run on a device");
    if (step->kind != STEP_STORE && end > blocks[step->dst])
      blocks[step->dst] = end;
  }
  const size_t bytes = lane_bytes(kernel, blocks);
  if (bytes > DEVICE_LANE_BYTES)
    return error_set(error, ERROR_FeatureUnsupported, "a lane's registers take %zu bytes; a device's may take %d",
                     bytes, (int)DEVICE_LANE_BYTES);
  return 0;
}

int device_text_kernel(const struct kernel *kernel, const char *name, struct buffer *out, struct device_launch *launch,
                       struct error *error)
{
  struct writing w = {.kernel = kernel, .name = name, .out = out};
  size_t *blocks = calloc(kernel->register_count + 1, sizeof *blocks);
  if (!blocks)
    return error_memory(error);
  if (measure(kernel, blocks, error) != 0) {
    free(blocks);
    return -1;
  }
  *launch = (struct device_launch){.parts = 1};
  lane_names(out, kernel->lane_type);
  write_tables(&w);
  buffer_printf(out, "KERNEL(%s)\n{\n  EACH_LANE\n  {\n    const lane_place at = place_of(lane, nx, ny);\n", name);
  for (size_t r = 0; r < kernel->register_count; r++)
    buffer_printf(out, "    T g%zu[%zu];\n", r, blocks[r] > 0 ? blocks[r] : 1);
  for (size_t i = 0; i < kernel->step_count; i++)
    write_step(&w, i);
  buffer_text(out, "  }\n}\n\n");
  free(blocks);
  return out->failed ? error_memory(error) : 0;
}
