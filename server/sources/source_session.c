#include "server/sources/source_session.h"

#include "server/clock.h"
#include "server/fetch/fetch_s3.h"
#include "server/web/web_guard.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES = 3, PAUSE_MS = 250, REDIRECTS_MOST = 3, SLOW_BYTES = 100, SLOW_SECONDS = 10 };

struct asking { /* one try */
  struct source_session *session;
  const struct source_question *question;
  const char *url; /* as it was asked for, or where a redirect led */
  CURL *curl;
  struct curl_slist *headers;
  struct web_guard guard;
  struct source_answer *answer;
};

enum ask_outcome { ASKED, ASK_AGAIN, ASK_FAILED };

void source_answer_free(struct source_answer *answer)
{
  buffer_free(&answer->body);
  free(answer->url);
  *answer = (struct source_answer){0};
}

static bool is_unwanted(const struct source_session *session)
{
  return session->cancel && *session->cancel;
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *data)
{
  struct asking *a = data;
  buffer_add(&a->answer->body, bytes, size * count);
  return a->answer->body.failed ? 0 : size * count;
}

static int look_up(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
  (void)a, (void)b, (void)c, (void)d;
  return is_unwanted(data);
}

static int add_header(struct asking *a, const char *name, const char *value)
{
  char line[256];
  snprintf(line, sizeof line, "%s: %s", name, value);
  struct curl_slist *longer = curl_slist_append(a->headers, line);
  a->headers = longer ? longer : a->headers;
  return longer ? 0 : -1;
}

static int set_question(struct asking *a)
{
  const struct source_question *q = a->question;
  if (q->method && strcmp(q->method, "HEAD") == 0)
    curl_easy_setopt(a->curl, CURLOPT_NOBODY, 1L);
  else if (q->method)
    curl_easy_setopt(a->curl, CURLOPT_CUSTOMREQUEST, q->method);
  if (q->body)
    curl_easy_setopt(a->curl, CURLOPT_COPYPOSTFIELDS, q->body);
  return (q->type && add_header(a, "Content-Type", q->type) != 0) ||
                 (q->accept && add_header(a, "Accept", q->accept) != 0) ||
                 (q->depth && add_header(a, "Depth", q->depth) != 0)
             ? -1
             : 0;
}

