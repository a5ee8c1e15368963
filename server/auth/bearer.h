/* The Authorization header of a request: which kind of token it brings. Nothing is looked up here. */
#ifndef TWINCUBE_SERVER_AUTH_BEARER_H
#define TWINCUBE_SERVER_AUTH_BEARER_H

#include "server/auth/jwt.h"

enum bearer_kind {
  BEARER_BASIC,    /* basic//TOKEN: ours */
  BEARER_PROVIDER, /* oidc/PROVIDER/TOKEN */
  BEARER_JWT,      /* a JSON Web Token, whose issuer tells the provider */
  BEARER_PLAIN     /* TOKEN without a slash: ours, or an opaque one of the only provider */
};

enum { BEARER_PROVIDER_SIZE = 21 };

struct bearer {
  enum bearer_kind kind;
  char provider[BEARER_PROVIDER_SIZE];
  const char *token; /* within the header */
};

/* Reads `Bearer …`. Errors: AuthenticationRequired (no header), AuthenticationSchemeInvalid (another scheme or form),
 * TokenInvalid (no token, or too long). */
int bearer_read(const char *authorization, struct bearer *out, struct error *error);

/* The part after "Scheme ", or NULL where the scheme is another one. */
const char *authorization_rest(const char *authorization, const char *scheme);

#endif
