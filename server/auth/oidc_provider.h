/* One OpenID Connect provider: its discovery document and keys, kept fresh by a thread of its own.
 *
 * The server starts and lives without the provider: whoever brings a token of it is told, and the thread goes on
 * trying. Keys that were fetched once are good for a day in which the provider cannot be reached. A token signed with a
 * key that is not known has the keys fetched again, at most once a pause; few requests wait for that, for seconds. */
#ifndef TWINCUBE_SERVER_AUTH_OIDC_PROVIDER_H
#define TWINCUBE_SERVER_AUTH_OIDC_PROVIDER_H

#include "server/auth/jwt.h"
#include "server/auth/oidc_settings.h"

#include <stdatomic.h>

struct oidc_provider;

/* Starts with the settings, which must outlive it, as must `waiting`: the number of requests that wait for any of the
 * providers now, which together may not take all handlers. */
int oidc_provider_start(const struct oidc_provider_settings *settings, atomic_uint *waiting, struct oidc_provider **out,
                        struct error *error);
void oidc_provider_stop(struct oidc_provider *provider); /* NULL is allowed */

/* Whether one of the provider's keys signed the token. Errors TokenInvalid; InfrastructureBusy where there are no keys.
 * Thread safe; may wait for seconds. */
int oidc_provider_verify(struct oidc_provider *provider, const struct jwt *jwt, struct error *error);

/* What the provider says of the user that a token belongs to: an object, the caller's. Errors TokenInvalid,
 * InfrastructureBusy. Thread safe; may wait for seconds. */
int oidc_provider_user_info(struct oidc_provider *provider, const char *token, json_t **claims, struct error *error);

#endif
