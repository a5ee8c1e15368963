/* The option "publish" of a job: its results become a collection when it has finished. A collection's id, or
 *
 *   {"collection": ID, "public": true, "title": …, "description": …, "license": …}
 *
 * where all but the collection may be left out; without "public" a new collection is the user's own, and one of the
 * user's that is there stays what it is, and gets the results beside those that it has. */
#ifndef TWINCUBE_SERVER_PUBLISH_PUBLISH_OPTION_H
#define TWINCUBE_SERVER_PUBLISH_PUBLISH_OPTION_H

#include "server/publish/published_document.h"

#define PUBLISH_OPTION "publish"

/* The option in what a job's request says beyond the API: that in "job_options", else its own; borrowed. NULL where
 * there is none. */
const json_t *publish_option_find(const json_t *options);
/* What it says, borrowed from it: collection, audience, texts. Error RequestBodyInvalid with parameter "publish". */
int publish_option_read(const json_t *option, struct publication *out, struct error *error);
/* Who sees what a body with "public" publishes, where false and nothing are the same. Error RequestBodyInvalid. */
int publish_read_audience(const json_t *body, const char *parameter, enum publication_audience *out,
                          struct error *error);

#endif
