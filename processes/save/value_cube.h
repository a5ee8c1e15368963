/* Plain values as cubes, for formats that hold cubes only. */
#ifndef TWINCUBE_PROCESSES_SAVE_VALUE_CUBE_H
#define TWINCUBE_PROCESSES_SAVE_VALUE_CUBE_H

#include "processes/process.h"

/* A number, boolean or null becomes a cube without dimensions; arrays, also of arrays of equal lengths, get the
 * dimensions "index", "index2", …, a labelled array keeps its labels. A table becomes bands along "index": an object
 * of columns (arrays or single values), or an array of rows (objects with the same keys). Error FormatUnsuitable for
 * texts and for what has no such shape. */
int value_cube_node(struct call *call, const struct value *value, const struct node **out);

#endif
