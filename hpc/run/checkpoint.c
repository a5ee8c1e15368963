/* <hash>.part while it is made, renamed to <hash> when all of it is on the disk: the elements, nothing else. */
#include "hpc/run/checkpoint.h"

#include "datacube/base/disk_room.h"
#include "datacube/base/logger.h"
#include "datacube/sink/output.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 4096 };

static void name_of(const char *folder, const struct keep *keep, const char *ending, char out[NAME_SIZE])
{
  const struct hash hash = keep->node->hash;
  snprintf(out, NAME_SIZE, "%s%016" PRIx64 "%016" PRIx64 "%s", folder, hash.a, hash.b, ending);
}

void *checkpoint_room(const char *folder, const struct keep *keep, struct error *error)
{
  char part[NAME_SIZE];
  name_of(folder, keep, ".part", part);
  unlink(part); /* of a run that was ended */
  return spill_named(keep->bytes, part, error);
}

static void *read_whole(int file, size_t bytes)
{
  unsigned char *room = malloc(bytes);
  size_t done = 0;
  while (room && done < bytes) {
    ssize_t n = pread(file, room + done, bytes - done, (off_t)done);
    if (n <= 0) {
      free(room);
      return NULL;
    }
    done += (size_t)n;
  }
  return room;
}

void *checkpoint_take(const char *folder, const struct keep *keep)
{
  char name[NAME_SIZE];
  struct stat state;
  void *room = NULL;
  name_of(folder, keep, "", name);
  int file = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0)
    return NULL;
  if (fstat(file, &state) == 0 && keep->bytes > 0 && (size_t)state.st_size == keep->bytes)
    room = keep->in_memory ? read_whole(file, keep->bytes)
                           : mmap(NULL, keep->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return room == MAP_FAILED ? NULL : room;
}

static bool has_room(const char *folder, const struct keep *keep)
{
  struct disk_room disk;
  return !keep->in_memory || !disk_room_read(folder, &disk) || (double)keep->bytes < disk.free - disk.reserve;
}

static int write_part(const char *part, const struct keep *keep, const void *room, struct error *error)
{
  int file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0)
    return output_error(error, "cannot make the file");
  int status = output_write_at(file, room, keep->bytes, 0, error);
  if (status == 0 && fdatasync(file) != 0)
    status = output_error(error, "cannot write it");
  close(file);
  return status;
}

static int write_back(const struct keep *keep, const void *room, struct error *error)
{
  return msync((void *)(uintptr_t)room, keep->bytes, MS_SYNC) == 0 ? 0 : output_error(error, "cannot write it");
}

void checkpoint_drop(const char *folder, const struct keep *keep)
{
  char part[NAME_SIZE];
  name_of(folder, keep, ".part", part);
  unlink(part);
}

void checkpoint_leave(const char *folder, const struct keep *keep, const void *room)
{
  char part[NAME_SIZE], name[NAME_SIZE];
  struct error error = {0};
  name_of(folder, keep, ".part", part);
  if (keep->bytes == 0 || !has_room(folder, keep)) {
    unlink(part);
    return;
  }
  name_of(folder, keep, "", name);
  int status = keep->in_memory ? write_part(part, keep, room, &error) : write_back(keep, room, &error);
  if (status == 0 && rename(part, name) != 0)
    status = output_error(&error, "cannot rename it");
  if (status == 0)
    return;
  log_message(LOG_WARNING, "a kept result is not left for a later run: %s", error.message);
  unlink(part);
}
