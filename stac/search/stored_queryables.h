/* What items of a stored collection may be searched by. */
#ifndef TWINCUBE_STAC_SEARCH_STORED_QUERYABLES_H
#define TWINCUBE_STAC_SEARCH_STORED_QUERYABLES_H

#include "stac/index.h"

/* Writes the "properties" of a JSON Schema. `is_all`: no item has others. */
int stored_queryables_write(struct index *index, int64_t collection, struct json_writer *writer, bool *is_all,
                            struct error *error);

#endif
