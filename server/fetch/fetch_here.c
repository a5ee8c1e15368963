#include "server/fetch/fetch_here.h"

#include "server/fetch/fetch_loop.h"

#include "datacube/base/logger.h"
#include "datacube/remote/remote_file.h"
#include "datacube/remote/remote_states.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fetch_here {
  struct fetch_loop_options options;
  char folder[300];
  int fd; /* of those who read */
  pthread_t thread;
};

static void *run(void *data)
{
  const struct fetch_here *here = data;
  struct error error = {0};
  if (fetch_loop_run(&here->options, &error) != 0)
    log_message(LOG_ERROR, "%s", error.message);
  return NULL;
}

static int make_folder(struct fetch_here *here, struct error *error)
{
  const char *place = getenv("TMPDIR");
  snprintf(here->folder, sizeof here->folder, "%.200s/twincube-remote-XXXXXX", place && *place ? place : "/tmp");
  return mkdtemp(here->folder)
             ? 0
             : error_set(error, ERROR_StorageFailure, "no folder %s can be made: %s", here->folder, strerror(errno));
}

static int start(struct fetch_here *here, const volatile int *cancel, struct error *error)
{
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return error_set(error, ERROR_Internal, "no socket can be made: %s", strerror(errno));
  here->fd = pair[0];
  here->options.reader = pair[1];
  const int code = pthread_create(&here->thread, NULL, run, here);
  if (code != 0) {
    close(pair[0]);
    close(pair[1]);
    return error_set(error, ERROR_Internal, "no thread can be started: %s", strerror(code));
  }
  remote_states_begin();
  remote_connect(pair[0], cancel);
  return 0;
}

int fetch_here_start(const struct fetch_access *access, uint64_t most, const volatile int *cancel,
                     struct fetch_here **out, struct error *error)
{
  struct fetch_here *here = calloc(1, sizeof *here);
  if (!here)
    return error_memory(error);
  here->options = (struct fetch_loop_options){.access = *access, .folder = here->folder, .most = most, .control = -1};
  int status = make_folder(here, error);
  if (status == 0 && (status = start(here, cancel, error)) != 0)
    rmdir(here->folder);
  if (status == 0)
    *out = here;
  else
    free(here);
  return status;
}

void fetch_here_stop(struct fetch_here *here)
{
  if (!here)
    return;
  remote_connect(-1, NULL);
  close(here->fd); /* which ends the loop */
  pthread_join(here->thread, NULL);
  free(here);
}
