/* A document is read by tables: the members that an object may have, of which kind, and where they go. */
#include "server/auth/oidc_settings.h"

#include "server/commands/command.h"
#include "server/config/config_members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ISSUER_SIZE_MOST = 500 };

bool texts_have(const json_t *texts, const char *text)
{
  const json_t *one;
  size_t i;
  json_array_foreach(texts, i, one) if (text != NULL && json_is_string(one) &&
                                        strcmp(json_string_value(one), text) == 0) return true;
  return false;
}

/* ---- clients and rules ---- */

static int check_client(const json_t *client, const char *place, struct error *error)
{
  static const char *const grants[] = {"implicit",
                                       "authorization_code",
                                       "authorization_code+pkce",
                                       "urn:ietf:params:oauth:grant-type:device_code",
                                       "urn:ietf:params:oauth:grant-type:device_code+pkce",
                                       "refresh_token"};
  const char *id = NULL;
  const json_t *types = NULL, *redirects = NULL, *parameters = NULL, *type;
  const struct config_member members[] = {{"id", MEMBER_TEXT, &id, NULL},
                                          {"grant_types", MEMBER_TEXTS, &types, NULL},
                                          {"redirect_urls", MEMBER_TEXTS, &redirects, NULL},
                                          {"authorization_parameters", MEMBER_VALUE, &parameters, NULL},
                                          {NULL, MEMBER_VALUE, NULL, NULL}};
  size_t i;
  if (config_read_object(client, members, place, error) != 0)
    return -1;
  if (id == NULL || json_array_size(types) == 0)
    return error_set(error, ERROR_ServerConfigInvalid, "%s wants id and grant_types", place);
  json_array_foreach(types, i, type)
  {
    size_t known = 0;
    while (known < sizeof grants / sizeof grants[0] && strcmp(grants[known], json_string_value(type)) != 0)
      known++;
    if (known == sizeof grants / sizeof grants[0])
      return config_wrong(error, place, "grant_types", "openEO has no such grant type");
    bool redirects_back = strncmp(json_string_value(type), "authorization_code", 18) == 0 || known == 0;
    if (redirects_back && json_array_size(redirects) == 0)
      return config_wrong(error, place, "redirect_urls", "is wanted for grants that lead back to the client");
  }
  return 0;
}

static int read_roles(const json_t *names, struct entitlement_rule *out, const char *place, struct error *error)
{
  const json_t *name;
  size_t i;
  json_array_foreach(names, i, name)
  {
    const char *text = json_string_value(name);
    if (strcmp(text, "user") != 0 && strcmp(text, "operator") != 0)
      return config_wrong(error, place, "roles", "there are user and operator");
    out->roles |= ROLE_USER | (text[0] == 'o' ? ROLE_OPERATOR : 0);
  }
  return 0;
}

static int read_rule(const json_t *rule, struct entitlement_rule *out, const char *place, struct error *error)
{
  const char *results = NULL;
  const json_t *roles = NULL;
  size_t bytes = 0;
  const struct config_member members[] = {{"entitlement", MEMBER_TEXT, &out->entitlement, NULL},
                                          {"roles", MEMBER_TEXTS, &roles, NULL},
                                          {"results", MEMBER_TEXT, &results, NULL},
                                          {NULL, MEMBER_VALUE, NULL, NULL}};
  if (config_read_object(rule, members, place, error) != 0)
    return -1;
  if (out->entitlement == NULL)
    return error_set(error, ERROR_ServerConfigInvalid, "%s wants an entitlement", place);
  if (results != NULL && command_size(results, &bytes) != 0)
    return config_wrong(error, place, "results", "wants a size such as \"100G\"");
  out->results = bytes;
  out->roles = roles == NULL ? ROLE_USER : 0;
  return read_roles(roles, out, place, error);
}

