/* The folder is made before its collection is in the catalogue, and removed behind it; so what a crash leaves is a
 * folder without a collection, which its owner's next request takes over. */
#include "server/publish/published_files.h"

#include "server/store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_STEP = 1 << 20, OWNER_SIZE = 512 };
static const char owner_file[] = ".owner", coming_file[] = ".coming";

int published_lock(const char *folder, int *out, struct error *error)
{
  int status = -1;
  *out = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  do
    status = *out >= 0 ? flock(*out, LOCK_EX) : -1;
  while (status != 0 && *out >= 0 && errno == EINTR);
  if (status == 0)
    return 0;
  const int reason = errno;
  if (*out >= 0)
    close(*out);
  return error_set(error, ERROR_StorageFailure, "the folder of what is published cannot be locked: %s",
                   strerror(reason));
}

int published_check_id(const char *id, struct error *error)
{
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  const size_t length = strlen(id);
  return length > 0 && length <= 100 && id[0] != '.' && strspn(id, allowed) == length
             ? 0
             : error_set(error, ERROR_RequestBodyInvalid,
                         "the id of a published collection may have letters, digits and - _ . only, at most 100, and "
                         "begins with no dot");
}

static void path_of(const char *folder, const char *id, const char *name, char out[PUBLISHED_PATH_SIZE])
{
  snprintf(out, PUBLISHED_PATH_SIZE, "%s/%s/%s", folder, id, name);
}

static int failed(const char *what, struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "%s: %s", what, strerror(errno));
}

/* ---- owners ----------------------------------------------------------------------------------------------------- */

/* False where there is no folder of that id that somebody owns. */
static bool read_owner(const char *folder, const char *id, char out[OWNER_SIZE])
{
  char path[PUBLISHED_PATH_SIZE];
  path_of(folder, id, owner_file, path);
  const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  const ssize_t got = fd >= 0 ? read(fd, out, OWNER_SIZE - 1) : -1;
  if (fd >= 0)
    close(fd);
  out[got > 0 ? got : 0] = '\0';
  return got > 0;
}

static int write_owner(const char *folder, const char *id, const char *owner, struct error *error)
{
  char path[PUBLISHED_PATH_SIZE];
  path_of(folder, id, owner_file, path);
  const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const ssize_t length = (ssize_t)strlen(owner);
  const bool is_written = fd >= 0 && length < OWNER_SIZE && write(fd, owner, (size_t)length) == length;
  if (fd >= 0)
    close(fd);
  return is_written ? 0 : failed("the folder of the collection cannot be written", error);
}

int published_check_owner(const char *folder, const char *id, const char *owner, struct error *error)
{
  char found[OWNER_SIZE];
  struct error ignored = {0};
  if (published_check_id(id, &ignored) != 0 || !read_owner(folder, id, found))
    return error_set(error, ERROR_CollectionNotFound, "nobody here published a collection '%.100s'", id);
  return strcmp(found, owner) == 0 ? 0
                                   : error_set(error, ERROR_PermissionsInsufficient,
                                               "collection '%.100s' was published by somebody else", id);
}

/* ---- the folder ------------------------------------------------------------------------------------------------- */

static void count_entry(void *data, const char *name)
{
  (void)name;
  ++*(size_t *)data;
}

int published_make(const char *folder, const char *id, const char *owner, struct error *error)
{
  char path[PUBLISHED_PATH_SIZE], found[OWNER_SIZE];
  size_t count = 0;
  folder_each(folder, count_entry, &count);
  if (count >= PUBLISHED_MOST)
    return error_set(error, ERROR_StorageQuotaExceeded, "%d collections are published here, which is the most",
                     PUBLISHED_MOST);
  path_of(folder, id, "", path);
  const bool is_new = mkdir(path, 0755) == 0;
  if (!is_new && errno != EEXIST)
    return failed("the folder of the collection cannot be made", error);
  if (!is_new && read_owner(folder, id, found) && strcmp(found, owner) != 0)
    return error_set(error, ERROR_StacConflict, "somebody else published a collection '%.100s'", id);
  folder_clear(path);
  if (chmod(path, 0755) != 0) /* whatever the umask is: workers have another user */
    return failed("the folder of the collection cannot be made", error);
  return write_owner(folder, id, owner, error);
}

