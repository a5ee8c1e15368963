/* A library that is opened while the program runs: nothing of it is needed to build, and it may be missing. */
#ifndef TWINCUBE_HPC_DEVICE_SHARED_LIBRARY_H
#define TWINCUBE_HPC_DEVICE_SHARED_LIBRARY_H

#include "datacube/base/error.h"

#include <stddef.h>

struct library_symbol {
  const char *name;
  void *slot; /* a function pointer, filled in */
};

/* Opens the first of the names (the last is NULL) that is there, and finds all symbols. It is never closed: what such
 * libraries leave behind in the process would have no code. Error FeatureUnsupported names `what` and the reason. */
int library_open(const char *what, const char *const *names, const struct library_symbol *symbols, size_t count,
                 struct error *error);

#endif
