#include "server/auth/oidc_provider.h"

#include "server/auth/jwk.h"
#include "server/auth/token_memory.h"
#include "server/clock.h"
#include "server/config/config_members.h"
#include "server/web/web_fetch.h"
#include "server/workers/backoff.h"

#include "datacube/base/logger.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_SIZE = 1024, WAITING_MOST = 2, WAIT_MS = 2 * WEB_FETCH_SECONDS * 1000 + 500 };
static const int64_t stale_ms = INT64_C(24) * 3600 * 1000;

struct oidc_provider {
  const struct oidc_provider_settings *settings;
  struct token_memory *told; /* answers about tokens */
  atomic_uint *waiting;      /* requests that wait for any provider */
  pthread_t thread;
  atomic_bool stopping;
  pthread_mutex_t lock;        /* guards what follows */
  pthread_cond_t changed;      /* a round has ended, or is wanted */
  struct key_set *keys;        /* NULL before the first success */
  char user_info[URL_SIZE];    /* endpoint; "": none */
  struct error failure;        /* of the last round */
  int64_t fetched, tried, due; /* steady milliseconds: last success, start of the last round, of the next */
  bool is_running;             /* a round is under way */
  unsigned rounds;             /* ended so far */
};

/* ---- rounds: discovery, then keys ---- */

struct round {
  struct key_set *keys;
  char user_info[URL_SIZE];
};

static int fetch_text(struct oidc_provider *provider, const char *url, struct buffer *body, struct error *error)
{
  const struct oidc_provider_settings *settings = provider->settings;
  const struct web_fetch fetch = {.url = url, .ca_file = settings->ca_file, .stopping = &provider->stopping};
  struct web_answer answer;
  if (!config_url_is_allowed(url, settings->allow_http))
    return error_set(error, ERROR_InfrastructureBusy, "%s: only https is allowed", url);
  if (web_fetch(&fetch, &answer, error) != 0)
    return -1;
  *body = answer.body;
  if (answer.status == 200)
    return 0;
  buffer_free(body);
  return error_set(error, ERROR_InfrastructureBusy, "%s answers with status %ld", url, answer.status);
}

/* An address of the discovery document; false where there is none. */
static bool take_url(const json_t *document, const char *name, char out[URL_SIZE])
{
  const json_t *url = json_object_get(document, name);
  if (json_string_length(url) == 0 || json_string_length(url) >= URL_SIZE)
    return false;
  snprintf(out, URL_SIZE, "%s", json_string_value(url));
  return true;
}

static int read_discovery(const struct oidc_provider *provider, const struct buffer *body, char keys[URL_SIZE],
                          struct round *round, struct error *error)
{
  const char *wanted = provider->settings->issuer;
  json_t *document = json_loadb(body->data, body->length, 0, NULL);
  const char *issuer = json_string_value(json_object_get(document, "issuer"));
  const size_t length = strlen(wanted);
  int status = 0;
  if (issuer == NULL || strncmp(issuer, wanted, length) != 0 ||
      strcmp(issuer + length, issuer[length] == '/' ? "/" : ""))
    status = error_set(error, ERROR_InfrastructureBusy, "the discovery document is of '%.100s', not of '%s'",
                       issuer != NULL ? issuer : "nobody", wanted);
  else if (!take_url(document, "jwks_uri", keys))
    status = error_set(error, ERROR_InfrastructureBusy, "the discovery document names no keys (jwks_uri)");
  else if (!take_url(document, "userinfo_endpoint", round->user_info))
    round->user_info[0] = '\0';
  json_decref(document);
  return status;
}

static int run_round(struct oidc_provider *provider, struct round *round, struct error *error)
{
  char url[URL_SIZE], keys[URL_SIZE];
  struct buffer body = {0};
  snprintf(url, sizeof url, "%.900s/.well-known/openid-configuration", provider->settings->issuer);
  if (fetch_text(provider, url, &body, error) != 0)
    return -1;
  int status = read_discovery(provider, &body, keys, round, error);
  buffer_free(&body);
  if (status != 0 || fetch_text(provider, keys, &body, error) != 0)
    return -1;
  status = key_set_parse(body.data != NULL ? body.data : "", body.length, &round->keys, error);
  buffer_free(&body);
  return status;
}

