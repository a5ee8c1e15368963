/* The host's own loop: one thread, which waits for the server, for those who call scripts, and for interpreters that
 * end. An interpreter is forked here, confines itself and becomes Python; what it leaves in its folder goes with it. */
#include "server/udf/udf_host_process.h"

#include "server/confine/interpreter_sandbox.h"
#include "server/confine/read_folders.h"
#include "server/udf/python_program.h"
#include "server/udf/scratch_folder.h"
#include "server/udf/udf_host.h"
#include "server/workers/descriptors.h"

#include "hpc/udf/interpreters.h"
#include "hpc/udf/udf_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const char runner_py[]; /* hpc/udf/runner.py */

enum { CALLERS_MOST = 512, INTERPRETERS_MOST = 1024, PER_CALLER = 64, WATCH_MS = 200, PATH_SIZE = 1200 };
enum { FOLDER_FILES = 10000 };
static const size_t folder_bytes = (size_t)256 << 20;
static const size_t library_bytes = (size_t)1 << 30; /* address space of an interpreter before it does anything */

struct hosted { /* an interpreter */
  uint32_t id;
  pid_t pid; /* -1: it has ended */
  int caller;
  char folder[PATH_SIZE];
  char why[96];   /* it ended */
  bool is_paused; /* nothing of it goes on, and nobody looks at its folder */
};

struct host {
  int callers[CALLERS_MOST];  /* sockets, or -1 */
  double spent[CALLERS_MOST]; /* CPU seconds of each one's interpreters that have ended */
  struct hosted *hosted[INTERPRETERS_MOST];
  uint32_t last;
  int64_t watch; /* clock, in ms, of the next look at the folders */
  bool is_asked; /* python, or why there is none */
  struct python_program python;
  char why[PYTHON_WHY];
  const char *name;
  char scratch[256]; /* folder of all folders, made with the first of them; "" : not yet */
  size_t memory;
  enum confine_mode mode;
  struct interpreter_sandbox sandbox;
  struct path_list system;
  struct buffer last_filter;
};

/* ---- the interpreter's program ---------------------------------------------------------------------------------- */

