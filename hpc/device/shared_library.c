#include "hpc/device/shared_library.h"

#include <dlfcn.h>
#include <string.h>

static void *open_first(const char *const *names)
{
  void *library = NULL;
  for (size_t i = 0; library == NULL && names[i] != NULL; i++)
    library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  return library;
}

int library_open(const char *what, const char *const *names, const struct library_symbol *symbols, size_t count,
                 struct error *error)
{
  void *library = open_first(names);
  if (library == NULL)
    return error_set(error, ERROR_FeatureUnsupported, "there is no %s (%s)", what, dlerror());
  for (size_t i = 0; i < count; i++) {
    void *symbol = dlsym(library, symbols[i].name);
    if (symbol == NULL)
      return error_set(error, ERROR_FeatureUnsupported, "the %s is too old: it has no %s", what, symbols[i].name);
    memcpy(symbols[i].slot, &symbol, sizeof symbol);
  }
  return 0;
}