static int read_rules(const json_t *rules, struct oidc_provider_settings *out, const char *place, struct error *error)
{
  const json_t *rule;
  size_t i;
  if (rules == NULL)
    return 0;
  if (!json_is_array(rules) || json_array_size(rules) > 1000)
    return config_wrong(error, place, "rules", "wants an array of at most 1000 rules");
  out->rules = calloc(json_array_size(rules) + 1, sizeof *out->rules);
  if (out->rules == NULL)
    return error_memory(error);
  json_array_foreach(rules, i, rule)
  {
    char inner[96];
    snprintf(inner, sizeof inner, "%s.rules[%zu]", place, i);
    if (read_rule(rule, &out->rules[out->rule_count++], inner, error) != 0)
      return -1;
  }
  return 0;
}

/* ---- providers ---- */

static bool is_provider_id(const char *id)
{
  size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  return id[length] == '\0' && length <= 20;
}

static int check_provider(const struct oidc_provider_settings *provider, const char *place, struct error *error)
{
  const json_t *client;
  size_t i;
  if (provider->id == NULL || provider->title == NULL || provider->issuer == NULL)
    return error_set(error, ERROR_ServerConfigInvalid, "%s wants id, title and issuer", place);
  if (!is_provider_id(provider->id))
    return config_wrong(error, place, "id", "wants letters, digits and _, at most 20");
  if (!config_url_is_allowed(provider->issuer, provider->allow_http) || strpbrk(provider->issuer, "?#") != NULL)
    return config_wrong(error, place, "issuer",
                        "wants an https address without ? and # (http on this machine, or with allow_http)");
  if (strlen(provider->issuer) >= ISSUER_SIZE_MOST)
    return config_wrong(error, place, "issuer", "is too long");
  if (provider->refresh_seconds < 10)
    return config_wrong(error, place, "refresh_seconds", "wants 10 or more");
  if (provider->scopes != NULL && !texts_have(provider->scopes, "openid"))
    return config_wrong(error, place, "scopes", "must hold openid");
  if (json_array_size(provider->audience) + json_array_size(provider->clients) == 0 && !provider->any_audience)
    return config_wrong(error, place, "audience",
                        "name the audiences (or clients) whose tokens are taken, or say \"any_audience\": true");
  if (provider->default_clients != NULL && !json_is_array(provider->default_clients))
    return config_wrong(error, place, "default_clients", "wants an array");
  json_array_foreach(provider->default_clients, i, client)
  {
    char inner[96];
    snprintf(inner, sizeof inner, "%s.default_clients[%zu]", place, i);
    if (check_client(client, inner, error) != 0)
      return -1;
  }
  return 0;
}

/* Takes the slash from the issuer's end, within the document. */
static int trim_issuer(json_t *document, struct oidc_provider_settings *provider, struct error *error)
{
  size_t length = strlen(provider->issuer);
  if (provider->issuer[length - 1] != '/')
    return 0;
  json_t *issuer = json_object_get(document, "issuer");
  char *trimmed = strndup(provider->issuer, length - 1);
  if (trimmed == NULL || json_string_set(issuer, trimmed) != 0) {
    free(trimmed);
    return error_memory(error);
  }
  free(trimmed);
  provider->issuer = json_string_value(issuer);
  return 0;
}

