#include "server/config/config_members.h"

#include <curl/curl.h>
#include <stdint.h>
#include <string.h>

int config_wrong(struct error *error, const char *place, const char *name, const char *what)
{
  return error_set(error, ERROR_ServerConfigInvalid, "%s.%s: %s", place, name, what);
}

static bool is_text(const json_t *value)
{
  return json_string_length(value) > 0;
}

static bool are_texts(const json_t *value)
{
  const json_t *one;
  size_t i;
  json_array_foreach(value, i, one) if (!is_text(one)) return false;
  return json_is_array(value);
}

static bool host_is_here(const char *host)
{
  return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
         (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

bool config_url_is_allowed(const char *url, bool allow_http)
{
  CURLU *parts = curl_url();
  char *scheme = NULL, *host = NULL, *user = NULL;
  bool allowed = false;
  if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
      curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
      curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
      curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_NO_USER)
    allowed = strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && (allow_http || host_is_here(host)));
  curl_free(scheme);
  curl_free(host);
  curl_free(user);
  curl_url_cleanup(parts);
  return allowed;
}

static int read_choice(const struct config_member *member, const json_t *value)
{
  for (unsigned i = 0; member->choices[i] != NULL; i++)
    if (json_is_string(value) && strcmp(json_string_value(value), member->choices[i]) == 0) {
      *(unsigned *)member->to = i;
      return 0;
    }
  return -1;
}

static int read_member(const struct config_member *member, const json_t *value, const char *place, struct error *error)
{
  switch (member->kind) {
  case MEMBER_TEXT:
    if (!is_text(value))
      return config_wrong(error, place, member->name, "wants a text");
    *(const char **)member->to = json_string_value(value);
    return 0;
  case MEMBER_URL:
    if (!is_text(value) || !config_url_is_allowed(json_string_value(value), true))
      return config_wrong(error, place, member->name, "wants an http or https address");
    *(const char **)member->to = json_string_value(value);
    return 0;
  case MEMBER_TEXTS:
    if (!are_texts(value))
      return config_wrong(error, place, member->name, "wants an array of texts");
    *(const json_t **)member->to = value;
    return 0;
  case MEMBER_FLAG:
    if (!json_is_boolean(value))
      return config_wrong(error, place, member->name, "wants true or false");
    *(bool *)member->to = json_is_true(value);
    return 0;
  case MEMBER_SECONDS:
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > 86400)
      return config_wrong(error, place, member->name, "wants seconds, from 0 to 86400");
    *(long *)member->to = (long)json_integer_value(value);
    return 0;
  case MEMBER_CHOICE:
    return read_choice(member, value) == 0 ? 0 : config_wrong(error, place, member->name, "is none of the choices");
  default:
    *(const json_t **)member->to = value;
    return 0;
  }
}

int config_read_object(const json_t *object, const struct config_member *members, const char *place,
                       struct error *error)
{
  const char *name;
  json_t *value;
  if (!json_is_object(object))
    return error_set(error, ERROR_ServerConfigInvalid, "%s wants an object", place);
  json_object_foreach((json_t *)(uintptr_t)object, name, value)
  {
    const struct config_member *member = members;
    while (member->name != NULL && strcmp(member->name, name) != 0)
      member++;
    if (member->name == NULL)
      return config_wrong(error, place, name, "there is no such setting");
    if (read_member(member, value, place, error) != 0)
      return -1;
  }
  return 0;
}
