/* Users' own processes in the store: definitions by owner and id. Each function that changes something is one
 * transaction. Limits are a user's, so that nobody fills the store for others. */
#ifndef TWINCUBE_SERVER_STORE_STORE_PROCESSES_H
#define TWINCUBE_SERVER_STORE_STORE_PROCESSES_H

#include "server/store/store.h"

extern const char store_processes_schema[];

enum {
  PROCESS_ID_SIZE = 129,
  PROCESS_MAX_COUNT = 1000,             /* processes of a user … */
  PROCESS_MAX_STORED = 32 * 1024 * 1024 /* … and bytes of their definitions */
};

struct stored_process {
  const char *id;
  const char *document; /* the whole definition: a JSON object with its id */
  const char *brief;    /* the same for lists, without what is long */
  const char *calls;    /* ids of other own processes that it may call, each with '\n' behind it */
};

/* Stores a definition, or replaces it. Errors: StorageQuotaExceeded; ProcessGraphInvalid where it would lead back to
 * itself, with the way. */
int store_process_put(struct store *store, const char *owner, const struct stored_process *process,
                      struct error *error);
/* The document as a new string that the caller frees; NULL where there is none. */
int store_process_get(struct store *store, const char *owner, const char *id, char **document, struct error *error);
/* In order of id, those behind `after` ("" : all), until `report` answers false. */
int store_process_list(struct store *store, const char *owner, const char *after,
                       bool (*report)(void *data, const char *id, const char *brief), void *data, struct error *error);
int store_process_delete(struct store *store, const char *owner, const char *id, bool *found, struct error *error);
/* Whether the owner has any. */
int store_process_any(struct store *store, const char *owner, bool *out, struct error *error);

#endif
