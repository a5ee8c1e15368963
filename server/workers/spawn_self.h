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

/* ---- in the process itself --------------------------------------------------------------------------------------- */

/* A child dies with its parent; had the parent died before this call, it is asked for by its pid. Behind a change of
 * the user, which forgets it. */
void spawned_die_with(pid_t parent);
/* The same, and signals for the whole process group are the server's, which decides about the end: SIGINT, SIGTERM,
 * SIGHUP and SIGPIPE are ignored. */
void spawned_leave_signals(pid_t parent);
/* It may have so many bytes of memory, leaves no core, and is the first to end where the machine has none left. */
void spawned_bound(size_t memory);

#endif
