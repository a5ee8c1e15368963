/* Process definitions that others publish on the web (openEO extension remote-process-definition): a node names the
 * address as its namespace. Asked for without anybody's credentials, below the addresses that the operator allows, and
 * kept for as long as their servers say. */
#ifndef TWINCUBE_SERVER_DEFINITIONS_REMOTE_DEFINITIONS_H
#define TWINCUBE_SERVER_DEFINITIONS_REMOTE_DEFINITIONS_H

#include "server/web/web_rule.h"

#include "datacube/base/buffer.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
  REMOTE_DOCUMENT_BYTES = 4 * 1024 * 1024, /* of one document */
  REMOTE_TASK_DOCUMENTS = 32,              /* that one task may ask the web for … */
  REMOTE_TASK_MS = 20000                   /* … and how long it may wait for them, together */
};

struct remote_definitions; /* documents that are kept; any thread may use it */

/* NULL when out of memory. The rule is borrowed, and so is the flag that ends requests under way. */
struct remote_definitions *remote_definitions_new(const struct web_rule *rule, const atomic_bool *stopping);
void remote_definitions_free(struct remote_definitions *remote); /* NULL is fine */

/* What one task has asked for. All zero but for `started` and the descriptors: nothing so far. */
struct remote_session {
  int64_t started;    /* steady_now: what came later counts as new, so that a task sees one state of a document */
  int client_fd;      /* a socket whose hang-up ends the waiting; or -1 */
  int cancel_fd;      /* an eventfd that does when it is readable; or -1 */
  bool is_hurried;    /* the web is not asked: … */
  bool is_incomplete; /* … set where it had to be */
  unsigned documents; /* asked for */
  int64_t waited;     /* milliseconds */
  struct buffer used; /* of each process that was found: a JSON object {"process", "href", "sha256"}, with commas
                         between them; the digest is the whole document's */
};

/* The definition as JSON, at the end of `json`. Error ProcessNamespaceInvalid, as the extension words it, whatever the
 * reason: the address is not allowed, there is no answer, or not what it should be. */
int remote_definition_get(struct remote_definitions *remote, struct remote_session *session, const char *url,
                          const char *id, struct buffer *json, struct error *error);

#endif
