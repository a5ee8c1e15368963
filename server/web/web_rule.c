/* Addresses are compared in the parts in which libcurl reads them, for it is libcurl that asks for them. */
#include "server/web/web_rule.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

struct web_parts {
  char *scheme, *host, *port, *path;
};

static void parts_free(struct web_parts *parts)
{
  curl_free(parts->scheme);
  curl_free(parts->host);
  curl_free(parts->port);
  curl_free(parts->path);
  *parts = (struct web_parts){0};
}

/* Whether the handle's address has all the parts, and a scheme that is asked by. */
static bool take_parts(CURLU *handle, struct web_parts *out)
{
  return curl_url_get(handle, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
         curl_url_get(handle, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
         curl_url_get(handle, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
         curl_url_get(handle, CURLUPART_PATH, &out->path, 0) == CURLUE_OK &&
         (strcmp(out->scheme, "https") == 0 || strcmp(out->scheme, "http") == 0);
}

/* libcurl takes one to three slashes and %-escapes of hosts: what does not name its host plainly is not asked. */
static bool names_host(const char *url)
{
  const char *host = strncasecmp(url, "http", 4) == 0 ? url + 4 : url;
  host += *host == 's' || *host == 'S';
  return strncmp(host, "://", 3) == 0 && host[3 + strcspn(host + 3, "/%?#")] != '%' && host[3] != '/';
}

static bool is_plain(const char *path)
{
  for (; *path; path++)
    if (*path == '\\' || strncasecmp(path, "%2e", 3) == 0 || strncasecmp(path, "%2f", 3) == 0 ||
        strncasecmp(path, "%5c", 3) == 0)
      return false;
  return true;
}

/* A prefix ends where its path does; false for what is no address of the web at all. The caller frees the parts. */
static bool read_parts(const char *url, bool is_prefix, struct web_parts *out)
{
  CURLU *handle = curl_url();
  char *query = NULL, *fragment = NULL;
  bool read = handle != NULL && names_host(url) &&
              curl_url_set(handle, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK && take_parts(handle, out) &&
              is_plain(out->path);
  if (read && is_prefix)
    read = curl_url_get(handle, CURLUPART_QUERY, &query, 0) == CURLUE_NO_QUERY &&
           curl_url_get(handle, CURLUPART_FRAGMENT, &fragment, 0) == CURLUE_NO_FRAGMENT;
  curl_free(query);
  curl_free(fragment);
  curl_url_cleanup(handle);
  return read;
}

int web_prefix_check(const char *prefix, struct error *error)
{
  struct web_parts parts = {0};
  const bool read = read_parts(prefix, true, &parts);
  parts_free(&parts);
  return read ? 0
              : error_set(error, ERROR_ServerConfigInvalid,
                          "'%s' is no http or https address without user, query and fragment", prefix);
}

static bool covers(const struct web_parts *prefix, const struct web_parts *url)
{
  const size_t length = strlen(prefix->path);
  if (strcmp(prefix->scheme, url->scheme) != 0 || strcasecmp(prefix->host, url->host) != 0 ||
      strcmp(prefix->port, url->port) != 0 || strncmp(prefix->path, url->path, length) != 0)
    return false;
  return prefix->path[length - 1] == '/' || url->path[length] == '/' || url->path[length] == '\0';
}

static bool is_number_or_here(const char *host)
{
  struct in_addr v4;
  return host[0] == '[' || strcasecmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &v4) == 1;
}

int web_rule_check(const struct web_rule *rule, const char *url, enum web_reach *reach, struct error *error)
{
  struct web_parts parts = {0};
  bool found = false;
  if (!read_parts(url, false, &parts)) {
    parts_free(&parts);
    return error_set(error, ERROR_PermissionsInsufficient, "'%.200s' is no http or https address that is asked", url);
  }
  for (size_t i = 0; i < rule->prefix_count && !found; i++) {
    struct web_parts prefix = {0};
    found = read_parts(rule->prefixes[i], true, &prefix) && covers(&prefix, &parts);
    parts_free(&prefix);
  }
  *reach = rule->is_private || is_number_or_here(parts.host) ? WEB_PRIVATE : WEB_PUBLIC;
  parts_free(&parts);
  return found ? 0
               : error_set(error, ERROR_PermissionsInsufficient,
                           "'%.200s' is not among the addresses that may be asked", url);
}

static bool is_named(const char *hosts, const char *host)
{
  const size_t length = strlen(host);
  for (size_t part; *hosts; hosts += part + strspn(hosts + part, " ")) {
    const bool is_below = hosts[0] == '*';
    part = strcspn(hosts, " ");
    const size_t wanted = part - is_below;
    if ((is_below ? length > wanted : length == wanted) &&
        strncasecmp(host + length - wanted, hosts + is_below, wanted) == 0)
      return true;
  }
  return false;
}

int web_redirect_check(const char *from, const char *to, const char *hosts, enum web_reach *reach, struct error *error)
{
  struct web_parts before = {0}, parts = {0};
  const bool is_read = read_parts(from, false, &before) && read_parts(to, false, &parts);
  const bool is_safe = is_read && (strcmp(parts.scheme, "https") == 0 || strcmp(parts.scheme, before.scheme) == 0);
  const bool is_known = is_safe && (strcasecmp(parts.host, before.host) == 0 || is_named(hosts, parts.host));
  *reach = is_known && is_number_or_here(parts.host) ? WEB_PRIVATE : WEB_PUBLIC;
  parts_free(&before);
  parts_free(&parts);
  return is_known ? 0
                  : error_set(error, ERROR_PermissionsInsufficient,
                              "'%.200s' leads to '%.200s', which is not among the hosts that it may lead to", from, to);
}
