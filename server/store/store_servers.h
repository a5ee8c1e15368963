/* Servers that share a store: each says again and again that it lives; what one that fell silent had running is an
 * orphan, for the others to queue again. Time is the database's: the servers' clocks may differ. Shared stores only. */
#ifndef TWINCUBE_SERVER_STORE_STORE_SERVERS_H
#define TWINCUBE_SERVER_STORE_STORE_SERVERS_H

#include "server/store/store_jobs.h"

enum { FOLDER_MARK_SIZE = 33 };

/* The server in whose name this handle claims jobs; borrowed. Without it, it is the only one. */
void store_set_server(struct store *store, const char *name);

/* It lives. */
int store_server_beat(struct store *store, struct error *error);
/* It ends; it runs nothing any more. */
int store_server_leave(struct store *store, struct error *error);
/* Forgets servers that have been silent for so long: *count of them. */
int store_servers_bury(struct store *store, int64_t milliseconds, int64_t *count, struct error *error);
/* Servers that live, or have not been buried. */
int store_servers_count(struct store *store, int64_t *count, struct error *error);
/* A running job of a server that is not among them. The caller frees. */
int store_job_orphan(struct store *store, struct job *out, bool *found, struct error *error);

/* What the folder of this store's jobs is known by; *is_new: nothing was known until now. */
int store_folder_mark(struct store *store, char out[FOLDER_MARK_SIZE], bool *is_new, struct error *error);

#endif
