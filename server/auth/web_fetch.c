#include "server/auth/web_fetch.h"

#include <curl/curl.h>

enum { CONNECT_SECONDS = 3 };

static size_t take_bytes(char *bytes, size_t size, size_t count, void *data)
{
  struct buffer *body = data;
  buffer_add(body, bytes, size * count);
  return body->failed ? 0 : size * count;
}

static int look_up(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
  const atomic_bool *stopping = data;
  (void)a, (void)b, (void)c, (void)d;
  return atomic_load(stopping) ? 1 : 0;
}

static void set_options(CURL *curl, const struct web_fetch *fetch, struct buffer *body)
{
  curl_easy_setopt(curl, CURLOPT_URL, fetch->url);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)WEB_FETCH_SECONDS);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "twincube/" TWINCUBE_VERSION);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetch->stopping);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  if (fetch->ca_file != NULL)
    curl_easy_setopt(curl, CURLOPT_CAINFO, fetch->ca_file);
  if (fetch->bearer != NULL) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, fetch->bearer);
  }
}

int web_fetch(const struct web_fetch *fetch, long *status, struct buffer *body, struct error *error)
{
  CURL *curl = curl_easy_init();
  *body = (struct buffer){.limit = WEB_FETCH_BYTES};
  if (curl == NULL)
    return error_memory(error);
  set_options(curl, fetch, body);
  CURLcode code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
  curl_easy_cleanup(curl);
  if (code == CURLE_OK)
    return 0;
  const char *reason = body->failed ? "the answer is too large" : curl_easy_strerror(code);
  buffer_free(body);
  return error_set(error, ERROR_InfrastructureBusy, "%s: %s", fetch->url, reason);
}
