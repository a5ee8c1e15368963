#include "server/fetch/account_settings.h"

#include "server/config/config_members.h"
#include "server/config/toml.h"
#include "server/fetch/fetch_s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table { /* as it is written; NULL: not given */
  const char *url, *token_file, *user, *password_file, *key_id, *secret_file, *session_file, *endpoint, *region;
  const json_t *redirects;
  bool is_virtual, is_private;
};

static int read_members(const json_t *table, struct table *out, const char *place, struct error *error)
{
  const struct config_member members[] = {{"url", MEMBER_TEXT, &out->url, NULL},
                                          {"token_file", MEMBER_TEXT, &out->token_file, NULL},
                                          {"user", MEMBER_TEXT, &out->user, NULL},
                                          {"password_file", MEMBER_TEXT, &out->password_file, NULL},
                                          {"key_id", MEMBER_TEXT, &out->key_id, NULL},
                                          {"secret_file", MEMBER_TEXT, &out->secret_file, NULL},
                                          {"session_file", MEMBER_TEXT, &out->session_file, NULL},
                                          {"endpoint", MEMBER_TEXT, &out->endpoint, NULL},
                                          {"region", MEMBER_TEXT, &out->region, NULL},
                                          {"redirects", MEMBER_TEXTS, &out->redirects, NULL},
                                          {"virtual_host", MEMBER_FLAG, &out->is_virtual, NULL},
                                          {"private", MEMBER_FLAG, &out->is_private, NULL},
                                          {NULL, MEMBER_VALUE, NULL, NULL}};
  if (config_read_object(table, members, place, error) != 0)
    return -1;
  return out->url ? 0 : config_wrong(error, place, "url", "is wanted");
}

/* The first line of a file of secrets. */
static int read_secret(const char *path, const char *name, char out[FETCH_SECRET_SIZE], const char *place,
                       struct error *error)
{
  FILE *file = fopen(path, "re");
  const bool is_read = file && fgets(out, FETCH_SECRET_SIZE, file);
  if (file)
    fclose(file);
  out[strcspn(out, "\r\n")] = '\0';
  return is_read && out[0] && strlen(out) < FETCH_SECRET_SIZE - 1
             ? 0
             : config_wrong(error, place, name, "wants a file that can be read, with a line of at most 8 kB");
}

static int copy(char *out, size_t size, const char *text, const char *name, const char *place, struct error *error)
{
  return snprintf(out, size, "%s", text ? text : "") < (int)size ? 0 : config_wrong(error, place, name, "is too long");
}

/* A scheme, a host and perhaps a port. */
static int take_endpoint(const struct table *t, struct fetch_account *out, const char *place, struct error *error)
{
  size_t length = strlen(t->endpoint);
  const char *host = strstr(t->endpoint, "://");
  if (length > 0 && t->endpoint[length - 1] == '/')
    length--;
  if (!host || !config_url_is_allowed(t->endpoint, true) ||
      host + 3 + strcspn(host + 3, "/?#") < t->endpoint + length || length >= sizeof out->endpoint)
    return config_wrong(error, place, "endpoint", "wants an address such as https://s3.example.org");
  snprintf(out->endpoint, sizeof out->endpoint, "%.*s", (int)length, t->endpoint);
  return 0;
}

static int take_s3(const struct table *t, struct fetch_account *out, const char *place, struct error *error)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
  if (t->token_file || t->user || t->password_file)
    return config_wrong(error, place, "url", "is of S3, which has key_id and secret_file");
  if (!t->key_id != !t->secret_file || (t->session_file && !t->key_id))
    return config_wrong(error, place, "key_id", "and secret_file are wanted together");
  if (t->region && (t->region[strspn(t->region, plain)] || strlen(t->region) >= sizeof out->region))
    return config_wrong(error, place, "region", "wants letters, digits and -");
  if (t->endpoint && take_endpoint(t, out, place, error) != 0)
    return -1;
  out->kind = t->key_id ? ACCOUNT_S3 : ACCOUNT_ANONYMOUS;
  out->is_virtual = t->is_virtual;
  if (copy(out->region, sizeof out->region, t->region, "region", place, error) != 0 ||
      copy(out->user, sizeof out->user, t->key_id, "key_id", place, error) != 0)
    return -1;
  if (t->secret_file && read_secret(t->secret_file, "secret_file", out->secret, place, error) != 0)
    return -1;
  return t->session_file ? read_secret(t->session_file, "session_file", out->session, place, error) : 0;
}

/* Names of hosts, or "*." and the end of a name. */
static int take_redirects(const struct table *t, struct fetch_account *out, const char *place, struct error *error)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:[]";
  const json_t *one;
  size_t i, used = 0;
  json_array_foreach(t->redirects, i, one)
  {
    const char *host = json_string_value(one), *name = strncmp(host, "*.", 2) == 0 ? host + 1 : host;
    const int length = snprintf(out->redirects + used, sizeof out->redirects - used, "%s%s", used ? " " : "", host);
    if (name[strspn(name, plain)] != '\0' || length >= (int)(sizeof out->redirects - used))
      return config_wrong(error, place, "redirects", "wants hosts such as pool.example.org or *.example.org");
    used += (size_t)length;
  }
  return 0;
}

