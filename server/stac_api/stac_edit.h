/* A change of the catalogue on its way: who may, one transaction, and what its If-Match expects. */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_EDIT_H
#define TWINCUBE_SERVER_STAC_API_STAC_EDIT_H

#include "server/stac_api/stac_api.h"

#include "stac/search/stored_items.h"

#include <jansson.h>

struct stac_edit {
  struct exchange *exchange;
  struct catalogue *catalogue; /* for writing; owned */
  struct item_writer *writer;
};

/* Begins, where the one who asks may. Others wait until the end; the exchange's own catalogue shows what was before.
 * Errors PermissionsInsufficient, InfrastructureBusy, InfrastructureMaintenance, StorageFailure. */
int stac_edit_begin(struct exchange *exchange, struct stac_edit *out, struct error *error);
/* Ends: with `status` 0 what was written counts, else nothing of it. The status. */
int stac_edit_end(struct stac_edit *edit, int status, struct error *error);

/* Whether the state that is there is one that If-Match names, or nothing is expected. Error PreconditionFailed. */
int stac_edit_expects(const struct exchange *exchange, const char *etag, struct error *error);

/* Answers that a document was changed, and tells its new state. */
void stac_reply_changed(struct exchange *exchange, const char *etag);

/* The body, which has been checked, without blanks before it. */
const char *stac_body_text(const struct exchange *exchange, size_t *length);
/* A member of valid JSON that is a text; "" where it is none, or too long for an id. */
enum { STAC_TEXT_SIZE = PATH_PARAMETER_SIZE };
void stac_member_text(const char *json, size_t length, const char *name, char out[STAC_TEXT_SIZE]);

#endif
