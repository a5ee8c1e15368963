/* Workspaces: places outside this service's own data, in which results stay. FOLDER/<id> is one of the user's; others
 * have names of the operator's, and what goes there is sent by who runs the graph (`send`).
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
  /* Whether the user may write to a workspace of that name; NULL: there are none of the operator's. */
  int (*find)(void *context, const char *name, bool *is_there, struct error *error);
  /* Whether the user may publish a collection of that id, or add to it; NULL: nobody publishes here. */
  int (*check_collection)(void *context, const char *id, struct error *error);
  /* Sends files of a run there: JSON, see workspace_send. All of them are there afterwards, or none. */
  int (*send)(void *context, const char *request, struct error *error);
  void *context;
};

struct workspace_result { /* borrowed */
  const char *workspace;  /* id … */
  bool is_collection;     /* … or that of a collection, where results are sent */
  const char *catalogue;  /* path below it, in normal form; NULL: a new one … */
  const char *name;       /* … named after this text: letters, digits, "-", "_", "." */
  const char *path;       /* the file */
  const char *media_type;
  const struct buffer *metadata; /* see result_metadata.h */
  const char *changes;           /* see result_item.h; or NULL */
};

enum workspace_kind { WORKSPACE_NONE, WORKSPACE_FOLDER, WORKSPACE_NAMED };

/* Which kind of workspace the user has by that id. A room NULL has none. */
int workspace_find(const struct workspace_room *room, const char *id, enum workspace_kind *out, struct error *error);
/* Errors: ProcessParameterInvalid where the workspace is gone, FilePathInvalid where the catalogue's path is a file's,
 * StorageQuotaExceeded, StorageFailure, RequestTimeout (cancelled). */
int workspace_export(const struct workspace_room *room, const struct workspace_result *result,
                     const volatile int *cancel, struct error *error);

/* Has results of one export sent to a named workspace, together, as JSON:
 *
 *   {"workspace" (or "collection"), "merge": path or null, "name",
 *    "results": [{"file": name, "type": media type, "metadata": {…}, "changes": [merge patches]}, …]}
 *
 * Workspace, catalogue and name are those of the first result; files are named without their folder, which the sender
 * knows. Errors: those of `send`. */
int workspace_send(const struct workspace_room *room, const struct workspace_result *results, size_t count,
                   struct error *error);

#endif
