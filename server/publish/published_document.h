/* Results of a job as a STAC collection with an item for each file. */
#ifndef TWINCUBE_SERVER_PUBLISH_PUBLISHED_DOCUMENT_H
#define TWINCUBE_SERVER_PUBLISH_PUBLISHED_DOCUMENT_H

#include "server/server.h"

#include <jansson.h>

struct publication {
  const char *id;     /* of the collection */
  const char *base;   /* of this server's API, to which links to sources lead */
  const json_t *body; /* of the request: title, description, license go before what the job tells */
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

#endif
