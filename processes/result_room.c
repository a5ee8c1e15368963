/* Estimates are uncompressed bytes, as the openEO estimate tells them: an upper bound for most files. */
#include "processes/result_room.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

static const double most_reserve = 1024.0 * 1024 * 1024; /* bytes; or a twentieth of a small disk */
static const double small = 1024.0 * 1024;               /* bytes that may come out of the reserve */

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
  struct statvfs disk;
  const char *slash = strrchr(path, '/');
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  if (statvfs(folder, &disk) != 0)
    return 0; /* writing will say what is wrong with it */
  const double size = (double)disk.f_blocks * (double)disk.f_frsize,
               given = (double)disk.f_bavail * (double)disk.f_frsize;
  const double reserve = bytes <= small ? 0 : size / 20 < most_reserve ? size / 20 : most_reserve;
  if (bytes <= given - reserve)
    return 0;
  return error_set(error, ERROR_StorageFailure,
                   "the results would take %.0f bytes; the disk has %.0f bytes free, %.0f of them a reserve", bytes,
                   given, reserve);
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
