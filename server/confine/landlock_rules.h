/* Landlock: which files a process may touch from now on, and that it reaches neither the net nor foreign processes.
 *
 * A rule set denies all that it handles and no rule allows: rights to files, TCP, signals to processes outside and
 * their abstract sockets, as far as the kernel knows them (its ABI). It can be narrowed later, never widened, and
 * children inherit it. Source: the kernel's Documentation/userspace-api/landlock.rst. */
#ifndef TWINCUBE_SERVER_CONFINE_LANDLOCK_RULES_H
#define TWINCUBE_SERVER_CONFINE_LANDLOCK_RULES_H

#include <stdint.h>

enum { LANDLOCK_ABI_KNOWN = 7 };

/* The kernel's, 0 where it has none or it is switched off. */
int landlock_abi(void);

enum landlock_access {
  LANDLOCK_READ,       /* files and lists of folders */
  LANDLOCK_READ_FILES, /* files whose names are known */
  LANDLOCK_WRITE,      /* and making, changing, moving and removing files and folders */
  LANDLOCK_DRIVE,      /* files of devices: reading, writing, commands to their drivers */
  LANDLOCK_EXECUTE,    /* programs: reading and starting them */
  LANDLOCK_ACCESSES
};

struct landlock_rules {
  int fd;           /* -1: none */
  uint64_t handled; /* rights to files */
};

/* An empty set: nothing is allowed. -1 with errno. */
int landlock_rules_new(int abi, struct landlock_rules *out);
/* Adds a file, or a folder with all below it; a link counts as what it leads to. What is not there is skipped, also
 * later on. 0, or -1 with errno. */
int landlock_rules_allow(const struct landlock_rules *rules, const char *path, enum landlock_access access);
/* Holds for this thread, and for those that it starts; gives up gaining privileges first. -1 with errno. */
int landlock_rules_enforce(const struct landlock_rules *rules);
void landlock_rules_free(struct landlock_rules *rules);

#endif
