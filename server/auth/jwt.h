/* A signed JSON Web Token (RFC 7515, 7519) taken apart: nothing in it is true before jwk.h has checked the signature
 * and claims.h the claims. */
#ifndef TWINCUBE_SERVER_AUTH_JWT_H
#define TWINCUBE_SERVER_AUTH_JWT_H

#include "datacube/base/error.h"

#include <jansson.h>

enum { JWT_SIZE_MAX = 16 * 1024, JWT_KEY_ID_SIZE = 256 };

enum jwt_key_type { JWT_KEY_RSA, JWT_KEY_EC, JWT_KEY_ED };

/* What may sign a token: public keys only. `none` and the symmetric HS* are no rows, so they are refused. */
struct jwt_algorithm {
  const char *name; /* "RS256" */
  enum jwt_key_type key_type;
  const char *curve;   /* of JWK: "P-256", "Ed25519"; NULL: none */
  const char *digest;  /* "SHA256"; NULL: part of the algorithm */
  bool pss;            /* RSASSA-PSS */
  size_t number_bytes; /* of each of the two numbers of an ECDSA signature */
};

struct jwt {
  const struct jwt_algorithm *algorithm;
  char key_id[JWT_KEY_ID_SIZE]; /* "": none */
  json_t *claims;               /* an object, owned */
  const char *text;             /* what was signed, within the token */
  size_t text_length;
  unsigned char signature[1024];
  size_t signature_length;
};

/* Whether a text has three pieces between dots, of which the first may be a JSON object: other tokens are opaque. */
bool jwt_has_shape(const char *token);
/* Reads the token, which must live as long as `out`; jwt_free in any case. Error TokenInvalid. */
int jwt_parse(const char *token, struct jwt *out, struct error *error);
void jwt_free(struct jwt *jwt);

/* The algorithm of a name, or NULL. */
const struct jwt_algorithm *jwt_algorithm_find(const char *name);

/* Decodes base64url without padding. The length, or -1 where it is none or longer than room. */
long base64url_decode(const char *text, size_t length, unsigned char *out, size_t room);

#endif
