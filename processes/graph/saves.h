/* What save_result noted while a graph was lowered, and what goes on with it: exports, and changes to its items.
 *
 * What stac_modify gives stands for the saved cube with changes: a node of its own, so that who exports the saved cube
 * itself gets none of them. */
#ifndef TWINCUBE_PROCESSES_GRAPH_SAVES_H
#define TWINCUBE_PROCESSES_GRAPH_SAVES_H

#include "processes/graph/lower.h"

struct changed { /* what stac_modify gave */
  struct changed *next;
  const struct node *node;
  const struct node *saved; /* what save_result gave */
  const char *changes;      /* since then: a JSON array of merge patches, in order */
  const char *name;         /* id of the graph's node */
  bool is_used;             /* by an export, or by further changes */
};

/* Notes a cube that is to be saved; format and options live in the arena. */
int lowering_save(struct call *call, const struct outcome_output *output);
/* Has the files exported that save_result made of `data`, with the changes that were made since; those of `wanted` are
 * not looked at. Error ProcessParameterInvalid where there is none. */
int lowering_export(struct call *call, const struct value *data, const struct outcome_export *wanted);
/* Stands for `data` with one more merge patch, JSON in the arena. Error as above. */
int lowering_change(struct call *call, const struct value *data, const char *patch, struct value *result);

/* Error FeatureUnsupported where changes were made that go nowhere. */
int saves_check(const struct lowering *l);
/* The saved cube in place of what stands for it. */
void saves_unwrap(const struct lowering *l, struct value *value);

#endif
