/* Interpreters of users' scripts: processes of their own, lent to one call at a time.
 *
 * They are started and ended by a host (server/udf/udf_host.h), which this process reaches by a socket that it was born
 * with, and which confines them. Elements of cubes go through memory that both sides have mapped, everything else
 * through a socket of the interpreter's. An interpreter stays for the next call, whatever its script: all calls of one
 * set of interpreters are of one user. Whoever waits looks at `cancel`, and ends the interpreter then.
 * Where the host gives no more of them, a call waits for one that another call gives back.
 *
 * What comes from an interpreter is a stranger's: sizes are checked, and no text is believed. */
#ifndef TWINCUBE_HPC_UDF_INTERPRETERS_H
#define TWINCUBE_HPC_UDF_INTERPRETERS_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "datacube/base/logger.h"

#include <stddef.h>
#include <stdint.h>

struct interpreters; /* thread safe */

struct interpreters_options {
  int host; /* socket of a host, kept for good; -1: `join` makes one when it is needed */
  int (*join)(void *data, struct error *error); /* the socket, or -1; or NULL */
  void *data;
  const volatile int *cancel; /* becomes nonzero: waiting ends; or NULL */
};

struct interpreters *interpreters_new(const struct interpreters_options *options); /* NULL: out of memory */
void interpreters_free(struct interpreters *all);                                  /* ends them; NULL is fine */
/* There is no work for the time being: what scripts have left running stands still. */
void interpreters_rest(struct interpreters *all);
/* Ends those that rest: the next call is another user's. */
void interpreters_forget(struct interpreters *all);

/* What the interpreter is: its version, "3.11.2", a line feed, and JSON as of a member of /udf_runtimes. *out is
 * borrowed. Error InvalidRuntime: there is none, and why. */
int interpreters_describe(struct interpreters *all, const char **out, struct error *error);

/* Bytes of elements that a call may bring and take together. */
size_t interpreters_room(void);

struct udf_script {
  const char *node;    /* of the graph, for the log */
  const char *message; /* JSON: what the interpreter is told of it; the same text for the same script */
};

struct udf_call {
  const struct udf_script *script;
  const char *view;  /* JSON of the call */
  const void *input; /* put at the start of the memory; or NULL */
  size_t input_size;
  void *output; /* filled from `offset` of the memory on; or NULL */
  size_t output_size, offset;
};

/* Error ProcessParameterInvalid (of `udf`) with the script's line where it fails; RequestTimeout; Internal. `reply`
 * becomes the texts of the result, each with a NUL at its end; NULL: nobody reads them. */
int interpreters_call(struct interpreters *all, const struct udf_call *call, struct buffer *reply, struct error *error);

/* Of all interpreters so far, those that have ended among them, as the kernel counts. */
double interpreters_cpu_seconds(struct interpreters *all);

/* What scripts have said since the last time, in order. The texts are borrowed. */
void interpreters_tell(struct interpreters *all,
                       void (*tell)(void *data, enum log_level level, const char *node, const char *text), void *data);

#endif
