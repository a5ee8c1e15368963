/* Kept documents are rows of a small table, found by their address. A row that is stale is asked for again on condition
 * that it changed. Requests to the web run outside of the lock: two tasks may ask for the same at once. */
#include "server/definitions/remote_definitions.h"

#include "server/clock.h"
#include "server/definitions/definition_pick.h"
#include "server/web/web_fetch.h"

#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct document { /* all zero: none */
  char *url;
  struct buffer text;
  char etag[WEB_ETAG_SIZE];
  int64_t asked;   /* steady_now of the last request for it */
  int64_t expires; /* until then it need not be asked for again */
  int64_t used;
};

struct remote_definitions {
  const struct web_rule *rule;
  const atomic_bool *stopping;
  pthread_mutex_t lock;
  size_t bytes; /* of all texts */
  struct document kept[REMOTE_KEPT];
};

struct remote_definitions *remote_definitions_new(const struct web_rule *rule, const atomic_bool *stopping)
{
  struct remote_definitions *remote = calloc(1, sizeof *remote);
  if (remote == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    free(remote);
    return NULL;
  }
  remote->rule = rule;
  remote->stopping = stopping;
  pthread_mutex_init(&remote->lock, NULL);
  return remote;
}

static void document_free(struct document *document)
{
  free(document->url);
  buffer_free(&document->text);
  *document = (struct document){0};
}

void remote_definitions_free(struct remote_definitions *remote)
{
  if (remote == NULL)
    return;
  for (size_t i = 0; i < REMOTE_KEPT; i++)
    document_free(&remote->kept[i]);
  pthread_mutex_destroy(&remote->lock);
  curl_global_cleanup();
  free(remote);
}

/* ---- what is kept; under the lock ------------------------------------------------------------------------------- */

static struct document *find(struct remote_definitions *remote, const char *url)
{
  for (size_t i = 0; i < REMOTE_KEPT; i++)
    if (remote->kept[i].url != NULL && strcmp(remote->kept[i].url, url) == 0)
      return &remote->kept[i];
  return NULL;
}

static void drop(struct remote_definitions *remote, struct document *document)
{
  remote->bytes -= document->text.length;
  document_free(document);
}

/* A free row, if need be that of the document which was used longest ago. */
static struct document *longest_unused(struct remote_definitions *remote, bool is_free_enough)
{
  struct document *found = NULL;
  for (size_t i = 0; i < REMOTE_KEPT; i++) {
    struct document *row = &remote->kept[i];
    if (row->url == NULL && is_free_enough)
      return row;
    if (row->url != NULL && (found == NULL || row->used < found->used))
      found = row;
  }
  return found;
}

/* Takes the document, whatever it does with it. */
static void keep(struct remote_definitions *remote, struct document *document)
{
  struct document *row = find(remote, document->url);
  if (row != NULL)
    drop(remote, row);
  while (remote->bytes + document->text.length > REMOTE_KEPT_BYTES)
    drop(remote, longest_unused(remote, false));
  row = longest_unused(remote, true);
  if (row->url != NULL)
    drop(remote, row);
  remote->bytes += document->text.length;
  *row = *document;
  *document = (struct document){0};
}

/* A copy of what is kept, for the caller; without a row all is zero. */
static int copy_kept(struct remote_definitions *remote, const char *url, struct document *out)
{
  *out = (struct document){0};
  pthread_mutex_lock(&remote->lock);
  struct document *row = find(remote, url);
  if (row != NULL) {
    row->used = steady_now();
    *out = *row;
    out->text = (struct buffer){0};
    buffer_add(&out->text, row->text.data, row->text.length);
  }
  pthread_mutex_unlock(&remote->lock);
  out->url = strdup(url);
  return out->url != NULL && !out->text.failed ? 0 : -1;
}

static void put_back(struct remote_definitions *remote, const struct document *document)
{
  struct document copy = *document;
  copy.url = strdup(document->url);
  copy.text = (struct buffer){0};
  buffer_add(&copy.text, document->text.data, document->text.length);
  if (copy.url != NULL && !copy.text.failed) {
    pthread_mutex_lock(&remote->lock);
    keep(remote, &copy);
    pthread_mutex_unlock(&remote->lock);
  }
  document_free(&copy);
}

/* ---- the web ---------------------------------------------------------------------------------------------------- */

/* Takes over what an answer says of the document. */
static int take_answer(struct document *document, struct web_answer *answer, struct error *error)
{
  const long age = answer->max_age < REMOTE_AGE_MOST ? answer->max_age : REMOTE_AGE_MOST;
  if (answer->status != 200 && (answer->status != 304 || document->etag[0] == '\0'))
    return error_set(error, ERROR_InfrastructureBusy, "the server there answers with status %ld", answer->status);
  if (answer->status == 200) {
    buffer_free(&document->text);
    document->text = answer->body;
    answer->body = (struct buffer){0};
    memcpy(document->etag, answer->etag, sizeof document->etag);
  }
  document->expires = document->asked + age * 1000;
  return 0;
}

