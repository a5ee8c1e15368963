/* The labels of two dimensions of the same name as one. */
#ifndef TWINCUBE_PROCESSES_CUBE_JOIN_LABELS_H
#define TWINCUBE_PROCESSES_CUBE_JOIN_LABELS_H

#include "datacube/base/error.h"
#include "datacube/dimension.h"

struct joined_labels {
  struct dimension dimension; /* all labels, with a's name and type */
  const size_t *index[2];     /* index of each label in a and in b; NO_INDEX where it lacks the label */
};

/* a's labels, then those that only b has; dates and positions along an axis of space in order (in a's direction). */
int join_labels(struct arena *arena, const struct dimension *a, const struct dimension *b, struct joined_labels *out,
                struct error *error);

#endif
