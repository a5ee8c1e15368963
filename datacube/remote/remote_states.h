/* Which state of its content each remote file has for the work at hand: the first that is met, or an error. Readers
 * open a file whenever they like, and never see two of its states in one result. */
#ifndef TWINCUBE_DATACUBE_REMOTE_REMOTE_STATES_H
#define TWINCUBE_DATACUBE_REMOTE_REMOTE_STATES_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <stdint.h>

/* New work begins: a task, a run. All states are forgotten. */
void remote_states_begin(void);
/* A file was opened. Errors: FileContentInvalid where it had another state before, Internal (out of memory). */
int remote_states_note(const char *path, const char *validator, uint64_t size, struct error *error);
/* What names the file's content: its state where it was opened, else the work at hand, so that what was made of it in
 * one work is nothing that another may take. */
void remote_states_identity(const char *path, struct buffer *out);

#endif
