#include "server/web/web_fetch.h"

#include "server/web/web_guard.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct hop { /* one request of a fetch */
  const struct web_fetch *fetch;
  const char *url;
  struct web_guard guard;
  long left; /* milliseconds */
};

struct body { /* of an answer, as it comes */
  CURL *curl;
  const struct web_fetch *fetch;
  struct buffer *text;
  uint64_t written; /* to the file */
  bool file_failed;
};

static uint64_t most_of(const struct web_fetch *fetch)
{
  return fetch->most > 0 ? fetch->most : WEB_FETCH_BYTES;
}

static size_t write_bytes(struct body *body, const char *bytes, size_t size)
{
  if (size > most_of(body->fetch) - body->written) {
    body->text->failed = true;
    return 0;
  }
  body->file_failed = fwrite(bytes, 1, size, body->fetch->file) != size;
  body->written += size;
  return body->file_failed ? 0 : size;
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *data)
{
  struct body *body = data;
  long status = 0;
  curl_easy_getinfo(body->curl, CURLINFO_RESPONSE_CODE, &status);
  if (body->fetch->file != NULL && status == 200)
    return write_bytes(body, bytes, size * count);
  buffer_add(body->text, bytes, size * count);
  return body->text->failed ? 0 : size * count;
}

static int look_up(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
  const struct web_fetch *fetch = data;
  (void)a, (void)b, (void)c, (void)d;
  return atomic_load(fetch->stopping) || (fetch->given_up != NULL && fetch->given_up(fetch->data)) ? 1 : 0;
}

static void set_identity(CURL *curl, const struct web_fetch *fetch)
{
  if (fetch->ca_file != NULL)
    curl_easy_setopt(curl, CURLOPT_CAINFO, fetch->ca_file);
  if (fetch->bearer != NULL) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, fetch->bearer);
  }
}

static void set_question(CURL *curl, const struct web_fetch *fetch)
{
  if (fetch->deletes)
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
  if (fetch->json == NULL)
    return;
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)fetch->json->length);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, fetch->json->data);
}

static void set_options(CURL *curl, struct hop *hop, struct body *body)
{
  curl_easy_setopt(curl, CURLOPT_URL, hop->url);
  web_guard_set(&hop->guard, curl);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, hop->left);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L); /* a host that is gone says nothing, however long one waits */
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, 10L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, hop->fetch);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  set_identity(curl, hop->fetch);
  set_question(curl, hop->fetch);
}

/* "NAME: VALUE" at the end of a list; nothing where there is no value. */
static struct curl_slist *add_header(struct curl_slist *headers, const char *name, const char *value)
{
  struct buffer line = {0};
  if (value == NULL || value[0] == '\0')
    return headers;
  buffer_printf(&line, "%s: %s", name, value);
  struct curl_slist *longer = line.failed ? NULL : curl_slist_append(headers, line.data);
  buffer_free(&line);
  return longer != NULL ? longer : headers;
}

static struct curl_slist *make_headers(const struct web_fetch *fetch)
{
  struct curl_slist *headers = add_header(NULL, "If-None-Match", fetch->etag);
  headers = add_header(headers, "Via", fetch->via);
  return add_header(headers, "Content-Type", fetch->json != NULL ? "application/json" : NULL);
}

static const char *header(CURL *curl, const char *name)
{
  struct curl_header *found;
  return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value : NULL;
}

/* What Cache-Control says in whole seconds; what it forbids, or says nonsense about, is 0. */
static long read_max_age(const char *text)
{
  if (text == NULL || strstr(text, "no-store") != NULL || strstr(text, "no-cache") != NULL)
    return 0;
  const char *age = strstr(text, "max-age=");
  const long seconds = age != NULL ? strtol(age + strlen("max-age="), NULL, 10) : 0;
  return seconds < 0 ? 0 : seconds;
}

/* One that is too long counts as none. */
static void take_header(CURL *curl, const char *name, char *out, size_t room)
{
  const char *value = header(curl, name);
  if (value != NULL && strlen(value) < room)
    snprintf(out, room, "%s", value);
}

static void take_headers(CURL *curl, struct web_answer *answer)
{
  take_header(curl, "ETag", answer->etag, sizeof answer->etag);
  take_header(curl, "Location", answer->place, sizeof answer->place);
  take_header(curl, "OpenEO-Identifier", answer->identifier, sizeof answer->identifier);
  answer->max_age = read_max_age(header(curl, "Cache-Control"));
}

static int fail(struct hop *hop, const struct body *body, CURLcode code, struct error *error)
{
  if (hop->guard.refused[0] != '\0')
    return error_set(error, ERROR_PermissionsInsufficient,
                     "'%.200s' leads to the address %s, which may not be asked: it is not public", hop->url,
                     hop->guard.refused);
  if (body->file_failed)
    return error_set(error, ERROR_StorageFailure, "%.200s: the answer cannot be written", hop->url);
  return error_set(error, ERROR_InfrastructureBusy, "%.200s: %s", hop->url,
                   body->text->failed ? "the answer is too large" : curl_easy_strerror(code));
}

/* One request and its answer; *next is where a redirect leads, which the caller frees, or NULL. */
static int ask(struct hop *hop, struct web_answer *answer, char **next, struct error *error)
{
  struct body body = {.curl = curl_easy_init(), .fetch = hop->fetch, .text = &answer->body};
  CURL *curl = body.curl;
  char *location = NULL;
  if (curl == NULL)
    return error_memory(error);
  struct curl_slist *headers = make_headers(hop->fetch);
  set_options(curl, hop, &body);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
  *next = code == CURLE_OK && location != NULL ? strdup(location) : NULL;
  take_headers(curl, answer);
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  return code == CURLE_OK ? 0 : fail(hop, &body, code, error);
}

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Judges the hop's address by the rule, and asks. */
static int try_hop(struct hop *hop, struct web_answer *answer, char **next, struct error *error)
{
  const struct web_rule *rule = hop->fetch->rule;
  hop->guard = (struct web_guard){.reach = hop->fetch->is_public ? WEB_PUBLIC : WEB_PRIVATE};
  if (rule != NULL && web_rule_check(rule, hop->url, &hop->guard.reach, error) != 0)
    return -1;
  buffer_free(&answer->body);
  const uint64_t most = hop->fetch->file == NULL ? most_of(hop->fetch) : WEB_FETCH_BYTES;
  *answer = (struct web_answer){.body.limit = most < SIZE_MAX ? (size_t)most : SIZE_MAX};
  return ask(hop, answer, next, error);
}

int web_fetch(const struct web_fetch *fetch, struct web_answer *answer, struct error *error)
{
  const int64_t time = fetch->seconds > 0 ? (int64_t)(fetch->seconds * 1000) : WEB_FETCH_SECONDS * 1000;
  const int64_t end = now_ms() + time;
  struct hop hop = {.fetch = fetch, .url = fetch->url, .left = (long)time};
  char *at = NULL, *next = NULL;
  unsigned left = fetch->bearer != NULL ? 0 : fetch->redirects;
  *answer = (struct web_answer){0};
  int status = try_hop(&hop, answer, &next, error);
  for (; status == 0 && next != NULL && left > 0; left--) {
    free(at);
    hop.url = at = next;
    next = NULL;
    hop.left = (long)(end - now_ms());
    status = hop.left > 0 ? try_hop(&hop, answer, &next, error)
                          : error_set(error, ERROR_InfrastructureBusy, "%.200s: too slow", fetch->url);
  }
  free(next);
  if (status != 0)
    buffer_free(&answer->body);
  free(at);
  return status;
}
