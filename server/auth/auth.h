/* Who is asking: passwords (argon2id), our own tokens (256 random bits, kept as BLAKE2b hashes), tokens of OpenID
 * Connect providers, and the login limit. */
#ifndef TWINCUBE_SERVER_AUTH_AUTH_H
#define TWINCUBE_SERVER_AUTH_AUTH_H

#include "server/auth/oidc.h"
#include "server/store/store.h"

struct auth;

enum { AUTH_PASSWORD_MAX = 1024, AUTH_TOKEN_SIZE = 44 };

/* argon2id of a password, with the parameters in the text. About 0.1 s and 64 MiB. */
int auth_hash_password(const char *password, char out[PASSWORD_HASH_SIZE], struct error *error);
void auth_wipe(void *secret, size_t size);

/* The login state of a server. Thread safe. `oidc` (taken) may be NULL: no provider; without `basic` neither passwords
 * nor our own tokens are taken. NULL: out of memory. */
struct auth *auth_new(struct oidc *oidc, bool basic);
void auth_free(struct auth *auth); /* NULL is allowed */
bool auth_has_basic(const struct auth *auth);
bool auth_has_oidc(struct auth *auth);
struct oidc *auth_oidc(struct auth *auth); /* held, to be given up by oidc_stop; NULL: there is no provider */
/* What logins are taken changes. `oidc` is taken, and may be NULL; requests that ask the one before finish. */
void auth_set_oidc(struct auth *auth, struct oidc *oidc);
void auth_set_basic(struct auth *auth, bool basic);

/* What a request says of who asks. */
struct auth_request {
  const char *authorization; /* the header, or NULL */
  const char *address;       /* of the client, for the limits */
};

/* Checks `Authorization: Basic …` and makes a token. It takes the same time whether or not the user exists. Errors:
 * AuthenticationRequired, AuthenticationSchemeInvalid, CredentialsInvalid; TooManyRequests, with the seconds to wait in
 * *wait. */
int auth_login(struct auth *auth, struct store *store, const struct auth_request *request, char token[AUTH_TOKEN_SIZE],
               unsigned *wait, struct error *error);

/* The user behind `Authorization: Bearer …`, in any of the forms that bearer.h knows. Errors: AuthenticationRequired
 * (no header), AuthenticationSchemeInvalid, TokenInvalid, PermissionsInsufficient, InfrastructureBusy (a provider is
 * not there), TooManyRequests (opaque tokens that turned out to be none). */
int auth_user(struct auth *auth, struct store *store, const struct auth_request *request, char user[USER_NAME_SIZE],
              struct error *error);

#endif
