/* What takes arrays: reducers and series element by element, inside a loop; medians, quantiles and sorting as a whole.
 */
#include "hpc/device/device_writer.h"

#include <inttypes.h>

static const char *ignores(const struct kernel_step *step)
{
  return step->parameter_count == 0 || step->parameters[0] != 0 ? "true" : "false";
}

/* ---- element by element ---- */

static void write_begin(struct device_writer *w, const struct kernel_step *step, size_t index, bool parts)
{
  if (step->kind == STEP_SERIES)
    buffer_printf(w->out, "      FN(series_%s)<%s> s%zu", kernel_series_name((enum kernel_series)step->op),
                  ignores(step), index);
  else
    buffer_printf(w->out, "      FN(reduce_%s)<%s, %d> s%zu", kernel_reducer_name((enum kernel_reducer)step->op),
                  ignores(step), step->op == KRED_COUNT && step->parameter_count > 1 ? (int)step->parameters[1] : 0,
                  index);
  if (parts)
    buffer_printf(w->out, ", p%zu", index);
  buffer_printf(w->out, ";\n      s%zu.init();\n", index);
}

static void write_element(struct device_writer *w, const struct kernel_step *step, size_t index, bool parts)
{
  if (step->kind == STEP_SERIES)
    device_write_target(w, step);
  buffer_printf(w->out, "%s%zu.%s(", parts ? "p" : "s", index, step->kind == STEP_SERIES ? "next" : "step");
  device_write_operand(w, &step->operand[0]);
  if (step->kind == STEP_REDUCE && step->op == KRED_WEIGHTED_SUM)
    buffer_printf(w->out, ", of_bits_f64(%s_t%zu[i])", w->name, index);
  buffer_text(w->out, ");\n");
}

void device_write_row(struct device_writer *w, size_t index, enum device_moment moment)
{
  const struct kernel_step *step = &w->kernel->steps[index];
  const struct device_loop *loop = &w->loops.loops[w->loops.places[index].loop];
  const bool parts = device_loop_parts(loop) > 1;
  switch (moment) {
  case ROW_BEGIN:
    write_begin(w, step, index, parts);
    break;
  case ROW_PART:
    buffer_printf(w->out, "        p%zu.init();\n", index);
    break;
  case ROW_ELEMENT:
    write_element(w, step, index, parts);
    break;
  case ROW_MERGE:
    buffer_printf(w->out, "        merge_parts(s%zu, p%zu, %u - round);\n", index, index,
                  (unsigned)device_loop_parts(loop));
    break;
  case ROW_END:
    if (step->kind != STEP_REDUCE)
      break;
    buffer_text(w->out, "      ");
    device_write_element(w, step->dst, step->dst_block, "o");
    buffer_printf(w->out, " = s%zu.finish(%u);\n", index, (unsigned)step->n);
  }
}

/* ---- whole arrays ---- */

/* A copy of its own, near or far. */
static void write_work(struct device_writer *w, const char *type, const char *name, size_t n, size_t before)
{
  if (n <= DEVICE_NEAR)
    buffer_printf(w->out, "      %s %s[%zu];\n", type, name, n ? n : 1);
  else
    buffer_printf(w->out, "      const far<%s> %s = FAR(%s, %zu);\n", type, name, type, w->loops.work + before);
}

static void write_reduce(struct device_writer *w, const struct kernel_step *step, size_t index)
{
  const unsigned n = step->n, results = step->parameter_count - 1;
  write_work(w, "T", "sorted", n, 0);
  if (step->op == KRED_MEDIAN)
    buffer_printf(w->out, "      to[o] = FN(median)<%u, %s>(from, sorted);\n", n, ignores(step));
  else
    buffer_printf(w->out,
                  "      u32 missing, na;\n      FN(sorted)<%u, false>(from, sorted, missing, na);\n"
                  "      for (u32 q = 0; q < %u; q++)\n"
                  "        to[o * %u + q] = FN(quantile)<%u, %s>(sorted, missing, na, %s_t%zu[q]);\n",
                  n, results, results, n, ignores(step), w->name, index);
}

static void write_series(struct device_writer *w, const struct kernel_step *step)
{
  const unsigned n = step->n;
  if (step->op == KSER_REVERSE || step->op == KSER_INTERPOLATE) {
    buffer_printf(w->out, "      FN(%s)<%u>(from, to + o * %u);\n",
                  step->op == KSER_REVERSE ? "reverse" : "interpolate", n, n);
    return;
  }
  write_work(w, "u32", "order", n, 0);
  write_work(w, "u32", "other", n, (n * sizeof(uint32_t) + 7) & ~(size_t)7);
  const bool drops = step->parameters[1] < 0, first = step->parameters[1] == 0;
  buffer_printf(w->out,
                "      FN(order)<%u, %s, %s>(from, order, other);\n      for (u32 k = 0; k < %u; k++) {\n"
                "        const T x = from[order[k]];\n        to[o * %u + k] = %s%s;\n      }\n",
                n, step->parameters[0] != 0 ? "true" : "false", first ? "true" : "false", n, n,
                drops ? "IS_NA(x) ? NA : " : "", step->op == KSER_ORDER ? "(T)order[k]" : "x");
}

static void write_fit(struct device_writer *w, const struct kernel_step *step, size_t index)
{
  const unsigned n = step->n, count = step->parameter_count - 1;
  const size_t values = n > DEVICE_NEAR ? n * sizeof(double) : 0;
  write_work(w, "T", "at_p", n, 0);
  write_work(w, "T", "tried", n, values);
  write_work(w, "T", "slopes", count * (size_t)n, 2 * values);
  buffer_printf(w->out,
                "      fit_curve<%s_m%zu, %u, %u, %s>(from, at_p, tried, slopes,\n"
                "          %s_t%zu, to + o * %u, scratch);\n",
                w->name, index, n, count, ignores(step), w->name, index, count);
}

/* `from`: the array at outer index o; `to`: the destination. */
void device_write_whole(struct device_writer *w, size_t index)
{
  const struct kernel_step *step = &w->kernel->steps[index];
  buffer_printf(w->out,
                "    for (u32 o = 0; o < %u; o++) {\n      const auto from = g%u + (%u + o * %u);\n"
                "      const auto to = g%u + %u;\n",
                (unsigned)step->outer, (unsigned)step->operand[0].reg, (unsigned)step->operand[0].block,
                (unsigned)step->n, (unsigned)step->dst, (unsigned)step->dst_block);
  if (step->kind == STEP_FIT)
    write_fit(w, step, index);
  else if (step->kind == STEP_REDUCE)
    write_reduce(w, step, index);
  else
    write_series(w, step);
  buffer_text(w->out, "    }\n");
}
