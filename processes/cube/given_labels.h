/* Labels between dimensions and what users write: numbers and texts. */
#ifndef TWINCUBE_PROCESSES_CUBE_GIVEN_LABELS_H
#define TWINCUBE_PROCESSES_CUBE_GIVEN_LABELS_H

#include "datacube/base/error.h"
#include "processes/value.h"

/* Gives a dimension, whose name, type and calendar are set, so many labels: numbers where all are numbers; dates, which
 * keep their texts, where it is temporal and all are dates; else texts. ProcessParameterInvalid, without a parameter's
 * name, where a label is neither a number nor a text. Texts are borrowed. */
int dimension_give_labels(struct arena *arena, const struct value *labels, size_t count, struct dimension *dimension,
                          struct error *error);
/* Label i as a number, or as a text, copied where it is no label's own. */
int dimension_label_value(struct arena *arena, const struct dimension *dimension, size_t i, struct value *out,
                          struct error *error);
/* The index of the first label that an earlier one equals; SIZE_MAX in *out where all differ. */
int dimension_find_repeated(const struct dimension *dimension, size_t *out, struct error *error);

#endif