static int read_provider(json_t *document, struct oidc_provider_settings *out, const char *place, struct error *error)
{
  static const char *const uses[] = {"never", "opaque", "always", NULL}, *const users[] = {"auto", "entitled", NULL};
  const json_t *rules = NULL;
  unsigned use = USER_INFO_OPAQUE, entitled = 0;
  *out = (struct oidc_provider_settings){
      .clock_skew = 60, .refresh_seconds = 3600, .pause_seconds = 30, .user_info_seconds = 60};
  const struct config_member members[] = {
      {"id", MEMBER_TEXT, &out->id, NULL},
      {"issuer", MEMBER_URL, &out->issuer, NULL},
      {"title", MEMBER_TEXT, &out->title, NULL},
      {"description", MEMBER_TEXT, &out->description, NULL},
      {"scopes", MEMBER_TEXTS, &out->scopes, NULL},
      {"default_clients", MEMBER_VALUE, &out->default_clients, NULL},
      {"authorization_parameters", MEMBER_VALUE, &out->authorization_parameters, NULL},
      {"links", MEMBER_VALUE, &out->links, NULL},
      {"audience", MEMBER_TEXTS, &out->audience, NULL},
      {"clients", MEMBER_TEXTS, &out->clients, NULL},
      {"any_audience", MEMBER_FLAG, &out->any_audience, NULL},
      {"required_scopes", MEMBER_TEXTS, &out->required_scopes, NULL},
      {"entitlement_claims", MEMBER_TEXTS, &out->entitlement_claims, NULL},
      {"ca_file", MEMBER_TEXT, &out->ca_file, NULL},
      {"allow_http", MEMBER_FLAG, &out->allow_http, NULL},
      {"user_info", MEMBER_CHOICE, &use, uses},
      {"users", MEMBER_CHOICE, &entitled, users},
      {"clock_skew", MEMBER_SECONDS, &out->clock_skew, NULL},
      {"refresh_seconds", MEMBER_SECONDS, &out->refresh_seconds, NULL},
      {"pause_seconds", MEMBER_SECONDS, &out->pause_seconds, NULL},
      {"user_info_seconds", MEMBER_SECONDS, &out->user_info_seconds, NULL},
      {"rules", MEMBER_VALUE, &rules, NULL},
      {NULL, MEMBER_VALUE, NULL, NULL}};
  if (config_read_object(document, members, place, error) != 0)
    return -1;
  out->user_info = (enum user_info_use)use;
  out->entitled_only = entitled == 1;
  if (check_provider(out, place, error) != 0 || read_rules(rules, out, place, error) != 0)
    return -1;
  return trim_issuer(document, out, error);
}

/* Two of one id, or of one issuer, could not be told apart. */
static int check_distinct(const struct oidc_settings *settings, struct error *error)
{
  const struct oidc_provider_settings *last = &settings->providers[settings->count - 1];
  for (size_t i = 0; i + 1 < settings->count; i++)
    if (strcmp(settings->providers[i].id, last->id) == 0 || strcmp(settings->providers[i].issuer, last->issuer) == 0)
      return error_set(error, ERROR_ServerConfigInvalid, "providers[%zu] has the id or the issuer of providers[%zu]",
                       settings->count - 1, i);
  return 0;
}

static int read_providers(struct oidc_settings *settings, struct error *error)
{
  const json_t *providers = NULL;
  json_t *provider;
  size_t i;
  const struct config_member members[] = {{"providers", MEMBER_VALUE, &providers, NULL},
                                          {NULL, MEMBER_VALUE, NULL, NULL}};
  if (config_read_object(settings->document, members, "the document", error) != 0)
    return -1;
  if (!json_is_array(providers) || json_array_size(providers) < 1 || json_array_size(providers) > OIDC_PROVIDERS_MOST)
    return error_set(error, ERROR_ServerConfigInvalid, "providers wants an array of 1 to %d providers",
                     OIDC_PROVIDERS_MOST);
  json_array_foreach(providers, i, provider)
  {
    char place[32];
    snprintf(place, sizeof place, "providers[%zu]", i);
    settings->count++;
    if (read_provider(provider, &settings->providers[i], place, error) != 0 || check_distinct(settings, error) != 0)
      return -1;
  }
  return 0;
}

int oidc_settings_from(json_t *document, struct oidc_settings **out, struct error *error)
{
  struct oidc_settings *settings = calloc(1, sizeof *settings);
  if (settings == NULL) {
    json_decref(document);
    return error_memory(error);
  }
  settings->document = document;
  if (read_providers(settings, error) != 0) {
    oidc_settings_free(settings);
    return -1;
  }
  *out = settings;
  return 0;
}

int oidc_settings_read(const char *path, struct oidc_settings **out, struct error *error)
{
  json_error_t where;
  json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
  if (document == NULL && where.line < 0)
    return error_set(error, ERROR_FileNotFound, "%s", where.text);
  if (document == NULL)
    return error_set(error, ERROR_ServerConfigInvalid, "%s, line %d: %s", path, where.line, where.text);
  return oidc_settings_from(document, out, error);
}

void oidc_settings_free(struct oidc_settings *settings)
{
  if (settings == NULL)
    return;
  for (size_t i = 0; i < settings->count; i++)
    free(settings->providers[i].rules);
  json_decref(settings->document);
  free(settings);
}
