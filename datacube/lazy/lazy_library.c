/* A library that is loaded when the first of its functions is called: GDAL brings sixty others, which take longer to
 * load than most scalars to compute. The program's calls go through the stubs that stubs.cmake makes; programs that
 * are linked with the library itself, such as tests, have neither. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void *lazy_library_function(size_t index);

extern void *_Atomic lazy_library_slots[];
extern const size_t lazy_library_count;
extern const char lazy_library_soname[], lazy_library_names[]; /* names: one behind the other, each with its NUL */

/* As the loader does where a library is not there. */
static _Noreturn void end(const char *reason)
{
  fprintf(stderr, "twincube: %s\n", reason != NULL ? reason : lazy_library_soname);
  _exit(127);
}

static void *load(void)
{
  void *library = dlopen(lazy_library_soname, RTLD_LAZY | RTLD_GLOBAL);
  if (library == NULL)
    end(dlerror());
  return library;
}

/* Called by the stubs; any thread, the same for all. */
void *lazy_library_function(size_t index)
{
  const char *name = lazy_library_names;
  void *library = load();
  for (size_t i = 0; i < index; i++)
    name += strlen(name) + 1;
  void *function = dlsym(library, name);
  if (function == NULL)
    end(dlerror());
  lazy_library_slots[index] = function;
  return function;
}
