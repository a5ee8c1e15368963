/* The users that OpenID Connect providers vouch for. */
#ifndef TWINCUBE_SERVER_AUTH_OIDC_H
#define TWINCUBE_SERVER_AUTH_OIDC_H

#include "server/auth/entitlement.h"
#include "server/store/store_identities.h"

#include "datacube/base/buffer.h"

struct oidc;

/* Starts a thread for each provider; takes the settings in any case. */
int oidc_start(struct oidc_settings *settings, struct oidc **out, struct error *error);
/* Several may hold it; the last to give it up ends it. NULL is allowed. */
void oidc_hold(struct oidc *oidc);
void oidc_stop(struct oidc *oidc);

/* The identity behind a token of the named provider; "" is the provider that the token itself names as its issuer, or
 * the only one where the token is opaque. Errors: AuthenticationSchemeInvalid (no such provider), TokenInvalid,
 * PermissionsInsufficient, InfrastructureBusy (the provider is not there). */
int oidc_identify(struct oidc *oidc, const char *provider, const char *token, struct identity *out,
                  struct error *error);

/* Writes the providers as GET /credentials/oidc lists them. */
/* Of the provider with this number; NULL: there are fewer. */
const char *oidc_issuer(const struct oidc *oidc, size_t number);
void oidc_write_providers(const struct oidc *oidc, struct json_writer *w);

#endif
