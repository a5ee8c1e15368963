/* Signed URLs: a file of a job for whoever holds the link, until it expires. */
#ifndef TWINCUBE_SERVER_AUTH_SIGNED_URL_H
#define TWINCUBE_SERVER_AUTH_SIGNED_URL_H

#include <stdint.h>

enum { SIGNATURE_SIZE = 44 };

/* Keyed hash over job, name and expiry (Unix seconds), as URL-safe base64. */
void signed_url_sign(const unsigned char secret[32], const char *job, const char *name, int64_t expires,
                     char out[SIGNATURE_SIZE]);
/* Compares in constant time. 0 or -1. Says nothing about the expiry. */
int signed_url_check(const unsigned char secret[32], const char *job, const char *name, int64_t expires,
                     const char *signature);

#endif
