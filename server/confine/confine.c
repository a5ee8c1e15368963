#include "server/confine/confine.h"

#include "server/confine/landlock_rules.h"
#include "server/confine/read_folders.h"
#include "server/confine/syscall_filter.h"

#include "datacube/base/sanitized.h"

#include <errno.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const mode_names[CONFINE_MODES] = {
    [CONFINE_AUTO] = "auto", [CONFINE_REQUIRED] = "required", [CONFINE_OFF] = "off"};

enum confine_mode confine_mode_find(const char *name)
{
  unsigned mode = 0;
  while (mode < CONFINE_MODES && strcmp(mode_names[mode], name) != 0)
    mode++;
  return (enum confine_mode)mode;
}

const char *confine_mode_name(enum confine_mode mode)
{
  return mode_names[mode];
}

int confine_probe(enum confine_mode mode, struct confinement *out, struct error *error)
{
  *out = (struct confinement){.why_off = mode == CONFINE_OFF ? "--confine off"
                                         : is_sanitized      ? "a build with sanitizers"
                                                             : NULL};
  if (out->why_off == NULL) {
    out->landlock = landlock_abi();
    out->filters = syscall_filter_works();
    worker_user_find(&out->user);
    out->user.changes = out->user.changes && out->landlock > 0; /* or it could read all that is root's */
  }
  if (mode == CONFINE_REQUIRED && (out->landlock == 0 || !out->filters))
    return error_set(error, ERROR_ServerConfigInvalid, "--confine required: workers cannot be confined by %s%s%s",
                     out->landlock == 0 ? "landlock" : "seccomp", out->why_off != NULL ? ", in " : " on this machine",
                     out->why_off != NULL ? out->why_off : "");
  return 0;
}

void confine_text(const struct confinement *confinement, char out[CONFINE_TEXT])
{
  char files[64] = "not by landlock, which this kernel lacks", user[96] = "as the server's user";
  if (confinement->why_off != NULL) {
    snprintf(out, CONFINE_TEXT, "workers are not confined (%s): what breaks into one has all rights of the server",
             confinement->why_off);
    return;
  }
  if (confinement->landlock > 0)
    snprintf(files, sizeof files, "files by landlock (ABI %d)", confinement->landlock);
  if (confinement->user.changes)
    snprintf(user, sizeof user, "as user %s (%u)", confinement->user.name, (unsigned)confinement->user.uid);
  else if (geteuid() == 0)
    snprintf(user, sizeof user, "AS ROOT, which is unwise: let another user serve");
  snprintf(out, CONFINE_TEXT, "workers are confined: %s, calls of the system %s, %s", files,
           confinement->filters ? "by seccomp" : "not by seccomp, which this kernel lacks", user);
}

int confine_zygote(const struct confinement *confinement, struct error *error)
{
  if (confinement->why_off != NULL)
    return 0;
  umask(077);
  unshare(CLONE_NEWNET); /* each where it is allowed; the filter denies sockets in any case */
  unshare(CLONE_NEWIPC);
  if (worker_user_become(&confinement->user) != 0)
    return error_set(error, ERROR_Internal, "workers cannot be user %s: %s", confinement->user.name, strerror(errno));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return error_set(error, ERROR_Internal, "workers cannot give up new privileges: %s", strerror(errno));
  return 0;
}

static bool is_closed(const char *path)
{
  return access(path, R_OK) != 0 && errno == EACCES;
}

bool confine_reads_all(const struct confine_rules *rules)
{
  bool found = false;
  for (size_t i = 0; i < rules->scenes->count && !found; i++)
    found = is_closed(rules->scenes->paths[i]);
  for (size_t i = 0; i < rules->local->folder_count && !found; i++)
    found = is_closed(rules->local->folders[i]);
  return found;
}

static int allow_list(const struct landlock_rules *rules, const struct path_list *list)
{
  int status = 0;
  for (size_t i = 0; i < list->count && status == 0; i++)
    status = landlock_rules_allow(rules, list->paths[i], LANDLOCK_READ);
  return status;
}

