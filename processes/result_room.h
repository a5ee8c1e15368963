/* Whether there is room for what a plan writes; asked before the first byte is written. */
#ifndef TWINCUBE_PROCESSES_RESULT_ROOM_H
#define TWINCUBE_PROCESSES_RESULT_ROOM_H

#include "hpc/plan/plan.h"

struct result_room {
  uint64_t most;  /* bytes that one request may write, uncompressed; 0: no limit */
  bool has_quota; /* the user may keep so many bytes, `left` of which are free */
  uint64_t left;
};

/* Compares the bytes of the plan's outputs, and of what it keeps in files meanwhile, with the limits and with what is
 * free on the disk of `path` beyond a reserve for others. Errors, with the numbers: ProcessGraphComplexity past `most`,
 * StorageQuotaExceeded past the quota, StorageFailure past the disk. */
int result_room_check(const struct plan *plan, const char *path, const struct result_room *room, struct error *error);

#endif
