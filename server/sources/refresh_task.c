#include "server/sources/refresh_task.h"

#include "server/confine/confine.h"
#include "server/sources/source_load.h"
#include "server/sources/source_record.h"
#include "server/store/folder.h"
#include "server/workers/spawn_self.h"

#include "datacube/base/write_fully.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 100, GRACE_MS = 3000, REPORT_MOST = 1 << 16 };
static const size_t memory = (size_t)4 << 30; /* bytes of the child: many times what the largest document becomes */

struct task_end { /* what the child tells, before its report */
  int status;
  struct source_outcome outcome;
  struct error error;
};

/* ---- the child --------------------------------------------------------------------------------------------------- */

static int add_again(struct catalogue *catalogue, const struct refresh_options *options,
                     const struct kept_source *source, struct source_record *record, struct task_end *end,
                     struct buffer *report)
{
  const bool is_items = strcmp(source->kind, SOURCE_ITEMS) == 0;
  const struct bulk_load load = {.writing = ITEM_UPSERT};
  record->options.id = source->name;
  const struct source_spec spec = {.kind = source->kind[0] ? source->kind : NULL,
                                   .address = source->address,
                                   .options = &record->options,
                                   .remotes = &record->remotes,
                                   .data = options->data,
                                   .digest = source->digest[0] || is_items ? source->digest : NULL,
                                   .cancel = options->cancel};
  return is_items ? source_add_items(catalogue, &spec, &load, report, &end->error)
                  : source_add(catalogue, &spec, &end->outcome, report, &end->error);
}

/* What is read of this machine: the folder, or the one that holds the file; any file where a document names them. */
static void find_place(const char *address, char out[PATH_MAX])
{
  struct stat status;
  const size_t length = strlen(address);
  snprintf(out, PATH_MAX, "%s", address);
  if (stat(address, &status) == 0 && S_ISDIR(status.st_mode))
    return;
  const bool is_document = length > 5 && strcmp(address + length - 5, ".json") == 0;
  char *slash = strrchr(out, '/');
  if (is_document || !slash || slash == out)
    snprintf(out, PATH_MAX, "/");
  else
    *slash = '\0';
}

static int confine_to(const struct refresh_options *options, const struct kept_source *source,
                      const struct source_record *record, struct error *error)
{
  char place[PATH_MAX] = "", copies[PATH_MAX] = "";
  struct confinement confinement;
  const bool is_elsewhere = strstr(source->address, "://") != NULL;
  if (!is_elsewhere)
    find_place(source->address, place);
  else if (strcmp(source->kind, "features") == 0) {
    snprintf(copies, sizeof copies, "%.1000s/sources", options->data);
    mkdir(copies, 0777);
  }
  const struct confine_source rules = {.data = options->data,
                                       .place = place,
                                       .copies = copies,
                                       .scratch = options->scratch,
                                       .has_network = is_elsewhere || record->remotes.prefix_count > 0};
  return confine_probe(options->confine, &confinement, error) == 0 ? confine_refresher(&confinement, &rules, error)
                                                                   : -1;
}

/* The catalogue is open, with its log and the connection to its database, before the confinement: what comes later
 * could not be opened. */
static int refresh_here(const struct refresh_options *options, const struct kept_source *source, struct task_end *end,
                        struct buffer *report)
{
  struct catalogue *catalogue = NULL;
  struct source_record record;
  struct arena *arena = arena_new(0);
  const struct kept_source *rows;
  size_t count;
  int status = arena ? source_record_read(source->options, &record, &end->error) : error_memory(&end->error);
  if (status == 0)
    status = catalogue_open_shared(options->data, options->shared, &catalogue, &end->error);
  if (status == 0)
    status = source_book_read(catalogue, arena, &rows, &count, &end->error);
  if (status == 0)
    status = confine_to(options, source, &record, &end->error);
  if (status == 0)
    status = add_again(catalogue, options, source, &record, end, report);
  catalogue_close(catalogue);
  if (arena)
    source_record_free(&record);
  arena_free(arena);
  return status;
}

static void be_child(const struct refresh_options *options, const struct kept_source *source, int fd)
{
  struct task_end end = {.outcome.digest = ""};
  struct buffer report = {.limit = REPORT_MOST};
  end.status = refresh_here(options, source, &end, &report);
  if (write_fully(fd, &end, sizeof end) == 0 && !report.failed)
    write_fully(fd, report.data, report.length);
  fflush(stderr);
  _exit(0); /* nothing of the parent's is written twice */
}

/* ---- the parent -------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All that the child says until its end, which comes soon where it is cancelled. */
static void listen_to(pid_t child, int fd, const volatile int *cancel, struct buffer *said)
{
  int64_t patience = INT64_MAX;
  char bytes[4096];
  for (;;) {
    struct pollfd look = {.fd = fd, .events = POLLIN};
    const int ready = poll(&look, 1, LOOK_MS);
    const ssize_t got = ready > 0 ? read(fd, bytes, sizeof bytes) : -1;
    if (got == 0 || (got < 0 && ready > 0 && errno != EINTR))
      return;
    if (got > 0)
      buffer_add(said, bytes, (size_t)got);
    if (cancel && *cancel && patience == INT64_MAX) {
      kill(child, SIGTERM);
      patience = now_ms() + GRACE_MS;
    }
    if (now_ms() > patience)
      kill(child, SIGKILL);
  }
}

static int judge_end(const struct buffer *said, int how, struct source_outcome *outcome, struct buffer *report,
                     struct error *error)
{
  struct task_end end;
  if (said->failed || said->length < sizeof end)
    return error_set(error, ERROR_Internal, "the process that reads it has ended (%s %d)",
                     WIFSIGNALED(how) ? "signal" : "status", WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
  memcpy(&end, said->data, sizeof end);
  *outcome = end.outcome;
  buffer_add(report, said->data + sizeof end, said->length - sizeof end);
  if (end.status != 0)
    *error = end.error;
  return end.status;
}

int refresh_task_run(const struct refresh_options *options, const struct kept_source *source,
                     struct source_outcome *outcome, struct buffer *report, struct error *error)
{
  struct buffer said = {.limit = sizeof(struct task_end) + REPORT_MOST};
  const pid_t parent = getpid();
  int ends[2], how = 0;
  if (pipe2(ends, O_CLOEXEC) != 0)
    return error_set(error, ERROR_Internal, "no pipe can be made: %s", strerror(errno));
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    spawned_die_with(parent);
    spawned_bound(memory);
    be_child(options, source, ends[1]);
  }
  close(ends[1]);
  if (child > 0) {
    listen_to(child, ends[0], options->cancel, &said);
    while (waitpid(child, &how, 0) < 0 && errno == EINTR)
      ;
  }
  close(ends[0]);
  folder_clear(options->scratch);
  const int status = child > 0 ? judge_end(&said, how, outcome, report, error)
                               : error_set(error, ERROR_Internal, "no process can be made: %s", strerror(errno));
  buffer_free(&said);
  return status;
}
