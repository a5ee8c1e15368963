#include "server/confine/worker_user.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 65534 };

void worker_user_find(struct worker_user *out)
{
  const struct passwd *entry = getpwnam("twincube");
  if (entry == NULL || entry->pw_uid == 0)
    entry = getpwnam("nobody");
  *out = (struct worker_user){.changes = geteuid() == 0,
                              .uid = entry != NULL ? entry->pw_uid : NOBODY,
                              .gid = entry != NULL ? entry->pw_gid : NOBODY};
  snprintf(out->name, sizeof out->name, "%s", entry != NULL ? entry->pw_name : "nobody");
}

static int capset_first(const struct __user_cap_data_struct *first)
{
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  const struct __user_cap_data_struct data[2] = {*first};
  return (int)syscall(SYS_capset, &header, data);
}

/* Exactly these, of the first 32 capabilities. */
static int set_capabilities(uint32_t effective, uint32_t permitted)
{
  return capset_first(&(const struct __user_cap_data_struct){.effective = effective, .permitted = permitted});
}

int worker_user_become(const struct worker_user *user)
{
  const uint32_t in_reserve = 1u << CAP_DAC_READ_SEARCH, to_be_root = 1u << CAP_SETUID;
  if (!user->changes)
    return 0;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(0, NULL) != 0 ||
      setresgid(user->gid, user->gid, user->gid) != 0 || setresuid(user->uid, user->uid, user->uid) != 0 ||
      set_capabilities(to_be_root, to_be_root | in_reserve) != 0)
    return -1;
  setfsuid(0);
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  return set_capabilities(0, in_reserve);
}

int worker_user_settle(const struct worker_user *user, bool reads_all)
{
  const uint32_t kept = reads_all ? 1u << CAP_DAC_READ_SEARCH : 0;
  return user->changes ? set_capabilities(kept, kept) : 0;
}

int worker_user_become_plain(const struct worker_user *user, bool reads_all)
{
  const uint32_t kept = reads_all ? 1u << CAP_DAC_READ_SEARCH : 0;
  const struct __user_cap_data_struct plain = {.effective = kept, .permitted = kept, .inheritable = kept};
  if (!user->changes)
    return 0;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
    if (capability != CAP_DAC_READ_SEARCH || !reads_all)
      prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(0, NULL) != 0 ||
      setresgid(user->gid, user->gid, user->gid) != 0 || setresuid(user->uid, user->uid, user->uid) != 0)
    return -1;
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  if (capset_first(&plain) != 0)
    return -1;
  return reads_all ? prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) : 0;
}

int worker_user_keep_files(void)
{
  const uint32_t files = 1u << CAP_DAC_READ_SEARCH | 1u << CAP_DAC_OVERRIDE;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct own[2] = {{0}};
  if (geteuid() != 0)
    return 0;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (syscall(SYS_capget, &header, own) != 0)
    return -1;
  return set_capabilities(own[0].effective & files, own[0].permitted & files);
}
