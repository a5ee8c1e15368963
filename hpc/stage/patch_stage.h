/* A cube put together from pieces of its plane, each computed by nodes of its own: see patch_stage.c. */
#ifndef TWINCUBE_HPC_STAGE_PATCH_STAGE_H
#define TWINCUBE_HPC_STAGE_PATCH_STAGE_H

#include "datacube/coverage.h"
#include "hpc/stage/stage.h"

struct plane_patch {
  const struct node *node; /* dimensions and type of the whole; as large as the box along y and x */
  struct pixel_box box;    /* its place in the plane */
  struct coverage pixels;  /* of one zone, within the box: those that are taken */
};

struct patches {
  size_t count;
  const struct plane_patch *items; /* no pixel is in two of them */
};

/* The cube, with no-data where no patch has a pixel; it has x and y and admits missing elements. All given is borrowed
 * and must live in the arena. NULL: out of memory. */
const struct node *node_patches(struct arena *arena, struct node_origin origin, const struct cube *cube,
                                const struct patches *patches);

extern const struct stage_ops patch_stage;

#endif
