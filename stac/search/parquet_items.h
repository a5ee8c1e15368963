/* The rows of a Parquet file as STAC items (stac-geoparquet 1.0 and 1.1).
 *
 * Columns that are members of an item stay members, all others become properties. Values keep their meaning: geometries
 * in well-known binary become GeoJSON, a box of named corners an array, instants text in UTC, texts that are JSON the
 * value itself. A null is a member that is not there, since the format cannot tell the two apart; an item must have
 * some (`geometry`, `datetime`), though, as null. Rows are read column by column at once, a page of each, so that room
 * does not depend on how many there are. */
#ifndef TWINCUBE_STAC_SEARCH_PARQUET_ITEMS_H
#define TWINCUBE_STAC_SEARCH_PARQUET_ITEMS_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

struct parquet_items;

/* The bytes stay until it is closed. Errors FileContentInvalid; FeatureUnsupported: a column is of a type for which we
 * know no JSON. */
int parquet_items_open(const void *bytes, size_t length, struct parquet_items **out, struct error *error);
void parquet_items_close(struct parquet_items *items);

/* The JSON text of the next item, in place of what is in `text`; *is_there false: there is none. Where `refusal` is
 * set, the row is there but is no item: the text is of no use. Errors as above: the file cannot be read on. */
int parquet_items_next(struct parquet_items *items, struct buffer *text, bool *is_there, struct error *refusal,
                       struct error *error);

/* What the writer noted of the file for readers of STAC (a JSON object), or NULL. */
const char *parquet_items_note(const struct parquet_items *items);

#endif
