/* A prefix of the web covers what web_rule.h says; one of S3, the keys that begin with it. */
#include "server/fetch/fetch_account.h"

#include "server/fetch/fetch_s3.h"

#include <stdio.h>
#include <string.h>

int fetch_prefix_check(const char *prefix, struct error *error)
{
  if (!fetch_s3_is(prefix))
    return web_prefix_check(prefix, error);
  return fetch_s3_is_sound(prefix, true) && strlen(prefix) < FETCH_PREFIX_SIZE
             ? 0
             : error_set(error, ERROR_ServerConfigInvalid, "'%.200s' is no address such as s3://BUCKET/START", prefix);
}

/* Both are of S3, or both are not. Whether a prefix covers an address that is sound. */
static bool covers(const char *prefix, const char *url)
{
  const struct web_rule rule = {.prefixes = &prefix, .prefix_count = 1};
  struct error ignored = {0};
  enum web_reach reach;
  if (fetch_s3_is(prefix) != fetch_s3_is(url))
    return false;
  return fetch_s3_is(url) ? fetch_s3_covers(prefix, url) : web_rule_check(&rule, url, &reach, &ignored) == 0;
}

const struct fetch_account *fetch_account_find(const struct fetch_access *access, const char *url)
{
  const struct fetch_account *found = NULL;
  for (size_t i = 0; i < access->account_count; i++) {
    const struct fetch_account *account = &access->accounts[i];
    if ((!found || strlen(account->prefix) > strlen(found->prefix)) && covers(account->prefix, url))
      found = account;
  }
  return found;
}

static int check_s3(const struct fetch_access *access, const char *url, bool is_prefix, struct error *error)
{
  if (!fetch_s3_is_sound(url, is_prefix))
    return error_set(error, ERROR_PermissionsInsufficient, "'%.200s' is no address such as s3://BUCKET/KEY", url);
  for (size_t i = 0; i < access->rule.prefix_count; i++)
    if (fetch_s3_is(access->rule.prefixes[i]) && fetch_s3_covers(access->rule.prefixes[i], url))
      return 0;
  return error_set(error, ERROR_PermissionsInsufficient, "'%.200s' is not among the addresses that may be asked", url);
}

int fetch_access_check(const struct fetch_access *access, const char *url, struct error *error)
{
  enum web_reach reach;
  return fetch_s3_is(url) ? check_s3(access, url, false, error) : web_rule_check(&access->rule, url, &reach, error);
}

/* An endpoint is its operator's word, and judged as a prefix is: on our networks only where it is a number. */
static int resolve_s3(const struct fetch_account *account, const char *url, char **out, enum web_reach *reach,
                      struct error *error)
{
  *reach = WEB_PUBLIC;
  *out = fetch_s3_address(account, url);
  if (!*out)
    return error_memory(error);
  if (!account || account->endpoint[0] == '\0' || account->is_virtual)
    return 0;
  const char *endpoint = account->endpoint;
  return web_rule_check(&(struct web_rule){.prefixes = &endpoint, .prefix_count = 1}, *out, reach, error);
}

int fetch_access_resolve(const struct fetch_access *access, const char *url, char **out, enum web_reach *reach,
                         struct error *error)
{
  const struct fetch_account *account = fetch_account_find(access, url);
  *out = NULL;
  if (fetch_s3_is(url)) {
    if (check_s3(access, url, false, error) != 0 || resolve_s3(account, url, out, reach, error) != 0)
      return -1;
  } else {
    if (web_rule_check(&access->rule, url, reach, error) != 0)
      return -1;
    if (!(*out = strdup(url)))
      return error_memory(error);
  }
  if (account && account->is_private)
    *reach = WEB_PRIVATE;
  return 0;
}

int fetch_access_resolve_redirect(const struct fetch_access *access, const char *from, const char *url,
                                  bool same_host_suffices, char **out, enum web_reach *reach, struct error *error)
{
  const struct fetch_account *account = fetch_account_find(access, from);
  const char *hosts = account ? account->redirects : "";
  struct error reason = {0};
  if (fetch_access_resolve(access, url, out, reach, &reason) == 0)
    return 0;
  if (fetch_s3_is(from) || fetch_s3_is(url) || (!same_host_suffices && hosts[0] == '\0')) {
    *error = reason;
    return -1;
  }
  if (web_redirect_check(from, url, hosts, reach, error) != 0)
    return -1;
  *reach = account && account->is_private ? WEB_PRIVATE : *reach;
  return (*out = strdup(url)) ? 0 : error_memory(error);
}

int fetch_access_resolve_bucket(const struct fetch_access *access, const char *prefix, char **out,
                                enum web_reach *reach, struct error *error)
{
  const struct fetch_account *account = fetch_account_find(access, prefix);
  char bucket[FETCH_PREFIX_SIZE];
  const char *name = prefix + strlen("s3://");
  *out = NULL;
  if (check_s3(access, prefix, true, error) != 0)
    return -1;
  snprintf(bucket, sizeof bucket, "s3://%.*s/", (int)strcspn(name, "/"), name);
  if (resolve_s3(account, bucket, out, reach, error) != 0)
    return -1;
  if (account && account->is_private)
    *reach = WEB_PRIVATE;
  return 0;
}

/* ---- what is sent ------------------------------------------------------------------------------------------------ */

static int add_line(struct curl_slist **headers, const char *line)
{
  struct curl_slist *longer = curl_slist_append(*headers, line);
  *headers = longer ? longer : *headers;
  return longer ? 0 : -1;
}

/* S3 wants the sum of the body as a header, and libcurl before 8 does not add it. */
static int use_s3(const struct fetch_account *account, CURL *curl, const char *sum, struct curl_slist **headers)
{
  char provider[sizeof account->region + 32], token[FETCH_SECRET_SIZE + 32], body[128];
  snprintf(body, sizeof body, "x-amz-content-sha256: %.80s", sum);
  snprintf(provider, sizeof provider, "aws:amz:%s:s3", account->region[0] ? account->region : "us-east-1");
  if (account->session[0]) {
    snprintf(token, sizeof token, "x-amz-security-token: %s", account->session);
    if (add_line(headers, token) != 0)
      return -1;
  }
  return add_line(headers, body) == 0 && curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, provider) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_USERNAME, account->user) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_PASSWORD, account->secret) == CURLE_OK
             ? 0
             : -1;
}

int fetch_account_use(const struct fetch_account *account, CURL *curl, struct curl_slist **headers)
{
  static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  return fetch_account_use_for(account, curl, of_nothing, headers);
}

int fetch_account_use_for(const struct fetch_account *account, CURL *curl, const char *sum, struct curl_slist **headers)
{
  switch (account->kind) {
  case ACCOUNT_S3:
    return use_s3(account, curl, sum, headers);
  case ACCOUNT_BEARER:
    return curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK &&
                   curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, account->secret) == CURLE_OK
               ? 0
               : -1;
  case ACCOUNT_BASIC:
    return curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
                   curl_easy_setopt(curl, CURLOPT_USERNAME, account->user) == CURLE_OK &&
                   curl_easy_setopt(curl, CURLOPT_PASSWORD, account->secret) == CURLE_OK
               ? 0
               : -1;
  case ACCOUNT_ANONYMOUS:
    return 0;
  }
  return -1;
}
