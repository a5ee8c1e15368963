/* Results of a job as a STAC collection with an item for each file. */
#ifndef TWINCUBE_SERVER_PUBLISH_PUBLISHED_DOCUMENT_H
#define TWINCUBE_SERVER_PUBLISH_PUBLISHED_DOCUMENT_H

#include "server/server.h"

#include <jansson.h>

enum { PUBLISHED_NAME_SIZE = 320 };

struct publish_place {   /* borrowed */
  const char *folder;    /* of published files, absolute; NULL: nobody publishes here */
  const char *catalogue; /* folder of the catalogue */
  const char *shared;    /* database of one that is shared, or NULL */
};

/* Who is to see a collection. */
enum publication_audience {
  PUBLISH_AS_BEFORE,        /* who sees the one that is there; of a new one its owner */
  PUBLISH_AS_BEFORE_OR_ALL, /* likewise, but of a new one all */
  PUBLISH_FOR_ALL,
  PUBLISH_FOR_OWNER
};

struct publication {
  const char *id;   /* of the collection */
  const char *user; /* who publishes */
  enum publication_audience audience;
  bool adds;           /* to a collection of the user's, where it is there; a job that does so again replaces its own */
  const char *base;    /* of this server's API, to which links to sources lead */
  const json_t *body;  /* title, description, license go before what the job tells; or NULL */
  const char *changes; /* to each item: a JSON array of merge patches; or NULL */
  const struct catalogue *secrets; /* names of private collections in it are not told; NULL: all may be */
};

/* The collection, owned by the caller: its extent is that of the files, "processing:*" tells graph and program, links
 * "derived_from" lead to the collections and documents that the graph loads; addresses with queries, signatures or
 * accounts, and those of jobs, are told neither there nor in the graph. NULL with an error (FeatureUnsupported
 * where no file has a place, as a collection needs one). */
json_t *published_collection(const struct publication *publication, const struct job *job, struct error *error);

struct stored_file; /* server/endpoints/result_document.h */
/* The item of a file, owned by the caller; its asset's href is that of stac/published.h. */
json_t *published_item(const struct publication *publication, const struct job *job, const struct stored_file *file,
                       struct error *error);

/* A document is changed now, when the job has ended. */
void published_set_updated(const struct job *job, json_t *document);
/* Adds what the job's graph loads to the links of a collection that is there. */
void published_add_sources(const struct publication *publication, const struct job *job, json_t *links);

/* The name of a result's file in the collection's folder: its own, or where results are added with the job's id, so
 * that it is the same whenever this job publishes it. */
void published_name(const struct publication *publication, const struct job *job, const char *file,
                    char out[PUBLISHED_NAME_SIZE]);
/* Date, time and a random number. */
void published_stamp(char out[40]);

#endif
