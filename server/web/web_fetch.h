/* A document from a web server: in bounded time, of bounded size, from no address that it may not come from.
 *
 * The one way in which this program asks another for anything. What may be asked is decided twice: the address as it is
 * written by the rule (web_rule.h), and the address of the net at the moment of connecting, as web_address.h has it, so
 * that a name which resolves to something else each time gains nothing. A redirect is a new address under the same
 * rule. */
#ifndef TWINCUBE_SERVER_WEB_WEB_FETCH_H
#define TWINCUBE_SERVER_WEB_WEB_FETCH_H

#include "server/web/web_rule.h"

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

enum {
  WEB_FETCH_SECONDS = 5,
  WEB_FETCH_BYTES = 256 * 1024,
  WEB_REDIRECTS_MOST = 3,
  WEB_ETAG_SIZE = 200,
  WEB_PLACE_SIZE = 512
};

struct web_fetch {
  const struct web_rule *rule; /* of an address that a user named; NULL: the operator's own words, where private hosts
                                  and a proxy (http_proxy …) are theirs to choose. Under a rule that leads to public
                                  hosts no proxy is used: it would resolve names unseen */
  const char *url;
  const char *bearer;        /* token for the Authorization header, or NULL; goes with no redirect */
  const char *etag;          /* of what is known: the answer is 304, without a body, where that still holds. NULL */
  const char *ca_file;       /* or NULL: the system's certificates */
  const char *via;           /* value of a header Via, or NULL */
  const struct buffer *json; /* POSTed; NULL: it is a GET … */
  bool deletes;              /* … or a DELETE */
  bool is_public;            /* without a rule: an address that a document named, which may lead to public hosts only */
  FILE *file;                /* where the body goes when the status is 200; NULL: it becomes the answer's */
  uint64_t most;             /* bytes of a body; 0: WEB_FETCH_BYTES. What is not for the file is no longer than that */
  double seconds;            /* for all of it; 0: WEB_FETCH_SECONDS */
  unsigned redirects;        /* that are followed, at most WEB_REDIRECTS_MOST; 0: a redirect is the answer */
  const atomic_bool *stopping;  /* gives up when it is set */
  bool (*given_up)(void *data); /* likewise, asked about once a second; or NULL */
  void *data;
};

struct web_answer {
  long status;
  struct buffer body;              /* the caller frees it */
  char etag[WEB_ETAG_SIZE];        /* "": none */
  char place[WEB_PLACE_SIZE];      /* header Location; "": none, here and below */
  char identifier[WEB_PLACE_SIZE]; /* header OpenEO-Identifier: of what was made */
  long max_age;                    /* seconds for which it need not be asked again; 0 where nothing is said */
};

/* Takes at most that time, redirects included. Thread safe after curl_global_init. Errors, with an empty body:
 * PermissionsInsufficient where the rule or the net's address forbids it, InfrastructureBusy where there is no answer,
 * or one that is too large or ends early, StorageFailure where the file takes no more. They name the address, never the
 * token. */
int web_fetch(const struct web_fetch *fetch, struct web_answer *answer, struct error *error);

#endif
