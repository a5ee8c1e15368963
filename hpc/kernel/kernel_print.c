/* Kernels as text, for EXPLAIN: one line a step. */
#include "datacube/base/buffer.h"
#include "datacube/base/missing.h"
#include "hpc/kernel/array_function.h"
#include "hpc/kernel/kernel.h"

enum { LISTED = 8 }; /* indexes and parameters written out before "…" */

static void print_number(struct buffer *out, double value)
{
  char text[32];
  if (is_na_f64(value)) {
    buffer_text(out, "NA");
    return;
  }
  number_format(value, text);
  buffer_text(out, text);
}

static void print_operand(struct buffer *out, const struct kernel_operand *operand, uint32_t blocks)
{
  buffer_printf(out, " r%u", (unsigned)operand->reg);
  if (operand->step == 0 && (blocks > 1 || operand->block > 0))
    buffer_printf(out, ".%u", (unsigned)operand->block);
  else if (operand->block > 0)
    buffer_printf(out, "+%u", (unsigned)operand->block);
}

static void print_memory(struct buffer *out, const struct kernel_step *step)
{
  buffer_printf(out, " %s", element_info(step->type)->name);
  if (step->lane_stride != 0 && step->lane_stride != 1) /* 0: not placed yet */
    buffer_printf(out, " stride %lld", (long long)step->lane_stride);
  if (step->has_nodata) {
    buffer_text(out, " nodata ");
    print_number(out, step->nodata);
  }
  if (step->in_place)
    buffer_text(out, " in place");
}

static void print_parameters(struct buffer *out, const struct kernel_step *step)
{
  for (uint32_t i = 0; i < step->parameter_count && i < LISTED; i++) {
    buffer_text(out, i ? ", " : " (");
    print_number(out, step->parameters[i]);
  }
  if (step->parameter_count)
    buffer_text(out, step->parameter_count > LISTED ? ", …)" : ")");
}

static void print_map(struct buffer *out, const struct kernel_step *step)
{
  buffer_text(out, " {");
  for (uint32_t i = 0; i < step->blocks && i < LISTED; i++)
    buffer_printf(out, i ? " %u" : "%u", (unsigned)step->map[i]);
  buffer_text(out, step->blocks > LISTED ? " …}" : "}");
}

/* The array a reducer or series works on: register, and length, times how often. */
static void print_array(struct buffer *out, const struct kernel_step *step)
{
  buffer_printf(out, " r%u", (unsigned)step->operand[0].reg);
  if (step->operand[0].block > 0)
    buffer_printf(out, "+%u", (unsigned)step->operand[0].block);
  if (step->outer != 1)
    buffer_printf(out, " %u times", (unsigned)step->outer);
  buffer_printf(out, " over %u", (unsigned)step->n);
  print_parameters(out, step);
}

static void print_source(struct buffer *out, const struct kernel_step *step)
{
  switch (step->kind) {
  case STEP_CONSTANT:
    buffer_text(out, "CONSTANT ");
    print_number(out, step->parameters && step->blocks ? step->parameters[0] : step->value);
    if (step->parameters && step->blocks > 1)
      buffer_text(out, " …");
    break;
  case STEP_LOAD:
    buffer_printf(out, "LOAD %u", (unsigned)step->load);
    print_memory(out, step);
    break;
  case STEP_ELEMENT:
    buffer_text(out, kernel_op_name((enum kernel_op)step->op));
    for (int k = 0; k < kernel_op_arity((enum kernel_op)step->op); k++)
      print_operand(out, &step->operand[k], step->blocks);
    break;
  case STEP_REDUCE:
    buffer_text(out, kernel_reducer_name((enum kernel_reducer)step->op));
    print_array(out, step);
    break;
  case STEP_SERIES:
    buffer_text(out, kernel_series_name((enum kernel_series)step->op));
    print_array(out, step);
    break;
  case STEP_FIT:
    buffer_printf(out, "FIT r%u over %u by %zu steps", (unsigned)step->operand[0].reg, (unsigned)step->n,
                  step->curve->model.step_count - 2);
    break;
  case STEP_FUNCTION:
    buffer_text(out, step->function->name);
    print_array(out, step);
    break;
  case STEP_GATHER:
    buffer_printf(out, "GATHER r%u", (unsigned)step->operand[0].reg);
    if (step->operand[0].block > 0)
      buffer_printf(out, "+%u", (unsigned)step->operand[0].block);
    print_map(out, step);
    break;
  case STEP_STORE:
    break;
  }
}

void kernel_print(const struct kernel *kernel, struct buffer *out)
{
  for (size_t i = 0; i < kernel->step_count; i++) {
    const struct kernel_step *step = &kernel->steps[i];
    if (step->kind == STEP_STORE) {
      buffer_printf(out, "STORE[%u]", (unsigned)step->blocks);
      print_operand(out, &step->operand[0], step->blocks);
      print_memory(out, step);
    } else {
      buffer_printf(out, "r%u", (unsigned)step->dst);
      if (step->dst_block > 0)
        buffer_printf(out, "+%u", (unsigned)step->dst_block);
      buffer_printf(out, "[%u] = ", (unsigned)step->blocks);
      print_source(out, step);
    }
    buffer_text(out, "\n");
  }
}
