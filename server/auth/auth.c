/* Passwords, tokens, and the login limit.
 *
 * Guessing is slowed in two ways: argon2id runs one at a time, and an address that failed too often within a minute is
 * turned away before any hash is computed - by name and address, so that nobody can lock out another's account. */
#include "server/auth/auth.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  LIMIT_SLOTS = 1024,
  LIMIT_PER_NAME = 10,     /* failures a minute for one name from one address */
  LIMIT_PER_ADDRESS = 100, /* failures a minute from one address */
  LIMIT_WINDOW_MS = 60000,
  HEADER_MAX = 4096
};
static const int64_t token_lifetime_ms = INT64_C(30) * 24 * 3600 * 1000;

struct failure_count {
  uint64_t key;  /* hash of address, or of address and name; 0: free */
  int64_t since; /* start of the window */
  unsigned count;
};

struct auth {
  pthread_mutex_t hashing; /* one argon2id at a time: its memory counts */
  pthread_mutex_t lock;    /* guards the slots */
  unsigned char key[crypto_shorthash_KEYBYTES];
  struct failure_count slots[LIMIT_SLOTS];
};

int auth_hash_password(const char *password, char out[PASSWORD_HASH_SIZE], struct error *error)
{
  _Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "room for the hash");
  if (sodium_init() < 0 || crypto_pwhash_str(out, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                             crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
    return error_set(error, "Internal", "the password cannot be hashed: out of memory");
  return 0;
}

void auth_wipe(void *secret, size_t size)
{
  sodium_memzero(secret, size);
}

struct auth *auth_new(void)
{
  struct auth *auth = calloc(1, sizeof *auth);
  if (auth == NULL || sodium_init() < 0) {
    free(auth);
    return NULL;
  }
  pthread_mutex_init(&auth->hashing, NULL);
  pthread_mutex_init(&auth->lock, NULL);
  crypto_shorthash_keygen(auth->key);
  return auth;
}

void auth_free(struct auth *auth)
{
  if (auth == NULL)
    return;
  pthread_mutex_destroy(&auth->hashing);
  pthread_mutex_destroy(&auth->lock);
  free(auth);
}

static uint64_t limit_key(const struct auth *auth, const char *address, const char *name)
{
  char text[AUTH_ADDRESS_SIZE + USER_NAME_SIZE + 2];
  int length = snprintf(text, sizeof text, "%s\n%.*s", address, USER_NAME_SIZE - 1, name);
  uint64_t key = 0;
  crypto_shorthash((unsigned char *)&key, (const unsigned char *)text, (size_t)length, auth->key);
  return key ? key : 1;
}

/* The slot of a key; a slot of another key is taken over: the table only has to slow guessing down. */
static struct failure_count *limit_slot(struct auth *auth, uint64_t key, int64_t now)
{
  struct failure_count *slot = &auth->slots[key % LIMIT_SLOTS];
  if (slot->key != key || now - slot->since > LIMIT_WINDOW_MS)
    *slot = (struct failure_count){.key = key, .since = now};
  return slot;
}

static bool limit_reached(struct auth *auth, const char *address, const char *name)
{
  int64_t now = store_now();
  pthread_mutex_lock(&auth->lock);
  bool reached = limit_slot(auth, limit_key(auth, address, name), now)->count >= LIMIT_PER_NAME ||
                 limit_slot(auth, limit_key(auth, address, ""), now)->count >= LIMIT_PER_ADDRESS;
  pthread_mutex_unlock(&auth->lock);
  return reached;
}

static void limit_count(struct auth *auth, const char *address, const char *name)
{
  int64_t now = store_now();
  pthread_mutex_lock(&auth->lock);
  limit_slot(auth, limit_key(auth, address, name), now)->count++;
  limit_slot(auth, limit_key(auth, address, ""), now)->count++;
  pthread_mutex_unlock(&auth->lock);
}

/* The part after "Scheme ", or NULL where the scheme is another one. */
static const char *scheme_rest(const char *authorization, const char *scheme)
{
  size_t length = strlen(scheme);
  if (strncasecmp(authorization, scheme, length) != 0 || authorization[length] != ' ')
    return NULL;
  return authorization + length + strspn(authorization + length, " ");
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
  static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$7aBpmLW9PDsZqk2u0jQ1WA"
                               "$3Hu1bV4mCk0n7DZ1pmrNTT9Wcf6q0Mdb0WlQb2ZL6vY";
  char hash[PASSWORD_HASH_SIZE] = "";
  bool found = false;
  if (store_user_hash(store, name, hash, &found, error) != 0)
    return -1;
  pthread_mutex_lock(&auth->hashing);
  int outcome = crypto_pwhash_str_verify(found ? hash : nobody, password, strlen(password));
  pthread_mutex_unlock(&auth->hashing);
  *right = found && outcome == 0;
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

int auth_login(struct auth *auth, struct store *store, const char *authorization, const char *address,
               char token[AUTH_TOKEN_SIZE], struct error *error)
{
  if (authorization == NULL)
    return error_set(error, "AuthenticationRequired", "name and password are wanted by HTTP Basic");
  const char *base64 = scheme_rest(authorization, "Basic");
  if (base64 == NULL)
    return error_set(error, "AuthenticationSchemeInvalid", "this endpoint takes HTTP Basic");
  char name[HEADER_MAX];
  const char *password = decode_credentials(base64, name, sizeof name);
  bool right = false;
  int status = 0;
  if (password == NULL || strlen(password) > AUTH_PASSWORD_MAX)
    status = error_set(error, "CredentialsInvalid", "the credentials are not correct");
  else if (limit_reached(auth, address, name))
    status = error_set(error, "TooManyRequests", "too many failed logins; please wait a minute");
  else
    status = check_password(auth, store, name, password, &right, error);
  if (status == 0 && right) {
    status = make_token(store, name, token, error);
  } else if (status == 0) {
    limit_count(auth, address, name);
    status = error_set(error, "CredentialsInvalid", "the credentials are not correct");
  }
  auth_wipe(name, sizeof name);
  return status;
}

int auth_user(struct store *store, const char *authorization, char user[USER_NAME_SIZE], struct error *error)
{
  if (authorization == NULL || authorization[0] == '\0')
    return error_set(error, "AuthenticationRequired", "a bearer token is wanted; log in at /credentials/basic");
  const char *bearer = scheme_rest(authorization, "Bearer");
  if (bearer == NULL)
    return error_set(error, "AuthenticationSchemeInvalid", "this endpoint takes `Bearer basic//TOKEN`");
  static const char prefix[] = "basic//";
  if (strchr(bearer, '/') != NULL && strncmp(bearer, prefix, sizeof prefix - 1) != 0)
    return error_set(error, "AuthenticationSchemeInvalid", "only tokens of /credentials/basic are known here");
  bool found = false;
  if (strncmp(bearer, prefix, sizeof prefix - 1) == 0 && strlen(bearer) < HEADER_MAX) {
    unsigned char hash[TOKEN_HASH_BYTES];
    hash_token(bearer + sizeof prefix - 1, hash);
    if (store_token_user(store, hash, user, &found, error) != 0)
      return -1;
  }
  return found ? 0 : error_set(error, "TokenInvalid", "the token is unknown or has expired; please log in again");
}
