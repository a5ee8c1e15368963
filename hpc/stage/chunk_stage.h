/* A graph of its own on every chunk of a cube: see chunk_stage.c. */
#ifndef TWINCUBE_HPC_STAGE_CHUNK_STAGE_H
#define TWINCUBE_HPC_STAGE_CHUNK_STAGE_H

#include "hpc/stage/stage.h"

struct chunks {
  size_t size[CUBE_MAX_DIMENSIONS];    /* indexes of a chunk along each dimension of the input, at least 1 */
  size_t overlap[CUBE_MAX_DIMENSIONS]; /* indexes of the neighbours on both sides that the body sees besides */
  const struct node *chunk;            /* stands for a chunk with its overlap in the body: node_chunk */
  const struct node *body;             /* what is computed from it: of the same dimensions and sizes */
};

/* The cube of a chunk with its overlap: size + 2 overlap along each dimension, labels 0, 1, …; NA beyond the edges,
 * so it has a no-data value (integers without one become floats). NULL when out of memory. */
const struct node *node_chunk(struct arena *arena, struct node_origin origin, const struct cube *cube,
                              const size_t *size, const size_t *overlap);
/* The body's results without the overlaps, put together to a cube of the input's dimensions and the body's type. */
const struct node *node_chunks(struct arena *arena, struct node_origin origin, const struct node *input,
                               const struct cube *cube, const struct chunks *chunks);

extern const struct stage_ops chunk_stage;

#endif
