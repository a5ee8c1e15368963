/* Estimates are uncompressed bytes, as the openEO estimate tells them: an upper bound for most files. */
#include "processes/result_room.h"

#include "datacube/base/disk_room.h"

#include <stdio.h>
#include <string.h>

static const double small = 1024.0 * 1024; /* bytes that may come out of the reserve */

static double plan_bytes(const struct plan *plan)
{
  double bytes = plan_spilled_bytes(plan);
  for (size_t i = 0; i < plan_outputs(plan); i++)
    bytes += (double)cube_bytes(plan_output_cube(plan, i));
  return bytes;
}

static int check_disk(double bytes, const char *path, struct error *error)
{
  char folder[4096];
  struct disk_room disk;
  const char *slash = strrchr(path, '/');
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  if (!disk_room_read(folder, &disk) || bytes <= disk.free - (bytes <= small ? 0 : disk.reserve))
    return 0;
  return error_set(error, ERROR_StorageFailure,
                   "the results would take %.0f bytes; the disk has %.0f bytes free, %.0f of them a reserve", bytes,
                   disk.free, bytes <= small ? 0 : disk.reserve);
}

int result_room_check(const struct plan *plan, const char *path, const struct result_room *room, struct error *error)
{
  const double bytes = plan_bytes(plan);
  if (room->most > 0 && bytes > (double)room->most)
    return error_set(error, ERROR_ProcessGraphComplexity,
                     "the results would take %.0f bytes; one request may write %.0f", bytes, (double)room->most);
  if (room->has_quota && bytes > (double)room->left)
    return error_set(error, ERROR_StorageQuotaExceeded,
                     "the results would take %.0f bytes; %.0f bytes are left of the user's quota", bytes,
                     (double)room->left);
  return check_disk(bytes, path, error);
}
