/* What the array processes share: one view of host arrays and of array lanes. */
#ifndef TWINCUBE_PROCESSES_ARRAY_ELEMENTS_H
#define TWINCUBE_PROCESSES_ARRAY_ELEMENTS_H

#include "processes/process.h"

bool is_array(const struct value *value); /* a host array (its elements may be lanes), or array lanes */
size_t array_length(const struct value *array);
/* Element i; of array lanes: scalar lanes. i < array_length. */
struct value array_item(struct call *call, const struct value *array, size_t i);

bool array_is_labelled(const struct value *array);
/* Label i, a text or number; memory comes from the call's arena. The array is labelled. */
struct value array_label(struct call *call, const struct value *array, size_t i);
/* All labels, NULL where there are none. */
int array_labels_list(struct call *call, const struct value *array, const struct value **out);
/* A label as text; room is used for numbers. */
const char *label_text(const struct value *label, char room[32]);
/* Index of a label, of the same type if there is one: 1 finds "1" where there is no 1. SIZE_MAX where there is none. */
size_t array_find_label(const struct value *array, const struct value *label);
/* Labels of a host array as a dimension: numbers where all are, else texts. NULL when out of memory. */
const struct dimension *labels_as_dimension(struct arena *arena, const struct value *labels, size_t count);

/* The elements at these indexes, with their labels. */
int array_pick(struct call *call, const struct value *array, const size_t *indexes, size_t count, struct value *out);
/* The same elements with other labels (borrowed), as many as there are elements. */
int array_relabel(struct call *call, const struct value *array, const struct value *labels, struct value *out);

/* The argument as an array, or NULL with ProcessParameterInvalid; with FeatureUnsupported where array_filter left
 * elements of its own at each pixel. */
const struct value *call_array(struct call *call, const char *name);
/* The same, taking those, too (value.h, `kept`). */
const struct value *call_filtered(struct call *call, const char *name);
/* Series over "data" with "ignore_nodata" as parameter 0; labels are kept. */
int emit_cumulative(struct call *call, enum kernel_series series, struct value *result);

#endif
