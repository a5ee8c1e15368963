/* The tables: what each version has over the one before, tables that stand beside the versions, and triggers that note
 * what is dropped. Written as for SQLite; PostgreSQL has the same through store_dialect.h. */
#include "server/store/store_files.h"
#include "server/store/store_identities.h"
#include "server/store/store_processes.h"
#include "server/store/store_services.h"
#include "server/store/store_sql.h"
#include "server/store/store_workspaces.h"

#include "datacube/base/buffer.h"

#include <sodium.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE tokens (hash BLOB PRIMARY KEY, user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE,"
    " expires INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX tokens_by_user ON tokens(user);"
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    /* attempts: runs since the user's start; run: counts all runs, names the result folder */
    "CREATE TABLE jobs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " owner TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE, title TEXT, description TEXT,"
    " process TEXT NOT NULL, plan TEXT, budget REAL, log_level TEXT NOT NULL, status TEXT NOT NULL,"
    " created INTEGER NOT NULL, updated INTEGER NOT NULL, queued INTEGER, attempts INTEGER NOT NULL DEFAULT 0,"
    " run INTEGER NOT NULL DEFAULT 0, progress REAL, usage TEXT, result TEXT);"
    "CREATE INDEX jobs_by_owner ON jobs(owner, seq);"
    "CREATE INDEX jobs_queue ON jobs(status, queued);"
    "CREATE TABLE logs (id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,"
    " level INTEGER NOT NULL, time INTEGER NOT NULL, code TEXT, message TEXT NOT NULL, node TEXT, parameter TEXT);"
    "CREATE INDEX logs_by_job ON logs(job, id);";

/* What each version of the store has over the one before. */
static const char *const versions[] = {
    schema,
    "ALTER TABLE logs ADD COLUMN data TEXT;"     /* JSON */
    "ALTER TABLE jobs ADD COLUMN options TEXT;", /* job_options as they were sent: a JSON object */
    /* jobs that are gone, for who removes their folders */
    "CREATE TABLE dropped (number INTEGER PRIMARY KEY, id TEXT NOT NULL);",
    /* turn: order of queueing, whatever the clock says; started, ended: of the last run */
    "ALTER TABLE jobs ADD COLUMN turn INTEGER; ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN started INTEGER; ALTER TABLE jobs ADD COLUMN ended INTEGER;"
    "ALTER TABLE jobs ADD COLUMN costs REAL; UPDATE jobs SET turn = seq;"
    "CREATE INDEX jobs_waiting ON jobs(status, owner, priority, turn); CREATE INDEX jobs_by_turn ON jobs(turn);"
    /* when an owner's turn was, in turns of all */
    "CREATE TABLE served (owner TEXT PRIMARY KEY REFERENCES users(name) ON DELETE CASCADE, at INTEGER NOT NULL)"
    " WITHOUT ROWID;",
    /* server: that runs the job, where several share the store (store_servers.c); seen: Unix milliseconds */
    "ALTER TABLE jobs ADD COLUMN server TEXT; ALTER TABLE dropped ADD COLUMN server TEXT;"
    "CREATE TABLE servers (name TEXT PRIMARY KEY, seen INTEGER NOT NULL) WITHOUT ROWID;",
};
enum { STORE_VERSION = sizeof versions / sizeof versions[0] };

/* Tables that stand beside these versions, each made where it is missing. */
static const char *const tables[] = {store_files_schema, store_workspaces_schema, store_identities_schema,
                                     store_processes_schema, store_services_schema};
enum { TABLES = sizeof tables / sizeof tables[0] };

/* When a row of a table goes, however that comes about. */
static const struct trigger {
  const char *name, *table, *then;
} triggers[] = {
    {"jobs_dropped", "jobs",
     "INSERT INTO dropped (id, server) VALUES (OLD.id, CASE OLD.status WHEN 'running' THEN OLD.server END)"},
    {"folders_dropped", "file_folders",
     "INSERT INTO dropped_folders VALUES (OLD.folder) ON CONFLICT (folder) DO NOTHING"},
};
enum { TRIGGERS = sizeof triggers / sizeof triggers[0] };

static int make_trigger(struct store *store, const struct trigger *trigger, struct error *error)
{
  struct buffer sql = {0};
  buffer_printf(&sql,
                store_sql(store, "CREATE TRIGGER IF NOT EXISTS %s AFTER DELETE ON %s BEGIN %s; END",
                          "/*postgres CREATE OR REPLACE FUNCTION %1$s() RETURNS trigger LANGUAGE plpgsql AS"
                          " $$BEGIN %3$s; RETURN NULL; END$$; CREATE OR REPLACE TRIGGER %1$s AFTER DELETE ON %2$s"
                          " FOR EACH ROW EXECUTE FUNCTION %1$s() */"),
                trigger->name, trigger->table, trigger->then);
  int status = sql.failed ? error_memory(error) : store->engine->execute(store, sql.data, error);
  buffer_free(&sql);
  return status;
}

/* Tells by its content what stands beside the versions. */
static void mark_tables(char out[33])
{
  unsigned char hash[16];
  crypto_generichash_state state;
  crypto_generichash_init(&state, NULL, 0, sizeof hash);
  for (size_t i = 0; i < TABLES; i++)
    crypto_generichash_update(&state, (const unsigned char *)tables[i], strlen(tables[i]));
  for (size_t i = 0; i < TRIGGERS; i++)
    crypto_generichash_update(&state, (const unsigned char *)triggers[i].then, strlen(triggers[i].then));
  crypto_generichash_final(&state, hash, sizeof hash);
  sodium_bin2hex(out, 33, hash, sizeof hash);
}

/* What does nothing where all is there. */
static int make_tables(struct store *store, struct error *error)
{
  for (size_t i = 0; i < TABLES; i++)
    if (store->engine->execute(store, tables[i], error) != 0)
      return -1;
  for (size_t i = 0; i < TRIGGERS; i++)
    if (make_trigger(store, &triggers[i], error) != 0)
      return -1;
  return 0;
}

/* Within a transaction. */
static int make_all(struct store *store, const char *mark, struct error *error)
{
  int version;
  bool is_marked;
  if (store->engine->version(store, mark, &version, &is_marked, error) != 0) /* another may have been first */
    return -1;
  if (version > STORE_VERSION)
    return error_set(error, ERROR_StorageFailure, "the store has version %d, this program knows %d", version,
                     (int)STORE_VERSION);
  for (int i = version; i < STORE_VERSION; i++)
    if (store->engine->execute(store, versions[i], error) != 0)
      return -1;
  return make_tables(store, error) != 0 ? -1 : store->engine->set_version(store, mark, STORE_VERSION, error);
}

int store_make_schema(struct store *store, struct error *error)
{
  char mark[33];
  int version;
  bool is_marked;
  mark_tables(mark);
  if (store->engine->version(store, mark, &version, &is_marked, error) != 0)
    return -1;
  if (version == STORE_VERSION && (is_marked || !store->engine->is_shared))
    return is_marked ? 0 : make_tables(store, error);
  if (store_begin(store, error) != 0)
    return -1;
  return store_end(store, make_all(store, mark, error), error);
}
