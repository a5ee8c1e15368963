/* The federation that this server shows (openEO extension "federation"): itself and the back-ends that its operator
 * names, whose collections are listed as BACKEND|ID or, merged, under an alias.
 *
 * A thread for each back-end asks whether it is there, less and less often while it is not, and now and then for its
 * lists. What clients ask for is answered from what was learned last, so that nobody waits for a back-end that is slow
 * or gone; whose answer may be old or lacking is told (federation:missing). */
#ifndef TWINCUBE_SERVER_FEDERATION_FEDERATION_H
#define TWINCUBE_SERVER_FEDERATION_FEDERATION_H

#include "server/federation/backend_collection.h"
#include "server/federation/backend_survey.h"

struct federation;

/* The settings are borrowed. What was made is to be stopped, also after an error. */
int federation_start(const struct federation_settings *settings, struct federation **out, struct error *error);
void federation_stop(struct federation *federation); /* NULL is allowed */

/* ---- fields of documents. Each writes members into an object that is open. ---- */

/* "federation": all back-ends and their state; `own_url` is that of this server's API. */
void federation_write(struct federation *federation, const char *own_url, struct json_writer *w);
/* "federation:missing": those whose part of a list is old or lacking; nothing where all are there. */
void federation_write_missing(struct federation *federation, enum survey_list list, struct json_writer *w);
/* "federation:backends" of what only this server has. */
void federation_write_own(struct json_writer *w);
/* "federation:backends" of a process or an output format of this server; nothing where all back-ends have it. */
void federation_write_support(struct federation *federation, enum survey_list list, const char *name,
                              struct json_writer *w);
/* "federation:backends" of a collection that this server has, too. */
void federation_write_hosts(struct federation *federation, const char *name, struct json_writer *w);

/* ---- collections ---- */

struct federation_page {
  const char *after;                            /* the name before the first one, "": from the first on */
  const char *base;                             /* of this server's API, for the links */
  bool (*is_own)(void *data, const char *name); /* a collection of this server, which stands in its own list */
  void *data;
  long left;                       /* how many are wanted */
  char last[COLLECTION_NAME_SIZE]; /* of what was written */
  bool more;                       /* there are some behind it */
};
/* Writes collections of back-ends as elements of an array, by name. */
void federation_write_collections(struct federation *federation, struct federation_page *page, struct json_writer *w);
/* One of them as it stands in the list. Error CollectionNotFound. */
int federation_listed_json(struct federation *federation, const char *name, const char *base, struct buffer *out,
                           struct error *error);
/* Calls `report` for each of them, until it answers false; the title may be NULL. */
void federation_each(struct federation *federation, bool (*report)(void *data, const char *id, const char *title),
                     void *data);

struct federated_collection { /* where a collection lies */
  const struct backend_settings *backend;
  char id[COLLECTION_NAME_SIZE]; /* there */
  bool speaks_openeo, writes_netcdf, writes_vectors, writes_gtiff, has_jobs;
  bool is_online;
};
/* The collection of a name, of the first back-end that has it and is there, else of the first that had it. Errors
 * CollectionNotFound, InfrastructureBusy where a back-end has not told yet what it has. */
int federation_find(struct federation *federation, const char *name, struct federated_collection *out,
                    struct error *error);

struct collection_question {
  const char *name;
  const char *base; /* of this server's API, for the links */
  bool may_wait;    /* for the back-end; else what is known counts as old */
};

/* Whole documents of a collection, from its back-end: kept, and asked for again on condition. While it is away they are
 * what they were, or what the list says, with "federation:missing". Takes at most WEB_FETCH_SECONDS. Errors as of
 * federation_find, InfrastructureBusy. */
int federation_collection_json(struct federation *federation, const struct collection_question *question,
                               struct buffer *out, struct error *error);
int federation_queryables_json(struct federation *federation, const struct collection_question *question,
                               struct buffer *out, struct error *error);

/* The document of a collection as its back-end has it, a new tree; NULL where it cannot be had now, or is not known and
 * may not be waited for. */
json_t *federation_document(struct federation *federation, const struct federated_collection *where, bool may_wait);

/* The id of a collection at that back-end, where it has it under that name. */
bool federation_id_at(struct federation *federation, const struct backend_settings *backend, const char *name,
                      char out[COLLECTION_NAME_SIZE]);

/* A back-end did not answer: it is looked at soon. */
void federation_doubt(struct federation *federation, const struct backend_settings *backend);

#endif
