/* Seccomp: a program of the classic Berkeley packet filter, made from two tables of calls.
 *
 *   another architecture, or x32?   kill
 *   for each call of the tables:    its number, and in the second one a test of one argument: allow
 *   clone3: ENOSYS                  anything else: EPERM
 *
 * The kernel remembers which calls are allowed whatever their arguments, so these cost nothing. */
#include "server/confine/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE

#define X32_BIT 0x40000000u

/* Whatever their arguments. */
/* clang-format off */
static const uint16_t plain[] = {
    /* memory */
    SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_msync, SYS_mincore, SYS_membarrier, SYS_get_mempolicy,
    /* files */
    SYS_openat, SYS_openat2, SYS_close, SYS_close_range, SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64,
    SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_lseek, SYS_fstat, SYS_newfstatat,
    SYS_statx, SYS_statfs, SYS_fstatfs, SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_getdents64, SYS_getcwd,
    SYS_fcntl, SYS_flock, SYS_fsync, SYS_fdatasync, SYS_sync_file_range, SYS_fallocate, SYS_ftruncate, SYS_truncate,
    SYS_fadvise64, SYS_readahead, SYS_copy_file_range, SYS_sendfile, SYS_mkdirat, SYS_unlinkat, SYS_renameat,
    SYS_renameat2, SYS_dup, SYS_dup3, SYS_pipe2, SYS_umask,
    /* the socket to the server, which was there before, and waiting */
    SYS_recvmsg, SYS_recvfrom, SYS_shutdown, SYS_getsockopt, SYS_ppoll, SYS_pselect6,
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2,
    /* time and threads */
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_gettimeofday, SYS_nanosleep, SYS_times,
    SYS_getitimer, SYS_setitimer, SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address,
    SYS_rseq, SYS_gettid, SYS_getpid, SYS_getppid, SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_setaffinity,
    SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_getcpu,
    /* signals */
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
    SYS_rt_sigpending, SYS_sigaltstack, SYS_restart_syscall,
    /* what one is, and the end */
    SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid, SYS_getgroups, SYS_getpgid,
    SYS_getsid, SYS_getrusage, SYS_sysinfo, SYS_uname, SYS_getrandom, SYS_getpriority, SYS_capget, SYS_exit,
    SYS_exit_group,
#ifdef __x86_64__
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_getdents, SYS_mkdir, SYS_rmdir,
    SYS_unlink, SYS_rename, SYS_dup2, SYS_pipe, SYS_poll, SYS_select, SYS_epoll_wait, SYS_time, SYS_arch_prctl,
    SYS_alarm, SYS_getrlimit, SYS_pause,
#endif
};
/* clang-format on */

/* With files in it, for all but interpreters: theirs are counted, and none is on its way. */
static const uint16_t passing[] = {SYS_sendmsg};

enum { PASSING = sizeof passing / sizeof passing[0] };

/* The network, for whoever has it. */
static const uint16_t network[] = {
    SYS_socket,      SYS_socketpair, SYS_connect, SYS_bind,     SYS_getsockname,
    SYS_getpeername, SYS_setsockopt, SYS_sendto,  SYS_sendmmsg, SYS_recvmmsg,
};

enum test {
  EQUAL, /* the argument's lower half is `value` */
  HAS,   /* … has all bits of `value` */
  LACKS, /* … has none of them */
  IS_NULL,
  IS_SELF /* … is this process's number */
};

struct tested {
  uint16_t number;
  uint8_t test, argument;
  uint32_t value;
};

static const struct tested tested[] = {
    {SYS_mmap, LACKS, 2, PROT_EXEC},
    {SYS_mmap, LACKS, 2, PROT_WRITE}, /* libraries are executed, what was written here is not */
    {SYS_mprotect, LACKS, 2, PROT_EXEC},
    {SYS_linkat, EQUAL, 4, 0},
    {SYS_ioctl, EQUAL, 1, TCGETS},
    {SYS_ioctl, EQUAL, 1, FIONREAD},
    {SYS_ioctl, EQUAL, 1, FIONBIO},
    {SYS_sendto, IS_NULL, 4, 0},
    {SYS_clone, HAS, 0, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | CLONE_FILES},
    {SYS_prctl, EQUAL, 0, PR_SET_NAME},
    {SYS_prctl, EQUAL, 0, PR_GET_NAME},
    {SYS_prctl, EQUAL, 0, 0x53564d41}, /* PR_SET_VMA: names of memory */
    {SYS_prlimit64, IS_NULL, 2, 0},
    {SYS_tgkill, IS_SELF, 0, 0},
};

enum { NETWORK = sizeof network / sizeof network[0] };

/* The drivers of devices, for whoever uses them. */
static const uint16_t devices[] = {SYS_ioctl, SYS_memfd_create, SYS_mlock, SYS_munlock, SYS_mbind, SYS_set_mempolicy};

enum { DEVICES = sizeof devices / sizeof devices[0] };

/* Those who are about to become another program. */
static const uint16_t starting[] = {SYS_execve};

static const struct tested starting_tested[] = {
    {SYS_prctl, EQUAL, 0, PR_SET_SECCOMP}, /* a filter more never allows more */
    {SYS_ioctl, EQUAL, 1, FIOCLEX},
    {SYS_ioctl, EQUAL, 1, FIONCLEX},
};