static int allow_catalogue(const struct landlock_rules *rules, const char *data, enum landlock_access access)
{
  static const char *const names[] = {"catalogue.sqlite", "catalogue.sqlite-wal", "catalogue.sqlite-shm"};
  char path[1200];
  int status = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && status == 0; i++) {
    snprintf(path, sizeof path, "%.1000s/%s", data, names[i]);
    status = landlock_rules_allow(rules, path, access);
  }
  return status;
}

static int allow_folder(const struct landlock_rules *rules, const char *path, enum landlock_access access)
{
  return path != NULL && path[0] != '\0' ? landlock_rules_allow(rules, path, access) : 0;
}

/* The process's own numbers, and the one that it resets: the peak of its memory. */
static int allow_self(const struct landlock_rules *rules)
{
  return landlock_rules_allow(rules, "/proc/self", LANDLOCK_READ) == 0
             ? landlock_rules_allow(rules, "/proc/self/clear_refs", LANDLOCK_WRITE)
             : -1;
}

static int allow_all(const struct landlock_rules *kernel, const struct confine_rules *rules)
{
  int status =
      allow_list(kernel, rules->system) == 0 && allow_list(kernel, rules->scenes) == 0 ? allow_self(kernel) : -1;
  for (size_t i = 0; i < rules->local->folder_count && status == 0; i++)
    status = landlock_rules_allow(kernel, rules->local->folders[i], LANDLOCK_READ);
  if (status != 0 || allow_catalogue(kernel, rules->data, LANDLOCK_READ) != 0 ||
      allow_folder(kernel, rules->files, LANDLOCK_READ) != 0 ||
      allow_folder(kernel, rules->output, LANDLOCK_WRITE) != 0 ||
      allow_folder(kernel, rules->remote, LANDLOCK_READ_FILES) != 0)
    return -1;
  return allow_folder(kernel, rules->checkpoint, LANDLOCK_WRITE) == 0 &&
                 allow_folder(kernel, rules->kernels, LANDLOCK_WRITE) == 0
             ? allow_folder(kernel, rules->workspaces, LANDLOCK_WRITE)
             : -1;
}

/* What drivers of devices are reached by, and what they tell; kernels and speeds that lie in the data folder. */
static int allow_devices(const struct landlock_rules *rules, const char *data)
{
  static const char *const reading[] = {"/proc/driver/nvidia", "/proc/devices", "/proc/modules", "/sys/module/nvidia",
                                        "/sys/bus/pci"};
  char path[1200];
  glob_t found = {0};
  int status = 0;
  glob("/dev/nvidia*", 0, NULL, &found);
  for (size_t i = 0; i < found.gl_pathc && status == 0; i++)
    status = landlock_rules_allow(rules, found.gl_pathv[i], LANDLOCK_DRIVE);
  globfree(&found);
  for (size_t i = 0; i < sizeof reading / sizeof reading[0] && status == 0; i++)
    status = landlock_rules_allow(rules, reading[i], LANDLOCK_READ);
  snprintf(path, sizeof path, "%.1000s/devices", data);
  return status == 0 ? landlock_rules_allow(rules, path, LANDLOCK_READ) : -1;
}

static int confine_files(int abi, const struct confine_rules *rules)
{
  struct landlock_rules kernel;
  if (landlock_rules_new(abi, &kernel) != 0)
    return -1;
  int status = allow_all(&kernel, rules);
  if (status == 0 && rules->uses_devices)
    status = allow_devices(&kernel, rules->data);
  if (status == 0)
    status = landlock_rules_enforce(&kernel);
  landlock_rules_free(&kernel);
  return status;
}

int confine_worker(const struct confinement *confinement, const struct confine_rules *rules, struct error *error)
{
  if (confinement->why_off != NULL)
    return 0;
  if (worker_user_settle(&confinement->user, rules->reads_all) != 0)
    return error_set(error, ERROR_Internal, "a worker keeps its capabilities: %s", strerror(errno));
  if (confinement->landlock > 0 && confine_files(confinement->landlock, rules) != 0)
    return error_set(error, ERROR_Internal, "a worker's files cannot be confined: %s", strerror(errno));
  if (confinement->filters && syscall_filter_enforce(rules->uses_devices ? CALLS_DEVICES : CALLS_COMPUTING) != 0)
    return error_set(error, ERROR_Internal, "a worker's calls of the system cannot be confined: %s", strerror(errno));
  return 0;
}

