/* A fetcher for this process alone, on a thread of its own: the command line's. */
#ifndef TWINCUBE_SERVER_FETCH_FETCH_HERE_H
#define TWINCUBE_SERVER_FETCH_FETCH_HERE_H

#include "server/fetch/fetch_account.h"

#include <stdint.h>

struct fetch_here;

/* Remote files can be opened (remote_file.h) until the stop, those that may be asked; what
 * `access` points to is borrowed. What is
 * fetched lies in a folder of its own in TMPDIR, at most `most` bytes. `cancel` becomes nonzero when waiting is to end.
 * Errors: StorageFailure, Internal. */
int fetch_here_start(const struct fetch_access *access, uint64_t most, const volatile int *cancel,
                     struct fetch_here **out, struct error *error);
void fetch_here_stop(struct fetch_here *here); /* NULL is fine */

#endif
