/* Who is asking: passwords (argon2id), tokens (256 random bits, kept as BLAKE2b hashes) and the login limit. */
#ifndef TWINCUBE_SERVER_AUTH_AUTH_H
#define TWINCUBE_SERVER_AUTH_AUTH_H

#include "server/store/store.h"

struct auth;

enum { AUTH_PASSWORD_MAX = 1024, AUTH_TOKEN_SIZE = 44, AUTH_ADDRESS_SIZE = 48 };

/* argon2id of a password, with the parameters in the text. About 0.1 s and 64 MiB. */
int auth_hash_password(const char *password, char out[PASSWORD_HASH_SIZE], struct error *error);
void auth_wipe(void *secret, size_t size);

/* The login state of a server: counts failures. Thread safe. */
struct auth *auth_new(void);
void auth_free(struct auth *auth);

/* Checks `Authorization: Basic …` and makes a token. It takes the same time whether or not the user exists. Errors:
 * AuthenticationRequired, AuthenticationSchemeInvalid, CredentialsInvalid, TooManyRequests. */
int auth_login(struct auth *auth, struct store *store, const char *authorization, const char *address,
               char token[AUTH_TOKEN_SIZE], struct error *error);

/* The user behind `Authorization: Bearer basic//TOKEN`. Errors: AuthenticationRequired (no header),
 * AuthenticationSchemeInvalid, TokenInvalid. */
int auth_user(struct store *store, const char *authorization, char user[USER_NAME_SIZE], struct error *error);

#endif
