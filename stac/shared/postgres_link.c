#include "stac/shared/postgres_link.h"

#include "datacube/base/logger.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RETRY_FIRST_MS = 50, RETRY_MOST_MS = 1000 };

bool postgres_link_is_uri(const char *place)
{
  return strncmp(place, "postgresql://", 13) == 0 || strncmp(place, "postgres://", 11) == 0;
}

static int64_t steady_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

/* States in which the database is there but cannot be used now: it starts, ends, is full of connections, is read-only.
 */
static bool is_passing(const char *state)
{
  return strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0 || strcmp(state, "53300") == 0 ||
         strcmp(state, "25006") == 0 || strcmp(state, "55P03") == 0 || strncmp(state, "40", 2) == 0;
}

static int fail_away(struct error *error)
{
  return error_set(error, ERROR_InfrastructureMaintenance, "the server's database does not answer; please try again");
}

int postgres_link_fail(const struct postgres_link *link, const PGresult *result, struct error *error)
{
  const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
  const char *text = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
  if (PQstatus(link->connection) != CONNECTION_OK || state == NULL || is_passing(state))
    return fail_away(error);
  return error_set(error, ERROR_StorageFailure, "%s: %s", link->name, text != NULL ? text : "no reason is given");
}

/* ---- the connection ---------------------------------------------------------------------------------------------- */

/* Warnings of the database go to our log, one line each. */
static void on_notice(void *data, const PGresult *result)
{
  const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  (void)data;
  log_message(LOG_WARNING, "the database says: %s", text != NULL ? text : "");
}

static bool set_session(PGconn *connection)
{
  PGresult *result =
      PQexec(connection, "SET client_min_messages = warning; SET lock_timeout = '15s';"
                         "SET idle_in_transaction_session_timeout = '60s'; SET statement_timeout = '60s'");
  const bool is_fine = PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  return is_fine;
}

/* The first line of what libpq says, which names hosts and users, for the operator's log. */
static void tell_operator(const PGconn *connection)
{
  const char *text = PQerrorMessage(connection);
  log_message(LOG_ERROR, "the database cannot be used: %.*s", (int)strcspn(text, "\n"), text);
}

static int connect_again(struct postgres_link *link, struct error *error)
{
  /* What stands before the URI are defaults: it may say otherwise. */
  static const char *const names[] = {"client_encoding",  "application_name", "connect_timeout",
                                      "tcp_user_timeout", "keepalives_idle",  "keepalives_interval",
                                      "keepalives_count", "dbname",           NULL};
  const char *const values[] = {"UTF8", "twincube", "3", "15000", "10", "5", "3", link->uri, NULL};
  if (steady_ms() < link->retry_at)
    return fail_away(error);
  PQfinish(link->connection);
  link->connection = PQconnectdbParams(names, values, 1);
  link->generation++;
  if (PQstatus(link->connection) == CONNECTION_OK && set_session(link->connection)) {
    PQsetNoticeReceiver(link->connection, on_notice, NULL);
    link->pause = 0;
    return 0;
  }
  if (link->pause == 0)
    tell_operator(link->connection);
  link->pause = link->pause == 0 ? RETRY_FIRST_MS : link->pause * 2 < RETRY_MOST_MS ? link->pause * 2 : RETRY_MOST_MS;
  link->retry_at = steady_ms() + link->pause;
  return fail_away(error);
}

/* What the database sent unasked, its farewell above all, is read. */
static void hear(struct postgres_link *link)
{
  struct pollfd socket = {.fd = PQsocket(link->connection), .events = POLLIN};
  if (socket.fd >= 0 && poll(&socket, 1, 0) > 0 && PQconsumeInput(link->connection) == 0)
    return;
}

/* A connection for the next statement. */
int postgres_link_ready(struct postgres_link *link, struct error *error)
{
  if (!link->in_transaction)
    hear(link);
  if (PQstatus(link->connection) == CONNECTION_OK)
    return 0;
  return link->in_transaction ? fail_away(error) : connect_again(link, error);
}

int postgres_link_open(struct postgres_link *link, const char *name, const char *uri, struct error *error)
{
  *link = (struct postgres_link){.name = name, .uri = strdup(uri)};
  if (link->uri == NULL)
    return error_memory(error);
  char *problem = NULL;
  PQconninfoOption *options = PQconninfoParse(uri, &problem);
  const bool is_valid = options != NULL;
  PQconninfoFree(options);
  PQfreemem(problem); /* quotes the URI */
  if (!is_valid)
    return error_set(error, ERROR_StorageFailure, "%s: its address is no URI of a PostgreSQL database", name);
  return connect_again(link, error);
}

void postgres_link_close(struct postgres_link *link)
{
  PQfinish(link->connection);
  free(link->uri);
  *link = (struct postgres_link){0};
}

int postgres_link_send(struct postgres_link *link, const char *sql, struct error *error)
{
  PGresult *result = PQexec(link->connection, sql);
  const ExecStatusType status = PQresultStatus(result);
  const int outcome =
      status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : postgres_link_fail(link, result, error);
  PQclear(result);
  return outcome;
}
