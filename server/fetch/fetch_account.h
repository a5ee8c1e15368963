/* Which addresses of other hosts are read, and who we are there.
 *
 * An account is an operator's, never a user's: what is sent with requests below one prefix. Addresses are those of the
 * web, or s3://BUCKET/KEY with the key's bytes as they are; these are asked of the endpoint of their account, or of
 * AWS's without a signature where there is none (fetch_s3.h). Nothing of an account goes elsewhere: where a redirect
 * leads out of its prefix, the request goes on without it. */
#ifndef TWINCUBE_SERVER_FETCH_FETCH_ACCOUNT_H
#define TWINCUBE_SERVER_FETCH_FETCH_ACCOUNT_H

#include "server/web/web_rule.h"

#include <curl/curl.h>

enum { FETCH_ACCOUNTS_MOST = 64, FETCH_PREFIX_SIZE = 512, FETCH_NAME_SIZE = 256, FETCH_SECRET_SIZE = 8192 };

enum fetch_account_kind {
  ACCOUNT_ANONYMOUS,
  ACCOUNT_BEARER, /* a token */
  ACCOUNT_BASIC,  /* user and password */
  ACCOUNT_S3      /* signed by version 4 of AWS's signatures */
};

struct fetch_account { /* holds no pointers: it goes from process to process as it is */
  enum fetch_account_kind kind;
  bool is_private;                   /* its host may be on our own networks */
  bool is_virtual;                   /* S3: the bucket is part of the host's name, not of the path */
  char prefix[FETCH_PREFIX_SIZE];    /* of addresses */
  char endpoint[FETCH_PREFIX_SIZE];  /* S3: "https://HOST[:PORT]", or "" for AWS's of the region */
  char region[64];                   /* S3: "" for none */
  char user[FETCH_NAME_SIZE];        /* S3: the key's id */
  char secret[FETCH_SECRET_SIZE];    /* token, password, or secret key */
  char session[FETCH_SECRET_SIZE];   /* S3: token of temporary keys, or "" */
  char redirects[FETCH_PREFIX_SIZE]; /* hosts to which its answers may lead beside what may be asked, with blanks
                                        between (web_redirect_check) */
};

struct fetch_access {
  struct web_rule rule; /* what may be asked; borrowed */
  struct fetch_account *accounts;
  size_t account_count;
};

/* Whether a text can stand in the list of what may be asked: as web_prefix_check, or s3://BUCKET[/START]. Error
 * ServerConfigInvalid. */
int fetch_prefix_check(const char *prefix, struct error *error);

/* The account of an address: that of the longest prefix; NULL for none. */
const struct fetch_account *fetch_account_find(const struct fetch_access *access, const char *url);

/* Whether an address may be asked. Error PermissionsInsufficient. */
int fetch_access_check(const struct fetch_access *access, const char *url, struct error *error);

/* What libcurl is to ask for an address, to be freed, and how far its host may be. Errors PermissionsInsufficient,
 * Internal (out of memory). */
int fetch_access_resolve(const struct fetch_access *access, const char *url, char **out, enum web_reach *reach,
                         struct error *error);

/* The same for where an answer of the address `from` has led: it may be asked, or the account of `from` names its host,
 * or, where that suffices, it is of the same host. */
int fetch_access_resolve_redirect(const struct fetch_access *access, const char *from, const char *url,
                                  bool same_host_suffices, char **out, enum web_reach *reach, struct error *error);

/* The same for the bucket of an address such as s3://BUCKET/START, whose keys that begin so must be allowed: a listing
 * is asked for there. */
int fetch_access_resolve_bucket(const struct fetch_access *access, const char *prefix, char **out,
                                enum web_reach *reach, struct error *error);

/* Has the request sent with what the account has; headers may be added to the list. The account is borrowed until the
 * request is over. -1: out of memory. */
int fetch_account_use(const struct fetch_account *account, CURL *curl, struct curl_slist **headers);
/* The same for a request with a body, whose SHA-256 in hexadecimal digits S3 wants. */
int fetch_account_use_for(const struct fetch_account *account, CURL *curl, const char *sum,
                          struct curl_slist **headers);

#endif
