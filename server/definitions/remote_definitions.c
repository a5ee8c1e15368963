#include "server/definitions/remote_definitions.h"

#include "server/clock.h"
#include "server/definitions/definition_pick.h"
#include "server/web/web_kept.h"

#include <curl/curl.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct remote_definitions {
  const struct web_rule *rule;
  const atomic_bool *stopping;
  struct web_kept *kept;
};

struct remote_definitions *remote_definitions_new(const struct web_rule *rule, const atomic_bool *stopping)
{
  struct remote_definitions *remote = calloc(1, sizeof *remote);
  struct web_kept *kept = web_kept_new();
  if (remote == NULL || kept == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    web_kept_free(kept);
    free(remote);
    return NULL;
  }
  *remote = (struct remote_definitions){rule, stopping, kept};
  return remote;
}

void remote_definitions_free(struct remote_definitions *remote)
{
  if (remote == NULL)
    return;
  web_kept_free(remote->kept);
  curl_global_cleanup();
  free(remote);
}

/* ---- the web ---------------------------------------------------------------------------------------------------- */

/* Whether nobody waits for the task any more. */
static bool has_given_up(void *data)
{
  const struct remote_session *session = data;
  struct pollfd ends[] = {{.fd = session->client_fd, .events = POLLRDHUP},
                          {.fd = session->cancel_fd, .events = POLLIN}};
  return poll(ends, 2, 0) > 0;
}

static int fetch(struct remote_definitions *remote, struct remote_session *session, struct web_document *document,
                 struct error *error)
{
  const struct web_fetch question = {.rule = remote->rule,
                                     .most = REMOTE_DOCUMENT_BYTES,
                                     .redirects = WEB_REDIRECTS_MOST,
                                     .stopping = remote->stopping,
                                     .given_up = has_given_up,
                                     .data = session};
  return web_kept_renew(remote->kept, &question, document, error);
}

static int ask_web(struct remote_definitions *remote, struct remote_session *session, struct web_document *document,
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

static void note_use(struct remote_session *session, const struct web_document *document, const char *id)
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

static int pick(struct remote_session *session, const struct web_document *document, const char *id,
                struct buffer *json, struct error *error)
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
  struct web_document document;
  if (web_kept_find(remote->kept, url, &document, error) != 0)
    return -1;
  const bool is_new = document.asked > 0 && (document.asked >= session->started || document.expires > steady_now());
  int status = is_new ? 0 : ask_web(remote, session, &document, error);
  if (status == 0)
    status = pick(session, &document, id, json, error);
  web_document_free(&document);
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
