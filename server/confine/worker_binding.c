#include "server/confine/worker_binding.h"

#include <sys/stat.h>

/* A folder that is removed and made again is another one. */
static void add_folder(struct hash *hash, const char *path)
{
  struct stat status = {0};
  hash_text(hash, path);
  if (path[0] == '\0' || stat(path, &status) != 0)
    status = (struct stat){0};
  const uint64_t parts[] = {(uint64_t)status.st_dev, (uint64_t)status.st_ino};
  hash_bytes(hash, parts, sizeof parts);
}

struct hash worker_binding(const struct task_header *task)
{
  struct hash hash = {0};
  hash_text(&hash, task->user);
  add_folder(&hash, task->files);
  add_folder(&hash, task->workspaces);
  add_folder(&hash, task->output);
  add_folder(&hash, task->checkpoint);
  return hash;
}
