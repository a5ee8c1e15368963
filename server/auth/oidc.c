/* A token becomes claims (its own, or those of the user info endpoint), claims become an identity. */
#include "server/auth/oidc.h"

#include "server/auth/claims.h"
#include "server/auth/oidc_provider.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oidc {
  struct oidc_settings *settings;
  atomic_uint holders;
  atomic_uint waiting; /* requests, for any of the providers */
  struct oidc_provider *providers[OIDC_PROVIDERS_MOST];
};

int oidc_start(struct oidc_settings *settings, struct oidc **out, struct error *error)
{
  struct oidc *oidc = calloc(1, sizeof *oidc);
  if (oidc == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    free(oidc);
    oidc_settings_free(settings);
    return error_memory(error);
  }
  oidc->settings = settings;
  oidc->holders = 1;
  for (size_t i = 0; i < settings->count; i++)
    if (oidc_provider_start(&settings->providers[i], &oidc->waiting, &oidc->providers[i], error) != 0) {
      oidc_stop(oidc);
      return -1;
    }
  *out = oidc;
  return 0;
}

void oidc_hold(struct oidc *oidc)
{
  atomic_fetch_add(&oidc->holders, 1);
}

void oidc_stop(struct oidc *oidc)
{
  if (oidc == NULL || atomic_fetch_sub(&oidc->holders, 1) > 1)
    return;
  for (size_t i = 0; i < oidc->settings->count; i++)
    oidc_provider_stop(oidc->providers[i]);
  oidc_settings_free(oidc->settings);
  free(oidc);
  curl_global_cleanup();
}

/* ---- tokens ---- */

/* What is asked of the provider must be of the same user as the token. */
static int add_user_info(struct oidc_provider *provider, const char *token, json_t *claims, struct error *error)
{
  json_t *told = NULL;
  if (oidc_provider_user_info(provider, token, &told, error) != 0)
    return -1;
  int status = 0;
  if (!json_equal(json_object_get(told, "sub"), json_object_get(claims, "sub")))
    status = error_set(error, ERROR_TokenInvalid, "the provider says that the token is of somebody else");
  else if (json_object_update(claims, told) != 0)
    status = error_memory(error);
  json_decref(told);
  return status;
}

/* Claims of a JSON Web Token that is good. */
static int claims_of_jwt(struct oidc *oidc, size_t at, const char *token, json_t **claims, struct error *error)
{
  const struct oidc_provider_settings *settings = &oidc->settings->providers[at];
  struct jwt jwt;
  int status = jwt_parse(token, &jwt, error);
  if (status == 0)
    status = oidc_provider_verify(oidc->providers[at], &jwt, error);
  if (status == 0)
    status = claims_check(jwt.claims, settings, store_now() / 1000, error);
  if (status == 0 && settings->user_info == USER_INFO_ALWAYS)
    status = add_user_info(oidc->providers[at], token, jwt.claims, error);
  if (status == 0)
    *claims = json_incref(jwt.claims);
  jwt_free(&jwt);
  return status;
}

static int claims_of_opaque(struct oidc *oidc, size_t at, const char *token, json_t **claims, struct error *error)
{
  const struct oidc_provider_settings *settings = &oidc->settings->providers[at];
  if (settings->user_info == USER_INFO_NEVER)
    return error_set(error, ERROR_TokenInvalid, "tokens of '%s' are JSON Web Tokens", settings->id);
  if (json_array_size(settings->required_scopes) > 0)
    return error_set(error, ERROR_TokenInvalid, "the token does not tell its scopes, which are wanted here");
  return oidc_provider_user_info(oidc->providers[at], token, claims, error);
}

/* ---- which provider ---- */

static size_t find_id(const struct oidc_settings *settings, const char *id)
{
  size_t i = 0;
  while (i < settings->count && strcmp(settings->providers[i].id, id) != 0)
    i++;
  return i;
}

/* The provider whose issuer a token names; that it tells the truth is checked later. */
static size_t find_issuer(const struct oidc_settings *settings, const char *token)
{
  struct error ignored = {0};
  struct jwt jwt;
  size_t i = settings->count;
  if (jwt_parse(token, &jwt, &ignored) == 0) {
    const char *issuer = json_string_value(json_object_get(jwt.claims, "iss"));
    for (i = 0; i < settings->count; i++) {
      const size_t length = strlen(settings->providers[i].issuer);
      if (issuer != NULL && strncmp(issuer, settings->providers[i].issuer, length) == 0 &&
          (issuer[length] == '\0' || strcmp(issuer + length, "/") == 0))
        break;
    }
  }
  jwt_free(&jwt);
  return i;
}

