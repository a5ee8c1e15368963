/* Walks piece by piece (openat, O_NOFOLLOW), so that nothing that is swapped in meanwhile leads elsewhere. */
#include "datacube/base/rooted_path.h"

#include "datacube/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Why a piece cannot be a name; NULL where it can. */
static const char *bad_name(const char *piece, size_t length)
{
  if (length > NAME_MAX)
    return "a name in it is longer than 255 bytes";
  if (length <= 2 && memcmp(piece, "..", length) == 0)
    return "'.' and '..' are no names";
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)piece[i] < 0x20 || piece[i] == 0x7f || piece[i] == '\\')
      return "backslashes and control characters are not allowed";
  for (size_t i = 0; i < length;) {
    size_t step = utf8_length(piece + i, length - i);
    if (step == 0)
      return "it is not valid UTF-8";
    i += step;
  }
  return NULL;
}

int rooted_path_read(const char *text, char out[ROOTED_PATH_SIZE], struct error *error)
{
  size_t used = 0, pieces = 0;
  while (*(text += strspn(text, "/")) != '\0') {
    const size_t length = strcspn(text, "/");
    const char *const why = bad_name(text, length);
    if (why != NULL)
      return error_set(error, ERROR_FilePathInvalid, "the path is not allowed: %s", why);
    if (++pieces > ROOTED_PIECES || used + length + 1 >= ROOTED_PATH_SIZE)
      return error_set(error, ERROR_FilePathInvalid, "the path is not allowed: it is longer than %d bytes or %d names",
                       ROOTED_PATH_SIZE - 1, (int)ROOTED_PIECES);
    if (used > 0)
      out[used++] = '/';
    memcpy(out + used, text, length);
    used += length;
    text += length;
  }
  out[used] = '\0';
  return used > 0 ? 0 : error_set(error, ERROR_FilePathInvalid, "the path is empty");
}

static int open_folder(int parent, const char *name, bool makes)
{
  if (makes && mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
    return -1;
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int rooted_parent(int root, const char *path, bool makes, const char **name)
{
  char piece[NAME_MAX + 1];
  int folder = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (const char *slash; folder >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
    memcpy(piece, path, (size_t)(slash - path));
    piece[slash - path] = '\0';
    const int next = open_folder(folder, piece, makes), why = errno;
    close(folder);
    folder = next;
    errno = why;
  }
  *name = path;
  return folder;
}

int rooted_open(int root, const char *path, int flags)
{
  const char *name;
  int folder = rooted_parent(root, path, false, &name);
  if (folder < 0)
    return -1;
  const int fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC), why = errno;
  close(folder);
  errno = why;
  return fd;
}
