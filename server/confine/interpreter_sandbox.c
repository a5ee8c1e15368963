#include "server/confine/interpreter_sandbox.h"

#include "server/confine/landlock_rules.h"
#include "server/confine/syscall_filter.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FILES = 128 };

int interpreter_sandbox_probe(enum confine_mode mode, struct interpreter_sandbox *out, const char **why)
{
  worker_user_find(&out->user);
  out->landlock = mode == CONFINE_OFF ? 0 : landlock_abi();
  if (mode == CONFINE_OFF || (out->landlock > 0 && syscall_filter_works()))
    return 0;
  *why = "scripts cannot be confined on this machine, which lacks landlock or seccomp (--confine off runs them all the "
         "same)";
  return -1;
}

static int allow(const struct landlock_rules *rules, const struct path_list *list)
{
  for (size_t i = 0; i < list->count; i++)
    if (landlock_rules_allow(rules, list->paths[i], LANDLOCK_READ) != 0)
      return -1;
  return 0;
}

/* The program, and what the kernel starts it with. */
static int allow_program(const struct landlock_rules *rules, const char *program)
{
  static const char *const loaders[] = {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1",
                                        "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1"};
  for (size_t i = 0; i < sizeof loaders / sizeof loaders[0]; i++)
    if (landlock_rules_allow(rules, loaders[i], LANDLOCK_EXECUTE) != 0)
      return -1;
  return landlock_rules_allow(rules, program, LANDLOCK_EXECUTE);
}

static int make_rules(const struct interpreter_sandbox *sandbox, struct landlock_rules *rules)
{
  if (landlock_rules_new(sandbox->landlock, rules) != 0)
    return -1;
  if (allow(rules, sandbox->system) == 0 && allow(rules, sandbox->reads) == 0 &&
      allow_program(rules, sandbox->program) == 0 && landlock_rules_allow(rules, sandbox->folder, LANDLOCK_WRITE) == 0)
    return 0;
  landlock_rules_free(rules);
  return -1;
}

/* Some of its files are another user's alone. */
static bool reads_closed(const struct interpreter_sandbox *sandbox)
{
  struct stat state;
  bool found = false;
  if (!sandbox->user.changes || seteuid(sandbox->user.uid) != 0)
    return false;
  found = stat(sandbox->program, &state) != 0 && errno == EACCES;
  for (size_t i = 0; i < sandbox->reads->count && !found; i++)
    found = stat(sandbox->reads->paths[i], &state) != 0 && errno == EACCES;
  return seteuid(0) != 0 || found;
}

static int set_limits(const struct interpreter_sandbox *sandbox)
{
  const struct {
    int resource;
    rlim_t most;
  } limits[] = {{RLIMIT_CORE, 0},
                {RLIMIT_FSIZE, sandbox->folder_bytes},
                {RLIMIT_NOFILE, OPEN_FILES},
                {RLIMIT_MEMLOCK, 0},
                {RLIMIT_AS, sandbox->memory}};
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    const struct rlimit limit = {limits[i].most, limits[i].most};
    if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) != 0)
      return -1;
  }
  return 0;
}

int interpreter_sandbox_enter(const struct interpreter_sandbox *sandbox)
{
  struct landlock_rules rules = {.fd = -1};
  const bool reads_all = sandbox->landlock > 0 && reads_closed(sandbox);
  const pid_t parent = getppid();
  if (sandbox->landlock > 0 && make_rules(sandbox, &rules) != 0)
    return -1;
  umask(077);
  unshare(CLONE_NEWNET); /* each where it is allowed */
  unshare(CLONE_NEWIPC);
  if (worker_user_become_plain(&sandbox->user, reads_all) != 0)
    return -1;
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* behind the change of the user, which forgets it */
  if (getppid() != parent || set_limits(sandbox) != 0)
    return -1;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return -1;
  if (sandbox->landlock == 0)
    return 0;
  if (landlock_rules_enforce(&rules) != 0)
    return -1;
  landlock_rules_free(&rules);
  return syscall_filter_enforce(CALLS_INTERPRETER);
}

void interpreter_sandbox_last(const struct interpreter_sandbox *sandbox, struct buffer *out)
{
  if (sandbox->landlock > 0)
    syscall_filter_no_programs(out);
}
