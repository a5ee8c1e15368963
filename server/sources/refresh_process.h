/* The sources of collections are refreshed by a process of the server's own (serve --refresh): what is due when it is
 * due, and folders of this machine a moment after something in them changes, as `twincube catalogue refresh --watch`
 * does it, each by a confined process (refresh_task.h). It is this program executed anew, gives way to whatever else
 * wants the processor, and writes the catalogue as any other process may; the server sees what it wrote. When it dies
 * it is replaced. */
#ifndef TWINCUBE_SERVER_SOURCES_REFRESH_PROCESS_H
#define TWINCUBE_SERVER_SOURCES_REFRESH_PROCESS_H

#include "datacube/base/error.h"
#include "datacube/base/logger.h"
#include "server/confine/confine.h"

struct refresh_process;

struct refresh_process_options { /* borrowed for the process's life */
  char *sources;                 /* of source_tables_write, taken in any case; or NULL */
  const char *data;              /* folder of the catalogue */
  const char *shared;            /* database of one that is shared, or NULL */
  enum log_level level;
  enum log_format format;
  enum confine_mode confine; /* of what reads a source (refresh_task.h) */
};

/* Call on the main thread: the process dies with the thread that started it. */
int refresh_process_start(const struct refresh_process_options *options, struct refresh_process **out,
                          struct error *error);
/* Has it go on with other sources, which are taken: it is ended and started again. */
int refresh_process_renew(struct refresh_process *process, char *sources, struct error *error);
/* Replaces one that has ended (SIGCHLD says so). NULL: there is none to be. -1: none could be started. */
int refresh_process_revive(struct refresh_process *process, struct error *error);
/* It ends what it does, for some seconds; then it is killed. NULL is fine. */
void refresh_process_stop(struct refresh_process *process);

/* What `twincube refresher …` is: the process itself, started by the above and by nobody else. Returns its status. */
int refresher_main(int argc, char **argv);

#endif
