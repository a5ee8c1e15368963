/* Documents of the web that are kept: rows of a small table, found by their address. One that is stale is asked for
 * again on condition that it changed. Requests to the web run outside of this: two threads may ask for the same at
 * once. */
#ifndef TWINCUBE_SERVER_WEB_WEB_KEPT_H
#define TWINCUBE_SERVER_WEB_WEB_KEPT_H

#include "server/web/web_fetch.h"

enum {
  WEB_KEPT_ROWS = 256,
  WEB_KEPT_BYTES = 32 * 1024 * 1024, /* of all texts */
  WEB_KEPT_AGE_MOST = 24 * 3600      /* seconds for which a document is fresh, whatever its server says */
};

struct web_document { /* web_document_free frees what it holds */
  char *url;
  struct buffer text;
  char etag[WEB_ETAG_SIZE];
  int64_t asked;   /* steady_now of the last request for it; 0: nothing is known of it */
  int64_t expires; /* until then it need not be asked for again */
  int64_t used;
};

struct web_kept; /* any thread may use it */

struct web_kept *web_kept_new(void); /* NULL when out of memory */
void web_kept_free(struct web_kept *kept);

/* A copy of what is kept of an address; where nothing is, all but the address is zero. Error: out of memory. */
int web_kept_find(struct web_kept *kept, const char *url, struct web_document *out, struct error *error);

/* Asks the web: the document's address and condition go into `question`. What the answer says is taken over, and kept.
 * Errors as of web_fetch, and InfrastructureBusy for another status than 200: then the document is as before. */
int web_kept_renew(struct web_kept *kept, const struct web_fetch *question, struct web_document *document,
                   struct error *error);

void web_document_free(struct web_document *document);

#endif
