#include "datacube/remote/remote_whole.h"

#include "datacube/remote/remote_file.h"

#include <stdio.h>
#include <string.h>

static const uint64_t longest = UINT64_C(8) << 30; /* bytes */

static void close_file(void *file)
{
  remote_close(file);
}

int remote_whole(struct arena *arena, const char *path, const char **out, struct error *error)
{
  struct remote_file *file;
  *out = path;
  if (!remote_is(path))
    return 0;
  if (remote_open_whole(path, longest, &file, error) != 0)
    return -1;
  const char *place = remote_place(file, error);
  *out = place ? arena_strdup(arena, place) : NULL;
  if (*out && arena_on_free(arena, close_file, file) == 0)
    return 0;
  remote_close(file);
  return error_is_set(error) ? -1 : error_memory(error);
}

int remote_whole_error(const char *path, const char *place, struct error *error)
{
  char message[sizeof error->message];
  const char *slash = strrchr(place, '/'), *name = slash ? slash + 1 : place;
  const char *found = remote_is(path) ? strstr(error->message, name) : NULL;
  if (!found)
    return -1;
  const size_t folder = (size_t)(name - place), before = (size_t)(found - error->message);
  const bool is_whole = before >= folder && strncmp(found - folder, place, folder) == 0;
  snprintf(message, sizeof message, "%.*s%.200s%s", (int)(is_whole ? before - folder : before), error->message,
           remote_url(path), found + strlen(name));
  memcpy(error->message, message, sizeof message);
  return -1;
}
