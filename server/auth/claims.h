/* Whether the claims of a token are good for us now: issuer, audience, times, scopes (RFC 7519, 9068). */
#ifndef TWINCUBE_SERVER_AUTH_CLAIMS_H
#define TWINCUBE_SERVER_AUTH_CLAIMS_H

#include "server/auth/oidc_settings.h"

/* Checks the claims against a provider's settings. `now`: Unix seconds. Errors: TokenInvalid; PermissionsInsufficient
 * where a scope is missing, which no new token of the same kind would mend. */
int claims_check(const json_t *claims, const struct oidc_provider_settings *settings, int64_t now, struct error *error);

/* A text claim that is neither empty nor longer than `most` bytes, else NULL. */
const char *claims_text(const json_t *claims, const char *name, size_t most);

#endif
