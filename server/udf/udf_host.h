/* The host of interpreters: a process that starts and ends those of users' scripts (hpc/udf/interpreters.h).
 *
 * Workers may start no programs, so this one does it for them: it is this program executed anew, and each worker is
 * born with a socket to it. An interpreter has no network, starts no program, reads its own libraries and writes to a
 * folder of its own; its memory is limited, and it dies with its worker, with the request for its end, and with the
 * host. */
#ifndef TWINCUBE_SERVER_UDF_UDF_HOST_H
#define TWINCUBE_SERVER_UDF_UDF_HOST_H

#include "server/confine/confine.h"

#include "datacube/base/error.h"
#include "datacube/base/logger.h"

#include <stddef.h>

struct udf_host;

static const size_t UDF_MEMORY = (size_t)1 << 30;

struct udf_host_options { /* borrowed for the host's life */
  const char *python;     /* the interpreter's program; NULL: the system's python3 */
  size_t memory;          /* bytes of an interpreter, beside its libraries and the elements of a call */
  enum log_level level;
  enum log_format format;
  enum confine_mode confine;
};

/* Call on the main thread: the process dies with the thread that started it. */
int udf_host_start(const struct udf_host_options *options, struct udf_host **out, struct error *error);
/* Replaces one that has ended (SIGCHLD says so). Main thread. NULL: there is none to be. -1: none could be started. */
int udf_host_revive(struct udf_host *host, struct error *error);
void udf_host_stop(struct udf_host *host); /* NULL is fine */

/* A new socket for one who calls scripts (interpreters_new), which the caller closes; -1 where there is no host. Thread
 * safe. */
int udf_host_join(struct udf_host *host);

/* What `twincube udf-host …` is: the process itself, started by the above and by nobody else. Returns its status. */
int udf_host_main(int argc, char **argv);

#endif
