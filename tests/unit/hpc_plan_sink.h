/* A sink that keeps a cube in memory and counts how often each element was written. */
#ifndef TWINCUBE_TESTS_UNIT_HPC_PLAN_SINK_H
#define TWINCUBE_TESTS_UNIT_HPC_PLAN_SINK_H

#include "hpc/run/run.h"

#include <stdlib.h>
#include <string.h>

struct keeping_sink {
  struct sink sink;
  const struct cube *cube;
  unsigned char *data;    /* the caller frees it */
  atomic_uchar *written;  /* likewise */
};

static int keep_tile(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  struct keeping_sink *k = (struct keeping_sink *)sink;
  size_t size = element_info(k->cube->type)->size, index[CUBE_MAX_DIMENSIONS];
  (void)error;
  for (size_t i = 0; i < box_elements(box); i++) {
    size_t rest = i, at = 0;
    for (size_t d = box->dimensions; d-- > 0; rest /= box->count[d])
      index[d] = box->start[d] + rest % box->count[d];
    for (size_t d = 0; d < box->dimensions; d++)
      at = at * k->cube->dimension[d].size + index[d];
    memcpy(k->data + at * size, (const unsigned char *)data + i * size, size);
    atomic_fetch_add(&k->written[at], 1);
  }
  return 0;
}

static const struct sink_ops keeping_ops = {.put = keep_tile};

static inline struct keeping_sink keeping_sink(const struct cube *cube)
{
  size_t n = cube_elements(cube);
  return (struct keeping_sink){.sink = {.ops = &keeping_ops},
                               .cube = cube,
                               .data = calloc(n + 1, element_info(cube->type)->size),
                               .written = calloc(n + 1, sizeof(atomic_uchar))};
}

#endif
