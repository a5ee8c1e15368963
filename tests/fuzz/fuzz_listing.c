/* Fuzzing what other hosts list, and the rule which of them are asked. The network is not there: each question gets the
 * next part of the input, which zero bytes cut. What is listed can stand in a catalogue, and everything ends. */
#include "server/sources/source_kind.h"

#include "datacube/base/utf8.h"
#include "stac/href.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *rest;
static size_t left;

/* In place of those of server/sources/source_session.c. */
int source_ask(struct source_session *session, const struct source_question *question, struct source_answer *answer,
               struct error *error)
{
  *answer = (struct source_answer){.url = NULL};
  if (left == 0 || ++session->requests > 100)
    return error_set(error, ERROR_InfrastructureBusy, "no answer");
  const size_t length = strnlen(rest, left);
  buffer_add(&answer->body, rest, length);
  answer->url = strdup(question->url);
  rest += length;
  left -= length;
  rest += left > 0;
  left -= left > 0;
  return 0;
}

void source_answer_free(struct source_answer *answer)
{
  buffer_free(&answer->body);
  free(answer->url);
  *answer = (struct source_answer){.url = NULL};
}

static void list(const struct source_kind *kind, const char *address)
{
  struct fetch_access access = {.accounts = NULL};
  struct source_session session = {.access = &access, .arena = arena_new(64 << 20), .end = INT64_MAX};
  struct source_listing listing = {.arena = session.arena};
  struct error error = {0};
  if (kind->list(&session, address, &listing, &error) == 0)
    source_listing_sort(&listing);
  else if (!error_is_set(&error))
    abort();
  for (size_t i = 0; i < listing.count; i++)
    if (!href_is_web(listing.files[i].address) || listing.files[i].name[0] == '\0' ||
        strpbrk(listing.files[i].name, "\t\n"))
      abort();
  arena_free(session.arena);
}

/* Whether that is below where it is asked for. As libcurl reads it, for it takes 127.1 for 127.0.0.1 too. */
static bool asks_below(const char *url, const char *scheme, const char *host, const char *port, const char *start)
{
  CURLU *handle = curl_url();
  char *parts[4] = {NULL};
  bool is_below = handle && curl_url_set(handle, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
                  curl_url_get(handle, CURLUPART_SCHEME, &parts[0], 0) == CURLUE_OK &&
                  curl_url_get(handle, CURLUPART_HOST, &parts[1], 0) == CURLUE_OK &&
                  curl_url_get(handle, CURLUPART_PORT, &parts[2], CURLU_DEFAULT_PORT) == CURLUE_OK &&
                  curl_url_get(handle, CURLUPART_PATH, &parts[3], 0) == CURLUE_OK && strcmp(parts[0], scheme) == 0 &&
                  strcasecmp(parts[1], host) == 0 && strcmp(parts[2], port) == 0 &&
                  strncmp(parts[3], start, strlen(start)) == 0;
  for (int i = 0; i < 4; i++)
    curl_free(parts[i]);
  curl_url_cleanup(handle);
  return is_below;
}

/* Whatever is asked is an address of the web that a prefix allows. */
static void judge(const char *text)
{
  static const char *const prefixes[] = {"https://example.org/data/", "s3://bucket/start/", "http://127.0.0.1:80/"};
  static struct fetch_account accounts[] = {
      {.kind = ACCOUNT_S3, .prefix = "s3://bucket/start/", .endpoint = "http://127.0.0.1:81", .user = "a"},
      {.kind = ACCOUNT_BEARER, .prefix = "https://example.org/data/", .secret = "b"}};
  const struct fetch_access access = {.rule = {.prefixes = prefixes, .prefix_count = 3},
                                      .accounts = accounts,
                                      .account_count = sizeof accounts / sizeof accounts[0]};
  struct error error = {0}, other = {0};
  enum web_reach reach;
  char *out = NULL;
  if (fetch_access_resolve(&access, text, &out, &reach, &error) == 0 &&
      !asks_below(out, "https", "example.org", "443", "/data/") &&
      !asks_below(out, "http", "127.0.0.1", "81", "/bucket/start/") && !asks_below(out, "http", "127.0.0.1", "80", "/"))
    abort();
  free(out);
  fetch_prefix_check(text, &other);
  other = (struct error){0};
  if (strncmp(text, "s3://", 5) == 0) {
    if (fetch_access_resolve_bucket(&access, text, &out, &reach, &other) == 0 &&
        strcmp(out, "http://127.0.0.1:81/bucket/") != 0)
      abort();
    free(out);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char *const names[] = {"s3", "webdav", "thredds", "esgf", "rucio"};
  if (size < 1)
    return 0;
  char *text = malloc(size);
  if (!text)
    return 0;
  memcpy(text, data + 1, size - 1);
  text[size - 1] = '\0';
  const unsigned which = data[0] % 6;
  rest = text;
  left = size - 1;
  if (which == 5)
    judge(text);
  else
    list(source_kind_named(names[which]), which == 0 ? "s3://bucket/start/" : "https://example.org/data/a");
  free(text);
  return 0;
}
