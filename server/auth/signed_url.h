/* Signed URLs: a file of a job for whoever holds the link, until it expires or what it stands for is another thing.
 *
 *     signature = 8 letters that tell the version of what the link is for, 43 of a keyed hash of all that it says */
#ifndef TWINCUBE_SERVER_AUTH_SIGNED_URL_H
#define TWINCUBE_SERVER_AUTH_SIGNED_URL_H

#include <stdint.h>

enum { SIGNATURE_SIZE = 52 };

struct signed_link {
  const char *job, *name; /* neither holds a line feed */
  const char *version;    /* any text: the link is good as long as this stays the same; it cannot be told from it */
  int64_t expires;        /* Unix seconds */
};

void signed_url_sign(const unsigned char secret[32], const struct signed_link *link, char out[SIGNATURE_SIZE]);
/* Whether we signed it, for whatever version; compares in constant time. 0 or -1. Says nothing about the expiry. */
int signed_url_check(const unsigned char secret[32], const struct signed_link *link, const char *signature);
/* Whether a signature that was checked is for the link's version. 0 or -1. */
int signed_url_is_current(const unsigned char secret[32], const struct signed_link *link, const char *signature);

#endif
