/* Accumulators along one dimension: see accumulate_stage.c. */
#ifndef TWINCUBE_HPC_STAGE_ACCUMULATE_STAGE_H
#define TWINCUBE_HPC_STAGE_ACCUMULATE_STAGE_H

#include "hpc/kernel/accumulate.h"
#include "hpc/stage/stage.h"

/* What a reducer with states (a PROGRAM_REDUCE step) gives over a dimension of `before`: its other dimensions. `like`
 * gives id and process. NULL when out of memory. */
const struct node *node_accumulate(struct arena *arena, const struct node *like, const struct node *before,
                                   size_t dimension, const struct program_step *reducer);

/* Element type of a reducer's results over such elements: f32 where it holds them, else f64. */
enum element_type accumulated_type(enum kernel_reducer reducer, enum element_type type);
/* Doubles as elements of the (float) type. */
void accumulated_store(enum element_type type, const double *from, size_t count, void *to);

extern const struct stage_ops accumulate_stage;

#endif
