/* The fetcher as a process of its own: the only one of ours that reads from hosts which users name. It is this program
 * executed anew, confined to the network and its cache (confine.h), and workers, who have no network, reach it by a
 * socket that each is born with. When it dies it is replaced; who was reading gets an error. */
#ifndef TWINCUBE_SERVER_FETCH_FETCH_PROCESS_H
#define TWINCUBE_SERVER_FETCH_FETCH_PROCESS_H

#include "server/confine/confine.h"
#include "server/fetch/fetch_account.h"

#include "datacube/base/error.h"
#include "datacube/base/logger.h"

#include <stddef.h>
#include <stdint.h>

struct fetch_process;

struct fetch_process_options { /* borrowed for the process's life */
  struct fetch_access access;  /* the accounts are copied */
  const char *folder;          /* of its cache, which it empties */
  uint64_t most;               /* bytes in it */
  enum log_level level;
  enum log_format format;
  enum confine_mode confine;
};

/* Call on the main thread: the process dies with the thread that started it. */
int fetch_process_start(const struct fetch_process_options *options, struct fetch_process **out, struct error *error);
/* Replaces one that has ended (SIGCHLD says so). Main thread. NULL: there is none to be. -1: none could be started. */
int fetch_process_revive(struct fetch_process *process, struct error *error);
void fetch_process_stop(struct fetch_process *process); /* NULL is fine */

/* Other accounts than those that it was started with. Thread safe. -1: out of memory, or they could not be told. */
int fetch_process_renew(struct fetch_process *process, const struct fetch_account *accounts, size_t count);

/* A new socket for a reader (remote_connect), which the caller closes; -1 where there is no fetcher. One that has just
 * died is waited for, for some seconds; where none takes its place the reader finds the socket's other end closed. Not
 * on the main thread, which replaces it. Thread safe. */
int fetch_process_join(struct fetch_process *process);

/* What `twincube fetcher …` is: the process itself, started by the above and by nobody else. Returns its status. */
int fetcher_main(int argc, char **argv);

#endif
