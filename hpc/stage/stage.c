/* What the kinds of stages share: regions, needs, buffers. */
#include "hpc/stage/stage.h"

#include "datacube/base/checked.h"
#include "datacube/base/missing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

size_t region_elements(const struct region *region)
{
  size_t n = 1;
  for (size_t d = 0; d < region->dimensions; d++)
    n = saturated_mul(n, region->count[d]);
  return n;
}

size_t region_bytes(const struct cube *cube, const struct region *region)
{
  return saturated_mul(element_info(cube->type)->size, region_elements(region));
}

void region_strides(const struct region *region, size_t *strides)
{
  size_t stride = 1;
  for (size_t d = region->dimensions; d-- > 0;) {
    strides[d] = stride;
    stride *= region->count[d];
  }
}

bool next_position(const size_t *count, size_t *position, size_t dimensions)
{
  for (size_t d = dimensions; d-- > 0;) {
    if (++position[d] < count[d])
      return true;
    position[d] = 0;
  }
  return false;
}

size_t cube_part_bytes(const struct cube *cube, const size_t *count)
{
  size_t bytes = element_info(cube->type)->size;
  for (size_t d = 0; d < cube->dimensions; d++)
    bytes = saturated_mul(bytes, count[d]);
  return bytes;
}

void input_counts(const struct stage_input *input, const struct cube *cube, const size_t *count, size_t *in)
{
  for (size_t d = 0; d < cube->dimensions; d++) {
    const struct need *need = &input->need[d];
    if (need->kind == NEED_LIST)
      in[d] = need->count;
    else if (need->kind == NEED_RUN)
      in[d] = saturated_add(count[need->out], need->before + need->after);
  }
}

void input_region(const struct stage_input *input, size_t dimensions, const struct region *out, struct region *in)
{
  in->dimensions = dimensions;
  for (size_t d = 0; d < dimensions; d++) {
    const struct need *need = &input->need[d];
    in->start[d] = 0;
    in->list[d] = NULL;
    in->count[d] = need->count;
    if (need->kind == NEED_LIST)
      in->list[d] = need->list;
    if (need->kind != NEED_RUN)
      continue;
    in->count[d] = out->count[need->out];
    if (need->map) {
      in->list[d] = need->map + out->start[need->out];
      continue;
    }
    size_t start = out->start[need->out] + need->offset, end = start + in->count[d] + need->after;
    in->start[d] = start > need->before ? start - need->before : 0;
    in->count[d] = (end < need->size || !need->after ? end : need->size) - in->start[d];
  }
}

void fill_missing(const struct cube *cube, void *data, size_t count)
{
  const struct element_info *info = element_info(cube->type);
  size_t size = info->size, numbers = info->is_complex ? 2 * count : count;
  double missing = info->is_complex ? na_f64() : cube->has_nodata ? cube->nodata : info->is_float ? (double)NAN : 0;
  if (cube->type == ELEMENT_F32 || cube->type == ELEMENT_C64)
    for (size_t i = 0; i < numbers; i++)
      ((float *)data)[i] = (float)missing;
  else if (cube->type == ELEMENT_F64 || cube->type == ELEMENT_C128)
    for (size_t i = 0; i < numbers; i++)
      ((double *)data)[i] = missing;
  else {
    const uint64_t whole = cube->type == ELEMENT_U64 ? element_u64(missing) : (uint64_t)element_i64(missing);
    /* little-endian: the low bytes are the value */
    for (size_t i = 0; i < count; i++)
      memcpy((unsigned char *)data + i * size, &whole, size);
  }
}

/* Large buffers take huge pages where the system has them: fewer faults while the first tile is filled. */
int room_for(struct room *room, size_t bytes, struct error *error)
{
  enum { PAGE = 4096, HUGE_PAGE = 2 << 20 };
  size_t align = bytes >= 4 * (size_t)HUGE_PAGE ? HUGE_PAGE : PAGE;
  if (bytes <= room->bytes && room->data)
    return 0;
  free(room->data);
  room->bytes = (bytes + align - 1) & ~(align - 1);
  room->data = room->bytes < bytes ? NULL : aligned_alloc(align, room->bytes ? room->bytes : align);
  if (room->data && align == HUGE_PAGE)
    madvise(room->data, room->bytes, MADV_HUGEPAGE);
  return room->data ? 0 : error_memory(error);
}

void room_free(struct room *room)
{
  free(room->data);
  *room = (struct room){NULL, 0};
}
