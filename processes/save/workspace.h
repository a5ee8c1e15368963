/* Workspaces: folders outside this service's own data, in which results stay. FOLDER/<id> is one of the user's.
 *
 * A result goes to FOLDER/<id>/<catalogue>/: the file, an item that describes it (<name>.json) and catalog.json, which
 * lists the items; all by relative links, so a catalogue may be moved or copied as it is. Nothing that is there is ever
 * overwritten but the list: a name that is taken gets a number. */
#ifndef TWINCUBE_PROCESSES_SAVE_WORKSPACE_H
#define TWINCUBE_PROCESSES_SAVE_WORKSPACE_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct workspace_room {
  const char *folder; /* absolute; NULL: the user has none */
  uint64_t most;      /* bytes that all of them may hold together; 0: no limit */
};

struct workspace_result { /* borrowed */
  const char *workspace;  /* id */
  const char *catalogue;  /* path below it, in normal form; NULL: a new one … */
  const char *name;       /* … named after this text: letters, digits, "-", "_", "." */
  const char *path;       /* the file */
  const char *media_type;
  const struct buffer *metadata; /* see result_metadata.h */
  const char *changes;           /* see result_item.h; or NULL */
};

/* Whether the user has that workspace. */
bool workspace_is(const char *folder, const char *id);
/* Errors: ProcessParameterInvalid where the workspace is gone, FilePathInvalid where the catalogue's path is a file's,
 * StorageQuotaExceeded, StorageFailure, RequestTimeout (cancelled). */
int workspace_export(const struct workspace_room *room, const struct workspace_result *result,
                     const volatile int *cancel, struct error *error);

#endif
