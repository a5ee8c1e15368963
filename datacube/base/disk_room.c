/* statvfs, in doubles: sizes of disks may overflow products of integers. */
#include "datacube/base/disk_room.h"

#include <sys/statvfs.h>

static const double most_reserve = 1024.0 * 1024 * 1024;

bool disk_room_read(const char *folder, struct disk_room *out)
{
  struct statvfs disk;
  if (statvfs(folder, &disk) != 0)
    return false;
  const double part = (double)disk.f_blocks * (double)disk.f_frsize / 20;
  out->free = (double)disk.f_bavail * (double)disk.f_frsize;
  out->reserve = part < most_reserve ? part : most_reserve;
  return true;
}
