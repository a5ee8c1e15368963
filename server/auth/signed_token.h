/* Texts that clients keep for us: what comes back is what we gave out, or refused.
 *
 *     token = base64url(32 bytes of a keyed hash of purpose and text, then the text) */
#ifndef TWINCUBE_SERVER_AUTH_SIGNED_TOKEN_H
#define TWINCUBE_SERVER_AUTH_SIGNED_TOKEN_H

#include "datacube/base/buffer.h"

#include <stddef.h>

/* Appends the token; a text signed for one purpose is none of another. */
void signed_token_write(const unsigned char secret[32], const char *purpose, const char *text, size_t length,
                        struct buffer *out);
/* The text of a token that we wrote. -1: it is none, or memory is short; nothing is added then. */
int signed_token_read(const unsigned char secret[32], const char *purpose, const char *token, struct buffer *out);

#endif
