/* Interpreters for a command: a host that is started when the first script is met. */
#ifndef TWINCUBE_SERVER_UDF_UDF_HERE_H
#define TWINCUBE_SERVER_UDF_UDF_HERE_H

#include "datacube/base/error.h"
#include "hpc/udf/interpreters.h"

struct udf_here;

/* `python` as udf_host_options has it, borrowed. NULL: out of memory. */
struct udf_here *udf_here_new(const char *python, const volatile int *cancel);
struct interpreters *udf_here_interpreters(const struct udf_here *here);
void udf_here_free(struct udf_here *here); /* NULL is fine */

#endif
