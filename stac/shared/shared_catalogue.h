/* A catalogue that several servers share. Its rows lie in a PostgreSQL database; each server has a copy of them, the
 * DIR/catalogue.sqlite that a catalogue of its own would be, and answers from it.
 *
 *   a change     holds a lock of the database, has the copy brought up to date, and is made there by the same code as
 * in a catalogue of one's own. The rows that it wrote (touched_rows.h) go to the database and count there first, then
 * in the copy the others   learn from the table catalogue_changes which keys were written, and take the rows of these
 * as they are now (shared_rows.h): at once where they listen, else before their next change
 *
 * So all servers answer alike and as with SQLite alone: rows have the same keys in all copies, which makes their order,
 * the tokens of pages and the mosaics of scenes the same. Whoever only reads needs no database: confined workers read
 * the file, have no connection and learn no password; while the database is away everything is found, and changes
 * answer InfrastructureMaintenance. A copy that is killed between the two commits takes what it lacks the next time. No
 * change is lost where the lock is (a pooler of connections between): it counts only on top of the version it was made
 * on, else the answer is InfrastructureBusy.
 *
 * Tables, beside catalogue_collections and so on, which have the columns of index.c:
 *
 *   catalogue_state       one row: an identity, which copies keep; the version of the schema; of the latest change;
 *                         `first`: changes after that one are told
 *   catalogue_changes     kinds and ranges of keys that a change wrote
 *   catalogue_properties  names of properties that have an index (search/property_index.h) in every copy
 *
 * A database that has none gets the catalogue that is there already. After one was restored from a backup the copies'
 * files are to be removed: they would be ahead of it. */
#ifndef TWINCUBE_STAC_SHARED_SHARED_CATALOGUE_H
#define TWINCUBE_STAC_SHARED_SHARED_CATALOGUE_H

#include "datacube/base/error.h"

#include <stdbool.h>

struct index;
struct shared_catalogue;

/* Makes the index, which is open for writing, a copy of the catalogue of this database (postgresql://…) as it is.
 * Errors StorageFailure (no such database; the index has collections that are not of it), InfrastructureMaintenance. */
int shared_catalogue_open(struct index *index, const char *uri, struct shared_catalogue **out, struct error *error);
void shared_catalogue_close(struct shared_catalogue *shared);

/* See index_begin_change and index_end_change. Errors besides: InfrastructureMaintenance, InfrastructureBusy. */
int shared_catalogue_begin(struct shared_catalogue *shared, struct error *error);
int shared_catalogue_end(struct shared_catalogue *shared, int status, struct error *error);

/* Brings the copy up to date; is to be called again and again. */
int shared_catalogue_follow(struct shared_catalogue *shared, struct error *error);
/* Waits until a change is told, or `descriptor` can be read, or so long. False: it can be read. */
bool shared_catalogue_wait(struct shared_catalogue *shared, int descriptor, int milliseconds);

/* Whether the index is such a copy. 1, 0, or -1 with an error. */
int shared_catalogue_is_copy(struct index *index, struct error *error);
/* The copy becomes a catalogue of its own. Error NotFound where it is none. */
int shared_catalogue_leave(struct index *index, struct error *error);

#endif