enum { STARTING = sizeof starting / sizeof starting[0] };
enum { STARTING_TESTED = sizeof starting_tested / sizeof starting_tested[0] };
enum { PLAIN = sizeof plain / sizeof plain[0], TESTED = sizeof tested / sizeof tested[0] };
enum {
  STEPS_MOST = 12 + 2 * PLAIN + 2 * PASSING + 2 * NETWORK + 2 * DEVICES + 2 * STARTING + 8 * (TESTED + STARTING_TESTED)
};

struct filter_program {
  struct sock_filter steps[STEPS_MOST];
  unsigned short count;
};

static void add(struct filter_program *program, uint16_t code, uint32_t value, uint8_t when_true, uint8_t when_false)
{
  program->steps[program->count++] = (struct sock_filter){code, when_true, when_false, value};
}

static void load(struct filter_program *program, size_t place)
{
  add(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)place, 0, 0);
}

static void add_return(struct filter_program *program, uint32_t outcome)
{
  add(program, BPF_RET | BPF_K, outcome, 0, 0);
}

/* The argument's lower half, which is all of a number or of flags; the upper one follows. */
static size_t argument_place(unsigned argument)
{
  return offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t); /* both machines are little-endian */
}

static void add_plain(struct filter_program *program, uint32_t number)
{
  add(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
  add_return(program, SECCOMP_RET_ALLOW);
}

/* Behind the comparison of the number, which the accumulator holds: the test, and the number again where it fails. */
static void add_test(struct filter_program *program, const struct tested *row)
{
  const uint32_t value = row->test == IS_SELF ? (uint32_t)getpid() : row->value;
  load(program, argument_place(row->argument));
  switch (row->test) {
  case HAS:
    add(program, BPF_ALU | BPF_AND | BPF_K, value, 0, 0);
    add(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    break;
  case LACKS:
    add(program, BPF_JMP | BPF_JSET | BPF_K, value, 1, 0);
    break;
  case IS_NULL:
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    load(program, argument_place(row->argument) + sizeof(uint32_t));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    break;
  default:
    add(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
  }
  add_return(program, SECCOMP_RET_ALLOW);
  load(program, offsetof(struct seccomp_data, nr));
}

static void add_tested(struct filter_program *program, const struct tested *row)
{
  const unsigned short at = program->count;
  add(program, BPF_JMP | BPF_JEQ | BPF_K, row->number, 0, 0);
  add_test(program, row);
  program->steps[at].jf = (uint8_t)(program->count - at - 1);
}

static void make_program(enum syscall_set set, struct filter_program *program)
{
  program->count = 0;
  load(program, offsetof(struct seccomp_data, arch));
  add(program, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
  add_return(program, SECCOMP_RET_KILL_PROCESS);
  load(program, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
  add(program, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
  add_return(program, SECCOMP_RET_KILL_PROCESS);
#endif
  for (size_t i = 0; i < PLAIN; i++)
    add_plain(program, plain[i]);
  for (size_t i = 0; set != CALLS_INTERPRETER && i < PASSING; i++)
    add_plain(program, passing[i]);
  for (size_t i = 0; set == CALLS_NETWORK && i < NETWORK; i++)
    add_plain(program, network[i]);
  for (size_t i = 0; set == CALLS_DEVICES && i < DEVICES; i++)
    add_plain(program, devices[i]);
  for (size_t i = 0; set == CALLS_INTERPRETER && i < STARTING; i++)
    add_plain(program, starting[i]);
  for (size_t i = 0; i < TESTED; i++)
    add_tested(program, &tested[i]);
  for (size_t i = 0; set == CALLS_INTERPRETER && i < STARTING_TESTED; i++)
    add_tested(program, &starting_tested[i]);
  add(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
  add_return(program, SECCOMP_RET_ERRNO | ENOSYS);
  add_return(program, SECCOMP_RET_ERRNO | EPERM);
}

void syscall_filter_no_programs(struct buffer *out)
{
  static const uint32_t calls[] = {SYS_execve, SYS_execveat};
  struct filter_program program = {.count = 0};
  load(&program, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    add(&program, BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
    add_return(&program, SECCOMP_RET_ERRNO | EPERM);
  }
  add_return(&program, SECCOMP_RET_ALLOW);
  for (size_t i = 0; i < program.count * sizeof program.steps[0]; i++)
    buffer_printf(out, "%02x", ((const unsigned char *)program.steps)[i]);
}

bool syscall_filter_works(void)
{
  const uint32_t action = SECCOMP_RET_ERRNO;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int syscall_filter_enforce(enum syscall_set set)
{
  struct filter_program program;
  make_program(set, &program);
  const struct sock_fprog made = {.len = program.count, .filter = program.steps};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return -1;
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &made) == 0 ? 0 : -1;
}

#else

bool syscall_filter_works(void)
{
  return false;
}

int syscall_filter_enforce(enum syscall_set set)
{
  (void)set;
  errno = ENOSYS;
  return -1;
}

void syscall_filter_no_programs(struct buffer *out)
{
  (void)out;
}

#endif
