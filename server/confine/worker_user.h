/* Who workers are where the server is root: the user "twincube", else "nobody", without capabilities.
 *
 * Real, effective and saved user and the groups are theirs, so they may not signal, trace or rename anything of root's.
 * Files alone are still opened as root's owner would (the file system's user, setfsuid), since the data folder and what
 * lies above it are often open to root alone; landlock says which files those are. */
#ifndef TWINCUBE_SERVER_CONFINE_WORKER_USER_H
#define TWINCUBE_SERVER_CONFINE_WORKER_USER_H

#include <stdbool.h>
#include <sys/types.h>

struct worker_user {
  bool changes; /* false: workers are who the server is */
  uid_t uid;
  gid_t gid;
  char name[32];
};

void worker_user_find(struct worker_user *out);
/* This process becomes the user. It keeps the right to read any file in reserve (worker_user_settle). A signal at the
 * parent's death must be asked for anew. -1 with errno. */
int worker_user_become(const struct worker_user *user);
/* The same for a process that will execute another program, with nothing in reserve: it keeps the right to read any
 * file (reads_all) or none, and passes that on. -1 with errno. */
int worker_user_become_plain(const struct worker_user *user, bool reads_all);
/* For root who stays root: of its capabilities those are left that let it read and write files. -1 with errno. */
int worker_user_keep_files(void);
/* The end of the reserve: it becomes effective where files of others have to be read, else it is given up. -1 with
 * errno. */
int worker_user_settle(const struct worker_user *user, bool reads_all);

#endif
