/* Asking another host what it has: documents, small beside the data, one after the other.
 *
 * A session is one listing: it ends by a time, after so many requests and bytes, whatever the hosts say; so links that
 * lead in circles and pages without an end are errors, too. Who may be asked, and as whom, is what holds for the files
 * (server/fetch/fetch_account.h). */
#ifndef TWINCUBE_SERVER_SOURCES_SOURCE_SESSION_H
#define TWINCUBE_SERVER_SOURCES_SOURCE_SESSION_H

#include "server/fetch/fetch_account.h"

#include "datacube/base/arena.h"
#include "datacube/base/buffer.h"

enum {
  SOURCE_SECONDS = 600,           /* for a listing */
  SOURCE_ANSWER_SECONDS = 60,     /* for an answer */
  SOURCE_ANSWER_BYTES = 64 << 20, /* of one */
  SOURCE_REQUESTS_MOST = 100000,
  SOURCE_DEPTH_MOST = 32 /* of folders and catalogues in each other */
};

struct source_session {
  const struct fetch_access *access;
  struct arena *arena;        /* of what is listed */
  const char *folder;         /* where copies may lie; made where it is needed */
  const char *id;             /* of the collection; NULL: a listing may choose it */
  int64_t end;                /* steady_now */
  const volatile int *cancel; /* becomes nonzero: nobody wants it any more; or NULL */
  size_t requests;            /* so far */
};

struct source_question {
  const char *url;    /* of the web, or s3://BUCKET/START: the bucket is asked then, whose START must be allowed */
  const char *query;  /* goes behind it; or NULL */
  const char *method; /* NULL: GET */
  const char *body;   /* or NULL */
  const char *type;   /* of the body */
  const char *accept; /* or NULL */
  const char *depth;  /* header of WebDAV, or NULL */
};

struct source_answer {
  struct buffer body; /* owned */
  char *url;          /* owned: of the web, where redirects led in the end */
};

/* Any status of success. Tries again what may pass. Errors: PermissionsInsufficient, FileNotFound, InfrastructureBusy,
 * FileContentInvalid, RequestTimeout (cancelled, or the session has lasted too long), ProcessGraphComplexity (too many
 * requests). They name the address. */
int source_ask(struct source_session *session, const struct source_question *question, struct source_answer *answer,
               struct error *error);
void source_answer_free(struct source_answer *answer);

#endif
