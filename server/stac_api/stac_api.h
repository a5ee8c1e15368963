/* The STAC API: the catalogue for STAC's own clients, below the host's root, beside the openEO API.
 *
 * What a request asks for is one JSON object, whether it came as a query or as a body (stac_query.h). Errors are told
 * as {code, description}. */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_API_H
#define TWINCUBE_SERVER_STAC_API_STAC_API_H

#include "server/http/route_table.h"
#include "server/server.h"

#define STAC_API_ROOT "/stac"
#define GEOJSON_MEDIA_TYPE "application/geo+json"

/* Whether a path, as sent, is one of the STAC API or of /dcat: links in the answers are then below STAC_API_ROOT, and
 * errors are written by stac_write_error. */
bool stac_api_has(const char *path);
error_writer stac_write_error;

/* Whether the server has users who may change collections and items; whether who asks is one of them, error
 * PermissionsInsufficient. */
bool stac_is_editable(const struct server *server);
int stac_check_editor(const struct exchange *exchange, struct error *error);

/* A link to a place below the API's root, whose ids are escaped: "collections", ID, "items", ID. NULL ends the pieces.
 */
void stac_write_link(const struct exchange *exchange, struct json_writer *w, const char *rel, const char *type,
                     const char *const *pieces);
/* Answers with a document, takes the buffer; the error where `status` is not 0. */
void stac_reply(struct exchange *exchange, int status, const char *media_type, struct buffer *json,
                const struct error *error);

/* Answers with a document in a state. Takes the buffer. */
struct stac_state {
  const char *etag;
  const char *place; /* its address, where it was made; or NULL */
};
void stac_reply_state(struct exchange *exchange, unsigned status, const char *media_type,
                      const struct stac_state *state, struct buffer *json);
/* Error CollectionNotFound. */
int stac_check_collection(const struct exchange *exchange, const char *id, struct error *error);

/* stac_landing.c */
void stac_get_landing(struct exchange *exchange);
void stac_get_conformance(struct exchange *exchange);
void stac_get_children(struct exchange *exchange);
void stac_get_more(struct exchange *exchange);
/* stac_browse.c */
void get_browse(struct exchange *exchange);
/* stac_openapi.c */
void stac_get_openapi(struct exchange *exchange);
/* stac_queryables.c */
void stac_get_queryables(struct exchange *exchange);
/* stac_collections.c */
void stac_get_collections(struct exchange *exchange);
void stac_get_collection(struct exchange *exchange);
/* stac_items.c */
void stac_get_search(struct exchange *exchange);
void stac_post_search(struct exchange *exchange);
void stac_get_items(struct exchange *exchange);
void stac_get_item(struct exchange *exchange);
/* The item of that id of the collection in the path, as it is sent. Errors CollectionNotFound, NotFound. */
struct stac_item_reading {
  struct buffer json; /* the caller's */
  char etag[40];
};
int stac_item_read(const struct exchange *exchange, const char *id, struct stac_item_reading *out, struct error *error);
/* stac_aggregate.c */
void stac_get_aggregate(struct exchange *exchange);
void stac_post_aggregate(struct exchange *exchange);
void stac_get_aggregations(struct exchange *exchange);
/* stac_edit_collections.c */
void stac_post_collections(struct exchange *exchange);
void stac_put_collection(struct exchange *exchange);
void stac_patch_collection(struct exchange *exchange);
void stac_delete_collection(struct exchange *exchange);
/* stac_edit_items.c */
void stac_post_items(struct exchange *exchange);
void stac_put_item(struct exchange *exchange);
void stac_patch_item(struct exchange *exchange);
void stac_delete_item(struct exchange *exchange);
void stac_post_bulk_items(struct exchange *exchange);
/* stac_dcat.c */
void get_dcat(struct exchange *exchange);
void stac_get_opensearch(struct exchange *exchange);

#endif
