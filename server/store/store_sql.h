/* SQL for the store's own files (store*.c); nobody else sees SQLite. */
#ifndef TWINCUBE_SERVER_STORE_STORE_SQL_H
#define TWINCUBE_SERVER_STORE_STORE_SQL_H

#include "server/store/store.h"

#include <sqlite3.h>

enum { STORE_MAX_STATEMENTS = 160 };

struct store {
  sqlite3 *db;
  struct {
    const char *sql; /* compared by address: a string literal of the caller */
    sqlite3_stmt *statement;
  } cache[STORE_MAX_STATEMENTS];
  size_t cached;
};

/* The prepared statement of a literal, reset and without bindings; kept for the next time. NULL sets the error. */
sqlite3_stmt *store_prepare(struct store *store, const char *sql, struct error *error);

/* Binds by position. NULL text is bound as NULL; the text must live until the statement ran. */
void bind_text(sqlite3_stmt *statement, int position, const char *text);
void bind_known(sqlite3_stmt *statement, int position, double number); /* NULL where it is negative */
void bind_integer(sqlite3_stmt *statement, int position, int64_t number);

/* One step: 1 a row, 0 done, -1 error (the statement is then reset). After a row the caller resets. */
int store_step(struct store *store, sqlite3_stmt *statement, struct error *error);
/* Runs a statement that gives no row. */
int store_run(struct store *store, sqlite3_stmt *statement, struct error *error);

/* BEGIN IMMEDIATE … COMMIT. store_end commits when status is 0, else rolls back; it returns the outcome. */
int store_begin(struct store *store, struct error *error);
int store_end(struct store *store, int status, struct error *error);

/* A text column as a new string (NULL for NULL): the caller frees. */
char *column_text(sqlite3_stmt *statement, int column);

/* The same into room that is there: cut where it is too long, "" for NULL. */
void column_copy(char *out, size_t room, sqlite3_stmt *statement, int column);

int store_failure(struct store *store, struct error *error); /* sets StorageFailure from SQLite's message */

#endif
