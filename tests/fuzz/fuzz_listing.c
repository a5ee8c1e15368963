/* Fuzzing what other hosts list, and the rule which of them are asked. The network is not there: each question gets the
 * next part of the input, which zero bytes cut. What is listed can stand in a catalogue, and everything ends. */
#include "server/sources/source_kind.h"

#include "datacube/base/utf8.h"
#include "stac/href.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
  static const char *const allowed[] = {"https://example.org/data", "http://127.0.0.1:81/bucket/",
                                        "http://127.0.0.1:80", "http://127.0.0.1"};
  struct error error = {0}, other = {0};
  enum web_reach reach;
  char *out = NULL;
  bool is_allowed = fetch_access_resolve(&access, text, &out, &reach, &error) != 0;
  for (size_t i = 0; i < 4 && !is_allowed; i++)
    is_allowed = strncasecmp(out, allowed[i], strlen(allowed[i])) == 0;
  if (!is_allowed)
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
