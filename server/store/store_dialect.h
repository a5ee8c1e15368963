/* SQL as the store's files have it, made into PostgreSQL's. */
#ifndef TWINCUBE_SERVER_STORE_STORE_DIALECT_H
#define TWINCUBE_SERVER_STORE_STORE_DIALECT_H

#include "datacube/base/buffer.h"

/* Appends the text with these changes, outside of quotes:
 *
 *   ?, ?7                       $1 (one more than the last), $7
 *   INTEGER, REAL, BLOB         BIGINT, DOUBLE PRECISION, BYTEA
 *   TEXT                        TEXT COLLATE "C": ordered by bytes
 *   INTEGER PRIMARY KEY [AUTOINCREMENT]   a BIGINT that counts by itself
 *   WITHOUT ROWID               nothing
 *   user                        "user": a column, where PostgreSQL would read who is logged in
 *   … /+postgres words +/ …     the words, which SQLite takes for a comment (with * for +)
 *
 * *parameters, where not NULL: the greatest $n. A text within $$ … $$ is quoted. */
void store_dialect_postgres(const char *sql, struct buffer *out, int *parameters);

#endif
