/* identities: (issuer, subject) is one user for ever. rights: roles and limits; no row is a plain user. */
#include "server/store/store_identities.h"

#include "server/store/store_sql.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PLAIN_USER = 1 };

const char store_identities_schema[] =
    "CREATE TABLE IF NOT EXISTS identities (issuer TEXT NOT NULL, subject TEXT NOT NULL,"
    " user TEXT NOT NULL UNIQUE REFERENCES users(name) ON DELETE CASCADE, name TEXT NOT NULL,"
    " PRIMARY KEY (issuer, subject)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS rights (user TEXT PRIMARY KEY REFERENCES users(name) ON DELETE CASCADE,"
    " roles INTEGER NOT NULL, results INTEGER NOT NULL) WITHOUT ROWID;";

/* PROVIDER.xxxxxxxxxxxxxxxxxxxxxxxx: the hash of issuer and subject in small letters and digits. */
static void name_user(const struct identity *identity, char user[USER_NAME_SIZE])
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
  unsigned char hash[24];
  char text[IDENTITY_ISSUER_SIZE + IDENTITY_SUBJECT_SIZE + 1], end[sizeof hash + 1];
  snprintf(text, sizeof text, "%s\n%s", identity->issuer, identity->subject);
  crypto_generichash(hash, sizeof hash, (const unsigned char *)text, strlen(text), NULL, 0);
  for (size_t i = 0; i < sizeof hash; i++)
    end[i] = letters[hash[i] & 31];
  end[sizeof hash] = '\0';
  snprintf(user, USER_NAME_SIZE, "%s.%s", identity->provider, end);
}

/* Whether all is kept as it is now: the usual case, which writes nothing. *known: there is such an identity. */
static int is_as_kept(struct store *store, const struct identity *identity, char user[USER_NAME_SIZE], bool *known,
                      bool *same, struct error *error)
{
  struct statement *find =
      store_prepare(store,
                    "SELECT i.user, i.name, r.roles, r.results FROM identities i LEFT JOIN rights r"
                    " ON r.user = i.user WHERE i.issuer = ? AND i.subject = ?",
                    error);
  if (find == NULL)
    return -1;
  bind_text(find, 1, identity->issuer);
  bind_text(find, 2, identity->subject);
  int row = store_step(store, find, error);
  *known = row == 1;
  if (row == 1) {
    const char *name = column_view(find, 1);
    column_copy(user, USER_NAME_SIZE, find, 0);
    *same = (identity->name[0] == '\0' || strcmp(name, identity->name) == 0) &&
            column_integer(find, 2) == (int64_t)identity->rights.roles &&
            column_integer(find, 3) == (int64_t)identity->rights.results;
  }
  statement_end(find);
  return row < 0 ? -1 : 0;
}

/* The user, with a password that nothing matches, and the identity. */
static int add_identity(struct store *store, const struct identity *identity, const char *user, struct error *error)
{
  struct statement *add = store_prepare(store, "INSERT INTO users VALUES (?, '!', ?) ON CONFLICT DO NOTHING", error);
  if (add == NULL)
    return -1;
  bind_text(add, 1, user);
  bind_integer(add, 2, store_now());
  if (store_run(store, add, error) != 0)
    return -1;
  if (store->changes == 0)
    return error_set(error, ERROR_PermissionsInsufficient, "the user name '%s' is taken; please ask the operator",
                     user);
  struct statement *put = store_prepare(store, "INSERT INTO identities VALUES (?, ?, ?, ?)", error);
  if (put == NULL)
    return -1;
  bind_text(put, 1, identity->issuer);
  bind_text(put, 2, identity->subject);
  bind_text(put, 3, user);
  bind_text(put, 4, identity->name);
  return store_run(store, put, error);
}

static int rename_identity(struct store *store, const struct identity *identity, const char *user, struct error *error)
{
  struct statement *name = store_prepare(store, "UPDATE identities SET name = ? WHERE user = ?", error);
  if (name == NULL || identity->name[0] == '\0')
    return name == NULL ? -1 : 0;
  bind_text(name, 1, identity->name);
  bind_text(name, 2, user);
  return store_run(store, name, error);
}

int store_identity_user(struct store *store, const struct identity *identity, char user[USER_NAME_SIZE],
                        struct error *error)
{
  bool known = false, same = false;
  if (is_as_kept(store, identity, user, &known, &same, error) != 0)
    return -1;
  if (same)
    return 0;
  if (store_begin(store, error) != 0)
    return -1;
  int status = is_as_kept(store, identity, user, &known, &same, error); /* another request may have been first */
  if (status == 0 && !known) {
    name_user(identity, user);
    status = add_identity(store, identity, user, error);
  } else if (status == 0) {
    status = rename_identity(store, identity, user, error);
  }
  if (status == 0)
    status = store_user_rights_put(store, user, &identity->rights, error);
  return store_end(store, status, error);
}

int store_user_rights(struct store *store, const char *user, struct user_rights *out, char name[IDENTITY_NAME_SIZE],
                      struct error *error)
{
  struct statement *find =
      store_prepare(store,
                    "SELECT r.roles, r.results, i.name FROM users u LEFT JOIN rights r ON r.user = u.name"
                    " LEFT JOIN identities i ON i.user = u.name WHERE u.name = ?",
                    error);
  *out = (struct user_rights){.roles = PLAIN_USER};
  if (name != NULL)
    name[0] = '\0';
  if (find == NULL)
    return -1;
  bind_text(find, 1, user);
  int row = store_step(store, find, error);
  if (row == 1 && !column_is_null(find, 0)) {
    out->roles = (unsigned)column_integer(find, 0);
    out->results = (uint64_t)column_integer(find, 1);
  }
  const char *kept = row == 1 ? column_view(find, 2) : NULL;
  if (name != NULL && kept != NULL)
    snprintf(name, IDENTITY_NAME_SIZE, "%s", kept);
  statement_end(find);
  return row < 0 ? -1 : 0;
}

int store_user_rights_put(struct store *store, const char *user, const struct user_rights *rights, struct error *error)
{
  struct statement *put = store_prepare(store,
                                        "INSERT INTO rights VALUES (?, ?, ?) ON CONFLICT (user) DO UPDATE"
                                        " SET roles = excluded.roles, results = excluded.results",
                                        error);
  if (put == NULL)
    return -1;
  bind_text(put, 1, user);
  bind_integer(put, 2, rights->roles);
  bind_integer(put, 3, (int64_t)rights->results);
  return store_run(store, put, error);
}
