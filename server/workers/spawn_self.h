/* Starts this program again, as a process of a purpose of its own, with a socket to it.
 *
 * Of the server's environment it inherits names that libraries and kernels need, never one that could hold a secret
 * (the store's address with its password, tokens of clouds), because it or what it makes reads strangers' bytes; and a
 * word for OpenMP: workers share the cores with each other, so threads that wait sleep and do not spin, unless the
 * operator says otherwise. */
#ifndef TWINCUBE_SERVER_WORKERS_SPAWN_SELF_H
#define TWINCUBE_SERVER_WORKERS_SPAWN_SELF_H

#include "datacube/base/error.h"

#include <sys/types.h>

/* posix_spawn, which is safe beside threads. `arguments` end in NULL, `control` is the number of its socket there,
 * `purpose` goes on "the process that …" in messages. Returns our end of the socket, or -1 and error Internal. */
int spawn_self(const char *const *arguments, int control, const char *purpose, pid_t *pid, struct error *error);

#endif
