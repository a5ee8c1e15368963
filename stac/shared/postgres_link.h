/* A connection to a PostgreSQL database by libpq, which is made again where it broke: for whatever several servers
 * share.
 *
 * One that was closed meanwhile is noticed before something is sent, and replaced; one that breaks under a command
 * fails it (whether it took effect is not known), and the next command connects again, with pauses while that fails.
 * Within a transaction nothing reconnects: it is rolled back. The database's name and password never reach a message.
 *
 * One handle is one thread's. */
#ifndef TWINCUBE_STAC_SHARED_POSTGRES_LINK_H
#define TWINCUBE_STAC_SHARED_POSTGRES_LINK_H

#include "datacube/base/error.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

struct postgres_link {
  const char *name; /* of what lies there, in messages: "the server's store"; borrowed */
  PGconn *connection;
  char *uri;           /* owned */
  unsigned generation; /* counts connections: what is prepared is so for one of them */
  bool in_transaction; /* its user says so */
  int64_t retry_at;    /* steady milliseconds: no connection is tried before */
  unsigned pause;      /* milliseconds, of the last try that failed; 0: none */
};

/* Whether that is how the URI of such a database begins. */
bool postgres_link_is_uri(const char *place);

/* Connects. To be closed after an error, too. Errors StorageFailure (no such URI), InfrastructureMaintenance. */
int postgres_link_open(struct postgres_link *link, const char *name, const char *uri, struct error *error);
void postgres_link_close(struct postgres_link *link);

/* A connection for the next command. */
int postgres_link_ready(struct postgres_link *link, struct error *error);
/* Runs commands without parameters, on a connection that is ready; their rows are dropped. */
int postgres_link_send(struct postgres_link *link, const char *sql, struct error *error);
/* -1, with the reason of a result (NULL: there is none): InfrastructureMaintenance where the database cannot be used
 * now, else StorageFailure. */
int postgres_link_fail(const struct postgres_link *link, const PGresult *result, struct error *error);

#endif
