/* Looking up local files. */
#include "processes/local_files.h"

#include "stac/href.h"

#include <limits.h>
#include <stdlib.h>

static bool may_read(const struct local_files *files, const char *real)
{
  bool found = files->all;
  for (size_t i = 0; i < files->folder_count && !found; i++)
    found = path_is_below(real, files->folders[i]);
  return found;
}

static const char *find(const struct local_files *files, struct arena *arena, const char *path)
{
  char real[PATH_MAX];
  return path && realpath(path, real) && may_read(files, real) ? arena_strdup(arena, real) : NULL;
}

const char *local_files_find(const struct local_files *files, struct arena *arena, const char *name)
{
  const char *path = href_path(arena, name), *found = NULL;
  if (!path || !files)
    return NULL;
  if (files->all || *path == '/')
    return find(files, arena, path);
  for (size_t i = 0; i < files->folder_count && !found; i++)
    found = find(files, arena, arena_printf(arena, "%s/%s", files->folders[i], path));
  return found;
}
