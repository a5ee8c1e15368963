/* Web services and their logs in the store. Each function that changes something is one transaction. */
#ifndef TWINCUBE_SERVER_STORE_STORE_SERVICES_H
#define TWINCUBE_SERVER_STORE_STORE_SERVICES_H

#include "server/store/store_jobs.h"

enum { SERVICE_ID_SIZE = 40, SERVICE_TYPE_SIZE = 32, SERVICE_LOGS = 1000 };

struct service {
  int64_t seq;              /* order of creation */
  char id[SERVICE_ID_SIZE]; /* not to be guessed: who knows it may look at the maps */
  char owner[USER_NAME_SIZE];
  char type[SERVICE_TYPE_SIZE]; /* as in the table of types */
  char log_level[JOB_LEVEL_SIZE];
  bool enabled, has_budget;
  double budget;
  int64_t created; /* Unix milliseconds */
  int64_t version; /* counts the changes, from 1 */
  /* Owned texts, NULL where there is none. */
  char *title, *description, *plan;
  char *process;       /* JSON, as it was sent */
  char *configuration; /* JSON object, as it was sent */
  char *shown;         /* JSON object: what of the result is shown, see services/service_view.h */
};

void service_free(struct service *service);

extern const char store_services_schema[]; /* SQL that makes the tables where they are missing */

/* Stores a new service; id and times are set here and in `service`. Error StorageQuotaExceeded where the owner has
 * `most` already. */
int store_service_put(struct store *store, struct service *service, int64_t most, struct error *error);
/* A service of an owner (NULL: of anybody). Error ServiceNotFound. The caller frees. */
int store_service_get(struct store *store, const char *owner, const char *id, struct service *out, struct error *error);
/* Newest first, those before `before` (0: all), until `report` answers false; process, configuration and what is shown
 * are left out. */
int store_service_list(struct store *store, const char *owner, int64_t before,
                       bool (*report)(void *data, const struct service *service), void *data, struct error *error);
/* Writes what may change of a service that was read: another version. Error ServiceNotFound. */
int store_service_update(struct store *store, const struct service *service, struct error *error);
/* Error ServiceNotFound. */
int store_service_delete(struct store *store, const char *owner, const char *id, struct error *error);

/* Keeps an entry if the service exists and its log level asks for it; of each service the last SERVICE_LOGS. */
int store_service_log_put(struct store *store, const char *service, const struct log_entry *entry, struct error *error);
/* As store_log_list. */
int store_service_log_list(struct store *store, const char *service, int64_t after, enum log_level level, long limit,
                           void (*report)(void *data, const struct job_log *log), void *data, struct error *error);

#endif
