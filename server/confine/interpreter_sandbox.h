/* What an interpreter of users' scripts may do: compute, and write to one folder.
 *
 *   landlock   it reads its own libraries and the system's, writes to its folder, executes itself; no TCP, no signals
 *   seccomp    as for workers, and one program may be started: itself. The runner gives that up, by a last filter
 *   user       not root, and no capabilities but the one to read its own libraries where these are root's alone
 *   limits     address space, length of files, open files, no core; a network of its own, an empty one */
#ifndef TWINCUBE_SERVER_CONFINE_INTERPRETER_SANDBOX_H
#define TWINCUBE_SERVER_CONFINE_INTERPRETER_SANDBOX_H

#include "server/confine/confine.h"

#include "datacube/base/buffer.h"

struct interpreter_sandbox { /* borrowed */
  int landlock;              /* ABI; 0: --confine off */
  struct worker_user user;
  const char *program;           /* the file that is executed */
  const struct path_list *reads; /* its libraries */
  const struct path_list *system;
  const char *folder;  /* that it writes to */
  size_t memory;       /* bytes of address space */
  size_t folder_bytes; /* the longest file */
};

/* Whether scripts can be confined on this machine, and as whom: `landlock`, `user` of the sandbox. -1: they cannot, or
 * not as the mode wants it, and why. */
int interpreter_sandbox_probe(enum confine_mode mode, struct interpreter_sandbox *out, const char **why);
/* In the process that will execute the interpreter, behind a fork, for good. -1 with errno. */
int interpreter_sandbox_enter(const struct interpreter_sandbox *sandbox);
/* The last filter, as hexadecimal digits; nothing where there is none. */
void interpreter_sandbox_last(const struct interpreter_sandbox *sandbox, struct buffer *out);

#endif
