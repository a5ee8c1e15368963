/* Passwords, tokens, and who has them.
 *
 * Guessing is slowed in two ways: argon2id runs one at a time, and a client that failed too often within a minute is
 * turned away before any hash is computed. */
#include "server/auth/auth.h"

#include "server/auth/bearer.h"
#include "server/auth/login_limit.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 4096 };
static const int64_t token_lifetime_ms = INT64_C(30) * 24 * 3600 * 1000;

struct auth {
  pthread_mutex_t hashing; /* one argon2id at a time: its memory counts */
  struct login_limit *limit;
  pthread_mutex_t lock; /* guards the pointer below */
  struct oidc *oidc;    /* or NULL */
  atomic_bool basic;
};

int auth_hash_password(const char *password, char out[PASSWORD_HASH_SIZE], struct error *error)
{
  _Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "room for the hash");
  if (sodium_init() < 0 || crypto_pwhash_str(out, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                             crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
    return error_set(error, ERROR_Internal, "the password cannot be hashed: out of memory");
  return 0;
}

void auth_wipe(void *secret, size_t size)
{
  sodium_memzero(secret, size);
}

struct auth *auth_new(struct oidc *oidc, bool basic)
{
  struct auth *auth = calloc(1, sizeof *auth);
  struct login_limit *limit = sodium_init() < 0 ? NULL : login_limit_new();
  if (auth == NULL || limit == NULL) {
    free(auth);
    login_limit_free(limit);
    oidc_stop(oidc);
    return NULL;
  }
  auth->limit = limit;
  auth->oidc = oidc;
  auth->basic = basic;
  pthread_mutex_init(&auth->hashing, NULL);
  pthread_mutex_init(&auth->lock, NULL);
  return auth;
}

void auth_free(struct auth *auth)
{
  if (auth == NULL)
    return;
  oidc_stop(auth->oidc);
  login_limit_free(auth->limit);
  pthread_mutex_destroy(&auth->hashing);
  pthread_mutex_destroy(&auth->lock);
  free(auth);
}

bool auth_has_basic(const struct auth *auth)
{
  return auth->basic;
}

struct oidc *auth_oidc(struct auth *auth)
{
  pthread_mutex_lock(&auth->lock);
  struct oidc *oidc = auth->oidc;
  if (oidc != NULL)
    oidc_hold(oidc);
  pthread_mutex_unlock(&auth->lock);
  return oidc;
}

bool auth_has_oidc(struct auth *auth)
{
  struct oidc *oidc = auth_oidc(auth);
  oidc_stop(oidc);
  return oidc != NULL;
}

void auth_set_basic(struct auth *auth, bool basic)
{
  auth->basic = basic;
}

void auth_set_oidc(struct auth *auth, struct oidc *oidc)
{
  pthread_mutex_lock(&auth->lock);
  struct oidc *old = auth->oidc;
  auth->oidc = oidc;
  pthread_mutex_unlock(&auth->lock);
  oidc_stop(old);
}

/* Base64 of name:password into out; returns the password's start, or NULL. */
static char *decode_credentials(const char *base64, char *out, size_t room)
{
  size_t length = 0;
  if (strlen(base64) > HEADER_MAX || sodium_base642bin((unsigned char *)out, room - 1, base64, strlen(base64), " ",
                                                       &length, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
    return NULL;
  out[length] = '\0';
  char *colon = strchr(out, ':');
  if (colon == NULL || strlen(out) != length)
    return NULL;
  *colon = '\0';
  return colon + 1;
}

/* Compares with the user's hash, or with one that nothing matches, so that both cost the same. */
static int check_password(struct auth *auth, struct store *store, const char *name, const char *password, bool *right,
                          struct error *error)
{
  static const char nobody[PASSWORD_HASH_SIZE] = "$argon2id$v=19$m=65536,t=2,p=1$7aBpmLW9PDsZqk2u0jQ1WA"
                                                 "$3Hu1bV4mCk0n7DZ1pmrNTT9Wcf6q0Mdb0WlQb2ZL6vY";
  char hash[PASSWORD_HASH_SIZE] = "";
  bool found = false;
  if (store_user_hash(store, name, hash, &found, error) != 0)
    return -1;
  const bool has_password = found && hash[0] == '$'; /* users of a provider have none */
  pthread_mutex_lock(&auth->hashing);
  int outcome = crypto_pwhash_str_verify(has_password ? hash : nobody, password, strlen(password));
  pthread_mutex_unlock(&auth->hashing);
  *right = has_password && outcome == 0;
  return 0;
}

static void hash_token(const char *token, unsigned char out[TOKEN_HASH_BYTES])
{
  crypto_generichash(out, TOKEN_HASH_BYTES, (const unsigned char *)token, strlen(token), NULL, 0);
}

static int make_token(struct store *store, const char *user, char token[AUTH_TOKEN_SIZE], struct error *error)
{
  unsigned char random[32], hash[TOKEN_HASH_BYTES];
  randombytes_buf(random, sizeof random);
  sodium_bin2base64(token, AUTH_TOKEN_SIZE, random, sizeof random, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  auth_wipe(random, sizeof random);
  hash_token(token, hash);
  return store_token_put(store, hash, user, store_now() + token_lifetime_ms, error);
}

int auth_login(struct auth *auth, struct store *store, const struct auth_request *request, char token[AUTH_TOKEN_SIZE],
               unsigned *wait, struct error *error)
{
  *wait = 0;
  if (request->authorization == NULL)
    return error_set(error, ERROR_AuthenticationRequired, "name and password are wanted by HTTP Basic");
  const char *base64 = authorization_rest(request->authorization, "Basic");
  if (base64 == NULL)
    return error_set(error, ERROR_AuthenticationSchemeInvalid, "this endpoint takes HTTP Basic");
  char name[HEADER_MAX];
  const char *password = decode_credentials(base64, name, sizeof name);
  bool right = false;
  int status = 0;
  if (password == NULL || strlen(password) > AUTH_PASSWORD_MAX)
    status = error_set(error, ERROR_CredentialsInvalid, "the credentials are not correct");
  else if ((*wait = login_limit_wait(auth->limit, request->address, name)) > 0)
    status = error_set(error, ERROR_TooManyRequests, "too many failed logins; please wait %u seconds", *wait);
  else
    status = check_password(auth, store, name, password, &right, error);
  if (status == 0 && right) {
    login_limit_welcome(auth->limit, request->address, name);
    status = make_token(store, name, token, error);
  } else if (status == 0) {
    login_limit_count(auth->limit, request->address, name);
    status = error_set(error, ERROR_CredentialsInvalid, "the credentials are not correct");
  }
  auth_wipe(name, sizeof name);
  return status;
}

/* ---- bearer tokens ---- */

static int find_token(struct store *store, const char *token, char user[USER_NAME_SIZE], bool *found,
                      struct error *error)
{
  unsigned char hash[TOKEN_HASH_BYTES];
  hash_token(token, hash);
  return store_token_user(store, hash, user, found, error);
}

/* Our own token. */
static int user_of_token(struct auth *auth, struct store *store, const char *token, char user[USER_NAME_SIZE],
                         struct error *error)
{
  bool found = false;
  if (!auth->basic)
    return error_set(error, ERROR_AuthenticationSchemeInvalid, "this server takes tokens of identity providers only");
  if (find_token(store, token, user, &found, error) != 0)
    return -1;
  return found ? 0 : error_set(error, ERROR_TokenInvalid, "the token is unknown or has expired; please log in again");
}

/* A provider's token. Those that the provider has to be asked about are limited: each costs a request to it. */
static int user_of_provider(struct auth *auth, struct store *store, const struct bearer *bearer, const char *address,
                            char user[USER_NAME_SIZE], struct error *error)
{
  static const char name[] = "opaque tokens"; /* no user has that name */
  struct identity identity;
  struct oidc *oidc = auth_oidc(auth);
  if (oidc == NULL && bearer->kind == BEARER_PROVIDER)
    return error_set(error, ERROR_AuthenticationSchemeInvalid, "this server has no identity provider");
  if (oidc == NULL)
    return error_set(error, ERROR_TokenInvalid, "the token is unknown or has expired; please log in again");
  const bool is_opaque = !jwt_has_shape(bearer->token);
  int status;
  if (is_opaque && login_limit_wait(auth->limit, address, name) > 0)
    status = error_set(error, ERROR_TooManyRequests, "too many tokens that are none; please wait a minute");
  else if ((status = oidc_identify(oidc, bearer->provider, bearer->token, &identity, error)) == 0)
    status = store_identity_user(store, &identity, user, error);
  else if (is_opaque && error_is(error, ERROR_TokenInvalid))
    login_limit_count(auth->limit, address, name);
  oidc_stop(oidc);
  return status;
}

/* Ours, or else one of the only provider. */
static int user_of_plain(struct auth *auth, struct store *store, const struct bearer *bearer, const char *address,
                         char user[USER_NAME_SIZE], struct error *error)
{
  bool found = false;
  if (auth->basic && find_token(store, bearer->token, user, &found, error) != 0)
    return -1;
  return found ? 0 : user_of_provider(auth, store, bearer, address, user, error);
}

int auth_user(struct auth *auth, struct store *store, const struct auth_request *request, char user[USER_NAME_SIZE],
              struct error *error)
{
  struct bearer bearer;
  if (bearer_read(request->authorization, &bearer, error) != 0)
    return -1;
  if (bearer.kind == BEARER_BASIC)
    return user_of_token(auth, store, bearer.token, user, error);
  if (bearer.kind == BEARER_PLAIN)
    return user_of_plain(auth, store, &bearer, request->address, user, error);
  return user_of_provider(auth, store, &bearer, request->address, user, error);
}
