/* One request of the sender's to another host, answered or given up. */
#ifndef TWINCUBE_SERVER_EXPORT_SEND_REQUEST_H
#define TWINCUBE_SERVER_EXPORT_SEND_REQUEST_H

#include "server/fetch/fetch_account.h"

#include "datacube/base/buffer.h"

enum { SEND_ETAG_SIZE = 256, SEND_ANSWER_MOST = 16 << 20 /* bytes of a document that is answered */ };

struct sender {
  CURL *curl;                 /* kept, and with it connections */
  struct fetch_access access; /* what may be asked, and who we are there */
  int control;                /* the server's socket: whose other end is closed gives up; or -1 */
};

struct send_request { /* borrowed */
  const char *method; /* "PUT" … */
  const char *url;    /* of the web, or s3://BUCKET/KEY */
  const char *query;  /* what stands behind the address and its "?", every byte as it is; NULL: none */
  const char *type;   /* media type of the body; NULL: there is none */
  int fd;             /* the body's file, or -1: it is `text` */
  const char *text;
  uint64_t start;    /* where the body begins there */
  uint64_t size;     /* bytes of the body */
  const char *match; /* ETag that what is there must have, "" for none: nothing may be there; NULL: whatever */
};

struct send_answer {
  long status;
  struct buffer body;        /* of a success; the caller's */
  char etag[SEND_ETAG_SIZE]; /* "": none */
  bool was_repeated;         /* an earlier try may have been heard without our knowing */
};

/* What passes is tried again, at most thrice: answers such as 503, connections that fail. Redirects are
 * followed to the same host, and to those that the account's `redirects` names, without the account; those that do not
 * say that a body is to be sent again are answers. Errors: PermissionsInsufficient (the address may not be asked),
 * InfrastructureBusy (no answer), RequestTimeout (given up), StorageFailure (our own file cannot be read). */
int send_request(struct sender *sender, const struct send_request *request, struct send_answer *out,
                 struct error *error);

/* The error of a status that is no success: PermissionsInsufficient, StorageQuotaExceeded (413, 507), StacConflict
 * (409, 412), InfrastructureBusy, StorageFailure. -1. */
int send_refused(const struct send_request *request, const struct send_answer *answer, struct error *error);

/* Whether the server has given up. */
bool sender_is_over(const struct sender *sender);

#endif