static int find_python(struct host *host)
{
  const char *why = NULL;
  if (host->is_asked)
    return host->python.version != NULL ? 0 : -1;
  host->is_asked = true;
  if (interpreter_sandbox_probe(host->mode, &host->sandbox, &why) != 0) {
    snprintf(host->why, sizeof host->why, "%s", why);
    return -1;
  }
  if (python_program_find(host->name, &host->python, host->why) != 0 || read_folders_system(&host->system) != 0)
    return -1;
  host->sandbox.program = host->python.program;
  host->sandbox.reads = &host->python.reads;
  host->sandbox.system = &host->system;
  host->sandbox.folder_bytes = folder_bytes;
  interpreter_sandbox_last(&host->sandbox, &host->last_filter);
  buffer_add(&host->last_filter, "", 1);
  return 0;
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

static int make_memory(size_t size)
{
  const int fd = memfd_create("elements", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd >= 0 && ftruncate(fd, (off_t)size) == 0 &&
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    return fd;
  if (fd >= 0)
    close(fd);
  return -1;
}

/* Descriptors 0 to 4 and no other. */
static int set_descriptors(int socket, int memory)
{
  enum { HIGH = 100 };
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC),
            high[] = {fcntl(socket, F_DUPFD_CLOEXEC, HIGH), fcntl(memory, F_DUPFD_CLOEXEC, HIGH)};
  if (null < 0 || high[0] < 0 || high[1] < 0)
    return -1;
  for (int fd = 0; fd < 3; fd++)
    if (dup2(null, fd) < 0)
      return -1;
  if (dup2(high[0], 3) < 0 || dup2(high[1], 4) < 0)
    return -1;
  return close_range(5, UINT_MAX, 0);
}

static void become_python(const struct host *host, const char *folder, int socket, int memory)
{
  struct interpreter_sandbox sandbox = host->sandbox;
  char home[PATH_SIZE + 8], temporary[PATH_SIZE + 8], libraries[PATH_SIZE] = "LD_LIBRARY_PATH=";
  const char *inherited = getenv("LD_LIBRARY_PATH");
  sigset_t none;
  snprintf(home, sizeof home, "HOME=%s", folder);
  snprintf(temporary, sizeof temporary, "TMPDIR=%s", folder);
  snprintf(libraries, sizeof libraries, "LD_LIBRARY_PATH=%.1000s", inherited != NULL ? inherited : "");
  const char *const arguments[] = {host->python.path, "-I", "-B", "-c", runner_py, host->last_filter.data, NULL};
  const char *const environment[] = {home,
                                     temporary,
                                     "PATH=/usr/bin:/bin",
                                     "LANG=C.UTF-8",
                                     "TZ=UTC",
                                     "OMP_NUM_THREADS=1",
                                     "OPENBLAS_NUM_THREADS=1",
                                     "MKL_NUM_THREADS=1",
                                     inherited != NULL ? libraries : NULL,
                                     NULL};
  sandbox.folder = folder;
  sandbox.memory = host->memory + library_bytes + interpreters_room();
  for (int number = 1; number < NSIG; number++)
    signal(number, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (set_descriptors(socket, memory) != 0 || chdir(folder) != 0 || interpreter_sandbox_enter(&sandbox) != 0)
    _exit(125);
  execve(host->python.path, (char *const *)(uintptr_t)arguments, (char *const *)(uintptr_t)environment);
  _exit(126);
}

/* Whoever interpreters are finds the way to their folders, and sees none but their own. */
static int make_scratch(struct host *host)
{
  const char *place = getenv("TMPDIR");
  if (host->scratch[0] != '\0')
    return 0;
  snprintf(host->scratch, sizeof host->scratch, "%.200s/twincube-udf-XXXXXX",
           place != NULL && place[0] == '/' ? place : "/tmp");
  if (mkdtemp(host->scratch) != NULL && chmod(host->scratch, 0711) == 0)
    return 0;
  host->scratch[0] = '\0';
  return -1;
}

static struct hosted **free_place(struct host *host, int caller)
{
  struct hosted **found = NULL;
  unsigned own = 0;
  for (size_t i = 0; i < INTERPRETERS_MOST; i++)
    if (host->hosted[i] == NULL)
      found = &host->hosted[i];
    else
      own += host->hosted[i]->caller == caller;
  return own < PER_CALLER ? found : NULL;
}

static uint32_t refuse(struct udf_answer *answer, uint32_t status, const char *why)
{
  snprintf(answer->text, UDF_TEXT, "%s", why);
  return status;
}

/* The answer's status. */
static uint32_t start(struct host *host, int caller, size_t size, struct udf_answer *answer, int *descriptors)
{
  struct hosted **place = free_place(host, caller);
  int pair[2];
  if (place == NULL)
    return refuse(answer, UDF_FULL, "there are too many");
  if (size != interpreters_room() || find_python(host) != 0)
    return refuse(answer, 1, host->why);
  struct hosted *it = calloc(1, sizeof *it);
  if (it == NULL)
    return refuse(answer, 1, strerror(errno));
  const uid_t uid = host->sandbox.user.changes ? host->sandbox.user.uid : (uid_t)-1;
  *it = (struct hosted){.id = ++host->last, .pid = -1, .caller = caller};
  if (make_scratch(host) != 0 ||
      scratch_folder_make(host->scratch, uid, host->sandbox.user.gid, it->folder, sizeof it->folder) != 0 ||
      (descriptors[1] = make_memory(size)) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    const uint32_t status = refuse(answer, 1, strerror(errno));
    scratch_folder_remove(it->folder);
    free(it);
    return status;
  }
  it->pid = fork();
  if (it->pid == 0)
    become_python(host, it->folder, pair[1], descriptors[1]);
  close(pair[1]);
  descriptors[0] = pair[0];
  answer->id = it->id;
  *place = it;
  return 0;
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

static void note_end(struct hosted *it, int status)
{
  it->pid = -1;
  if (it->why[0] != '\0')
    return;
  if (WIFSIGNALED(status))
    snprintf(it->why, sizeof it->why, "by signal %d%s", WTERMSIG(status),
             WTERMSIG(status) == SIGKILL ? ", as where memory is out" : "");
  else if (WEXITSTATUS(status) != 0)
    snprintf(it->why, sizeof it->why, "with status %d", WEXITSTATUS(status));
  else
    snprintf(it->why, sizeof it->why, "by itself");
}

/* As waitpid; what the interpreter has taken is its caller's. */
static pid_t wait_for(struct host *host, const struct hosted *it, int *status, int options)
{
  struct rusage used;
  const pid_t ended = wait4(it->pid, status, options, &used);
  if (ended == it->pid)
    host->spent[it->caller] += (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                               1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  return ended;
}

static void reap(struct host *host)
{
  int status;
  for (size_t i = 0; i < INTERPRETERS_MOST; i++) {
    struct hosted *it = host->hosted[i];
    if (it != NULL && it->pid > 0 && wait_for(host, it, &status, WNOHANG) == it->pid)
      note_end(it, status);
  }
}

/* One whose socket has ended does so as well, or soon. */
static void wait_for_end(struct host *host, const struct hosted *it)
{
  enum { STEP_MS = 5, STEPS = 40 };
  reap(host);
  for (int i = 0; i < STEPS && it->pid > 0; i++) {
    poll(NULL, 0, STEP_MS);
    reap(host);
  }
}

static void end(struct host *host, struct hosted **place)
{
  struct hosted *it = *place;
  if (it->pid > 0) {
    kill(it->pid, SIGKILL);
    while (wait_for(host, it, NULL, 0) < 0 && errno == EINTR)
      ;
  }
  scratch_folder_remove(it->folder);
  free(it);
  *place = NULL;
}

static struct hosted **find(struct host *host, int caller, uint32_t id)
{
  for (size_t i = 0; i < INTERPRETERS_MOST; i++)
    if (host->hosted[i] != NULL && host->hosted[i]->id == id && host->hosted[i]->caller == caller)
      return &host->hosted[i];
  return NULL;
}

static int64_t clock_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Who fills the disk is ended. As long as there are interpreters it is time for a look now and then, whoever asks for
 * what meanwhile. */
static void watch_folders(struct host *host)
{
  if (clock_ms() < host->watch)
    return;
  for (size_t i = 0; i < INTERPRETERS_MOST; i++) {
    struct hosted *it = host->hosted[i];
    if (it == NULL || it->pid <= 0 || it->is_paused ||
        !scratch_folder_exceeds(it->folder, it->pid, folder_bytes, FOLDER_FILES))
      continue;
    snprintf(it->why, sizeof it->why, "it wrote more than %zu MiB, or %d files, or hides some", folder_bytes >> 20,
             FOLDER_FILES);
    kill(it->pid, SIGKILL);
  }
  host->watch = clock_ms() + WATCH_MS;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void describe(struct host *host, struct udf_answer *answer)
{
  if (find_python(host) == 0)
    snprintf(answer->text, UDF_TEXT, "%s\n%s", host->python.version, host->python.json);
  else {
    answer->status = 1;
    snprintf(answer->text, UDF_TEXT, "%s", host->why);
  }
}

static double cpu_seconds(const struct host *host, int caller)
{
  double seconds = host->spent[caller];
  for (size_t i = 0; i < INTERPRETERS_MOST; i++) {
    const struct hosted *it = host->hosted[i];
    struct timespec used;
    clockid_t clock;
    if (it != NULL && it->caller == caller && it->pid > 0 && clock_getcpuclockid(it->pid, &clock) == 0 &&
        clock_gettime(clock, &used) == 0)
      seconds += (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
  }
  return seconds;
}

static void act(struct host *host, int caller, const struct udf_request *request, struct udf_answer *answer,
                int *descriptors)
{
  struct hosted **found = find(host, caller, request->id); /* none has the number 0, which goes with other requests */
  answer->id = request->id;
  if (request->kind == UDF_DESCRIBE)
    describe(host, answer);
  else if (request->kind == UDF_USAGE)
    answer->cpu_seconds = cpu_seconds(host, caller);
  else if (request->kind == UDF_START)
    answer->status = start(host, caller, (size_t)request->size, answer, descriptors);
  else if (found == NULL)
    answer->status = 1;
  else if (request->kind == UDF_END) {
    if (request->size != 0)
      wait_for_end(host, *found);
    snprintf(answer->text, UDF_TEXT, "%s", (*found)->why);
    end(host, found);
  } else if ((*found)->pid > 0) {
    (*found)->is_paused = request->kind == UDF_PAUSE;
    kill((*found)->pid, (*found)->is_paused ? SIGSTOP : SIGCONT);
  }
}

static int send_answer(int fd, const struct udf_answer *answer, const int *descriptors)
{
  union {
    char room[CMSG_SPACE(2 * sizeof(int))];
    struct cmsghdr align;
  } control = {.room = {0}};
  struct iovec part = {.iov_base = (void *)(uintptr_t)answer,
                       .iov_len = sizeof *answer - UDF_TEXT + strlen(answer->text) + 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptors[0] >= 0) {
    message.msg_control = control.room;
    message.msg_controllen = sizeof control.room;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header =
        (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(2 * sizeof(int))};
    memcpy(CMSG_DATA(header), descriptors, 2 * sizeof(int));
  }
  return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) > 0 ? 0 : -1;
}

static void drop_caller(struct host *host, int caller)
{
  for (size_t i = 0; i < INTERPRETERS_MOST; i++)
    if (host->hosted[i] != NULL && host->hosted[i]->caller == caller)
      end(host, &host->hosted[i]);
  close(host->callers[caller]);
  host->callers[caller] = -1;
}

static void serve_caller(struct host *host, int caller)
{
  struct udf_request request;
  int descriptors[2] = {-1, -1};
  const ssize_t got = recv(host->callers[caller], &request, sizeof request, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  struct udf_answer *answer = got == (ssize_t)sizeof request ? calloc(1, sizeof *answer) : NULL;
  if (answer != NULL)
    act(host, caller, &request, answer, descriptors);
  const bool is_lost = answer == NULL || send_answer(host->callers[caller], answer, descriptors) != 0;
  for (size_t i = 0; i < 2; i++)
    if (descriptors[i] >= 0)
      close(descriptors[i]);
  free(answer);
  if (is_lost)
    drop_caller(host, caller);
}

static void take_caller(struct host *host, int fd)
{
  for (size_t i = 0; i < CALLERS_MOST; i++)
    if (host->callers[i] < 0) {
      host->callers[i] = fd;
      host->spent[i] = 0;
      return;
    }
  close(fd);
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static bool has_any(const struct host *host)
{
  for (size_t i = 0; i < INTERPRETERS_MOST; i++)
    if (host->hosted[i] != NULL)
      return true;
  return false;
}

/* False at the end: the server is gone. */
static bool serve_once(struct host *host)
{
  struct pollfd waits[1 + CALLERS_MOST] = {{.fd = UDF_HOST_CONTROL, .events = POLLIN}};
  for (size_t i = 0; i < CALLERS_MOST; i++)
    waits[1 + i] = (struct pollfd){.fd = host->callers[i], .events = POLLIN};
  const int ready = poll(waits, 1 + CALLERS_MOST, has_any(host) ? WATCH_MS : -1);
  reap(host);
  watch_folders(host);
  if (ready <= 0)
    return true;
  for (int i = 0; i < CALLERS_MOST; i++)
    if (host->callers[i] >= 0 && waits[1 + i].revents != 0)
      serve_caller(host, i);
  if (waits[0].revents == 0)
    return true;
  int fd = -1;
  const int got = descriptors_receive(UDF_HOST_CONTROL, &fd, 1);
  if (got > 0)
    take_caller(host, fd);
  return got != 0;
}

static void set_signals(pid_t parent)
{
  static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE}; /* the server decides about the end */
  sigset_t none;
  for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
    signal(ignored[i], SIG_IGN);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (getppid() != parent) /* had it died later, its end of the control socket would tell */
    _exit(0);
}

static void free_host(struct host *host)
{
  for (int i = 0; i < CALLERS_MOST; i++)
    if (host->callers[i] >= 0)
      drop_caller(host, i);
  if (host->scratch[0] != '\0')
    scratch_folder_remove(host->scratch);
  python_program_free(&host->python);
  path_list_free(&host->system);
  buffer_free(&host->last_filter);
  free(host);
}

int udf_host_main(int argc, char **argv)
{
  struct host *host = argc == UDF_HOST_ARGUMENTS ? calloc(1, sizeof *host) : NULL;
  if (host == NULL)
    return 2;
  prctl(PR_SET_NAME, "twincube-udf");
  close_range(UDF_HOST_CONTROL + 1, UINT_MAX, 0); /* nothing of the server's: no socket, no store */
  set_signals((pid_t)strtol(argv[UDF_HOST_PARENT], NULL, 10));
  log_set_level((enum log_level)strtol(argv[UDF_HOST_LEVEL], NULL, 10));
  log_set_format((enum log_format)strtol(argv[UDF_HOST_FORMAT], NULL, 10));
  for (size_t i = 0; i < CALLERS_MOST; i++)
    host->callers[i] = -1;
  host->mode = confine_mode_find(argv[UDF_HOST_CONFINE]);
  host->name = argv[UDF_HOST_PYTHON];
  host->memory = (size_t)strtoull(argv[UDF_HOST_MEMORY], NULL, 10);
  while (serve_once(host))
    ;
  free_host(host);
  return 0;
}
