/* Nodes in a form that is cheaper to compute. See rewrite.c. */
#ifndef TWINCUBE_HPC_PLAN_REWRITE_H
#define TWINCUBE_HPC_PLAN_REWRITE_H

#include "hpc/plan/plan_internal.h"

/* One rule: the same elements from another node; *out is `node` where the rule does not apply. */
typedef int rewrite_rule(struct arena *arena, const struct node *node, const struct node **out, struct error *error);

/* rewrite_warp.c: a warp over views of a source becomes the source on the warp's grid, clipped to what the views show.
 */
rewrite_rule rewrite_warp;
/* rewrite_window.c: what lies beyond the edges of a window's input is a value of its elements. */
rewrite_rule rewrite_window;
/* rewrite_reduction.c: a reduction along a long axis is cut at its reducers, which become accumulators. */
rewrite_rule rewrite_reduction;
/* rewrite_series.c: a running sum, product, minimum or maximum along a long axis is made part by part. */
rewrite_rule rewrite_series;

struct series_parts {     /* where running values are cut */
  size_t longest, length; /* indexes of an axis that stays whole; of a part, at least 1 */
};
/* rewrite_series with other lengths than its own. */
int series_cut(struct arena *arena, const struct node *node, const struct series_parts *parts, const struct node **out,
               struct error *error);

/* A kernel node that gives its one input's elements unchanged, perhaps in another type. */
bool node_is_conversion(const struct node *node);
/* That kernel, to the cube's type; the node itself where type and no-data value are its own. NULL: out of memory. */
const struct node *node_convert(struct arena *arena, const struct node *node, const struct cube *cube);

#endif
