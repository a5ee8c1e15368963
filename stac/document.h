/* The openEO documents of a collection, made once when it is added. */
#ifndef TWINCUBE_STAC_DOCUMENT_H
#define TWINCUBE_STAC_DOCUMENT_H

#include "stac/index.h"
#include "stac/summary.h"

/* document: the STAC collection without its links; links: an array of those that came with the source; queryables: the
 * "properties" of their JSON Schema. The caller frees the buffers. */
int document_make(const struct scan *scan, struct index_documents *out, struct error *error);

/* The "properties" of the JSON Schema of what items are searched by. */
void document_write_queryables(const struct item_summary *summary, struct json_writer *writer);
/* The dimensions of a collection as "cube:dimensions". */
void document_write_dimensions(const struct scan *scan, struct json_writer *writer);
/* Bounds of the collection: lonlat, and first and last instant (false: no time). */
struct extent document_lonlat(const struct scan *scan);
bool document_interval(const struct scan *scan, char first[40], char last[40]);

/* Whether a text may stand for a licence in a STAC document: the characters of SPDX identifiers only. */
bool document_is_licence(const char *text);

#endif
