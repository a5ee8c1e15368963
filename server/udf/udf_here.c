#include "server/udf/udf_here.h"

#include "server/udf/udf_host.h"

#include <stdlib.h>

struct udf_here {
  struct udf_host_options options;
  struct udf_host *host; /* NULL: not met yet */
  struct interpreters *interpreters;
};

static int join(void *data, struct error *error)
{
  struct udf_here *here = data;
  if (here->host == NULL && udf_host_start(&here->options, &here->host, error) != 0)
    return -1;
  const int fd = udf_host_join(here->host);
  return fd >= 0 ? fd : error_set(error, ERROR_Internal, "the process that runs users' scripts cannot be reached");
}

struct udf_here *udf_here_new(const char *python, const volatile int *cancel)
{
  struct udf_here *here = calloc(1, sizeof *here);
  if (here == NULL)
    return NULL;
  here->options =
      (struct udf_host_options){.python = python, .memory = UDF_MEMORY, .level = LOG_WARNING, .confine = CONFINE_AUTO};
  const struct interpreters_options options = {.host = -1, .join = join, .data = here, .cancel = cancel};
  here->interpreters = interpreters_new(&options);
  if (here->interpreters != NULL)
    return here;
  free(here);
  return NULL;
}

struct interpreters *udf_here_interpreters(const struct udf_here *here)
{
  return here->interpreters;
}

void udf_here_free(struct udf_here *here)
{
  if (here == NULL)
    return;
  interpreters_free(here->interpreters);
  udf_host_stop(here->host);
  free(here);
}