/* A secret goes to nobody who listens on the way. */
static int take_web(const struct table *t, struct fetch_account *out, const char *place, struct error *error)
{
  if (t->key_id || t->secret_file || t->session_file || t->endpoint || t->region || t->is_virtual)
    return config_wrong(error, place, "url", "is of the web, which has token_file, or user and password_file");
  if (!t->user != !t->password_file || (t->user && t->token_file))
    return config_wrong(error, place, "user", "and password_file are wanted together, or token_file alone");
  if ((t->user || t->token_file) && !config_url_is_allowed(t->url, false))
    return config_wrong(error, place, "url", "wants https where a secret goes there, or to be on this machine");
  if (copy(out->user, sizeof out->user, t->user, "user", place, error) != 0)
    return -1;
  out->kind = t->token_file ? ACCOUNT_BEARER : t->user ? ACCOUNT_BASIC : ACCOUNT_ANONYMOUS;
  if (t->token_file)
    return read_secret(t->token_file, "token_file", out->secret, place, error);
  return t->user ? read_secret(t->password_file, "password_file", out->secret, place, error) : 0;
}

static int read_table(const json_t *value, struct account_settings *settings, const char *place, struct error *error)
{
  struct table t = {0};
  struct error reason = {0};
  struct fetch_account *more = realloc(settings->accounts, (settings->account_count + 1) * sizeof *settings->accounts);
  if (!more)
    return error_memory(error);
  settings->accounts = more;
  struct fetch_account *out = &more[settings->account_count];
  memset(out, 0, sizeof *out);
  if (read_members(value, &t, place, error) != 0)
    return -1;
  if (fetch_prefix_check(t.url, &reason) != 0 || strlen(t.url) >= sizeof out->prefix)
    return config_wrong(error, place, "url", reason.message[0] ? reason.message : "is too long");
  snprintf(out->prefix, sizeof out->prefix, "%s", t.url);
  out->is_private = t.is_private;
  settings->account_count++;
  settings->prefixes[settings->prefix_count++] = t.url;
  if (t.redirects && fetch_s3_is(t.url))
    return config_wrong(error, place, "redirects", "goes with addresses of the web");
  return take_redirects(&t, out, place, error) == 0 ? (fetch_s3_is(t.url) ? take_s3 : take_web)(&t, out, place, error)
                                                    : -1;
}

static int read_one(const json_t *value, struct account_settings *settings, size_t i, struct error *error)
{
  char place[32];
  const char *text = json_string_value(value);
  snprintf(place, sizeof place, "remote[%zu]", i);
  if (settings->prefix_count == FETCH_ACCOUNTS_MOST)
    return error_set(error, ERROR_ServerConfigInvalid, "remote wants at most %d addresses", (int)FETCH_ACCOUNTS_MOST);
  if (!text)
    return read_table(value, settings, place, error);
  if (fetch_prefix_check(text, error) != 0)
    return -1;
  settings->prefixes[settings->prefix_count++] = text;
  return 0;
}

int account_settings_add(struct account_settings *settings, json_t *document, struct error *error)
{
  if (!settings->document)
    settings->document = json_array();
  if (!settings->document || json_array_append(settings->document, document) != 0)
    return error_memory(error);
  if (!json_is_array(document))
    return read_one(document, settings, 0, error);
  for (size_t i = 0; i < json_array_size(document); i++)
    if (read_one(json_array_get(document, i), settings, i, error) != 0)
      return -1;
  return 0;
}

int account_settings_add_prefix(struct account_settings *settings, const char *prefix, struct error *error)
{
  json_t *text = json_string(prefix);
  const int status = text ? account_settings_add(settings, text, error) : error_memory(error);
  json_decref(text);
  return status;
}

int account_settings_add_file(struct account_settings *settings, const char *path, struct error *error)
{
  struct toml file;
  struct error reason = {0};
  char place[64] = "";
  if (toml_read(path, &file, error) != 0)
    return -1;
  json_t *tables = json_object_get(file.values, "remote");
  if (!json_is_array(tables) || json_object_size(file.values) != 1)
    error_set(&reason, ERROR_ServerConfigInvalid, "wants tables [[remote]], and nothing else");
  const int status = error_is_set(&reason) ? -1 : account_settings_add(settings, tables, &reason);
  snprintf(place, sizeof place, "%.*s", (int)strcspn(reason.message, ". "), reason.message);
  if (status != 0)
    error_set(error, ERROR_ServerConfigInvalid, "%s:%d: %s", path, toml_line(&file, place), reason.message);
  toml_free(&file);
  return status;
}

void account_settings_free(struct account_settings *settings)
{
  json_decref(settings->document);
  if (settings->accounts)
    explicit_bzero(settings->accounts, settings->account_count * sizeof *settings->accounts);
  free(settings->accounts);
  *settings = (struct account_settings){0};
}

struct fetch_access account_settings_access(const struct account_settings *settings)
{
  return (struct fetch_access){.rule = {.prefixes = settings->prefixes, .prefix_count = settings->prefix_count},
                               .accounts = settings->accounts,
                               .account_count = settings->account_count};
}