void published_remove(const char *folder, const char *id)
{
  char path[PUBLISHED_PATH_SIZE];
  snprintf(path, sizeof path, "%s/%s", folder, id);
  folder_remove(path);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static int copy_bytes(int from, int to)
{
  char *part = malloc(COPY_STEP);
  ssize_t got = part ? 1 : -1;
  while (got > 0) {
    got = read(from, part, COPY_STEP);
    for (ssize_t done = 0, count; got > 0 && done < got; done += count)
      if ((count = write(to, part + done, (size_t)(got - done))) < 0) {
        got = -1;
        break;
      }
  }
  free(part);
  return got == 0 ? 0 : -1;
}

static int copy_file(const char *from, const char *to)
{
  const int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  const int out = in >= 0 ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644) : -1;
  int status = out >= 0 ? copy_bytes(in, out) : -1;
  if (out >= 0 && close(out) != 0)
    status = -1;
  if (in >= 0)
    close(in);
  return status;
}

/* Where the new name and the old one are links to one file, a rename leaves both. */
int published_add(const char *folder, const char *id, const struct published_source *from, const char *name,
                  bool *is_new, struct error *error)
{
  char source[PUBLISHED_PATH_SIZE], target[PUBLISHED_PATH_SIZE], coming[PUBLISHED_PATH_SIZE];
  struct stat state;
  if (name[0] == '.' || strchr(name, '/') != NULL)
    return error_set(error, ERROR_FeatureUnsupported, "a file named '%.100s' is not published", name);
  snprintf(source, sizeof source, "%s%s", from->folder, from->name);
  path_of(folder, id, name, target);
  path_of(folder, id, coming_file, coming);
  unlink(coming);
  const bool is_linked = link(source, coming) == 0;
  if (!is_linked && ((errno != EXDEV && errno != EPERM && errno != EMLINK) || copy_file(source, coming) != 0))
    return failed("a result cannot be put into the folder of what is published", error);
  *is_new = lstat(target, &state) != 0;
  if (rename(coming, target) != 0)
    return failed("a result cannot be put into the folder of what is published", error);
  unlink(coming);
  return 0;
}

void published_drop(const char *folder, const char *id, const char *name)
{
  char path[PUBLISHED_PATH_SIZE];
  path_of(folder, id, name, path);
  unlink(path);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

struct tally {
  const char *folder, *owner, *id;
  uint64_t bytes;
};

static void add_file(void *data, const char *name)
{
  struct tally *tally = data;
  char path[PUBLISHED_PATH_SIZE];
  struct stat state;
  path_of(tally->folder, tally->id, name, path);
  if (name[0] != '.' && lstat(path, &state) == 0 && S_ISREG(state.st_mode) && state.st_nlink == 1)
    tally->bytes += (uint64_t)state.st_size;
}

static void add_collection(void *data, const char *name)
{
  struct tally *tally = data;
  char path[PUBLISHED_PATH_SIZE], found[OWNER_SIZE];
  if (!read_owner(tally->folder, name, found) || strcmp(found, tally->owner) != 0)
    return;
  tally->id = name;
  path_of(tally->folder, name, "", path);
  folder_each(path, add_file, tally);
}

uint64_t published_bytes(const char *folder, const char *owner)
{
  struct tally tally = {.folder = folder, .owner = owner};
  if (folder != NULL)
    folder_each(folder, add_collection, &tally);
  return tally.bytes;
}

int published_open(const char *folder, const char *id, const char *name, uint64_t *size)
{
  char path[PUBLISHED_PATH_SIZE], whole[PUBLISHED_PATH_SIZE];
  struct error ignored = {0};
  if (published_check_id(id, &ignored) != 0 || name[0] == '.' || strchr(name, '/') != NULL)
    return -1;
  path_of(folder, id, "", path);
  path_of(folder, id, name, whole);
  return folder_open_file(path, whole, size);
}
