/* Work that is no longer wanted: long loops end early once *cancel, which another thread sets, is nonzero. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_CANCEL_H
#define TWINCUBE_PHYSICS_STATISTICS_CANCEL_H

#include <stdbool.h>
#include <stddef.h>

/* cancel may be NULL: never. */
static inline bool cancel_is_set(const volatile int *cancel)
{
  return cancel != NULL && *cancel != 0;
}

#endif