/* ---- who it is ---- */

/* Copies a text for people: what has no place in a line becomes a blank, and no character is cut in two. */
static void copy_name(char out[IDENTITY_NAME_SIZE], const char *text)
{
  size_t length = strnlen(text, IDENTITY_NAME_SIZE - 1);
  while (length > 0 && text[length] != '\0' && ((unsigned char)text[length] & 0xC0) == 0x80)
    length--;
  for (size_t i = 0; i < length; i++)
    out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
  out[length] = '\0';
}

static int fill_identity(const json_t *claims, const struct oidc_provider_settings *settings, struct identity *out,
                         struct error *error)
{
  static const char *const names[] = {"name", "preferred_username", "email"};
  const struct rights rights = rights_of_claims(claims, settings);
  *out = (struct identity){.rights = {rights.roles, rights.results}};
  snprintf(out->provider, sizeof out->provider, "%s", settings->id);
  snprintf(out->issuer, sizeof out->issuer, "%s", settings->issuer);
  snprintf(out->subject, sizeof out->subject, "%s", json_string_value(json_object_get(claims, "sub")));
  for (size_t i = 0; i < sizeof names / sizeof names[0] && out->name[0] == '\0'; i++) {
    const char *name = claims_text(claims, names[i], 1024);
    if (name != NULL)
      copy_name(out->name, name);
  }
  if (rights.roles == 0)
    return error_set(error, ERROR_PermissionsInsufficient,
                     "you are logged in, but none of your groups or entitlements gives access to this server");
  return 0;
}

int oidc_identify(struct oidc *oidc, const char *provider, const char *token, struct identity *out, struct error *error)
{
  const struct oidc_settings *settings = oidc->settings;
  const bool is_jwt = jwt_has_shape(token);
  size_t at = provider[0] != '\0' ? find_id(settings, provider) : is_jwt ? find_issuer(settings, token) : 0;
  if (provider[0] != '\0' && at == settings->count)
    return error_set(error, ERROR_AuthenticationSchemeInvalid, "there is no identity provider '%s' here", provider);
  if (at == settings->count || (provider[0] == '\0' && !is_jwt && settings->count > 1))
    return error_set(error, ERROR_TokenInvalid, "the token is of no identity provider that is known here");
  json_t *claims = NULL;
  int status = (is_jwt ? claims_of_jwt : claims_of_opaque)(oidc, at, token, &claims, error);
  if (status == 0)
    status = fill_identity(claims, &settings->providers[at], out, error);
  json_decref(claims);
  return status;
}

/* ---- the list ---- */

/* A part of the settings, copied as it is. */
static void write_part(struct json_writer *w, const char *key, const json_t *part)
{
  char *text = part != NULL ? json_dumps(part, JSON_COMPACT) : NULL;
  if (text == NULL)
    return;
  json_key(w, key);
  json_write_raw(w, text, strlen(text));
  free(text);
}

const char *oidc_issuer(const struct oidc *oidc, size_t number)
{
  return number < oidc->settings->count ? oidc->settings->providers[number].issuer : NULL;
}

void oidc_write_providers(const struct oidc *oidc, struct json_writer *w)
{
  json_key(w, "providers");
  json_write_array(w);
  for (size_t i = 0; i < oidc->settings->count; i++) {
    const struct oidc_provider_settings *provider = &oidc->settings->providers[i];
    json_write_object(w);
    json_kv_string(w, "id", provider->id);
    json_kv_string(w, "issuer", provider->issuer);
    json_kv_string(w, "title", provider->title);
    if (provider->description != NULL)
      json_kv_string(w, "description", provider->description);
    write_part(w, "scopes", provider->scopes);
    write_part(w, "default_clients", provider->default_clients);
    write_part(w, "authorization_parameters", provider->authorization_parameters);
    write_part(w, "links", provider->links);
    json_end_object(w);
  }
  json_end_array(w);
}
