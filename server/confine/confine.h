/* What a worker may do: a process that reads strangers' bytes is to gain nothing by being broken into.
 *
 *   landlock       files: it reads the system's libraries, the folders of the catalogue and of --stac, its user's own
 *                  files, and writes to its task's folder, for a job to the user's workspaces, for devices to
 *                  a folder of the user's compiled kernels; no TCP, no signals
 *   seccomp        no sockets, programs, processes, mounts, tracing (syscall_filter.h)
 *   user           not root, no capabilities (worker_user.h); a network and message queues of its own, empty ones
 * The process that reads from other hosts for them (server/fetch) has sockets, and no files but its own folder; each
 * that looks again at a source (server/sources/refresh_task.h) has the catalogue and what it needs of its source.
 *
 * The first two hold from a worker's first task on and cannot be widened, so a process serves one user's tasks with one
 * folder for results, as worker_binding.h says. */
#ifndef TWINCUBE_SERVER_CONFINE_CONFINE_H
#define TWINCUBE_SERVER_CONFINE_CONFINE_H

#include "server/confine/path_list.h"
#include "server/confine/worker_user.h"

#include "datacube/base/error.h"
#include "processes/local_files.h"

#include <stdbool.h>

enum confine_mode {
  CONFINE_AUTO,     /* by what the machine has */
  CONFINE_REQUIRED, /* by landlock and seccomp, or there is no server */
  CONFINE_OFF,
  CONFINE_MODES
};

/* "auto", "required", "off"; CONFINE_MODES for another text. */
enum confine_mode confine_mode_find(const char *name);
const char *confine_mode_name(enum confine_mode mode);

struct confinement { /* what holds for workers */
  int landlock;      /* ABI, 0: not by landlock */
  bool filters;      /* by seccomp */
  struct worker_user user;
  const char *why_off; /* NULL: confined as far as the above says */
};

/* Error ServerConfigInvalid where it is required and the machine lacks it. */
int confine_probe(enum confine_mode mode, struct confinement *out, struct error *error);

enum { CONFINE_TEXT = 320 };
/* One sentence for people. */
void confine_text(const struct confinement *confinement, char out[CONFINE_TEXT]);

/* In the process that makes workers, as early as can be: what does not depend on a task. A signal at the parent's death
 * must be asked for anew. Error Internal. */
int confine_zygote(const struct confinement *confinement, struct error *error);

struct confine_rules {            /* all borrowed */
  const char *data;               /* folder with the catalogue */
  const struct path_list *system; /* that every worker reads */
  const struct path_list *scenes; /* … of the catalogue */
  bool reads_all;                 /* some of these belong to others than the server's user */
  const struct local_files *local;
  bool uses_devices;                   /* may call the drivers of devices that compute */
  const char *files;                   /* the user's own folder, to be read; or "" */
  const char *output;                  /* folder to write to */
  const char *checkpoint, *workspaces; /* likewise; or "" */
  const char *kernels;                 /* likewise: the user's own of what is compiled for devices; or "" */
  const char *remote; /* folder of what was fetched from other hosts: files whose names it was told; or "" */
};

/* Whether folders are there that only the reserve of worker_user.h lets one read. */
bool confine_reads_all(const struct confine_rules *rules);
/* In a worker without threads, before it reads what a stranger sent. For good. Error Internal: it must not go on. */
int confine_worker(const struct confinement *confinement, const struct confine_rules *rules, struct error *error);
struct confine_source { /* all borrowed, texts never NULL */
  const char *data;     /* folder with the catalogue, which it writes: it is open already */
  const char *place;    /* file or folder of this machine that it reads, with all below; or "" */
  const char *copies;   /* folder for copies of features; or "" */
  const char *scratch;  /* folder for what it keeps for a moment */
  bool has_network;
};

/* The process that looks again at one source of collections; before it has threads. It stays who it is, since it writes
 * the catalogue; as root it keeps no right but those to files. Error Internal. */
int confine_refresher(const struct confinement *confinement, const struct confine_source *source, struct error *error);
/* The fetcher of remote files, whose cache lies in `folder`, and the sender of results, which writes to `folder` or,
 * where it is "", to none; before it has threads. Error Internal. */
int confine_fetcher(const struct confinement *confinement, const char *folder, struct error *error);

#endif
