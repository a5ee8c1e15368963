/* A host value from its JSON text, for those who do not know JSON trees. */
#ifndef TWINCUBE_PROCESSES_GRAPH_VALUE_TEXT_H
#define TWINCUBE_PROCESSES_GRAPH_VALUE_TEXT_H

#include "datacube/base/error.h"
#include "processes/value.h"

/* `official`: in the encoding of the official test cases. Errors as json_read. */
int value_read(struct arena *arena, const char *text, bool official, struct value *out, struct error *error);

#endif
