/* Results of a finished run as a collection of this server: files in the folder of what is published, documents in the
 * catalogue. */
#ifndef TWINCUBE_SERVER_PUBLISH_PUBLISH_H
#define TWINCUBE_SERVER_PUBLISH_PUBLISH_H

#include "server/publish/published_document.h"

/* Whether results are published here, and under such an id. Errors FeatureUnsupported, RequestBodyInvalid. */
int publish_check_id(const struct publish_place *place, const char *id, struct error *error);

/* Whether the user may publish the collection, or add to it: nobody has one of that id, or, where the publication adds,
 * the user published it before, for the same audience. Errors: those of publish_check_id, StacConflict,
 * PermissionsInsufficient. */
int publish_check(const struct publish_place *place, const struct publication *p, bool *is_there, struct error *error);

/* Publishes all files of the job's `result`, which lie in the folder `from` (ending with "/"), as a new collection, or
 * adds them to one of the user's (p->adds), where what the same job added before is replaced: a job that publishes
 * again, since nobody knew whether it had, publishes once. All of them are there afterwards, or none. Errors: those of
 * publish_check, of published_document.h and published_files.h. */
int publish_results(const struct publish_place *place, const struct publication *p, const struct job *job,
                    const char *from, struct error *error);

/* Takes a collection of the user's back. Errors FeatureUnsupported, CollectionNotFound, PermissionsInsufficient. */
int publish_take_back(const struct publish_place *place, const char *id, const char *user, struct error *error);

#endif
