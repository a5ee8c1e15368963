/* Regions in chunks: see the header. */
#include "datacube/source/netcdf_region.h"

bool chunk_walk_begin(const struct netcdf_layout *layout, const size_t *start, const size_t *count,
                      struct chunk_walk *out)
{
  *out = (struct chunk_walk){.rank = layout->rank};
  for (size_t d = 0; d < layout->rank; d++) {
    if (count[d] == 0)
      return false;
    out->index[d] = out->first[d] = start[d] / layout->chunk[d];
    out->last[d] = (start[d] + count[d] - 1) / layout->chunk[d];
  }
  return true;
}

void chunk_walk_on(struct chunk_walk *w)
{
  size_t d = w->rank;
  while (d > 0 && ++w->index[d - 1] > w->last[d - 1]) {
    w->index[d - 1] = w->first[d - 1];
    d--;
  }
  w->at_end = d == 0;
}

struct chunk_part chunk_part_of(const struct netcdf_layout *layout, const size_t *index, const size_t *start,
                                const size_t *count)
{
  struct chunk_part part;
  for (size_t d = 0; d < layout->rank; d++) {
    const size_t first = index[d] * layout->chunk[d];
    const size_t end = layout->shape[d] - first < layout->chunk[d] ? layout->shape[d] : first + layout->chunk[d];
    const size_t from = start[d] > first ? start[d] : first;
    const size_t to = start[d] + count[d] < end ? start[d] + count[d] : end;
    part.in_chunk[d] = from - first;
    part.in_region[d] = from - start[d];
    part.count[d] = to - from;
  }
  return part;
}

bool is_whole_chunks(const struct netcdf_layout *layout, const size_t *start, const size_t *count)
{
  for (size_t d = 0; d < layout->rank; d++) {
    const size_t end = start[d] + count[d];
    if (start[d] % layout->chunk[d] != 0 || (end % layout->chunk[d] != 0 && end != layout->shape[d]))
      return false;
  }
  return true;
}