/* Keeps what a round brought. What failed is told once, until something else happens. */
static void end_round(struct oidc_provider *provider, struct round *round, const struct error *error,
                      struct backoff *backoff)
{
  const int64_t now = steady_now();
  const char *id = provider->settings->id;
  if (!error_is_set(error)) {
    if (error_is_set(&provider->failure))
      log_message(LOG_INFO, "OpenID Connect provider %s is there again", id);
    key_set_free(provider->keys);
    provider->keys = round->keys;
    memcpy(provider->user_info, round->user_info, sizeof provider->user_info);
    provider->failure = (struct error){0};
    provider->fetched = now;
    provider->due = now + provider->settings->refresh_seconds * 1000;
    *backoff = (struct backoff){0};
  } else {
    if (strcmp(provider->failure.message, error->message) != 0)
      log_message(LOG_WARNING, "OpenID Connect provider %s: %s", id, error->message);
    provider->failure = *error;
    provider->due = now + backoff_next(backoff);
  }
  provider->rounds++;
  provider->is_running = false;
  pthread_cond_broadcast(&provider->changed);
}

static void *run_provider(void *data)
{
  struct oidc_provider *provider = data;
  struct backoff backoff = {0};
  pthread_mutex_lock(&provider->lock);
  while (!atomic_load(&provider->stopping)) {
    if (steady_now() < provider->due) {
      steady_wait(&provider->changed, &provider->lock, provider->due);
      continue;
    }
    struct round round = {0};
    struct error error = {0};
    provider->tried = steady_now();
    provider->is_running = true;
    pthread_mutex_unlock(&provider->lock);
    run_round(provider, &round, &error);
    pthread_mutex_lock(&provider->lock);
    end_round(provider, &round, &error, &backoff);
  }
  pthread_mutex_unlock(&provider->lock);
  return NULL;
}

int oidc_provider_start(const struct oidc_provider_settings *settings, atomic_uint *waiting, struct oidc_provider **out,
                        struct error *error)
{
  struct oidc_provider *provider = calloc(1, sizeof *provider);
  struct token_memory *told = token_memory_new();
  if (provider == NULL || told == NULL) {
    free(provider);
    token_memory_free(told);
    return error_memory(error);
  }
  provider->settings = settings;
  provider->waiting = waiting;
  provider->told = told;
  pthread_mutex_init(&provider->lock, NULL);
  steady_condition_init(&provider->changed);
  if (pthread_create(&provider->thread, NULL, run_provider, provider) != 0) {
    token_memory_free(told);
    free(provider);
    return error_set(error, ERROR_Internal, "cannot start threads");
  }
  *out = provider;
  return 0;
}

void oidc_provider_stop(struct oidc_provider *provider)
{
  if (provider == NULL)
    return;
  pthread_mutex_lock(&provider->lock);
  atomic_store(&provider->stopping, true);
  pthread_cond_broadcast(&provider->changed);
  pthread_mutex_unlock(&provider->lock);
  pthread_join(provider->thread, NULL);
  pthread_mutex_destroy(&provider->lock);
  pthread_cond_destroy(&provider->changed);
  key_set_free(provider->keys);
  token_memory_free(provider->told);
  free(provider);
}

/* ---- signatures ---- */

/* A handler is about to wait: false where too many do already. */
static bool start_waiting(struct oidc_provider *provider)
{
  if (atomic_fetch_add(provider->waiting, 1) < WAITING_MOST)
    return true;
  atomic_fetch_sub(provider->waiting, 1);
  return false;
}

static void end_waiting(struct oidc_provider *provider)
{
  atomic_fetch_sub(provider->waiting, 1);
}

enum round_outcome { ROUND_ENDED, ROUND_TOO_SOON, ROUND_TOO_MANY };

/* Under the lock: waits for the round that is under way, or has one made where the last is long enough ago. */
static enum round_outcome await_round(struct oidc_provider *provider)
{
  const int64_t now = steady_now(), end = now + WAIT_MS;
  const unsigned seen = provider->rounds;
  if (!provider->is_running && seen > 0 && now - provider->tried < provider->settings->pause_seconds * 1000)
    return ROUND_TOO_SOON;
  if (!start_waiting(provider))
    return ROUND_TOO_MANY;
  if (!provider->is_running)
    provider->due = now;
  pthread_cond_broadcast(&provider->changed);
  while (provider->rounds == seen && !atomic_load(&provider->stopping) && steady_now() < end)
    steady_wait(&provider->changed, &provider->lock, end);
  end_waiting(provider);
  return ROUND_ENDED;
}

static enum key_verdict ask_keys(const struct oidc_provider *provider, const struct jwt *jwt)
{
  if (provider->keys == NULL || steady_now() - provider->fetched > stale_ms)
    return KEY_UNKNOWN;
  return key_set_verify(provider->keys, jwt);
}

