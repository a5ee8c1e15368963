/* Workspaces of users: rows beside the folders that hold them (DIR/<folder of the user>/<id>). */
#ifndef TWINCUBE_SERVER_STORE_STORE_WORKSPACES_H
#define TWINCUBE_SERVER_STORE_STORE_WORKSPACES_H

#include "server/store/store.h"

enum { WORKSPACE_ID_SIZE = 40, WORKSPACES_MOST = 32 /* of a user */ };

struct workspace {
  char id[WORKSPACE_ID_SIZE];
  const char *title, *description; /* or NULL */
};

/* The table, for store_open. */
extern const char store_workspaces_schema[];

/* Stores one; its id is set. Error StorageQuotaExceeded past WORKSPACES_MOST. */
int store_workspace_put(struct store *store, const char *user, struct workspace *workspace, struct error *error);
/* Calls `visit` for those of a user behind the id `after`, in the order of the ids, until it answers false. */
int store_workspace_each(struct store *store, const char *user, const char *after,
                         bool (*visit)(void *data, const struct workspace *workspace), void *data, struct error *error);
/* The same for one. Error NotFound. */
int store_workspace_get(struct store *store, const char *user, const char *id,
                        bool (*visit)(void *data, const struct workspace *workspace), void *data, struct error *error);
/* Changes title and description where they are given. Error NotFound. */
int store_workspace_change(struct store *store, const char *user, const struct workspace *workspace,
                           struct error *error);
/* Error NotFound. */
int store_workspace_remove(struct store *store, const char *user, const char *id, struct error *error);

#endif
