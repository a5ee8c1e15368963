/* A row a workspace, found by its owner and its id. */
#include "server/store/store_workspaces.h"

#include "server/store/store_sql.h"

#include <sodium.h>
#include <stdio.h>

const char store_workspaces_schema[] =
    "CREATE TABLE IF NOT EXISTS workspaces (id TEXT PRIMARY KEY, owner TEXT NOT NULL REFERENCES users(name)"
    " ON DELETE CASCADE, title TEXT, description TEXT) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS workspaces_by_owner ON workspaces(owner, id);";

static int not_found(const char *id, struct error *error)
{
  return error_set(error, ERROR_NotFound, "there is no workspace '%s'", id);
}

int store_workspace_put(struct store *store, const char *user, struct workspace *workspace, struct error *error)
{
  unsigned char random[8];
  char name[2 * sizeof random + 1];
  struct statement *put = store_prepare(store,
                                        "INSERT INTO workspaces SELECT ?1, ?2, ?3, ?4"
                                        " WHERE (SELECT count(*) FROM workspaces WHERE owner = ?2) < ?5",
                                        error);
  if (put == NULL)
    return -1;
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(name, sizeof name, random, sizeof random);
  snprintf(workspace->id, sizeof workspace->id, "w-%s", name);
  bind_text(put, 1, workspace->id);
  bind_text(put, 2, user);
  bind_text(put, 3, workspace->title);
  bind_text(put, 4, workspace->description);
  bind_integer(put, 5, WORKSPACES_MOST);
  if (store_begin(store, error) != 0 || store_end(store, store_run(store, put, error), error) != 0)
    return -1;
  return store->changes > 0
             ? 0
             : error_set(error, ERROR_StorageQuotaExceeded, "a user may have %d workspaces", (int)WORKSPACES_MOST);
}

static bool visit_row(struct statement *row, bool (*visit)(void *data, const struct workspace *workspace), void *data)
{
  struct workspace workspace = {.title = column_view(row, 1), .description = column_view(row, 2)};
  column_copy(workspace.id, sizeof workspace.id, row, 0);
  return visit(data, &workspace);
}

int store_workspace_each(struct store *store, const char *user, const char *after,
                         bool (*visit)(void *data, const struct workspace *workspace), void *data, struct error *error)
{
  struct statement *list = store_prepare(
      store, "SELECT id, title, description FROM workspaces WHERE owner = ? AND id > ? ORDER BY id", error);
  if (list == NULL)
    return -1;
  bind_text(list, 1, user);
  bind_text(list, 2, after);
  int row;
  while ((row = store_step(store, list, error)) == 1 && visit_row(list, visit, data))
    ;
  statement_end(list);
  return row < 0 ? -1 : 0;
}

int store_workspace_get(struct store *store, const char *user, const char *id,
                        bool (*visit)(void *data, const struct workspace *workspace), void *data, struct error *error)
{
  struct statement *find =
      store_prepare(store, "SELECT id, title, description FROM workspaces WHERE owner = ? AND id = ?", error);
  if (find == NULL)
    return -1;
  bind_text(find, 1, user);
  bind_text(find, 2, id);
  const int row = store_step(store, find, error);
  if (row == 1)
    visit_row(find, visit, data);
  statement_end(find);
  return row == 1 ? 0 : row < 0 ? -1 : not_found(id, error);
}

int store_workspace_change(struct store *store, const char *user, const struct workspace *workspace,
                           struct error *error)
{
  struct statement *change = store_prepare(store,
                                           "UPDATE workspaces SET title = coalesce(?3, title),"
                                           " description = coalesce(?4, description) WHERE owner = ?1 AND id = ?2",
                                           error);
  if (change == NULL)
    return -1;
  bind_text(change, 1, user);
  bind_text(change, 2, workspace->id);
  bind_text(change, 3, workspace->title);
  bind_text(change, 4, workspace->description);
  if (store_run(store, change, error) != 0)
    return -1;
  return store->changes > 0 ? 0 : not_found(workspace->id, error);
}

int store_workspace_remove(struct store *store, const char *user, const char *id, struct error *error)
{
  struct statement *remove = store_prepare(store, "DELETE FROM workspaces WHERE owner = ? AND id = ?", error);
  if (remove == NULL)
    return -1;
  bind_text(remove, 1, user);
  bind_text(remove, 2, id);
  if (store_run(store, remove, error) != 0)
    return -1;
  return store->changes > 0 ? 0 : not_found(id, error);
}
