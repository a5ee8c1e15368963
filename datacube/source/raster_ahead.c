/* Reading ahead. A tile takes a block or two of each of many files, which a file's own read-ahead cannot foresee: where
 * the files are not in memory, each would be waited for. So all are asked for at once, and the first is decoded while
 * the others come. First the heads of files that are not open yet, for these are many small reads; then the blocks.
 *
 * Only scenes on the cube's lattice, whose pixels are known without a warp; of a mosaic, the first one. See the header.
 */
#include "datacube/source/raster_ahead.h"

#include "datacube/source/scene_view.h"

#include <stddef.h>

/* The first scene of a plane that meets the part, and where it does, in pixels of the scene; SIZE_MAX: none. */
static size_t scene_of(const struct series_state *state, size_t cell, const struct raster_region *part,
                       struct raster_region *out)
{
  for (size_t k = state->first[cell]; k < state->first[cell + 1]; k++) {
    const size_t i = state->order[k];
    const struct scene_place *place = &state->places[i];
    const struct grid *grid = &state->series.scenes[i].grid;
    const ptrdiff_t row = (ptrdiff_t)part->row + place->row, column = (ptrdiff_t)part->column + place->column;
    const ptrdiff_t bottom = row + (ptrdiff_t)part->height, right = column + (ptrdiff_t)part->width;
    const ptrdiff_t end = bottom < (ptrdiff_t)grid->height ? bottom : (ptrdiff_t)grid->height;
    const ptrdiff_t edge = right < (ptrdiff_t)grid->width ? right : (ptrdiff_t)grid->width;
    out->row = row > 0 ? (size_t)row : 0;
    out->column = column > 0 ? (size_t)column : 0;
    if (!place->on_lattice || end <= (ptrdiff_t)out->row || edge <= (ptrdiff_t)out->column)
      continue;
    out->height = (size_t)end - out->row;
    out->width = (size_t)edge - out->column;
    return i;
  }
  return SIZE_MAX;
}

static size_t cell_of(const struct series_state *state, const struct box *box, size_t plane)
{
  const size_t date = box->start[0] + plane / box->count[1], band = box->start[1] + plane % box->count[1];
  return date * state->series.band_count + band;
}

void raster_ahead(const struct series_state *state, struct raster_handles *handles, const struct box *box,
                  const struct raster_region *part, size_t first, size_t last)
{
  struct raster_region region;
  for (size_t plane = first; plane < last; plane++) {
    const size_t i = scene_of(state, cell_of(state, box, plane), part, &region);
    if (i != SIZE_MAX)
      raster_handles_ahead(handles, state->places[i].file);
  }
  for (size_t plane = first; plane < last; plane++) {
    const size_t i = scene_of(state, cell_of(state, box, plane), part, &region);
    struct error ignored = {.code = ""};
    struct scene_view view;
    if (i != SIZE_MAX && scene_view_open(state, handles, i, &view, &ignored) == 0)
      scene_view_ahead(&view, &region);
  }
}
