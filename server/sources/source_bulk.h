/* A file of many STAC items on another host: lines of JSON, or Parquet. It is fetched as remote files are, by ranges
 * that are tried again one by one and of one state of the file, and loaded as a file of this machine is. Addresses
 * inside its items stay as they are. */
#ifndef TWINCUBE_SERVER_SOURCES_SOURCE_BULK_H
#define TWINCUBE_SERVER_SOURCES_SOURCE_BULK_H

#include "server/sources/source_load.h"

/* Whether an address is of such a file, by its name. */
bool source_is_bulk(const char *address);
/* As source_load, in one step. */
int source_bulk(struct source_load *what, const struct source_session *session, struct buffer *report,
                struct error *error);

#endif
