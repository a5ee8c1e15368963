/* Folders are watched by inotify, each of them alone, since it does not look below: after every refresh all are entered
 * again, so that folders which came are watched, too; those that are watched already stay so, and no change is lost in
 * between. What happened while nobody watched is found by the digest (source_add.h): a refresh right after entering
 * them costs nothing where nothing changed. */
#include "server/sources/source_refresh.h"

#include "server/sources/local_tree.h"
#include "server/sources/source_record.h"
#include "stac/source_book.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
  QUIET_MS = 500,      /* without a change, before what changed is read */
  PATIENCE_MS = 10000, /* … however often it changes */
  LOOK_MS = 60000,     /* at the sources that are kept */
  FOLDERS_MOST = 100000
};

static const uint32_t changes = IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF;

struct watch {
  const struct refresh_options *options;
  int fd; /* of inotify */
  size_t folders;
  int64_t next; /* seconds of the clock: the first source is due then */
};

static bool is_over(const struct watch *watch)
{
  return watch->options->cancel && *watch->options->cancel;
}

static int enter_below(struct watch *watch, const char *path, bool follow, struct error *error)
{
  struct local_tree tree;
  struct error gone = {0};
  int result = local_tree_open(&tree, path, follow, &gone) == 0 ? 0 : 1;
  for (const FTSENT *entry; result == 0 && (entry = local_tree_next(&tree)) != NULL;) {
    if (entry->fts_info == FTS_D && (watch->folders++ == FOLDERS_MOST ||
                                     (inotify_add_watch(watch->fd, entry->fts_path, changes) < 0 && errno == ENOSPC)))
      result = error_set(error, ERROR_StorageFailure,
                         "%s: it has more folders than can be watched (sysctl fs.inotify.max_user_watches)", path);
  }
  local_tree_close(&tree);
  return result < 0 ? -1 : 0;
}

/* A file's folder stands for it; what is gone is watched no longer. */
static int enter(struct watch *watch, const struct kept_source *source, struct error *error)
{
  struct source_record record;
  struct error unread = {0}; /* a refresh tells of it */
  struct stat status;
  char *root = strdup(source->address);
  char *slash = root ? strrchr(root, '/') : NULL;
  if (!root)
    return error_memory(error);
  if (slash && slash > root && stat(root, &status) == 0 && !S_ISDIR(status.st_mode))
    *slash = '\0';
  const bool follow = source_record_read(source->options, &record, &unread) == 0 && record.options.follow;
  const int result = enter_below(watch, root, follow, error);
  source_record_free(&record);
  free(root);
  return result;
}

static bool is_wanted(const struct refresh_options *options, const char *name)
{
  for (size_t i = 0; i < options->name_count; i++)
    if (strcmp(options->names[i], name) == 0)
      return true;
  return options->name_count == 0;
}

static int64_t due(const struct watch *watch, const struct kept_source *source)
{
  const int64_t pause = refresh_pauses_until(watch->options->pauses, source->name);
  const int64_t next = source->refreshed + source->every;
  return next > pause ? next : pause;
}

/* Watches the folders of all sources, and tells when the first is due. */
static int enter_all(struct watch *watch, struct error *error)
{
  struct catalogue *catalogue = NULL;
  struct arena *arena = arena_new(0);
  const struct kept_source *rows = NULL;
  size_t count = 0;
  int status = arena ? catalogue_open_shared(watch->options->data, watch->options->shared, &catalogue, error)
                     : error_memory(error);
  if (status == 0)
    status = source_book_read(catalogue, arena, &rows, &count, error);
  if (watch->fd < 0)
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  watch->folders = 0;
  watch->next = INT64_MAX;
  if (status == 0 && watch->fd < 0)
    status = error_set(error, ERROR_StorageFailure, "folders cannot be watched: %s", strerror(errno));
  for (size_t i = 0; i < count && status == 0; i++) {
    if (!is_wanted(watch->options, rows[i].name))
      continue;
    if (rows[i].every > 0 && due(watch, &rows[i]) < watch->next)
      watch->next = due(watch, &rows[i]);
    if (!strstr(rows[i].address, "://"))
      status = enter(watch, &rows[i], error);
  }
  catalogue_close(catalogue);
  arena_free(arena);
  return status;
}

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether there were changes; waits for one so long. A signal ends the waiting. */
static bool has_changes(const struct watch *watch, int ms)
{
  char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
  struct pollfd look = {.fd = watch->fd, .events = POLLIN};
  bool found = false;
  if (poll(&look, 1, ms) > 0)
    while (read(watch->fd, events, sizeof events) > 0)
      found = true;
  return found;
}

/* Until something has changed and is quiet, or a source is due, or it is time to look which ones there are. True: a
 * folder has changed. */
static bool wait_for_work(const struct watch *watch)
{
  const int64_t left = watch->next == INT64_MAX ? LOOK_MS : (watch->next - (int64_t)time(NULL)) * 1000;
  const int ms = left < 0 ? 0 : left < LOOK_MS ? (int)left : LOOK_MS;
  if (is_over(watch) || !has_changes(watch, ms))
    return false;
  for (const int64_t end = now_ms() + PATIENCE_MS; now_ms() < end && !is_over(watch) && has_changes(watch, QUIET_MS);)
    ;
  return true;
}

/* Local sources whose digest differs; those that are elsewhere only when they are due. */
static int refresh_local(const struct watch *watch, struct error *error)
{
  struct refresh_options local = *watch->options;
  size_t failed;
  local.only_due = false;
  local.only_local = local.only_news = true;
  return source_refresh(&local, &failed, error);
}

static int refresh_due(const struct watch *watch, struct error *error)
{
  struct refresh_options due = *watch->options;
  size_t failed;
  due.only_due = due.only_news = true;
  return source_refresh(&due, &failed, error);
}

int source_watch(const struct refresh_options *options, struct error *error)
{
  struct refresh_pauses pauses = {0};
  struct refresh_options own = *options;
  struct watch watch = {.options = &own, .fd = -1};
  int status = 0;
  bool changed = true; /* while nobody watched */
  own.pauses = &pauses;
  while (status == 0 && !is_over(&watch)) {
    if ((status = enter_all(&watch, error)) == 0 && changed)
      status = refresh_local(&watch, error);
    if (status == 0)
      status = refresh_due(&watch, error);
    changed = status == 0 && !is_over(&watch) && wait_for_work(&watch);
  }
  if (watch.fd >= 0)
    close(watch.fd);
  refresh_pauses_free(&pauses);
  return status;
}
