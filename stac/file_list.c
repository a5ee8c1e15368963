/* The files below a folder: see the header. */
#include "stac/file_list.h"

#include "datacube/base/utf8.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void file_list_free(struct file_list *list)
{
  for (size_t i = 0; i < list->count; i++)
    free(list->paths[i]);
  free(list->paths);
}

int file_list_add(struct file_list *list, const char *path, struct error *error)
{
  if (list->count == SCAN_MAX_FILES)
    return error_set(error, ERROR_ProcessParameterInvalid, "more than %d files", SCAN_MAX_FILES);
  if (list->count == list->room) {
    size_t room = list->room ? list->room * 2 : 256;
    char **paths = realloc(list->paths, room * sizeof *paths);
    if (!paths)
      return error_memory(error);
    list->paths = paths;
    list->room = room;
  }
  char *copy = strdup(path);
  if (!copy)
    return error_memory(error);
  list->paths[list->count++] = copy;
  return 0;
}

static int compare_path(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_utf8(const char *text)
{
  size_t length = strlen(text), step;
  for (size_t at = 0; at < length; at += step)
    if ((step = utf8_length(text + at, length - at)) == 0)
      return false;
  return true;
}

/* Whether the path, its links resolved, lies below the root, which has none. */
static bool is_below(const char *path, const char *root)
{
  char real[PATH_MAX];
  size_t length = strlen(root);
  return realpath(path, real) && strncmp(real, root, length) == 0 && (real[length] == '/' || root[length - 1] == '/');
}

/* Why an entry is left out, if it is worth a word; NULL: take it, or say nothing. */
static const char *reason_against(const FTSENT *entry, const char *root, bool wanted, bool follow)
{
  switch (entry->fts_info) {
  case FTS_DNR:
  case FTS_ERR:
    return strerror(entry->fts_errno);
  case FTS_DC:
    return "it leads back to a folder above it";
  case FTS_SL:
  case FTS_SLNONE:
    return follow ? "it is a link to nothing" : "it is a link (--follow takes those that stay below the folder)";
  case FTS_D:
  case FTS_F:
    if (follow && entry->fts_level > 0 && !is_below(entry->fts_path, root))
      return "it leads out of the folder";
    if (entry->fts_info == FTS_F && wanted && !is_utf8(entry->fts_path))
      return "its path is no UTF-8";
    return NULL;
  default:
    return wanted && entry->fts_info != FTS_DP ? "it is no regular file" : NULL;
  }
}

static void say_left_out(const struct scan *scan, const char *path, const char *reason)
{
  bool printable = is_utf8(path);
  scan_warn(scan, "%s is left out: %s", printable ? path : "a file of a strange name", reason);
}

static int walk(const struct scan *scan, FTS *tree, const struct file_list_query *query, struct file_list *list,
                struct error *error)
{
  const bool follow = scan->options->follow;
  size_t root_length = strlen(query->folder);
  for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
    bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.', regular = entry->fts_info == FTS_F;
    bool wanted = !hidden && query->wants(entry->fts_path, regular);
    const char *reason = reason_against(entry, query->folder, wanted, follow);
    if (reason && !hidden)
      say_left_out(scan, entry->fts_path, reason);
    if (entry->fts_info == FTS_D && (reason || hidden || entry->fts_level > SCAN_MAX_DEPTH))
      fts_set(tree, entry, FTS_SKIP);
    else if (regular && !reason && wanted && file_list_add(list, entry->fts_path + root_length + 1, error) != 0)
      return -1;
  }
  return 0;
}

int file_list_below(const struct scan *scan, const struct file_list_query *query, struct file_list *list,
                    struct error *error)
{
  char *root = strdup(query->folder);
  char *const roots[] = {root, NULL};
  const bool follow = scan->options->follow;
  FTS *tree = root ? fts_open(roots, (follow ? FTS_LOGICAL : FTS_PHYSICAL) | FTS_NOCHDIR, NULL) : NULL;
  int result = -1;
  if (!tree)
    error_set(error, ERROR_FileNotFound, "%s: %s", query->folder, strerror(errno));
  else
    result = walk(scan, tree, query, list, error);
  if (tree)
    fts_close(tree);
  free(root);
  if (list->count)
    qsort(list->paths, list->count, sizeof *list->paths, compare_path);
  return result;
}
