/* Sources of collections that an operator names in the server's configuration file. They are kept as `catalogue add`
 * keeps what it was given (stac/source_book.h), with a mark, and read as others are refreshed:
 *
 *   [[source]]
 *   id = "S2"                                     # of the collection
 *   place = "https://stac.example.org/s2.json"    # or a path: what `catalogue add` takes
 *   kind = "stac"                                 # as its --source; or "items": as `catalogue load` takes an address
 *   refresh = 3600                                # seconds; without it only when settings or folders change
 *   nodata = [0, {band = "BQA", value = 1}]       # and so on: its other options
 *
 * One whose table changes is read again from the start. One whose table goes is a source like others from then on: its
 * collection stays, until `catalogue remove` forgets it. Hosts that may be asked, and accounts there, are those of
 * [[remote]] and what the table's own `remote` adds. */
#ifndef TWINCUBE_SERVER_SOURCES_SOURCE_TABLES_H
#define TWINCUBE_SERVER_SOURCES_SOURCE_TABLES_H

#include "server/sources/source_refresh.h"

#include <jansson.h>

enum { SOURCE_TABLES_MOST = 256, SOURCE_TABLES_BYTES = 1 << 17 };

struct source_table {            /* texts lie in the tables' document */
  const char *id, *place, *kind; /* kind "": by the place */
  int64_t every;                 /* seconds; 0: never by itself */
  json_t *record;                /* owned: the rest, as source_record.h keeps it */
};

struct source_tables { /* all zero: there are none */
  json_t *document;    /* owned */
  struct source_table *rows;
  size_t count;
};

/* Reads an array of such tables and of "ID=PLACE". To be freed in any case. Error ServerConfigInvalid, which begins
 * with the place: "source[0].place: …". */
int source_tables_read(json_t *document, struct source_tables *out, struct error *error);
void source_tables_free(struct source_tables *tables);

/* The tables and the settings of other hosts (json of account_settings.h, or NULL) as one text for the process that
 * refreshes, to be freed; NULL where there are none. */
char *source_tables_write(const struct source_tables *tables, const json_t *remotes);
/* In that process: keeps what is new or has changed, and reads it, together with what could not be read the last time.
 * What goes wrong with a source is noted where it is kept. Errors are those of the catalogue. */
int source_tables_apply(const struct refresh_options *options, const char *text, struct error *error);

#endif