static void set_options(struct asking *a, const char *asked)
{
  const int64_t left = a->session->end - steady_now(), most = SOURCE_ANSWER_SECONDS * 1000;
  curl_easy_setopt(a->curl, CURLOPT_URL, asked);
  web_guard_set(&a->guard, a->curl);
  curl_easy_setopt(a->curl, CURLOPT_TIMEOUT_MS, (long)(left < 1 ? 1 : left < most ? left : most));
  curl_easy_setopt(a->curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
  curl_easy_setopt(a->curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
  curl_easy_setopt(a->curl, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(a->curl, CURLOPT_WRITEDATA, a);
  curl_easy_setopt(a->curl, CURLOPT_XFERINFOFUNCTION, look_up);
  curl_easy_setopt(a->curl, CURLOPT_XFERINFODATA, a->session);
  curl_easy_setopt(a->curl, CURLOPT_NOPROGRESS, 0L);
}

/* The account of the address that was asked for, as long as no redirect has led out of its prefix. */
static int use_account(struct asking *a)
{
  const struct fetch_access *access = a->session->access;
  const struct fetch_account *account = fetch_account_find(access, a->question->url);
  if (!account || fetch_account_find(access, a->url) != account)
    return 0;
  return fetch_account_use(account, a->curl, &a->headers);
}

static bool is_passing(long status)
{
  return status == 408 || status == 425 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

static enum ask_outcome judge_status(const struct asking *a, long status, struct error *error)
{
  if (status >= 200 && status < 300)
    return ASKED;
  const enum error_code code = is_passing(status)               ? ERROR_InfrastructureBusy
                               : status == 404 || status == 410 ? ERROR_FileNotFound
                               : status == 401 || status == 403 ? ERROR_PermissionsInsufficient
                                                                : ERROR_FileContentInvalid;
  error_set(error, code, "%.200s: its server answers with status %ld", a->url, status);
  return is_passing(status) ? ASK_AGAIN : ASK_FAILED;
}

static enum ask_outcome judge_failure(const struct asking *a, CURLcode code, struct error *error)
{
  if (a->guard.refused[0] != '\0')
    error_set(error, ERROR_PermissionsInsufficient,
              "'%.200s' leads to the address %s, which may not be asked: it is not public", a->url, a->guard.refused);
  else if (is_unwanted(a->session))
    error_set(error, ERROR_RequestTimeout, "the request was cancelled");
  else if (a->answer->body.failed)
    error_set(error, ERROR_FileSizeExceeded, "%.200s: the answer is longer than %d bytes", a->url,
              (int)SOURCE_ANSWER_BYTES);
  else {
    error_set(error, ERROR_InfrastructureBusy, "%.200s: %s", a->url, curl_easy_strerror(code));
    const bool is_final = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT ||
                          code == CURLE_OPERATION_TIMEDOUT; /* who was silent for so long is so again */
    return is_final ? ASK_FAILED : ASK_AGAIN;
  }
  return ASK_FAILED;
}

/* *next: where a redirect leads, to be freed, or NULL. */
static enum ask_outcome perform(struct asking *a, const char *asked, char **next, struct error *error)
{
  long status = 0;
  char *location = NULL;
  set_options(a, asked);
  if (set_question(a) != 0 || use_account(a) != 0) {
    error_memory(error);
    return ASK_FAILED;
  }
  curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, a->headers);
  const CURLcode code = curl_easy_perform(a->curl);
  if (code != CURLE_OK)
    return judge_failure(a, code, error);
  curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(a->curl, CURLINFO_REDIRECT_URL, &location);
  if (!location || status < 300 || status >= 400)
    return judge_status(a, status, error);
  *next = strdup(location);
  if (!*next)
    error_memory(error);
  return *next ? ASKED : ASK_FAILED;
}

/* What libcurl is to ask for: the address, or a bucket, with the query behind it. To be freed. */
static int resolve(struct asking *a, char **out, struct error *error)
{
  const struct source_question *q = a->question;
  struct buffer whole = {0};
  char *asked = NULL;
  const int status = fetch_s3_is(a->url)
                         ? fetch_access_resolve_bucket(a->session->access, a->url, &asked, &a->guard.reach, error)
                         : fetch_access_resolve(a->session->access, a->url, &asked, &a->guard.reach, error);
  if (status != 0)
    return -1;
  buffer_printf(&whole, "%s", asked);
  if (q->query && a->url == q->url)
    buffer_printf(&whole, "%c%s", strchr(asked, '?') ? '&' : '?', q->query);
  free(asked);
  if (whole.failed) {
    buffer_free(&whole);
    return error_memory(error);
  }
  *out = whole.data;
  return 0;
}

static enum ask_outcome try_once(struct asking *a, char **next, struct error *error)
{
  char *asked = NULL;
  if (resolve(a, &asked, error) != 0)
    return ASK_FAILED;
  a->curl = curl_easy_init();
  enum ask_outcome outcome = ASK_FAILED;
  if (a->curl)
    outcome = perform(a, asked, next, error);
  else
    error_memory(error);
  curl_easy_cleanup(a->curl);
  curl_slist_free_all(a->headers);
  a->curl = NULL;
  a->headers = NULL;
  free(a->answer->url);
  a->answer->url = asked;
  return outcome;
}

/* Whether there may be one more request. */
static int step(struct source_session *session, const char *url, struct error *error)
{
  if (is_unwanted(session))
    return error_set(error, ERROR_RequestTimeout, "the request was cancelled");
  if (steady_now() >= session->end)
    return error_set(error, ERROR_RequestTimeout, "%.200s: what is there could not be listed within %d seconds", url,
                     (int)SOURCE_SECONDS);
  return session->requests++ < SOURCE_REQUESTS_MOST
             ? 0
             : error_set(error, ERROR_ProcessGraphComplexity, "%.200s: listing it takes more than %d requests", url,
                         (int)SOURCE_REQUESTS_MOST);
}

static void rest(unsigned tries)
{
  usleep((PAUSE_MS << tries) * 1000U);
}

/* One address, tried as often as it may pass. */
static enum ask_outcome try_often(struct asking *a, char **next, struct error *error)
{
  for (unsigned tries = 0;; tries++) {
    struct error reason = {0};
    buffer_free(&a->answer->body);
    a->answer->body = (struct buffer){.limit = SOURCE_ANSWER_BYTES};
    if (step(a->session, a->url, error) != 0)
      return ASK_FAILED;
    const enum ask_outcome outcome = try_once(a, next, &reason);
    if (outcome == ASKED)
      return ASKED;
    if (outcome == ASK_FAILED || tries + 1 == TRIES) {
      *error = error_is_set(error) ? *error : reason;
      return ASK_FAILED;
    }
    rest(tries);
  }
}

int source_ask(struct source_session *session, const struct source_question *question, struct source_answer *answer,
               struct error *error)
{
  struct asking a = {.session = session, .question = question, .url = question->url, .answer = answer};
  char *at = NULL, *next = NULL;
  unsigned redirects = 0;
  *answer = (struct source_answer){0};
  enum ask_outcome outcome;
  while ((outcome = try_often(&a, &next, error)) == ASKED && next) {
    free(at);
    a.url = at = next;
    next = NULL;
    if (++redirects > REDIRECTS_MOST) {
      error_set(error, ERROR_InfrastructureBusy, "%.200s is redirected too often", question->url);
      outcome = ASK_FAILED;
      break;
    }
  }
  free(at);
  if (outcome == ASKED)
    return 0;
  source_answer_free(answer);
  return -1;
}
