/* Users, their tokens, and the server's secret. */
#include "server/store/store_sql.h"

#include <sodium.h>
#include <string.h>

static int read_secret(struct store *store, unsigned char out[32], struct error *error)
{
  struct statement *statement = store_prepare(store, "SELECT value FROM settings WHERE key = 'secret'", error);
  if (statement == NULL)
    return -1;
  int row = store_step(store, statement, error);
  const struct store_value value = row == 1 ? statement->engine->column(statement, 0) : (struct store_value){0};
  if (row == 1 && value.kind == VALUE_BLOB && value.size == 32)
    memcpy(out, value.bytes, 32);
  else if (row == 1)
    row = error_set(error, ERROR_StorageFailure, "the server's secret is damaged");
  statement_end(statement);
  return row;
}

int store_secret(struct store *store, unsigned char out[32], struct error *error)
{
  int row = read_secret(store, out, error);
  if (row != 0)
    return row == 1 ? 0 : -1;
  randombytes_buf(out, 32);
  struct statement *statement =
      store_prepare(store, "INSERT INTO settings VALUES ('secret', ?) ON CONFLICT DO NOTHING", error);
  if (statement == NULL)
    return -1;
  bind_blob(statement, 1, out, 32);
  if (store_run(store, statement, error) != 0)
    return -1;
  return read_secret(store, out, error) == 1 ? 0 : -1;
}

bool user_name_is_valid(const char *name)
{
  size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~");
  return length > 0 && name[length] == '\0' && length < USER_NAME_SIZE;
}

int store_user_put(struct store *store, const char *name, const char *password_hash, struct error *error)
{
  if (store_begin(store, error) != 0)
    return -1;
  int status = -1;
  struct statement *put = store_prepare(store,
                                        "INSERT INTO users VALUES (?, ?, ?)"
                                        " ON CONFLICT (name) DO UPDATE SET password = excluded.password",
                                        error);
  struct statement *end = store_prepare(store, "DELETE FROM tokens WHERE user = ?", error);
  if (put != NULL && end != NULL) {
    bind_text(put, 1, name);
    bind_text(put, 2, password_hash);
    bind_integer(put, 3, store_now());
    bind_text(end, 1, name);
    status = store_run(store, put, error) == 0 && store_run(store, end, error) == 0 ? 0 : -1;
  }
  return store_end(store, status, error);
}

int store_user_remove(struct store *store, const char *name, bool *found, struct error *error)
{
  struct statement *statement = store_prepare(store, "DELETE FROM users WHERE name = ?", error);
  if (statement == NULL)
    return -1;
  bind_text(statement, 1, name);
  if (store_begin(store, error) != 0) /* rows of many tables go with it: nobody else changes some meanwhile */
    return -1;
  int status = store_run(store, statement, error);
  *found = status == 0 && store->changes > 0;
  return store_end(store, status, error);
}

int store_user_list(struct store *store, void (*report)(void *data, const char *name, int64_t created), void *data,
                    struct error *error)
{
  struct statement *statement = store_prepare(store, "SELECT name, created FROM users ORDER BY name", error);
  if (statement == NULL)
    return -1;
  int row;
  while ((row = store_step(store, statement, error)) == 1)
    report(data, column_view(statement, 0), column_integer(statement, 1));
  return row;
}

int store_user_hash(struct store *store, const char *name, char out[PASSWORD_HASH_SIZE], bool *found,
                    struct error *error)
{
  struct statement *statement = store_prepare(store, "SELECT password FROM users WHERE name = ?", error);
  if (statement == NULL)
    return -1;
  bind_text(statement, 1, name);
  int row = store_step(store, statement, error);
  *found = row == 1;
  if (row == 1)
    column_copy(out, PASSWORD_HASH_SIZE, statement, 0);
  statement_end(statement);
  return row < 0 ? -1 : 0;
}

int store_token_put(struct store *store, const unsigned char hash[TOKEN_HASH_BYTES], const char *user, int64_t expires,
                    struct error *error)
{
  if (store_begin(store, error) != 0)
    return -1;
  int status = -1;
  struct statement *clean = store_prepare(store, "DELETE FROM tokens WHERE expires < ?", error);
  struct statement *put = store_prepare(store, "INSERT INTO tokens VALUES (?, ?, ?)", error);
  if (clean != NULL && put != NULL) {
    bind_integer(clean, 1, store_now());
    bind_blob(put, 1, hash, TOKEN_HASH_BYTES);
    bind_text(put, 2, user);
    bind_integer(put, 3, expires);
    status = store_run(store, clean, error) == 0 && store_run(store, put, error) == 0 ? 0 : -1;
  }
  return store_end(store, status, error);
}

int store_token_user(struct store *store, const unsigned char hash[TOKEN_HASH_BYTES], char user[USER_NAME_SIZE],
                     bool *found, struct error *error)
{
  struct statement *statement = store_prepare(store, "SELECT user FROM tokens WHERE hash = ? AND expires >= ?", error);
  if (statement == NULL)
    return -1;
  bind_blob(statement, 1, hash, TOKEN_HASH_BYTES);
  bind_integer(statement, 2, store_now());
  int row = store_step(store, statement, error);
  *found = row == 1;
  if (row == 1)
    column_copy(user, USER_NAME_SIZE, statement, 0);
  statement_end(statement);
  return row < 0 ? -1 : 0;
}
