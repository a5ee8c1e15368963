/* Which calls of the system a worker has: those that computing and files need. All others fail with EPERM, and clone3
 * with ENOSYS, upon which the C library takes clone. No sockets are made or connected, no program is started, no
 * process forked, no signal sent but to oneself, nothing mounted, traced or loaded. */
#ifndef TWINCUBE_SERVER_CONFINE_SYSCALL_FILTER_H
#define TWINCUBE_SERVER_CONFINE_SYSCALL_FILTER_H

#include "datacube/base/buffer.h"

#include <stdbool.h>

/* Whether there is a filter for this machine and its kernel takes it. */
bool syscall_filter_works(void);
enum syscall_set {
  CALLS_COMPUTING,
  CALLS_NETWORK,    /* these, and the network */
  CALLS_DEVICES,    /* … and what drivers of devices need: ioctl on what landlock lets one open */
  CALLS_INTERPRETER /* computing, and starting a program, until another filter ends that */
};

/* Holds for all threads of the process from now on, for good. -1 with errno. */
int syscall_filter_enforce(enum syscall_set set);
/* A filter for a program to set itself, behind CALLS_INTERPRETER: no program is started any more. The kernel's bytes in
 * hexadecimal digits. */
void syscall_filter_no_programs(struct buffer *out);

#endif