static int no_keys(const struct oidc_provider *provider, struct error *error)
{
  return error_set(
      error, ERROR_InfrastructureBusy,
      "the identity provider '%s' cannot be reached at present, so its tokens cannot be checked; please try "
      "again later",
      provider->settings->id);
}

static int too_many(struct error *error)
{
  return error_set(error, ERROR_InfrastructureBusy, "too many tokens are being checked; please try again");
}

int oidc_provider_verify(struct oidc_provider *provider, const struct jwt *jwt, struct error *error)
{
  pthread_mutex_lock(&provider->lock);
  enum key_verdict verdict = ask_keys(provider, jwt);
  enum round_outcome outcome = verdict == KEY_UNKNOWN ? await_round(provider) : ROUND_TOO_SOON;
  if (outcome == ROUND_ENDED)
    verdict = ask_keys(provider, jwt);
  const bool has_keys = provider->keys != NULL && steady_now() - provider->fetched <= stale_ms;
  pthread_mutex_unlock(&provider->lock);
  if (verdict == KEY_SIGNED)
    return 0;
  if (outcome == ROUND_TOO_MANY)
    return too_many(error);
  if (!has_keys)
    return no_keys(provider, error);
  return error_set(error, ERROR_TokenInvalid, "the token's signature is not one of the provider '%s'",
                   provider->settings->id);
}

/* ---- user info ---- */

/* The address to ask: "" where the provider has none. -1: it is not known yet. */
static int user_info_url(struct oidc_provider *provider, char out[URL_SIZE])
{
  pthread_mutex_lock(&provider->lock);
  if (provider->fetched == 0)
    await_round(provider);
  const bool known = provider->fetched != 0;
  memcpy(out, provider->user_info, URL_SIZE);
  pthread_mutex_unlock(&provider->lock);
  return known ? 0 : -1;
}

/* Claims of the answer: an object that says whose it is. */
static int read_user_info(const struct oidc_provider *provider, long status, const struct buffer *body, json_t **claims,
                          struct error *error)
{
  const char *id = provider->settings->id;
  *claims = NULL;
  if (status == 400 || status == 401 || status == 403)
    return error_set(error, ERROR_TokenInvalid, "the provider '%s' does not know the token, or it has expired", id);
  if (status == 200)
    *claims = json_loadb(body->data != NULL ? body->data : "", body->length, JSON_REJECT_DUPLICATES, NULL);
  size_t subject = json_string_length(json_object_get(*claims, "sub"));
  if (subject > 0 && subject <= CLAIM_SUBJECT_MAX)
    return 0;
  json_decref(*claims);
  *claims = NULL;
  log_message(LOG_WARNING, "OpenID Connect provider %s: user info with status %ld, and no subject", id, status);
  return error_set(error, ERROR_InfrastructureBusy, "the provider '%s' does not say whose the token is", id);
}

static int ask_provider(struct oidc_provider *provider, const char *url, const char *token, json_t **claims,
                        struct error *error)
{
  const struct web_fetch fetch = {
      .url = url, .bearer = token, .ca_file = provider->settings->ca_file, .stopping = &provider->stopping};
  struct web_answer answer;
  if (!config_url_is_allowed(url, provider->settings->allow_http))
    return no_keys(provider, error);
  if (web_fetch(&fetch, &answer, error) != 0) {
    log_message(LOG_WARNING, "OpenID Connect provider %s: %s", provider->settings->id, error->message);
    *error = (struct error){0};
    return no_keys(provider, error);
  }
  int status = read_user_info(provider, answer.status, &answer.body, claims, error);
  buffer_free(&answer.body);
  return status;
}

int oidc_provider_user_info(struct oidc_provider *provider, const char *token, json_t **claims, struct error *error)
{
  char url[URL_SIZE];
  if (token_memory_find(provider->told, token, claims))
    return *claims != NULL ? 0 : error_set(error, ERROR_TokenInvalid, "the token is unknown or has expired");
  if (strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") != strlen(token))
    return error_set(error, ERROR_TokenInvalid, "the token holds what no token does");
  if (user_info_url(provider, url) != 0)
    return no_keys(provider, error);
  if (url[0] == '\0')
    return error_set(error, ERROR_TokenInvalid, "the provider '%s' does not tell whose a token is (no user info)",
                     provider->settings->id);
  if (!start_waiting(provider))
    return too_many(error);
  int status = ask_provider(provider, url, token, claims, error);
  end_waiting(provider);
  if (status == 0 || error_is(error, ERROR_TokenInvalid))
    token_memory_put(provider->told, token, *claims, provider->settings->user_info_seconds);
  return status;
}
