/* A row a user; a trigger notes the folders of users that are removed. */
#include "server/store/store_files.h"

#include "server/store/store_sql.h"

#include <sodium.h>
#include <stdio.h>

const char store_files_schema[] =
    "CREATE TABLE IF NOT EXISTS file_folders (user TEXT PRIMARY KEY REFERENCES users(name) ON DELETE CASCADE,"
    " folder TEXT NOT NULL UNIQUE) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS dropped_folders (folder TEXT PRIMARY KEY) WITHOUT ROWID;";

/* The first column of the first row, "" where there is none. */
static int read_folder(struct store *store, struct statement *statement, char out[USER_FOLDER_SIZE],
                       struct error *error)
{
  int row = store_step(store, statement, error);
  snprintf(out, USER_FOLDER_SIZE, "%s", row == 1 ? column_view(statement, 0) : "");
  statement_end(statement);
  return row < 0 ? -1 : 0;
}

static int find_folder(struct store *store, const char *user, char out[USER_FOLDER_SIZE], struct error *error)
{
  struct statement *find = store_prepare(store, "SELECT folder FROM file_folders WHERE user = ?", error);
  if (find == NULL)
    return -1;
  bind_text(find, 1, user);
  return read_folder(store, find, out, error);
}

int store_user_folder(struct store *store, const char *user, bool makes, char out[USER_FOLDER_SIZE],
                      struct error *error)
{
  if (find_folder(store, user, out, error) != 0)
    return -1;
  if (out[0] != '\0' || !makes)
    return 0;
  unsigned char random[16];
  char name[2 * sizeof random + 1];
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(name, sizeof name, random, sizeof random);
  struct statement *put =
      store_prepare(store, "INSERT INTO file_folders VALUES (?, 'f-' || ?) ON CONFLICT DO NOTHING", error);
  if (put == NULL)
    return -1;
  bind_text(put, 1, user);
  bind_text(put, 2, name);
  return store_run(store, put, error) != 0 ? -1 : find_folder(store, user, out, error);
}

int store_folder_dropped(struct store *store, char out[USER_FOLDER_SIZE], struct error *error)
{
  struct statement *find = store_prepare(store, "SELECT folder FROM dropped_folders LIMIT 1", error);
  return find == NULL ? -1 : read_folder(store, find, out, error);
}

int store_folder_forget(struct store *store, const char *folder, struct error *error)
{
  struct statement *forget = store_prepare(store, "DELETE FROM dropped_folders WHERE folder = ?", error);
  if (forget == NULL)
    return -1;
  bind_text(forget, 1, folder);
  return store_run(store, forget, error);
}
