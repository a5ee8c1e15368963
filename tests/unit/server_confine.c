/* From inside: a process that is confined as a worker is tries what a broken one would, and has to fail each time; what
 * it needs has to work still. Besides, which folders of a catalogue workers may read. */
#include "server/confine/confine.h"
#include "server/confine/landlock_rules.h"
#include "server/confine/read_folders.h"

#include "hpc/device/kernel_cache.h"
#include "stac/catalogue.h"
#include "stac/href.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[32];
static pid_t parent;
static int abstract_fd;
static struct sockaddr_un abstract_name = {.sun_family = AF_UNIX, .sun_path = "\0twincube-confine-test"};

static const char *at(const char *name)
{
  static char paths[8][200];
  static unsigned turn;
  char *path = paths[turn++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", root, name);
  return path;
}

static void put(const char *name)
{
  FILE *file = fopen(at(name), "w");
  assert_non_null(file);
  fputs("text", file);
  fclose(file);
}

static int make_world(void **state)
{
  static const char *const folders[] = {"scenes",         "mine",          "yours",     "out",
                                        "other",          "workspaces",    "elsewhere", "devices",
                                        "devices/user-1", "devices/user-2"};
  (void)state;
  parent = getpid();
  snprintf(root, sizeof root, "/tmp/twincube-XXXXXX");
  if (mkdtemp(root) == NULL)
    return -1;
  for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
    mkdir(at(folders[i]), 0700);
  put("server.sqlite");
  put("catalogue.sqlite");
  put("scenes/a.tif");
  put("mine/a.tif");
  put("yours/a.tif");
  put("out/old.tif");
  put("other/result.tif");
  put("elsewhere/secret");
  if (symlink(at("elsewhere/secret"), at("scenes/link.tif")) != 0)
    return -1;
  abstract_fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return bind(abstract_fd, (struct sockaddr *)&abstract_name, sizeof abstract_name) == 0 ? listen(abstract_fd, 1) : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
  (void)status, (void)kind, (void)walk;
  return remove(path);
}

static int remove_world(void **state)
{
  (void)state;
  close(abstract_fd);
  return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- what is tried: each answers whether it succeeded ---- */

static bool opens(const char *path, int flags)
{
  const int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

static bool reads(const char *name)
{
  return opens(at(name), O_RDONLY);
}

static bool writes(const char *name)
{
  return opens(at(name), O_WRONLY | O_CREAT);
}

static bool open_store(void)
{
  return reads("server.sqlite");
}
static bool write_store(void)
{
  return writes("server.sqlite");
}
static bool write_catalogue(void)
{
  return writes("catalogue.sqlite");
}
static bool read_another_users_file(void)
{
  return reads("yours/a.tif");
}
static bool list_another_users_files(void)
{
  return opens(at("yours"), O_RDONLY | O_DIRECTORY);
}
static bool leave_a_kernel_to_others(void)
{
  return writes("devices/a.kernel") || writes("devices/user-2/a.kernel");
}
static bool list_the_data(void)
{
  return opens(root, O_RDONLY | O_DIRECTORY);
}
static bool read_another_result(void)
{
  return reads("other/result.tif");
}
static bool follow_a_link_out(void)
{
  return reads("scenes/link.tif");
}
static bool climb_out(void)
{
  return reads("scenes/../elsewhere/secret");
}
static bool write_a_scene(void)
{
  return writes("scenes/a.tif");
}
static bool add_a_scene(void)
{
  return writes("scenes/new.tif");
}
static bool truncate_a_scene(void)
{
  return truncate(at("scenes/a.tif"), 0) == 0;
}
static bool remove_a_scene(void)
{
  return unlink(at("scenes/a.tif")) == 0;
}
static bool write_own_file(void)
{
  return writes("mine/a.tif");
}
static bool steal_by_rename(void)
{
  return rename(at("yours/a.tif"), at("out/stolen.tif")) == 0;
}
static bool steal_by_hard_link(void)
{
  return link(at("yours/a.tif"), at("out/stolen.tif")) == 0;
}
static bool plant_a_link(void)
{
  return symlink(at("elsewhere/secret"), at("out/link")) == 0;
}
static bool make_a_device(void)
{
  return mknod(at("out/null"), S_IFCHR | 0600, 0x103) == 0;
}
static bool make_a_pipe(void)
{
  return mkfifo(at("out/pipe"), 0600) == 0;
}
static bool change_rights(void)
{
  return chmod(at("scenes/a.tif"), 0777) == 0;
}
static bool read_passwords(void)
{
  return opens("/etc/passwd", O_RDONLY) || opens("/etc/shadow", O_RDONLY);
}
static bool read_the_parents_memory(void)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", (int)parent);
  return opens(path, O_RDONLY);
}
static bool read_the_parents_environment(void)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", (int)parent);
  return opens(path, O_RDONLY);
}
static bool change_the_kernel(void)
{
  return opens("/proc/sys/kernel/core_pattern", O_WRONLY);
}
static bool make_a_socket(void)
{
  return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}
static bool make_a_unix_socket(void)
{
  return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}
static bool make_a_netlink_socket(void)
{
  return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}
static bool execute(void)
{
  char name[] = "true", *arguments[] = {name, NULL}, *environment[] = {NULL};
  return execve("/usr/bin/true", arguments, environment) == 0 || execve("/proc/self/exe", arguments, environment) == 0;
}
static bool fork_a_process(void)
{
  const pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  if (pid == 0)
    _exit(0);
  return pid > 0;
}
static bool trace_the_parent(void)
{
  return ptrace(PTRACE_ATTACH, parent, NULL, NULL) == 0;
}
static bool read_by_process_vm(void)
{
  char byte;
  struct iovec here = {&byte, 1}, there = {&parent, 1};
  return process_vm_readv(parent, &here, 1, &there, 1, 0) == 1;
}
static bool kill_the_parent(void)
{
  return kill(parent, 0) == 0;
}
static bool kill_the_group(void)
{
  return kill(0, 0) == 0;
}
static bool kill_by_thread(void)
{
  return syscall(SYS_tgkill, parent, parent, 0) == 0;
}
static bool open_the_parent(void)
{
  return syscall(SYS_pidfd_open, parent, 0) >= 0;
}
static bool mount_something(void)
{
  return mount("none", at("out"), "tmpfs", 0, NULL) == 0;
}
static bool leave_by_unshare(void)
{
  return unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0;
}
static bool change_root(void)
{
  return chroot(at("out")) == 0;
}
static bool use_keys(void)
{
  return syscall(SYS_keyctl, 0, -3, 0) >= 0 || syscall(SYS_add_key, "user", "a", "b", 1, -3) >= 0;
}
static bool use_bpf(void)
{
  return syscall(SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM;
}
static bool use_perf(void)
{
  return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) >= 0 || errno != EPERM;
}
static bool use_userfaultfd(void)
{
  return syscall(SYS_userfaultfd, 0) >= 0;
}
static bool use_io_uring(void)
{
  return syscall(SYS_io_uring_setup, 4, NULL) >= 0 || errno != EPERM;
}
static bool load_a_module(void)
{
  return syscall(SYS_finit_module, 0, "", 0) >= 0 || errno != EPERM;
}
static bool open_by_handle(void)
{
  return syscall(SYS_open_by_handle_at, 0, NULL, 0) >= 0 || errno != EPERM;
}
static bool become_root(void)
{
  return setuid(0) == 0 && getuid() == 0 && false;
}
static bool raise_limits(void)
{
  const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  return setrlimit(RLIMIT_CORE, &limit) == 0;
}
static bool run_what_was_written(void)
{
  return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}
static bool make_memory_executable(void)
{
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}
static bool become_dumpable(void)
{
  return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}
static bool type_into_a_terminal(void)
{
  return syscall(SYS_ioctl, 0, 0x5412, "x") == 0 || errno != EPERM;
}

struct attempt {
  const char *name;
  bool (*succeeds)(void);
};
#define TRY(what)                                                                                                      \
  {                                                                                                                    \
#what, what                                                                                                        \
  }

static const struct attempt forbidden[] = {
    TRY(open_store),
    TRY(write_store),
    TRY(write_catalogue),
    TRY(read_another_users_file),
    TRY(leave_a_kernel_to_others),
    TRY(list_another_users_files),
    TRY(list_the_data),
    TRY(read_another_result),
    TRY(follow_a_link_out),
    TRY(climb_out),
    TRY(write_a_scene),
    TRY(add_a_scene),
    TRY(truncate_a_scene),
    TRY(remove_a_scene),
    TRY(write_own_file),
    TRY(steal_by_rename),
    TRY(steal_by_hard_link),
    TRY(plant_a_link),
    TRY(make_a_device),
    TRY(make_a_pipe),
    TRY(change_rights),
    TRY(read_passwords),
    TRY(read_the_parents_memory),
    TRY(read_the_parents_environment),
    TRY(change_the_kernel),
    TRY(make_a_socket),
    TRY(make_a_unix_socket),
    TRY(make_a_netlink_socket),
    TRY(execute),
    TRY(fork_a_process),
    TRY(trace_the_parent),
    TRY(read_by_process_vm),
    TRY(kill_the_parent),
    TRY(kill_the_group),
    TRY(kill_by_thread),
    TRY(open_the_parent),
    TRY(mount_something),
    TRY(leave_by_unshare),
    TRY(change_root),
    TRY(use_keys),
    TRY(use_bpf),
    TRY(use_perf),
    TRY(use_userfaultfd),
    TRY(use_io_uring),
    TRY(load_a_module),
    TRY(open_by_handle),
    TRY(become_root),
    TRY(raise_limits),
    TRY(run_what_was_written),
    TRY(make_memory_executable),
    TRY(become_dumpable),
    TRY(type_into_a_terminal),
};

static bool read_catalogue(void)
{
  return reads("catalogue.sqlite");
}
static bool read_a_scene(void)
{
  return reads("scenes/a.tif");
}
static bool list_scenes(void)
{
  return opens(at("scenes"), O_RDONLY | O_DIRECTORY);
}
static bool read_own_file(void)
{
  return reads("mine/a.tif");
}
static bool write_results(void)
{
  return mkdir(at("out/zarr"), 0700) == 0 && writes("out/zarr/a.part") &&
         rename(at("out/zarr/a.part"), at("out/a.tif")) == 0 && truncate(at("out/a.tif"), 0) == 0 &&
         unlink(at("out/a.tif")) == 0 && rmdir(at("out/zarr")) == 0;
}
static bool write_to_workspaces(void)
{
  return writes("workspaces/a.tif");
}
static bool read_libraries(void)
{
  return opens("/usr", O_RDONLY | O_DIRECTORY);
}
static bool read_own_numbers(void)
{
  return opens("/proc/self/io", O_RDONLY) && opens("/proc/self/clear_refs", O_WRONLY);
}
static bool ask_for_access(void)
{
  return access(at("mine/a.tif"), R_OK) == 0;
}
static void *think(void *data)
{
  return data;
}
static bool start_a_thread(void)
{
  pthread_t thread;
  return pthread_create(&thread, NULL, think, NULL) == 0 && pthread_join(thread, NULL) == 0;
}
static bool catch_own_signal(void)
{
  return signal(SIGUSR1, SIG_IGN) != SIG_ERR && raise(SIGUSR1) == 0;
}

static bool keep_a_kernel(void)
{
  struct buffer image = {0};
  const struct hash key = {1, 2};
  kernel_cache_keep(at("devices/user-1/kernels"), key, "image", 5);
  const bool found = kernel_cache_find(at("devices/user-1/kernels"), key, &image) && image.length == 5;
  buffer_free(&image);
  return found;
}

static const struct attempt needed[] = {
    TRY(read_catalogue), TRY(read_a_scene),        TRY(list_scenes),      TRY(read_own_file),
    TRY(write_results),  TRY(write_to_workspaces), TRY(read_libraries),   TRY(read_own_numbers),
    TRY(ask_for_access), TRY(start_a_thread),      TRY(catch_own_signal), TRY(keep_a_kernel),
};

/* ---- the confined process ---- */

static int confine(const struct confinement *confinement)
{
  struct path_list system = {0}, scenes = {0};
  struct error error = {0};
  const struct local_files none = {0};
  const struct confine_rules rules = {.data = root,
                                      .system = &system,
                                      .scenes = &scenes,
                                      .local = &none,
                                      .files = strdup(at("mine")),
                                      .output = strdup(at("out")),
                                      .checkpoint = "",
                                      .workspaces = strdup(at("workspaces")),
                                      .kernels = strdup(at("devices/user-1"))};
  if (read_folders_system(&system) != 0 || path_list_add(&scenes, at("scenes"), strlen(at("scenes"))) != 0 ||
      confine_zygote(confinement, &error) != 0 || confine_worker(confinement, &rules, &error) != 0) {
    fprintf(stderr, "%s\n", error.message);
    return -1;
  }
  return 0;
}

/* Its exit status counts what went otherwise than it should. */
static void run_confined(const struct confinement *confinement)
{
  int wrong = 0;
  if (confine(confinement) != 0)
    _exit(255);
  for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
    if (forbidden[i].succeeds()) {
      fprintf(stderr, "%s succeeds\n", forbidden[i].name);
      wrong++;
    }
  for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
    if (!needed[i].succeeds()) {
      fprintf(stderr, "%s fails: %s\n", needed[i].name, strerror(errno));
      wrong++;
    }
  _exit(wrong);
}

static int in_child(void (*run)(const struct confinement *), const struct confinement *confinement)
{
  int status = -1;
  const pid_t pid = fork();
  if (pid == 0)
    run(confinement);
  assert_int_equal(pid, waitpid(pid, &status, 0));
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void test_what_a_worker_cannot(void **state)
{
  struct confinement confinement;
  struct error error = {0};
  (void)state;
  assert_int_equal(0, confine_probe(CONFINE_AUTO, &confinement, &error));
  if (confinement.landlock < 3 || !confinement.filters)
    skip();
  assert_int_equal(0, in_child(run_confined, &confinement));
}

/* Each of the two alone: landlock keeps from TCP, abstract sockets and signals what it confines, whatever the filter.
 */
static void run_under_landlock(const struct confinement *confinement)
{
  struct landlock_rules rules;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = 9};
  if (landlock_rules_new(confinement->landlock, &rules) != 0 || landlock_rules_enforce(&rules) != 0)
    _exit(255);
  const int tcp = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
  const bool binds = bind(tcp, (struct sockaddr *)&address, sizeof address) == 0 || errno != EACCES;
  const bool connects = connect(tcp, (struct sockaddr *)&address, sizeof address) == 0 || errno != EACCES;
  const bool speaks = connect(local, (struct sockaddr *)&abstract_name, sizeof abstract_name) == 0;
  const bool kills = kill(parent, 0) == 0;
  _exit(binds | connects << 1 | speaks << 2 | kills << 3 | opens("/", O_RDONLY | O_DIRECTORY) << 4);
}

static void test_landlock_alone(void **state)
{
  struct confinement confinement = {.landlock = landlock_abi()};
  (void)state;
  if (confinement.landlock < 6)
    skip();
  assert_int_equal(0, in_child(run_under_landlock, &confinement));
}

/* Who looks again at a source reads it and writes the catalogue; of the rest of the data folder it sees nothing, and it
 * has the network only where the source lies elsewhere. */
static void run_refresher(const struct confinement *confinement, bool has_network)
{
  struct error error = {0};
  const struct confine_source source = {.data = root,
                                        .place = has_network ? "" : strdup(at("scenes")),
                                        .copies = "",
                                        .scratch = strdup(at("out")),
                                        .has_network = has_network};
  if (confine_refresher(confinement, &source, &error) != 0)
    _exit(255);
  const int tcp = socket(AF_INET, SOCK_STREAM, 0);
  const bool wrong = reads("server.sqlite") || writes("server.sqlite") || writes("new") || reads("mine/a.tif") ||
                     writes("scenes/b.tif") || reads("scenes/link.tif") || opens("/etc/shadow", O_RDONLY) ||
                     kill(parent, 0) == 0 || fork() >= 0 || setuid(1) == 0;
  const bool right = writes("catalogue.sqlite") && writes("out/new") && reads("scenes/a.tif") == !has_network &&
                     (tcp >= 0) == has_network;
  _exit(wrong | !right << 1);
}

static void run_local_refresher(const struct confinement *confinement)
{
  run_refresher(confinement, false);
}

static void run_remote_refresher(const struct confinement *confinement)
{
  run_refresher(confinement, true);
}

static void test_what_a_refresher_cannot(void **state)
{
  struct confinement confinement;
  struct error error = {0};
  (void)state;
  assert_int_equal(0, confine_probe(CONFINE_AUTO, &confinement, &error));
  if (confinement.landlock < 3 || !confinement.filters)
    skip();
  assert_int_equal(0, in_child(run_local_refresher, &confinement));
  assert_int_equal(0, in_child(run_remote_refresher, &confinement));
}

static void test_modes(void **state)
{
  struct confinement confinement;
  struct error error = {0};
  char text[CONFINE_TEXT];
  (void)state;
  assert_int_equal(CONFINE_AUTO, confine_mode_find("auto"));
  assert_int_equal(CONFINE_REQUIRED, confine_mode_find("required"));
  assert_int_equal(CONFINE_OFF, confine_mode_find("off"));
  assert_int_equal(CONFINE_MODES, confine_mode_find("on"));
  assert_int_equal(0, confine_probe(CONFINE_OFF, &confinement, &error));
  confine_text(&confinement, text);
  assert_non_null(strstr(text, "not confined"));
}

/* ---- folders of the catalogue ---- */

/* A catalogue whose scenes lie where `name` says, for each number below `count`. */
static void make_catalogue(unsigned count, void (*name)(unsigned number, char out[200]))
{
  struct catalogue *catalogue = NULL;
  struct error error = {0};
  sqlite3 *db = NULL;
  remove(at("catalogue.sqlite"));
  assert_int_equal(0, catalogue_open(root, true, &catalogue, &error));
  catalogue_close(catalogue);
  assert_int_equal(SQLITE_OK, sqlite3_open(at("catalogue.sqlite"), &db));
  assert_int_equal(SQLITE_OK, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
  for (unsigned i = 0; i < count; i++) {
    char path[200];
    name(i, path);
    char *sql = sqlite3_mprintf("INSERT INTO assets VALUES (%u, 0, 0, %Q, 1, 'uint8', 0, 0, 0, 0, 1, 0)", i, path);
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
    sqlite3_free(sql);
  }
  assert_int_equal(SQLITE_OK, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
  sqlite3_close(db);
}

static bool may_read(const struct path_list *list, const char *path)
{
  bool found = false;
  for (size_t i = 0; i < list->count; i++)
    found = found || path_is_below(path, list->paths[i]);
  return found;
}

/* Each scene in a folder of its own, in two trees, one of them in the data folder. */
static void in_many_folders(unsigned number, char out[200])
{
  if (number % 2 == 0)
    snprintf(out, 200, "/somewhere/archive/%u/%u/scene-%u/a.tif", number % 7, number % 91, number);
  else
    snprintf(out, 200, "%s/demo/set/scene-%u/a.tif", root, number);
}

static void test_many_folders(void **state)
{
  enum { COUNT = 4000 };
  struct path_list list = {0};
  struct error error = {0};
  (void)state;
  make_catalogue(COUNT, in_many_folders);
  assert_int_equal(0, read_folders_scenes(root, &list, &error));
  assert_in_range(list.count, 2, 256);
  for (unsigned i = 0; i < COUNT; i++) {
    char path[200];
    in_many_folders(i, path);
    assert_true(may_read(&list, path));
  }
  assert_false(may_read(&list, at("server.sqlite")));
  assert_false(may_read(&list, at("jobs/x/result.tif")));
  assert_false(may_read(&list, "/somewhere/else"));
  path_list_free(&list);
}

/* Beside the store, and above the data folder: the files, and no others. */
static void beside_the_store(unsigned number, char out[200])
{
  snprintf(out, 200, number == 0 ? "%s/scene.tif" : "%s/scenes/a.tif", root);
}

static void test_files_beside_the_store(void **state)
{
  struct path_list list = {0};
  struct error error = {0};
  (void)state;
  put("scene.tif");
  make_catalogue(2, beside_the_store);
  assert_int_equal(0, read_folders_scenes(root, &list, &error));
  assert_true(may_read(&list, at("scene.tif")));
  assert_true(may_read(&list, at("scenes/a.tif")));
  assert_false(may_read(&list, at("server.sqlite")));
  assert_false(may_read(&list, at("yours/a.tif")));
  path_list_free(&list);
}

/* Scenes that are links: what they lead to may be read, too, for the operator named them. */
static void linked(unsigned number, char out[200])
{
  (void)number;
  snprintf(out, 200, "%s/scenes/link.tif", root);
}

static void test_links(void **state)
{
  struct path_list list = {0};
  struct error error = {0};
  (void)state;
  make_catalogue(1, linked);
  assert_int_equal(0, read_folders_scenes(root, &list, &error));
  assert_true(may_read(&list, at("elsewhere/secret")));
  assert_false(may_read(&list, at("yours/a.tif")));
  path_list_free(&list);
}

/* The stamp is another one after each change. */
static void test_stamp(void **state)
{
  (void)state;
  make_catalogue(1, linked);
  const struct hash before = catalogue_stamp(root);
  assert_true(hash_equal(before, catalogue_stamp(root)));
  make_catalogue(3, in_many_folders);
  assert_false(hash_equal(before, catalogue_stamp(root)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_what_a_worker_cannot, make_world, remove_world),
      cmocka_unit_test_setup_teardown(test_landlock_alone, make_world, remove_world),
      cmocka_unit_test_setup_teardown(test_what_a_refresher_cannot, make_world, remove_world),
      cmocka_unit_test(test_modes),
      cmocka_unit_test_setup_teardown(test_many_folders, make_world, remove_world),
      cmocka_unit_test_setup_teardown(test_files_beside_the_store, make_world, remove_world),
      cmocka_unit_test_setup_teardown(test_links, make_world, remove_world),
      cmocka_unit_test_setup_teardown(test_stamp, make_world, remove_world),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
