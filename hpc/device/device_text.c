/* A kernel's function: its registers, then loop after loop. */
#include "hpc/device/device_writer.h"
#include "hpc/kernel/array_function.h"

extern const char prelude_cu[], lane_cu[], fit_cu[]; /* the .cu files */

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
  buffer_printf(out, "#define NEAR %d /* elements of the longest array that a thread holds itself */\n", DEVICE_NEAR);
  buffer_printf(out, "#define TILE_ROWS %d /* rows of lanes that a block takes at a time for its windows */\n",
                DEVICE_TILE_ROWS);
  buffer_text(out, prelude_cu);
  for (int type = LANE_F32; type <= LANE_F64; type++) {
    lane_names(out, (enum lane_type)type);
    buffer_text(out, lane_cu);
    device_write_rows(out);
  }
  buffer_text(out, fit_cu);
}

/* ---- loops ---- */

/* Does that for each reducer and series of the loop. */
static void each_row(struct device_writer *w, const struct device_loop *loop, enum device_moment moment)
{
  for (size_t i = loop->first; i < loop->first + loop->count; i++)
    if (device_step_streams(&w->kernel->steps[w->loops.steps[i]]))
      device_write_row(w, w->loops.steps[i], moment);
}

/* The loop's steps, in lines that begin so. */
static void write_body(struct device_writer *w, const struct device_loop *loop, const char *before)
{
  for (size_t i = loop->first; i < loop->first + loop->count; i++) {
    const size_t step = w->loops.steps[i];
    buffer_text(w->out, before);
    if (device_step_streams(&w->kernel->steps[step]))
      device_write_row(w, step, ROW_ELEMENT);
    else
      device_write_block(w, step, device_loop_parts(loop) == 1);
  }
}

/* Not a model's, which a fit has three times. */
static const char *unroll(const struct device_writer *w, size_t trips)
{
  return trips <= DEVICE_NEAR && !w->is_model ? "#pragma unroll\n" : "";
}

static void write_flat(struct device_writer *w, const struct device_loop *loop)
{
  if (loop->n == 1)
    buffer_text(w->out, "    {\n      const u32 k = 0;\n");
  else
    buffer_printf(w->out, "%s    for (u32 k = 0; k < %u; k++) {\n", unroll(w, loop->n), (unsigned)loop->n);
  write_body(w, loop, "      ");
  buffer_text(w->out, "    }\n");
}

static void write_parts(struct device_writer *w, const struct device_loop *loop)
{
  const unsigned n = loop->n;
  buffer_printf(w->out,
                "      for (u32 round = 0; round < %u; round += blockDim.y) {\n"
                "        const u32 part = round + threadIdx.y;\n",
                (unsigned)device_loop_parts(loop));
  each_row(w, loop, ROW_PART);
  buffer_printf(w->out,
                "        for (u32 i = part * %d; i < least(part * %d + %d, %u); i++) {\n"
                "          const u32 k = o * %u + i;\n",
                DEVICE_PART, DEVICE_PART, DEVICE_PART, n, n);
  write_body(w, loop, "          ");
  buffer_text(w->out, "        }\n");
  each_row(w, loop, ROW_MERGE);
  buffer_text(w->out, "      }\n");
}

static void write_whole_axis(struct device_writer *w, const struct device_loop *loop)
{
  const unsigned n = loop->n;
  buffer_printf(w->out, "%s      for (u32 i = 0; i < %u; i++) {\n        const u32 k = o * %u + i;\n", unroll(w, n), n,
                n);
  write_body(w, loop, "        ");
  buffer_text(w->out, "      }\n");
}

static void write_shaped(struct device_writer *w, const struct device_loop *loop)
{
  buffer_printf(w->out, "%s    for (u32 o = 0; o < %u; o++) {\n", unroll(w, (size_t)loop->outer * loop->n),
                (unsigned)loop->outer);
  each_row(w, loop, ROW_BEGIN);
  (device_loop_parts(loop) > 1 ? write_parts : write_whole_axis)(w, loop);
  each_row(w, loop, ROW_END);
  buffer_text(w->out, "    }\n");
}

static void write_loop(struct device_writer *w, const struct device_loop *loop)
{
  if (loop->is_whole)
    device_write_whole(w, w->loops.steps[loop->first]);
  else
    (loop->is_shaped ? write_shaped : write_flat)(w, loop);
}

/* ---- the function ---- */

static void write_registers(struct device_writer *w)
{
  const char *type = w->kernel->lane_type == LANE_F32 ? "f32" : "f64";
  for (size_t r = 0; r < w->kernel->register_count; r++) {
    const struct device_register *own = &w->loops.registers[r];
    if (own->is_local)
      continue;
    if (own->is_far)
      buffer_printf(w->out, "    const far<%s> g%zu = FAR(%s, %zu);\n", type, r, type, own->scratch);
    else
      buffer_printf(w->out, "    %s g%zu[%zu];\n", type, r, own->blocks > 0 ? own->blocks : 1);
  }
}

void device_write_loops(struct device_writer *w)
{
  write_registers(w);
  for (size_t l = 0; l < w->loops.loop_count; l++)
    write_loop(w, &w->loops.loops[l]);
}

static void write_lanes(struct device_writer *w)
{
  buffer_printf(w->out, "  %s\n  {\n", w->shared ? "EACH_LANE_TOGETHER" : "EACH_LANE");
  if (w->shared)
    buffer_text(w->out, "    const bool live = first + threadIdx.x < nx * ny * nz;\n"
                        "    const u64 lane = live ? first + threadIdx.x : first;\n");
  buffer_text(w->out, "    const lane_place at = place_of(lane, nx, ny);\n");
  device_write_loops(w);
  buffer_text(w->out, "  }\n");
}

/* Functions in C have no text. */
static int check_steps(const struct kernel *kernel, struct error *error)
{
  for (size_t i = 0; i < kernel->step_count; i++)
    if (kernel->steps[i].kind == STEP_FUNCTION)
      return error_set(error, ERROR_FeatureUnsupported, "%s is computed by CPUs only", kernel->steps[i].function->name);
  return 0;
}

int device_text_kernel(const struct kernel *kernel, const char *name, struct buffer *out, struct device_launch *launch,
                       struct error *error)
{
  struct device_writer w = {.kernel = kernel, .name = name, .out = out};
  if (check_steps(kernel, error) != 0 || device_loops_find(kernel, 0, &w.loops, error) != 0)
    return -1;
  w.shared = w.loops.parts > 1;
  *launch = (struct device_launch){
      .parts = w.loops.parts, .shared_bytes = w.shared ? DEVICE_STATE_BYTES : 0, .scratch_bytes = w.loops.scratch};
  device_find_tiles(&w, launch);
  lane_names(out, kernel->lane_type);
  const int status = device_write_tables(&w, error);
  buffer_printf(out, "KERNEL(%s)\n{\n", name);
  (w.tiles ? device_write_tiles : write_lanes)(&w);
  buffer_text(out, "}\n\n");
  device_loops_free(&w.loops);
  return status != 0 ? status : out->failed ? error_memory(error) : 0;
}
