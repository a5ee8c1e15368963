/* Temporary output files and scratch room of sinks. */
#include "datacube/sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int output_error(struct error *error, const char *what)
{
  char text[128];
  const char *reason = strerror_r(errno, text, sizeof text);
  return error_set(error, ERROR_StorageFailure, "%s: %s", what, reason);
}

/* A new file "<path>.<random>.part"; its descriptor, or -1 with errno. The umask decides who may read it. */
static int create_beside(const char *path, char *name, size_t room)
{
  for (int attempt = 0; attempt < 16; attempt++) {
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
      return -1;
    int n = snprintf(name, room, "%s.%016llx.part", path, (unsigned long long)random);
    if (n < 0 || (size_t)n >= room) {
      errno = ENAMETOOLONG;
      return -1;
    }
    int file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0 || errno != EEXIST)
      return file;
  }
  return -1;
}

int output_begin(struct output *output, const char *path, struct error *error)
{
  output->temporary[0] = '\0';
  int n = snprintf(output->path, sizeof output->path, "%s", path);
  if (n < 0 || (size_t)n >= sizeof output->path) {
    errno = ENAMETOOLONG;
    return output_error(error, "cannot write the result");
  }
  struct stat status; /* renaming would put a file in the place of a device, a pipe or a link */
  if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
    return error_set(error, ERROR_StorageFailure, "cannot write the result: %s is there, and no plain file", path);
  int file = create_beside(path, output->temporary, sizeof output->temporary);
  if (file < 0) {
    output->temporary[0] = '\0';
    return output_error(error, "cannot write the result");
  }
  close(file);
  return 0;
}

int output_commit(struct output *output, struct error *error)
{
  if (rename(output->temporary, output->path) != 0)
    return output_error(error, "cannot rename the result to its final name");
  output->temporary[0] = '\0';
  return 0;
}

void output_discard(struct output *output)
{
  if (output->temporary[0] != '\0')
    unlink(output->temporary);
  output->temporary[0] = '\0';
}

int output_write_at(int file, const void *bytes, size_t length, uint64_t offset, struct error *error)
{
  const char *at = bytes;
  while (length > 0) {
    ssize_t n = pwrite(file, at, length, (off_t)offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return output_error(error, "cannot write the result");
    at += n;
    offset += (uint64_t)n;
    length -= (size_t)n;
  }
  return 0;
}

enum { SPILL_IN_MEMORY = 64 << 20 };

/* Maps a new file; closes it. */
static void *map_room(int file, size_t bytes, struct error *error)
{
  /* Without the reservation a full disk would arrive as SIGBUS. */
  errno = posix_fallocate(file, 0, (off_t)bytes);
  if (errno != 0) {
    output_error(error, "cannot reserve scratch space beside the result");
    close(file);
    return NULL;
  }
  void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (room != MAP_FAILED)
    return room;
  error_memory(error);
  return NULL;
}

void *spill_file(size_t bytes, const char *beside, struct error *error)
{
  char name[4160];
  int file = create_beside(beside, name, sizeof name);
  if (file < 0) {
    output_error(error, "cannot make a scratch file beside the result");
    return NULL;
  }
  unlink(name);
  return map_room(file, bytes == 0 ? 1 : bytes, error);
}

void *spill_named(size_t bytes, const char *path, struct error *error)
{
  int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    output_error(error, "cannot make a scratch file");
    return NULL;
  }
  return map_room(file, bytes == 0 ? 1 : bytes, error);
}

void *spill_new(size_t bytes, const char *beside, struct error *error)
{
  if (bytes > SPILL_IN_MEMORY)
    return spill_file(bytes, beside, error);
  void *room = mmap(NULL, bytes == 0 ? 1 : bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room != MAP_FAILED)
    return room;
  error_memory(error);
  return NULL;
}

void spill_free(void *room, size_t bytes)
{
  if (room != NULL)
    munmap(room, bytes == 0 ? 1 : bytes);
}
