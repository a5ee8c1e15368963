/* The public keys of a provider (JSON Web Key Set, RFC 7517), and whether one of them signed a token. */
#ifndef TWINCUBE_SERVER_AUTH_JWK_H
#define TWINCUBE_SERVER_AUTH_JWK_H

#include "server/auth/jwt.h"

struct key_set; /* immutable */

enum key_verdict {
  KEY_SIGNED, /* by one of the keys */
  KEY_FORGED, /* the key that the token names did not sign it */
  KEY_UNKNOWN /* no key fits: the provider may have a new one */
};

/* Reads the set. Keys for other purposes, of other types, of RSA with less than 2048 or more than 8192 bits and those
 * past the 32nd are left out. Error TokenInvalid where it is no set. */
int key_set_parse(const char *json, size_t length, struct key_set **out, struct error *error);
void key_set_free(struct key_set *set); /* NULL is allowed */
size_t key_set_count(const struct key_set *set);

enum key_verdict key_set_verify(const struct key_set *set, const struct jwt *jwt);

#endif
