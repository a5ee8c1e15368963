#include "datacube/grib/grib_library.h"

#include <eccodes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* Where this thread goes on when an assertion does not hold. ecCodes hands its handler nothing, so there is no other
 * place for it. */
static _Thread_local jmp_buf *landing;

static void on_assertion(const char *message)
{
  (void)message;
  if (!landing)
    abort();
  longjmp(*landing, 1);
}

static void say_nothing(const grib_context *context, int level, const char *message)
{
  (void)context;
  (void)level;
  (void)message;
}

static void start_once(void)
{
  codes_set_codes_assertion_failed_proc(on_assertion);
  grib_context_set_logging_proc(grib_context_get_default(), say_nothing);
}

bool grib_library_call(bool (*work)(void *data), void *data)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  jmp_buf here;
  volatile bool done = false;
  pthread_once(&once, start_once);
  landing = &here;
  if (setjmp(here) == 0)
    done = work(data);
  landing = NULL;
  return done;
}

const char *grib_text(struct grib_handle *handle, const char *key, char out[256])
{
  size_t length = 256;
  if (codes_get_string(handle, key, out, &length) != CODES_SUCCESS)
    return NULL;
  out[255] = '\0';
  return *out ? out : NULL;
}

bool grib_integer(struct grib_handle *handle, const char *key, long *out)
{
  return codes_get_long(handle, key, out) == CODES_SUCCESS && *out != CODES_MISSING_LONG;
}

bool grib_real(struct grib_handle *handle, const char *key, double *out)
{
  return codes_get_double(handle, key, out) == CODES_SUCCESS && *out != CODES_MISSING_DOUBLE;
}
