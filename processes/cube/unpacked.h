/* Packed bands as what their values stand for: for formats that cannot say how to read codes. */
#ifndef TWINCUBE_PROCESSES_CUBE_UNPACKED_H
#define TWINCUBE_PROCESSES_CUBE_UNPACKED_H

#include "hpc/plan/node.h"

/* The node where no band is packed, else one of floats: stored * scale + offset. NULL when out of memory. */
const struct node *unpacked(struct arena *arena, const struct node *node);

#endif
