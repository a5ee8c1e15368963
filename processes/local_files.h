/* Which files of this machine, beside a user's own, a graph may name. */
#ifndef TWINCUBE_PROCESSES_LOCAL_FILES_H
#define TWINCUBE_PROCESSES_LOCAL_FILES_H

#include "datacube/base/arena.h"

struct local_files {          /* all zero: none */
  bool all;                   /* what the process itself may read: the command line */
  const char *const *folders; /* else what lies below these: absolute, without links */
  size_t folder_count;
};

/* The path without links of a file named by a path or file:// address: absolute, or below the working directory (all)
 * or one of the folders. NULL where there is none, it may not be named, or memory is out. */
const char *local_files_find(const struct local_files *files, struct arena *arena, const char *name);

#endif
