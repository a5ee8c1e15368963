/* Exports to workspaces that the operator names: who may write where, and a process (sender.h) for each export.
 *
 * Workers, which read what strangers send, only say which of their task's files go to which workspace, by its name;
 * here it is judged whether the task's user may write there, and addresses and accounts are put in. */
#ifndef TWINCUBE_SERVER_EXPORT_EXPORT_HUB_H
#define TWINCUBE_SERVER_EXPORT_EXPORT_HUB_H

#include "server/confine/confine.h"
#include "server/export/workspace_settings.h"
#include "server/fetch/fetch_account.h"

#include "datacube/base/logger.h"

struct export_hub;

struct export_options {                      /* borrowed for the hub's life */
  const struct workspace_settings *settings; /* at least one workspace */
  struct fetch_access access;                /* its accounts are copied */
  const char *data;                          /* folder of the server's data, in which no workspace may lie or be held */
  enum log_level level;
  enum log_format format;
  enum confine_mode confine;
};

/* Errors: ServerConfigInvalid, Internal. */
int export_hub_new(const struct export_options *options, struct export_hub **out, struct error *error);
void export_hub_free(struct export_hub *hub); /* NULL is fine */
/* Other accounts than before. -1: out of memory. */
int export_hub_renew(struct export_hub *hub, const struct fetch_account *accounts, size_t count);

/* The workspaces; a hub NULL has none. */
const struct workspace_settings *export_hub_workspaces(const struct export_hub *hub);
/* The one of that name to which the user may write; NULL where there is none. */
const struct named_workspace *export_hub_find(const struct export_hub *hub, const char *user, const char *name);

struct export_task { /* borrowed */
  const char *user;
  const char *folder;       /* of the task's files, ends with '/' */
  const char *request;      /* a worker's: JSON of workspace_send (processes/save/workspace.h) */
  double seconds;           /* that it may take, 0: no limit */
  int client_fd, cancel_fd; /* whose hang-up, and what is readable, gives up; or -1 */
};

/* All files are there afterwards, or none. Thread safe. Errors: ProcessParameterInvalid where the workspace is none of
 * the user's, those of the sender, RequestTimeout. Addresses are told to the log alone. */
int export_hub_send(struct export_hub *hub, const struct export_task *task, struct error *error);

#endif
