/* Indexes of the documents by a property of the items: "eo:cloud_cover", say.
 *
 * One is an index of SQLite by expressions: collection, value of the property, id. So it is kept by whoever writes
 * documents, without our doing, and older files simply have none. It gives the items of a collection in the order of
 * their values, and those whose values lie in a range; what is asked exactly is looked at in the documents.
 *
 * Each makes writing a little slower, so they are made where they are asked for, and by the loading of many items for
 * the few properties that clients filter and sort by most (catalogue_load_items). */
#ifndef TWINCUBE_STAC_SEARCH_PROPERTY_INDEX_H
#define TWINCUBE_STAC_SEARCH_PROPERTY_INDEX_H

#include "stac/index.h"

enum { PROPERTY_INDEX_MOST = 8 };

/* What the indexes are over; a query that is to be answered by them says the same. */
#define PROPERTY_INDEX_COLLECTION "json_extract(document.json, '$.collection')"
#define PROPERTY_INDEX_ID "json_extract(document.json, '$.id')"
#define PROPERTY_INDEX_VALUE "json_extract(document.json, '$.properties.\"%s\"')"
/* Table and index, for FROM. */
#define PROPERTY_INDEX_TABLE "documents AS document INDEXED BY \"documents by %s\""

/* Whether the name can stand in a path of JSON as it is: letters, digits and _ : . - / and the blank. */
bool property_name_is_plain(const char *name);
/* Whether there is such an index; inside a transaction, so that it stays. */
int property_index_find(struct index *index, const char *name, bool *there, struct error *error);

/* Names of the indexes, a line each; makes them those of such a list, inside a transaction. */
int property_index_names(struct index *index, struct buffer *out, struct error *error);
int property_index_set(struct index *index, const char *names, struct error *error);

/* In catalogue.h's terms: one transaction. Errors: QueryParameterInvalid (name, too many of them), NotFound. */
int catalogue_index_property(struct catalogue *catalogue, const char *name, struct error *error);
int catalogue_unindex_property(struct catalogue *catalogue, const char *name, struct error *error);
/* A line for each. */
int catalogue_list_property_indexes(struct catalogue *catalogue, struct buffer *out, struct error *error);

/* Makes the indexes that are worth it once `collection` got many items; inside a transaction. */
int property_index_usual(struct index *index, int64_t collection, struct error *error);

#endif
