/* What a user's script makes of a cube: see udf_stage.c. */
#ifndef TWINCUBE_HPC_STAGE_UDF_STAGE_H
#define TWINCUBE_HPC_STAGE_UDF_STAGE_H

#include "hpc/stage/stage.h"
#include "hpc/udf/interpreters.h"

struct udf {
  struct interpreters *interpreters; /* outlive the plan */
  struct udf_script script;
  bool follows[CUBE_MAX_DIMENSIONS]; /* of the input: comes in parts, and the result has its labels; else whole */
};

/* The cube that the script gives, part by part. The udf is borrowed and must live in the arena. NULL: out of memory. */
const struct node *node_udf(struct arena *arena, struct node_origin origin, const struct node *input,
                            const struct cube *cube, const struct udf *udf);

extern const struct stage_ops udf_stage;

#endif
