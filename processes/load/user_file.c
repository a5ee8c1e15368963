/* The path is read as /files reads it (rooted_path.h), and looked up without following a link. */
#include "processes/load/user_file.h"

#include "datacube/base/rooted_path.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Pieces "." at the start count for nothing. */
static const char *skip_here(const char *path)
{
  for (;;) {
    path += strspn(path, "/");
    if (path[0] != '.' || path[1] != '/')
      return path;
    path += 2;
  }
}

static bool is_file(const char *folder, const char *path)
{
  struct stat state;
  const int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int fd = root < 0 ? -1 : rooted_open(root, path, O_PATH);
  const bool found = fd >= 0 && fstat(fd, &state) == 0 && S_ISREG(state.st_mode);
  if (root >= 0)
    close(root);
  if (fd >= 0)
    close(fd);
  return found;
}

int user_file_find(struct call *call, const char *parameter, const char *path, const char **out)
{
  char normal[ROOTED_PATH_SIZE];
  struct error ignored = {0};
  if (!call->files || rooted_path_read(skip_here(path), normal, &ignored) != 0 || !is_file(call->files, normal))
    return error_parameter(call->error, ERROR_FileNotFound, parameter, "there is no file '%s'", path);
  *out = arena_printf(call->arena, "%s/%s", call->files, normal);
  return *out ? 0 : error_memory(call->error);
}
