/* Addresses of S3: s3://BUCKET/KEY, where the key stands as it is, without escapes. */
#ifndef TWINCUBE_SERVER_FETCH_FETCH_S3_H
#define TWINCUBE_SERVER_FETCH_FETCH_S3_H

#include "server/fetch/fetch_account.h"

bool fetch_s3_is(const char *url);

/* Whether an address has a bucket whose name is one, and a key without "." and ".." between slashes. `is_prefix`: the
 * key may be missing. */
bool fetch_s3_is_sound(const char *url, bool is_prefix);

/* Whether an address is the prefix, or goes on from it at a slash. Both are sound. */
bool fetch_s3_covers(const char *prefix, const char *url);

/* The address of the web: HTTPS of AWS, or the account's endpoint (account NULL: none). The bucket is part of the
 * host's name at AWS, unless it has dots (no certificate covers them), and where the account says so; else the path
 * begins with it. To be freed; NULL: out of memory. */
char *fetch_s3_address(const struct fetch_account *account, const char *url);

#endif
