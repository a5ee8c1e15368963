/* Whether two specs of a process have the same signature. */
#ifndef TWINCUBE_PROCESSES_GRAPH_SPEC_COMPARE_H
#define TWINCUBE_PROCESSES_GRAPH_SPEC_COMPARE_H

#include "datacube/base/error.h"

#include <stddef.h>

struct spec_text { /* JSON text, borrowed */
  const char *text;
  size_t length;
};

/* Compares id, parameter names, their order, whether they are optional, and the JSON types their schemas allow: ours
 * may take more types than the given spec promises (null, say), never less. 0, or -1 with ProcessSpecInvalid naming the
 * first difference. */
int spec_compare(const char *id, struct spec_text ours, struct spec_text theirs, struct error *error);

#endif
