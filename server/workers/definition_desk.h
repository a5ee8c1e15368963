/* Where what workers ask for is answered: definitions of processes that are not built in, for one task after the other.
 * Each thread that waits for a worker has a desk of its own. */
#ifndef TWINCUBE_SERVER_WORKERS_DEFINITION_DESK_H
#define TWINCUBE_SERVER_WORKERS_DEFINITION_DESK_H

#include "server/store/store.h"

#include "datacube/base/buffer.h"

struct definition_desk {
  const char *data; /* folder of the store; borrowed */
  const char *user; /* whose task it is; NULL: a stranger's */
  struct store *store; /* opened when it is first needed */
};

/* Whether there is anything to ask for: of a user's own processes. A store that does not answer says so when it is
 * asked. */
bool definition_desk_has_own(struct definition_desk *desk);

/* The definition as JSON; nothing where there is none. As worker_watch's `define`; `desk` is a struct definition_desk.
 * Errors StorageFailure, ProcessNamespaceInvalid. */
int definition_desk_answer(void *desk, const char *space, const char *id, struct buffer *json, struct error *error);

void definition_desk_close(struct definition_desk *desk);

#endif
