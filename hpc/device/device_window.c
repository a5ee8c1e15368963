/* Windows around the lane: a block reads them once, for all its lanes, into shared memory.
 *
 * A block then takes tiles of lanes, as wide as it has threads and DEVICE_TILE_ROWS high. What a load's windows cover
 * there is read first, element by element; each lane finds its own among them. Where elements do not lie as lanes do,
 * which the text sees from their places, the windows are read as any other elements are. */
#include "hpc/device/device_writer.h"

enum { SHARED_MOST = 48 * 1024 };

/* Elements of shared memory: for each thread of a block; and for the block beside. */
static size_t tile_rows(const struct kernel_step *load)
{
  return DEVICE_TILE_ROWS + load->blocks / load->window_columns - 1;
}

static size_t tile_edge(const struct kernel_step *load)
{
  return tile_rows(load) * (load->window_columns - 1);
}

void device_find_tiles(struct device_writer *w, struct device_launch *launch)
{
  const size_t size = w->kernel->lane_type == LANE_F32 ? sizeof(float) : sizeof(double);
  for (size_t i = 0; !w->shared && i < w->kernel->step_count; i++) {
    const struct kernel_step *step = &w->kernel->steps[i];
    if (step->kind != STEP_LOAD || step->window_columns == 0 || step->blocks < 2 || tile_rows(step) > SHARED_MOST)
      continue;
    const size_t each = launch->tile_bytes + tile_rows(step) * size, edge = launch->tile_edge + tile_edge(step) * size;
    if (DEVICE_TILE_THREADS * each + edge > SHARED_MOST)
      continue;
    launch->tile_bytes = each;
    launch->tile_edge = edge;
    w->loops.places[i].is_tiled = w->tiles = true;
  }
}

/* Where each tile lies, and whether its windows can be read from there. */
static void write_rooms(struct device_writer *w)
{
  const char *const type = w->kernel->lane_type == LANE_F32 ? "f32" : "f64";
  buffer_printf(w->out, "  SHARED block_memory[];\n  %s *room = (%s *)block_memory;\n", type, type);
  for (size_t i = 0; i < w->kernel->step_count; i++) {
    const struct kernel_step *step = &w->kernel->steps[i];
    const struct device_place *place = &w->loops.places[i];
    if (!place->is_tiled)
      continue;
    buffer_printf(w->out, "  %s *const w%zu = room;\n  room += %zu * (blockDim.x + %u);\n", type, i, tile_rows(step),
                  (unsigned)step->window_columns - 1);
    buffer_printf(w->out, "  const bool even%zu = is_even(offsets + %zu, strides + %zu, %u, %u);\n", i, place->offsets,
                  3 * place->memory, (unsigned)(step->blocks / step->window_columns), (unsigned)step->window_columns);
  }
}

static void write_reading(struct device_writer *w, size_t index)
{
  const struct kernel_step *step = &w->kernel->steps[index];
  const unsigned more = step->window_columns - 1, below = step->blocks / step->window_columns - 1;
  buffer_printf(w->out,
                "    for (u32 e = threadIdx.x; even%zu && e < %zu * (blockDim.x + %u); e += blockDim.x) {\n"
                "      const lane_place at = tile_place(corner, e, blockDim.x + %u);\n      const u32 k = 0;\n"
                "      if (at.x < nx + %u && at.y < ny + %u)\n        w%zu[e] = ",
                index, tile_rows(step), more, more, more, below, index);
  device_write_load(w, index);
  buffer_text(w->out, ";\n    }\n");
}

void device_write_window(struct device_writer *w, size_t index)
{
  const unsigned columns = w->kernel->steps[index].window_columns;
  buffer_printf(w->out, "even%zu ? w%zu[(row + k / %u) * (blockDim.x + %u) + threadIdx.x + k %% %u] : ", index, index,
                columns, columns - 1, columns);
  device_write_load(w, index);
}

void device_write_tiles(struct device_writer *w)
{
  write_rooms(w);
  buffer_text(w->out, "  EACH_TILE\n  {\n    const lane_place corner = tile_corner(tile, nx, ny);\n");
  for (size_t i = 0; i < w->kernel->step_count; i++)
    if (w->loops.places[i].is_tiled)
      write_reading(w, i);
  buffer_text(w->out, "    __syncthreads();\n"
                      "    for (u32 row = 0; row < TILE_ROWS; row++) {\n"
                      "    const lane_place at = {corner.x + threadIdx.x, corner.y + row, corner.z};\n"
                      "    if (at.x >= nx || at.y >= ny)\n      break;\n");
  device_write_loops(w);
  buffer_text(w->out, "    }\n    __syncthreads();\n  }\n");
}
