/* A collection's document as a back-end has it, turned into one of ours. */
#ifndef TWINCUBE_SERVER_FEDERATION_BACKEND_COLLECTION_H
#define TWINCUBE_SERVER_FEDERATION_BACKEND_COLLECTION_H

#include "server/federation/federation_settings.h"

#include "datacube/base/buffer.h"

enum { COLLECTION_NAME_SIZE = 512 };

/* The name here of a collection there: its alias, or BACKEND|ID. false where it is too long, or has a bar or a control
 * character in it: then it is not taken, for what another federation gathered is not gathered again. */
bool backend_collection_name(const struct backend_settings *backend, const char *id, char out[COLLECTION_NAME_SIZE]);

struct collection_texts {
  struct buffer json;  /* the object without its end, links and federation fields: {"id":"…", … */
  struct buffer links; /* elements of an array, absolute, without those that lead through its own API */
};

/* Its id becomes `name`, its addresses absolute. For a list, what our lists do not have is left out. The caller frees
 * the buffers. */
int backend_collection_make(const struct backend_settings *backend, const json_t *document, const char *name,
                            bool is_listed, struct collection_texts *out, struct error *error);

/* The address of a collection's document there, with `end` behind it. */
void backend_collection_url(const struct backend_settings *backend, const char *id, const char *end,
                            struct buffer *out);
/* An address as a document at `base` means it; nothing where it is none of the web. */
void backend_resolve(const char *base, const char *href, struct buffer *out);
/* Makes an object's href absolute; addresses of other schemes (s3://…) stay as they are. */
void backend_resolve_href(json_t *object, const char *base);

#endif
