/* Libraries that are loaded when the first of their functions is called: they bring sixty others, which take longer to
 * load than most scalars to compute. The program's calls go through the stubs that stubs.cmake makes; programs that
 * are linked with the libraries themselves, such as tests, have neither. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void *lazy_library_function(size_t index);

extern void *_Atomic lazy_library_slots[];
/* Texts, one behind the other, each with its NUL: the functions of the first library, those of the second, …; and the
 * libraries. */
extern const char lazy_library_names[], lazy_library_sonames[];
extern const size_t lazy_library_ends[]; /* for each library the number of functions up to its last */

/* As the loader does where a library is not there. */
static _Noreturn void end(const char *reason, const char *name)
{
  fprintf(stderr, "twincube: %s\n", reason != NULL ? reason : name);
  _exit(127);
}

static const char *text_at(const char *texts, size_t index)
{
  for (; index > 0; index--)
    texts += strlen(texts) + 1;
  return texts;
}

/* Called by the stubs; any thread, the same for all. */
void *lazy_library_function(size_t index)
{
  size_t library = 0;
  while (index >= lazy_library_ends[library])
    library++;
  const char *const soname = text_at(lazy_library_sonames, library), *const name = text_at(lazy_library_names, index);
  void *loaded = dlopen(soname, RTLD_LAZY | RTLD_GLOBAL);
  if (loaded == NULL)
    end(dlerror(), soname);
  void *function = dlsym(loaded, name);
  if (function == NULL)
    end(dlerror(), name);
  lazy_library_slots[index] = function;
  return function;
}