/* What names of hosts and certificates are looked up in. */
static int allow_resolver(const struct landlock_rules *rules)
{
  static const char *const paths[] = {"/etc/hosts",     "/etc/resolv.conf", "/etc/nsswitch.conf",
                                      "/etc/host.conf", "/etc/gai.conf",    "/etc/services",
                                      "/etc/ssl",       "/etc/pki",         "/run/systemd/resolve"};
  int status = 0;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0] && status == 0; i++)
    status = landlock_rules_allow(rules, paths[i], LANDLOCK_READ);
  return status;
}

/* Later versions of landlock know TCP, which is what some processes are for. */
static int abi_with_network(int abi)
{
  enum { WITHOUT_TCP = 3 };
  return abi < WITHOUT_TCP ? abi : WITHOUT_TCP;
}

static int confine_fetcher_files(int abi, const char *folder)
{
  struct landlock_rules kernel;
  struct path_list system = {0};
  if (landlock_rules_new(abi_with_network(abi), &kernel) != 0)
    return -1;
  int status = read_folders_system(&system);
  if (status == 0)
    status = allow_list(&kernel, &system);
  if (status == 0)
    status = allow_resolver(&kernel);
  if (status == 0)
    status = allow_folder(&kernel, folder, LANDLOCK_WRITE);
  if (status == 0)
    status = landlock_rules_enforce(&kernel);
  path_list_free(&system);
  landlock_rules_free(&kernel);
  return status;
}

int confine_fetcher(const struct confinement *confinement, const char *folder, struct error *error)
{
  if (confinement->why_off != NULL)
    return 0;
  umask(077);
  if (worker_user_become(&confinement->user) != 0 || worker_user_settle(&confinement->user, false) != 0)
    return error_set(error, ERROR_Internal, "the fetcher cannot be user %s: %s", confinement->user.name,
                     strerror(errno));
  if (confinement->landlock > 0 && confine_fetcher_files(confinement->landlock, folder) != 0)
    return error_set(error, ERROR_Internal, "the fetcher's files cannot be confined: %s", strerror(errno));
  if (confinement->filters && syscall_filter_enforce(CALLS_NETWORK) != 0)
    return error_set(error, ERROR_Internal, "the fetcher's calls of the system cannot be confined: %s",
                     strerror(errno));
  return 0;
}

static int allow_source(const struct landlock_rules *kernel, const struct confine_source *source)
{
  struct path_list system = {0};
  int status = read_folders_system(&system);
  if (status == 0)
    status = allow_list(kernel, &system);
  path_list_free(&system);
  if (status != 0 || allow_self(kernel) != 0 || (source->has_network && allow_resolver(kernel) != 0))
    return -1;
  return allow_catalogue(kernel, source->data, LANDLOCK_WRITE) == 0 &&
                 allow_folder(kernel, source->place, LANDLOCK_READ) == 0 &&
                 allow_folder(kernel, source->copies, LANDLOCK_WRITE) == 0
             ? allow_folder(kernel, source->scratch, LANDLOCK_WRITE)
             : -1;
}

static int confine_source_files(int abi, const struct confine_source *source)
{
  struct landlock_rules kernel;
  if (landlock_rules_new(source->has_network ? abi_with_network(abi) : abi, &kernel) != 0)
    return -1;
  int status = allow_source(&kernel, source);
  if (status == 0)
    status = landlock_rules_enforce(&kernel);
  landlock_rules_free(&kernel);
  return status;
}

int confine_refresher(const struct confinement *confinement, const struct confine_source *source, struct error *error)
{
  if (confinement->why_off != NULL)
    return 0;
  if (worker_user_keep_files() != 0)
    return error_set(error, ERROR_Internal, "capabilities cannot be given up: %s", strerror(errno));
  if (confinement->landlock > 0 && confine_source_files(confinement->landlock, source) != 0)
    return error_set(error, ERROR_Internal, "the files of who reads a source cannot be confined: %s", strerror(errno));
  if (confinement->filters && syscall_filter_enforce(source->has_network ? CALLS_NETWORK : CALLS_COMPUTING) != 0)
    return error_set(error, ERROR_Internal, "the calls of who reads a source cannot be confined: %s", strerror(errno));
  return 0;
}
