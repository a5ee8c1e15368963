/* SQL for the store's own files (store_*.c).
 *
 * Every statement is written once, in what SQLite and PostgreSQL both know; store_dialect.h tells what is made of it
 * for PostgreSQL. Only store_sqlite.c and store_postgres.c see the libraries. */
#ifndef TWINCUBE_SERVER_STORE_STORE_SQL_H
#define TWINCUBE_SERVER_STORE_STORE_SQL_H

#include "server/store/store.h"

enum { STORE_MAX_STATEMENTS = 160, STATEMENT_MAX_PARAMETERS = 40 };

struct store_value {
  enum { VALUE_ANY, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BLOB } kind; /* ANY: a NULL of whatever type */
  bool is_null; /* the kind is then that of the column or parameter */
  int64_t integer;
  double real;
  const char *bytes; /* text: ends with '\0'; borrowed */
  size_t size;       /* of a blob or a text, without its end */
};

struct store_engine;

struct statement {
  const struct store_engine *engine;
  const char *sql; /* compared by address: a literal of the caller, or a text that outlives the store */
  void *made;      /* the engine's */
};

/* What a database does for the store. `store->connection` is the engine's own. */
struct store_engine {
  const char *name; /* "SQLite" */
  bool is_shared;   /* several servers may use it */
  int (*open)(struct store *store, const char *place, struct error *error);
  void (*close)(struct store *store);
  int (*prepare)(struct store *store, struct statement *statement, struct error *error);
  void (*forget)(struct statement *statement); /* frees what prepare made */
  void (*clear)(struct statement *statement);  /* ends it and drops its bindings */
  void (*end)(struct statement *statement);    /* it may be bound and run again */
  void (*bind)(struct statement *statement, int position, const struct store_value *value); /* from 1 */
  int (*step)(struct store *store, struct statement *statement, struct error *error);       /* as store_step */
  struct store_value (*column)(struct statement *statement, int column);                    /* from 0 */
  int (*execute)(struct store *store, const char *sql, struct error *error); /* statements without parameters */
  int (*begin)(struct store *store, struct error *error);
  int (*commit)(struct store *store, struct error *error);
  void (*rollback)(struct store *store);
  /* The version of the schema, 0 where there is none; *is_marked: it was last written with this mark, and there is
   * nothing to be made. */
  int (*version)(struct store *store, const char *mark, int *out, bool *is_marked, struct error *error);
  int (*set_version)(struct store *store, const char *mark, int version, struct error *error);
  bool (*shrink)(struct store *store);
  void (*hurry)(struct store *store, bool is_hasty); /* see store_hurry; NULL: it never hurries */
};
extern const struct store_engine store_engine_sqlite, store_engine_postgres;

struct store {
  const struct store_engine *engine;
  void *connection;
  struct statement cache[STORE_MAX_STATEMENTS];
  size_t cached;
  const char *server; /* see store_set_server; borrowed, or NULL */
  int64_t changes;    /* rows that the last statement wrote */
};

/* The prepared statement of a literal, ended and without bindings; kept for the next time. NULL sets the error. */
struct statement *store_prepare(struct store *store, const char *sql, struct error *error);
/* Of two texts the one that the store's database knows, for the few things that have no common word. */
const char *store_sql(const struct store *store, const char *sqlite, const char *postgres);

/* Binds by position, from 1. NULL text is bound as NULL; texts and blobs must live until the statement ran. */
void bind_text(struct statement *statement, int position, const char *text);
void bind_known(struct statement *statement, int position, double number); /* NULL if negative */
void bind_integer(struct statement *statement, int position, int64_t number);
void bind_blob(struct statement *statement, int position, const void *bytes, size_t size);

/* One step: 1 a row, 0 done, -1 error (the statement is then ended). After a row the caller ends it. */
int store_step(struct store *store, struct statement *statement, struct error *error);
/* Runs a statement that gives no row. */
int store_run(struct store *store, struct statement *statement, struct error *error);
void statement_end(struct statement *statement);

/* A transaction that no other of its kind runs beside, on any server. store_end commits when status is 0, else rolls
 * back; it returns the outcome. */
int store_begin(struct store *store, struct error *error);
int store_end(struct store *store, int status, struct error *error);

/* What a change wrote is on the disk when it returns, unless one hurries: then it may be lost when the power fails, if
 * never by the end of a process, and later changes are not kept without it. For what nobody was told, or misses. Does
 * nothing within a transaction. */
void store_hurry(struct store *store, bool is_hasty);

bool column_is_null(struct statement *statement, int column);
int64_t column_integer(struct statement *statement, int column);
double column_number(struct statement *statement, int column);
/* Borrowed until the statement is stepped or ended; NULL for NULL. */
const char *column_view(struct statement *statement, int column);
/* A text column as a new string (NULL for NULL): the caller frees. */
char *column_text(struct statement *statement, int column);
/* The same into room that is there: cut where it is too long, "" for NULL. */
void column_copy(char *out, size_t room, struct statement *statement, int column);

/* Makes the tables and what they lack (store_schema.c). */
int store_make_schema(struct store *store, struct error *error);

#endif
