/* Open files that go from process to process over a Unix socket (SCM_RIGHTS), with one byte that says which of them are
 * there. */
#ifndef TWINCUBE_SERVER_WORKERS_DESCRIPTORS_H
#define TWINCUBE_SERVER_WORKERS_DESCRIPTORS_H

#include <stddef.h>

enum { DESCRIPTORS_MOST = 3 };

/* At most DESCRIPTORS_MOST, which stay open here; -1: that one is not there, but the first is. 0, or -1 with errno. */
int descriptors_send(int fd, const int *descriptors, size_t count);
/* How many came, at their places among the first `most`, to be closed on exec, and -1 at the others; 0 at the end, or
 * where none came; -1 after a signal. */
int descriptors_receive(int fd, int *out, size_t most);

#endif
