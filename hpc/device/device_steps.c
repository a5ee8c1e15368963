/* What works block by block: constants, loads, element operations, gathers, stores; and the tables that steps read. */
#include "hpc/device/device_writer.h"

#include "datacube/base/missing.h"

#include <float.h>
#include <inttypes.h>

static uint64_t bits_of(double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* ---- tables ---- */

static void write_table(struct device_writer *w, size_t step, const double *values, size_t count)
{
  buffer_printf(w->out, "TABLE u64 %s_t%zu[] = {%s", w->name, step, count ? "" : "0");
  for (size_t i = 0; i < count; i++)
    buffer_printf(w->out, "%s0x%016" PRIX64 "ull", i ? ", " : "", bits_of(values[i]));
  buffer_text(w->out, "};\n");
}

static void write_map(struct device_writer *w, size_t step, const uint32_t *map, size_t count)
{
  buffer_printf(w->out, "TABLE u32 %s_t%zu[] = {%s", w->name, step, count ? "" : "0");
  for (size_t i = 0; i < count; i++)
    buffer_printf(w->out, "%s%" PRIu32, i ? ", " : "", map[i]);
  buffer_text(w->out, "};\n");
}

int device_write_tables(struct device_writer *w, struct error *error)
{
  for (size_t i = 0; i < w->kernel->step_count; i++) {
    const struct kernel_step *step = &w->kernel->steps[i];
    if (step->kind == STEP_CONSTANT && step->parameters)
      write_table(w, i, step->parameters, step->blocks);
    if (step->kind == STEP_REDUCE && step->parameter_count > 1 &&
        (step->op == KRED_QUANTILES || step->op == KRED_WEIGHTED_SUM))
      write_table(w, i, step->parameters + 1, step->parameter_count - 1);
    if (step->kind == STEP_GATHER)
      write_map(w, i, step->map, step->blocks);
    if (step->kind == STEP_FIT) {
      write_table(w, i, step->parameters + 1, step->parameter_count - 1);
      if (device_write_model(w, i, error) != 0)
        return -1;
    }
  }
  return 0;
}

/* ---- memory ---- */

static const char *stored_name(enum element_type type)
{
  static const char *const names[ELEMENT_TYPE_COUNT] = {
      [ELEMENT_U8] = "u8",   [ELEMENT_I8] = "i8",   [ELEMENT_U16] = "u16",        [ELEMENT_I16] = "i16",
      [ELEMENT_U32] = "u32", [ELEMENT_I32] = "i32", [ELEMENT_U64] = "u64",        [ELEMENT_I64] = "i64",
      [ELEMENT_F32] = "f32", [ELEMENT_F64] = "f64", [ELEMENT_BOOLEAN] = "boolean"};
  return names[type];
}

/* Whether elements are compared with a no-data value, and that value as the load takes it. */
static void write_nodata_in(struct device_writer *w, const struct kernel_step *step)
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

static void write_nodata_out(struct device_writer *w, const struct kernel_step *step)
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

/* Place of block k's element of the lane in memory. */
static void write_place(struct device_writer *w, size_t index)
{
  const struct device_place *place = &w->loops.places[index];
  buffer_printf(w->out, "offsets[%zu + k] + along(at, strides + %zu), ", place->offsets, 3 * place->memory);
}

void device_write_load(struct device_writer *w, size_t index)
{
  const struct kernel_step *step = &w->kernel->steps[index];
  buffer_printf(w->out, "FN(load_%s)(bases[%u], ", stored_name(step->type), (unsigned)step->load);
  write_place(w, index);
  write_nodata_in(w, step);
  buffer_text(w->out, ")");
}

static void write_store(struct device_writer *w, size_t index)
{
  const struct kernel_step *step = &w->kernel->steps[index];
  buffer_printf(w->out, "FN(store_%s)(out, ", stored_name(step->type));
  write_place(w, index);
  device_write_operand(w, &step->operand[0]);
  write_nodata_out(w, step);
  buffer_text(w->out, ")");
}

/* ---- values ---- */

void device_write_element(struct device_writer *w, uint32_t reg, uint32_t block, const char *index)
{
  if (block)
    buffer_printf(w->out, "g%u[%u + %s]", (unsigned)reg, (unsigned)block, index);
  else
    buffer_printf(w->out, "g%u[%s]", (unsigned)reg, index);
}

void device_write_operand(struct device_writer *w, const struct kernel_operand *operand)
{
  if (w->loops.registers[operand->reg].is_local)
    buffer_printf(w->out, "r%u", (unsigned)operand->reg);
  else if (operand->step)
    device_write_element(w, operand->reg, operand->block, "k");
  else
    buffer_printf(w->out, "g%u[%u]", (unsigned)operand->reg, (unsigned)operand->block);
}

static void write_constant(struct device_writer *w, const struct kernel_step *step, size_t index)
{
  if (w->is_model && index == 0)
    buffer_text(w->out, "p[k]");
  else if (step->parameters)
    buffer_printf(w->out, "FN(constant)(%s_t%zu[k])", w->name, index);
  else
    buffer_printf(w->out, "FN(constant)(0x%016" PRIX64 "ull)", bits_of(step->value));
}

static void write_element(struct device_writer *w, const struct kernel_step *step)
{
  const int arity = kernel_op_arity((enum kernel_op)step->op);
  buffer_printf(w->out, "FN(op_%s)(", kernel_op_name((enum kernel_op)step->op));
  for (int i = 0; i < arity; i++) {
    buffer_text(w->out, i ? ", " : "");
    device_write_operand(w, &step->operand[i]);
  }
  buffer_text(w->out, ")");
}

void device_write_target(struct device_writer *w, const struct kernel_step *step)
{
  if (w->loops.registers[step->dst].is_local)
    buffer_printf(w->out, "const T r%u = ", (unsigned)step->dst);
  else
    device_write_element(w, step->dst, step->dst_block, "k");
  if (!w->loops.registers[step->dst].is_local)
    buffer_text(w->out, " = ");
}

void device_write_block(struct device_writer *w, size_t index, bool once)
{
  const struct kernel_step *step = &w->kernel->steps[index];
  if (step->kind == STEP_STORE && w->is_model) {
    buffer_text(w->out, "to[k] = ");
    device_write_operand(w, &step->operand[0]);
    buffer_text(w->out, ";\n");
    return;
  }
  if (step->kind == STEP_STORE && w->shared)
    buffer_text(w->out, once ? "if (live && threadIdx.y == 0) " : "if (live) ");
  if (step->kind != STEP_STORE)
    device_write_target(w, step);
  if (step->kind == STEP_CONSTANT)
    write_constant(w, step, index);
  else if (step->kind == STEP_LOAD)
    (w->loops.places[index].is_tiled ? device_write_window : device_write_load)(w, index);
  else if (step->kind == STEP_STORE)
    write_store(w, index);
  else if (step->kind == STEP_ELEMENT)
    write_element(w, step);
  else
    buffer_printf(w->out, "g%u[%u + %s_t%zu[k]]", (unsigned)step->operand[0].reg, (unsigned)step->operand[0].block,
                  w->name, index);
  buffer_text(w->out, ";\n");
}
