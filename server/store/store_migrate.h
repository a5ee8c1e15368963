/* From one store into another, of the same engine or not. */
#ifndef TWINCUBE_SERVER_STORE_STORE_MIGRATE_H
#define TWINCUBE_SERVER_STORE_STORE_MIGRATE_H

#include "server/store/store.h"

/* Rows of a table. */
typedef void store_count(void *data, const char *table, int64_t rows);

/* Copies every row of `from`, which nobody may use meanwhile, in one transaction of `to`, and reports what was copied.
 * Error StorageFailure where there is nothing in `from`, or already something in `to`. */
int store_migrate(struct store *from, struct store *to, store_count *report, void *data, struct error *error);

/* Reports the rows of each table. */
int store_count_rows(struct store *store, store_count *report, void *data, struct error *error);

/* The database's own look at itself. Error StorageFailure, with what it found. */
int store_check(struct store *store, struct error *error);

#endif
