/* twincube refresher PARENT LEVEL FORMAT CONFINE DATA, with a socket as descriptor 3. It tells the sources of the
 * configuration (source_tables.h), the database of a shared catalogue and what libpq's variables say (others could read
 * arguments), texts that each end in a zero byte, an empty one last. */
#include "server/sources/refresh_process.h"

#include "server/sources/source_refresh.h"
#include "server/sources/source_tables.h"
#include "datacube/base/buffer.h"
#include "server/store/folder.h"
#include "server/workers/spawn_self.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTROL = 3, STOP_SECONDS = 5, NICENESS = 10, MOST_SETTINGS = 65536 + SOURCE_TABLES_BYTES };
enum refresher_argument { PARENT = 1, LEVEL, FORMAT, CONFINE, DATA, ARGUMENTS };

extern char **environ;

struct refresh_process {
  struct refresh_process_options options;
  pid_t pid; /* -1: none */
  int fd;    /* our end of its socket, or -1 */
};

/* ---- the server's end -------------------------------------------------------------------------------------------- */

static void add_setting(struct buffer *out, const char *text)
{
  buffer_add(out, text, strlen(text) + 1);
}

/* Few enough for a socket to hold. A process that has ended is replaced elsewhere. */
static void send_settings(const struct refresh_process *process)
{
  struct buffer settings = {.limit = MOST_SETTINGS};
  add_setting(&settings, process->options.sources ? process->options.sources : "");
  if (process->options.shared)
    add_setting(&settings, process->options.shared);
  for (size_t i = 0; environ[i] && process->options.shared; i++)
    if (strncmp(environ[i], "PG", 2) == 0)
      add_setting(&settings, environ[i]);
  add_setting(&settings, "");
  if (!settings.failed)
    send(process->fd, settings.data, settings.length, MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(process->fd, SHUT_WR);
  buffer_free(&settings);
}

static int start_one(struct refresh_process *process, struct error *error)
{
  char parent[24], level[24], format[24];
  snprintf(parent, sizeof parent, "%ld", (long)getpid());
  snprintf(level, sizeof level, "%d", (int)process->options.level);
  snprintf(format, sizeof format, "%d", (int)process->options.format);
  const char *confine = confine_mode_name(process->options.confine), *data = process->options.data;
  const char *const arguments[] = {"twincube", "refresher", parent, level, format, confine, data, NULL};
  process->fd = spawn_self(arguments, CONTROL, "refreshes sources", &process->pid, error);
  if (process->fd < 0) {
    process->pid = -1;
    return -1;
  }
  send_settings(process);
  return 0;
}

int refresh_process_start(const struct refresh_process_options *options, struct refresh_process **out,
                          struct error *error)
{
  struct refresh_process *process = calloc(1, sizeof *process);
  if (!process) {
    free(options->sources);
    return error_memory(error);
  }
  *process = (struct refresh_process){.options = *options, .pid = -1, .fd = -1};
  if (start_one(process, error) != 0) {
    free(process->options.sources);
    free(process);
    return -1;
  }
  *out = process;
  return 0;
}

int refresh_process_revive(struct refresh_process *process, struct error *error)
{
  int status = 0;
  if (!process || (process->pid > 0 && waitpid(process->pid, &status, WNOHANG) == 0))
    return 0;
  const bool killed = WIFSIGNALED(status);
  if (process->pid > 0)
    log_message(LOG_WARNING, "the process that refreshes sources has ended (%s %d): it is started again",
                killed ? "signal" : "status", killed ? WTERMSIG(status) : WEXITSTATUS(status));
  if (process->fd >= 0)
    close(process->fd);
  return start_one(process, error);
}

/* Whether it ended within that time. */
static bool await_end(pid_t pid, int seconds)
{
  const struct timespec pause = {.tv_nsec = 10000000};
  for (int i = 0; i < seconds * 100; i++) {
    if (waitpid(pid, NULL, WNOHANG) != 0)
      return true;
    nanosleep(&pause, NULL);
  }
  return false;
}

static void end_one(struct refresh_process *process)
{
  if (process->pid > 0 && kill(process->pid, SIGTERM) == 0 && !await_end(process->pid, STOP_SECONDS)) {
    kill(process->pid, SIGKILL); /* what it had begun to write was not there for others yet */
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  }
  process->pid = -1;
  if (process->fd >= 0)
    close(process->fd);
  process->fd = -1;
}

int refresh_process_renew(struct refresh_process *process, char *sources, struct error *error)
{
  end_one(process);
  free(process->options.sources);
  process->options.sources = sources;
  return start_one(process, error);
}

void refresh_process_stop(struct refresh_process *process)
{
  if (!process)
    return;
  end_one(process);
  free(process->options.sources);
  free(process);
}

/* ---- the process itself ------------------------------------------------------------------------------------------ */

static volatile int is_ended; /* set by the signal handler alone */

static void on_signal(int number)
{
  (void)number;
  is_ended = 1;
}

static void set_signals(pid_t parent)
{
  const struct sigaction action = {.sa_handler = on_signal};
  spawned_leave_signals(parent);
  sigaction(SIGTERM, &action, NULL);
}

/* The sources' text, and the database's URI or NULL, from the server; they outlive the process. False: the server sent
 * nothing whole. */
static bool read_settings(char settings[MOST_SETTINGS + 1], const char **sources, const char **shared)
{
  size_t length = 0;
  ssize_t got;
  while (length < MOST_SETTINGS && (got = read(CONTROL, settings + length, MOST_SETTINGS - length)) != 0) {
    if (got < 0 && errno != EINTR)
      return false;
    length += got > 0 ? (size_t)got : 0;
  }
  if (length == 0 || settings[length - 1] != '\0')
    return false;
  *sources = settings;
  char *database = settings + strlen(settings) + 1;
  if (database >= settings + length)
    return false;
  *shared = *database ? database : NULL;
  for (char *at = database + strlen(database) + 1; *shared && at < settings + length && *at; at += strlen(at) + 1)
    putenv(at);
  return true;
}

static void say(const char *line)
{
  log_message(LOG_INFO, "refreshed %.*s", (int)strcspn(line, "\n"), line);
}

int refresher_main(int argc, char **argv)
{
  char folder[REFRESH_SCRATCH_SIZE], scratch[REFRESH_SCRATCH_SIZE];
  const char *sources;
  struct error error = {0};
  if (argc != ARGUMENTS)
    return 2;
  prctl(PR_SET_NAME, "twincube-fresh");
  close_range(CONTROL + 1, UINT_MAX, 0); /* nothing of the server's: no socket, no store */
  log_set_level((enum log_level)strtol(argv[LEVEL], NULL, 10));
  log_set_format((enum log_format)strtol(argv[FORMAT], NULL, 10));
  setpriority(PRIO_PROCESS, 0, NICENESS);
  set_signals((pid_t)strtol(argv[PARENT], NULL, 10));
  static char settings[MOST_SETTINGS + 1]; /* putenv keeps parts of it */
  snprintf(folder, sizeof folder, "%.1000s/refresh", argv[DATA]);
  struct refresh_options options = {.data = argv[DATA],
                                    .scratch = scratch,
                                    .confine = confine_mode_find(argv[CONFINE]),
                                    .cancel = &is_ended,
                                    .say = say};
  if (!read_settings(settings, &sources, &options.shared))
    return 1;
  int status = refresh_scratch_begin(folder, scratch, &error);
  if (status == 0)
    status = source_tables_apply(&options, sources, &error);
  if (status == 0)
    status = source_watch(&options, &error);
  folder_remove(folder);
  if (status != 0)
    log_message(LOG_ERROR, "sources are not refreshed: %s", error.message);
  return status == 0 ? 0 : 1;
}
