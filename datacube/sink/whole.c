/* A whole cube in scratch room. */
#include "datacube/sink/whole.h"

#include "datacube/base/checked.h"
#include "datacube/sink/output.h"

#include <string.h>

int whole_check(const struct cube *cube, const char *format, size_t max_elements, struct error *error)
{
  size_t elements = cube_elements(cube);
  if (elements <= max_elements)
    return 0;
  return error_set(error, ERROR_FormatUnsuitable,
                   "%s results hold at most %zu values; the cube has %zu. Select less of it, or use GTiff or netCDF.",
                   format, max_elements, elements);
}

int whole_begin(struct whole *whole, const struct cube *cube, const char *beside, struct error *error)
{
  *whole = (struct whole){.box = cube_box(cube), .element_size = element_info(cube->type)->size};
  atomic_init(&whole->arrived, 0);
  whole->elements = box_elements(&whole->box);
  whole->bytes = saturated_mul(whole->elements, whole->element_size);
  whole->data = spill_new(whole->bytes, beside, error);
  return whole->data == NULL ? -1 : 0;
}

/* Copies run by run: the longest tail of dimensions that the box has whole, and the one before it, lie together. */
void whole_put(struct whole *whole, const struct box *box, const void *data)
{
  size_t stride[CUBE_MAX_DIMENSIONS + 1], index[CUBE_MAX_DIMENSIONS] = {0};
  size_t n = box->dimensions, elements = box_elements(box);
  stride[n] = whole->element_size;
  for (size_t d = n; d-- > 0;)
    stride[d] = stride[d + 1] * whole->box.count[d];
  size_t outer = n, run = 1;
  while (outer > 0 && (outer == n || box->count[outer] == whole->box.count[outer]))
    run *= box->count[--outer];
  const char *from = data;
  for (size_t done = 0; done < elements; done += run, from += run * whole->element_size) {
    size_t at = 0;
    for (size_t d = 0; d < n; d++)
      at += (box->start[d] + index[d]) * stride[d + 1];
    memcpy(whole->data + at, from, run * whole->element_size);
    for (size_t d = outer; d-- > 0;) {
      if (++index[d] < box->count[d])
        break;
      index[d] = 0;
    }
  }
  atomic_fetch_add(&whole->arrived, elements);
}

int whole_complete(struct whole *whole, struct error *error)
{
  size_t arrived = atomic_load(&whole->arrived);
  if (arrived == whole->elements)
    return 0;
  return error_set(error, ERROR_Internal, "%zu of the result's %zu values have arrived", arrived, whole->elements);
}

void whole_end(struct whole *whole)
{
  spill_free(whole->data, whole->bytes);
  whole->data = NULL;
}