/* Whether nobody waits for the task any more. */
static bool has_given_up(void *data)
{
  const struct remote_session *session = data;
  struct pollfd ends[] = {{.fd = session->client_fd, .events = POLLRDHUP},
                          {.fd = session->cancel_fd, .events = POLLIN}};
  return poll(ends, 2, 0) > 0;
}

static int fetch(struct remote_definitions *remote, struct remote_session *session, struct document *document,
                 struct error *error)
{
  struct web_answer answer = {0};
  const struct web_fetch question = {.rule = remote->rule,
                                     .url = document->url,
                                     .etag = document->etag,
                                     .most = REMOTE_DOCUMENT_BYTES,
                                     .redirects = WEB_REDIRECTS_MOST,
                                     .stopping = remote->stopping,
                                     .given_up = has_given_up,
                                     .data = session};
  document->asked = document->used = steady_now();
  if (web_fetch(&question, &answer, error) != 0)
    return -1;
  int status = take_answer(document, &answer, error);
  buffer_free(&answer.body);
  if (status == 0)
    put_back(remote, document);
  return status;
}

static int ask_web(struct remote_definitions *remote, struct remote_session *session, struct document *document,
                   struct error *error)
{
  enum web_reach reach;
  if (web_rule_check(remote->rule, document->url, &reach, error) != 0)
    return -1;
  if (session->is_hurried) {
    session->is_incomplete = true;
    return error_set(error, ERROR_InfrastructureBusy, "there is no time now to ask for it");
  }
  if (session->documents == REMOTE_TASK_DOCUMENTS)
    return error_set(error, ERROR_ProcessGraphComplexity, "a graph may lead to at most %d documents of the web",
                     (int)REMOTE_TASK_DOCUMENTS);
  if (session->waited > REMOTE_TASK_MS)
    return error_set(error, ERROR_ProcessGraphComplexity, "the documents of the web took longer than %d s, together",
                     REMOTE_TASK_MS / 1000);
  session->documents++;
  const int64_t before = steady_now();
  int status = fetch(remote, session, document, error);
  session->waited += steady_now() - before;
  return status;
}

/* ---- definitions ------------------------------------------------------------------------------------------------ */

static void note_use(struct remote_session *session, const struct document *document, const char *id)
{
  unsigned char digest[crypto_hash_sha256_BYTES];
  char hex[2 * crypto_hash_sha256_BYTES + 1];
  struct json_writer w = {.out = &session->used};
  crypto_hash_sha256(digest, (const unsigned char *)document->text.data, document->text.length);
  sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
  if (session->used.length > 0)
    buffer_text(&session->used, ",");
  json_write_object(&w);
  json_kv_string(&w, "process", id);
  json_kv_string(&w, "href", document->url);
  json_kv_string(&w, "sha256", hex);
  json_end_object(&w);
}

static int pick(struct remote_session *session, const struct document *document, const char *id, struct buffer *json,
                struct error *error)
{
  struct buffer reason = {0};
  struct definition_piece piece;
  if (definition_pick(&document->text, id, &piece, &reason)) {
    buffer_add(json, piece.json, piece.length);
    note_use(session, document, id);
  } else {
    error_set(error, ERROR_ProcessInvalid, "%s", reason.failed ? "it cannot be read" : reason.data);
  }
  buffer_free(&reason);
  return error_is_set(error) ? -1 : 0;
}

static int get(struct remote_definitions *remote, struct remote_session *session, const char *url, const char *id,
               struct buffer *json, struct error *error)
{
  struct document document;
  int status = copy_kept(remote, url, &document);
  const bool is_new =
      document.asked > 0 && (document.asked >= session->started || document.expires > steady_now());
  if (status != 0)
    error_memory(error);
  else if (!is_new)
    status = ask_web(remote, session, &document, error);
  if (status == 0)
    status = pick(session, &document, id, json, error);
  document_free(&document);
  return status;
}

int remote_definition_get(struct remote_definitions *remote, struct remote_session *session, const char *url,
                          const char *id, struct buffer *json, struct error *error)
{
  struct error found = {0};
  if (get(remote, session, url, id, json, &found) == 0)
    return 0;
  return error_set(error, ERROR_ProcessNamespaceInvalid,
                   "the value passed for namespace '%.200s' in process '%.100s' is invalid: %s", url, id,
                   found.message);
}
