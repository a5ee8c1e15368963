/* What a confined worker is bound to by its first task: another one's tasks need another process. */
#ifndef TWINCUBE_SERVER_CONFINE_WORKER_BINDING_H
#define TWINCUBE_SERVER_CONFINE_WORKER_BINDING_H

#include "server/workers/worker_protocol.h"

#include "datacube/base/hash.h"

/* Of the user with the folders as they are now, and of those for results. */
struct hash worker_binding(const struct task_header *task);

#endif
