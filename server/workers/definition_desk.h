/* Where what workers ask for is answered, for one task after the other: definitions of processes that are not built in,
 * and where results of jobs lie. Each thread that waits for a worker has a desk of its own. */
#ifndef TWINCUBE_SERVER_WORKERS_DEFINITION_DESK_H
#define TWINCUBE_SERVER_WORKERS_DEFINITION_DESK_H

#include "server/definitions/remote_definitions.h"
#include "server/store/store.h"

#include <jansson.h>

struct publish_place; /* server/publish/published_document.h */

struct desk_task {          /* borrowed for as long as the task runs */
  const char *user;         /* whose task it is; NULL: a stranger's */
  const char *folder;       /* its own, ends with '/' */
  int client_fd, cancel_fd; /* that end a wait for the web: see struct remote_session */
  double seconds;           /* its time, 0: no limit */
  bool is_alone;            /* no other back-end of the federation is asked */
  bool is_job;              /* collections may be published when it has ended */
  bool is_hurried;          /* it gets no definition that would have to be waited for (session.is_incomplete) */
};

struct federation; /* server/federation/federation.h */
struct export_hub; /* server/export/export_hub.h */

struct definition_desk {
  const char *place; /* of the store; borrowed */
  const char *data;  /* folder of jobs; borrowed */
  struct desk_task task;
  bool has_loaded;                     /* there is LOADED_RESULTS_FOLDER in the task's folder, which must go */
  struct store *store;                 /* the desk's; opened when it is first needed */
  struct remote_definitions *remote;   /* borrowed */
  struct federation *federation;       /* borrowed, or NULL */
  struct export_hub *exports;          /* likewise */
  const struct publish_place *publish; /* where collections are published; borrowed */
  json_t *collections;                 /* array of what the task is to publish (workspace_send); owned */
  struct remote_session session;       /* of the task */
};

void definition_desk_begin(struct definition_desk *desk, const struct desk_task *task);

/* Whether there is anything to ask for: of a user's own processes. A store that does not answer says so when it is
 * asked. */
bool definition_desk_has_own(struct definition_desk *desk);
/* Whether other back-ends may be asked to compute for it. */
bool definition_desk_has_others(const struct definition_desk *desk);

/* The definition as JSON; nothing where the user has none. Any namespace but "user" is taken for an address of the web,
 * but for those that worker_protocol.h names: ask_results, ask_elsewhere, ask_offered, ask_workspace,
 * ask_collection and ask_send. As
 * worker_watch's `define`; `desk` is a struct definition_desk. Errors StorageFailure, ProcessNamespaceInvalid, those of
 * loaded_results_place, backend_load and export_hub_send. */
int definition_desk_answer(void *desk, const char *space, const char *id, struct buffer *json, struct error *error);

void definition_desk_close(struct definition_desk *desk);

#endif
