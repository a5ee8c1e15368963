/* The C library has no wrappers, and the system's header may be older than its kernel: what is needed stands here. */
#include "server/confine/landlock_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RULE_PATH_BENEATH = 1, CREATE_VERSION = 1 };

#define RIGHT(bit) (UINT64_C(1) << (bit))
enum file_right {
  EXECUTE = 0,
  WRITE_FILE = 1,
  READ_FILE = 2,
  READ_DIR = 3,
  REMOVE_DIR = 4,
  REMOVE_FILE = 5,
  MAKE_DIR = 7,
  MAKE_REG = 8,
  MAKE_SYM = 12,  /* the last of ABI 1 */
  REFER = 13,     /* ABI 2: moving between folders */
  TRUNCATE = 14,  /* ABI 3 */
  IOCTL_DEV = 15, /* ABI 5 */
};

static const uint64_t of_files =
    RIGHT(WRITE_FILE) | RIGHT(READ_FILE) | RIGHT(TRUNCATE) | RIGHT(IOCTL_DEV) | RIGHT(EXECUTE);
static const uint64_t rights_of[LANDLOCK_ACCESSES] = {
    [LANDLOCK_READ] = RIGHT(READ_FILE) | RIGHT(READ_DIR),
    [LANDLOCK_READ_FILES] = RIGHT(READ_FILE),
    [LANDLOCK_WRITE] = RIGHT(READ_FILE) | RIGHT(READ_DIR) | RIGHT(WRITE_FILE) | RIGHT(REMOVE_DIR) | RIGHT(REMOVE_FILE) |
                       RIGHT(MAKE_DIR) | RIGHT(MAKE_REG) | RIGHT(REFER) | RIGHT(TRUNCATE),
    [LANDLOCK_DRIVE] = RIGHT(READ_FILE) | RIGHT(WRITE_FILE) | RIGHT(IOCTL_DEV),
    [LANDLOCK_EXECUTE] = RIGHT(READ_FILE) | RIGHT(EXECUTE)};
static const uint64_t any_tcp = RIGHT(0) | RIGHT(1);   /* bind, connect: ABI 4 */
static const uint64_t any_scope = RIGHT(0) | RIGHT(1); /* abstract sockets, signals: ABI 6 */

struct kernel_ruleset { /* as the kernel has it; older ones know the first members only */
  uint64_t files, net, scopes;
};

struct kernel_rule {
  uint64_t allowed;
  int32_t folder;
} __attribute__((packed));

int landlock_abi(void)
{
  const long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_VERSION);
  return abi < 0 ? 0 : abi > LANDLOCK_ABI_KNOWN ? LANDLOCK_ABI_KNOWN : (int)abi;
}

int landlock_rules_new(int abi, struct landlock_rules *out)
{
  const unsigned last = abi >= 5 ? IOCTL_DEV : abi >= 3 ? TRUNCATE : abi >= 2 ? REFER : MAKE_SYM;
  const struct kernel_ruleset ruleset = {
      .files = RIGHT(last + 1) - 1, .net = abi >= 4 ? any_tcp : 0, .scopes = abi >= 6 ? any_scope : 0};
  const size_t size = abi >= 6   ? sizeof ruleset
                      : abi >= 4 ? offsetof(struct kernel_ruleset, scopes)
                                 : offsetof(struct kernel_ruleset, net);
  *out = (struct landlock_rules){.fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0),
                                 .handled = ruleset.files};
  return out->fd < 0 ? -1 : 0;
}

int landlock_rules_allow(const struct landlock_rules *rules, const char *path, enum landlock_access access)
{
  struct stat status;
  const int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
  uint64_t rights = rights_of[access];
  if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
    rights &= of_files;
  const struct kernel_rule rule = {.allowed = rights & rules->handled, .folder = fd};
  const long outcome = syscall(SYS_landlock_add_rule, rules->fd, RULE_PATH_BENEATH, &rule, 0);
  const int reason = errno;
  close(fd);
  errno = reason;
  return outcome < 0 ? -1 : 0;
}

int landlock_rules_enforce(const struct landlock_rules *rules)
{
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return -1;
  return syscall(SYS_landlock_restrict_self, rules->fd, 0) < 0 ? -1 : 0;
}

void landlock_rules_free(struct landlock_rules *rules)
{
  if (rules->fd >= 0)
    close(rules->fd);
  rules->fd = -1;
}
