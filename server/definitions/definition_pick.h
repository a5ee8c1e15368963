/* One process of a published document: the document itself, or an entry of its list. */
#ifndef TWINCUBE_SERVER_DEFINITIONS_DEFINITION_PICK_H
#define TWINCUBE_SERVER_DEFINITIONS_DEFINITION_PICK_H

#include "datacube/base/buffer.h"

struct definition_piece { /* of the document's text */
  const char *json;
  size_t length;
};

/* Finds the process in a text {"id", "process_graph", …} or {"processes": [{"id", …}, …]}, which strangers wrote.
 * False, with a reason in words, where it is not there or the text is neither. */
bool definition_pick(const struct buffer *document, const char *id, struct definition_piece *out,
                     struct buffer *reason);

#endif
