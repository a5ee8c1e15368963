/* The body is read from its file as it goes; S3 wants its sum before. */
#include "server/export/send_request.h"

#include "server/fetch/fetch_s3.h"
#include "server/web/web_fetch.h"
#include "server/web/web_guard.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 3, PAUSE_MS = 200, SLOW_BYTES = 1024, SLOW_SECONDS = 30, STEP = 1 << 20 };

struct sent_body {
  const struct send_request *request;
  uint64_t at;
  bool is_short; /* the file has fewer bytes than it had */
};

struct
try {
  struct sender *sender;
  struct sent_body body;
  const char *led; /* where the answer before has led, or NULL */
  struct send_answer *answer;
  struct web_guard guard;
  struct curl_slist *headers;
  char *address;
};

bool sender_is_over(const struct sender *sender)
{
  struct pollfd end = {.fd = sender->control, .events = POLLRDHUP};
  return sender->control >= 0 && poll(&end, 1, 0) > 0;
}

static ssize_t read_body(const struct send_request *request, uint64_t at, char *out, size_t room)
{
  const uint64_t left = request->size - at;
  const size_t wanted = left < room ? (size_t)left : room;
  if (request->fd >= 0)
    return pread(request->fd, out, wanted, (off_t)(request->start + at));
  if (wanted > 0)
    memcpy(out, request->text + request->start + at, wanted);
  return (ssize_t)wanted;
}

/* ---- what libcurl asks for --------------------------------------------------------------------------------------- */

static size_t give_bytes(char *out, size_t size, size_t count, void *data)
{
  struct sent_body *body = data;
  const ssize_t got = read_body(body->request, body->at, out, size * count);
  if (got < 0 || (got == 0 && body->at < body->request->size)) {
    body->is_short = true;
    return CURL_READFUNC_ABORT;
  }
  body->at += (uint64_t)got;
  return (size_t)got;
}

static int seek(void *data, curl_off_t offset, int origin)
{
  struct sent_body *body = data;
  if (origin != SEEK_SET || offset < 0)
    return CURL_SEEKFUNC_CANTSEEK;
  body->at = (uint64_t)offset;
  return CURL_SEEKFUNC_OK;
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *data)
{
  struct try *t = data;
  buffer_add(&t->answer->body, bytes, size * count);
  return t->answer->body.failed ? 0 : size * count;
}

static int look_around(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
  (void)a, (void)b, (void)c, (void)d;
  return sender_is_over(data) ? 1 : 0;
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

static int add_header(struct try *t, const char *name, const char *value, struct error *error)
{
  char line[SEND_ETAG_SIZE + 200];
  snprintf(line, sizeof line, "%s: %s", name, value);
  struct curl_slist *longer = curl_slist_append(t->headers, line);
  t->headers = longer ? longer : t->headers;
  return longer ? 0 : error_memory(error);
}

static int sum_body(const struct send_request *request, char hex[2 * crypto_hash_sha256_BYTES + 1], struct error *error)
{
  crypto_hash_sha256_state state;
  unsigned char sum[crypto_hash_sha256_BYTES];
  static char part[STEP]; /* the sender has one thread */
  crypto_hash_sha256_init(&state);
  for (uint64_t at = 0; at < request->size;) {
    const ssize_t got = read_body(request, at, part, sizeof part);
    if (got <= 0)
      return error_set(error, ERROR_StorageFailure, "a result cannot be read");
    crypto_hash_sha256_update(&state, (const unsigned char *)part, (unsigned long long)got);
    at += (uint64_t)got;
  }
  crypto_hash_sha256_final(&state, sum);
  sodium_bin2hex(hex, 2 * crypto_hash_sha256_BYTES + 1, sum, sizeof sum);
  return 0;
}

static int use_account(struct try *t, struct error *error)
{
  const struct send_request *request = t->body.request;
  const struct fetch_account *account = fetch_account_find(&t->sender->access, request->url);
  if (t->led != NULL && fetch_account_find(&t->sender->access, t->led) != account)
    return 0; /* who led there has put what is wanted there into the address */
  char sum[2 * crypto_hash_sha256_BYTES + 1];
  if (account == NULL)
    return 0;
  if (account->kind == ACCOUNT_S3 && sum_body(request, sum, error) != 0)
    return -1;
  return fetch_account_use_for(account, t->sender->curl, sum, &t->headers) == 0 ? 0 : error_memory(error);
}

static int set_headers(struct try *t, struct error *error)
{
  const struct send_request *request = t->body.request;
  if (request->type != NULL && add_header(t, "Content-Type", request->type, error) != 0)
    return -1;
  if (request->match != NULL && request->match[0] == '\0' && add_header(t, "If-None-Match", "*", error) != 0)
    return -1;
  if (request->match != NULL && request->match[0] != '\0' && add_header(t, "If-Match", request->match, error) != 0)
    return -1;
  return use_account(t, error);
}

/* ---- a try ------------------------------------------------------------------------------------------------------- */

static void set_options(struct try *t)
{
  CURL *curl = t->sender->curl;
  const struct send_request *request = t->body.request;
  curl_easy_setopt(curl, CURLOPT_URL, t->address);
  web_guard_set(&t->guard, curl);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
  if (request->type != NULL) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_bytes);
    curl_easy_setopt(curl, CURLOPT_READDATA, &t->body);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &t->body);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->size);
  }
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_around);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t->sender);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, t->headers);
}

static void read_answer(struct try *t)
{
  struct curl_header *etag;
  curl_easy_getinfo(t->sender->curl, CURLINFO_RESPONSE_CODE, &t->answer->status);
  if (curl_easy_header(t->sender->curl, "ETag", 0, CURLH_HEADER, -1, &etag) == CURLHE_OK &&
      strlen(etag->value) < SEND_ETAG_SIZE && strncmp(etag->value, "W/", 2) != 0)
    snprintf(t->answer->etag, SEND_ETAG_SIZE, "%s", etag->value);
}

/* 0: answered; 1: it may be tried again; -1: it may not. */
static int judge(const struct try *t, CURLcode code, struct error *error)
{
  const char *url = t->body.request->url;
  if (code == CURLE_OK)
    return 0;
  if (sender_is_over(t->sender))
    return error_set(error, ERROR_RequestTimeout, "the export was given up");
  if (t->body.is_short)
    return error_set(error, ERROR_StorageFailure, "a result cannot be read");
  if (t->answer->body.failed)
    return error_set(error, ERROR_FileSizeExceeded, "%.200s answers more than %d bytes", url, (int)SEND_ANSWER_MOST);
  if (t->guard.refused[0] != '\0')
    return error_set(error, ERROR_PermissionsInsufficient,
                     "'%.200s' leads to the address %s, which may not be asked: it is not public", url,
                     t->guard.refused);
  error_set(error, ERROR_InfrastructureBusy, "%.200s: %s", url, curl_easy_strerror(code));
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT ? -1 : 1;
}

/* Of answers to a body only those that say that it is to be sent again. */
static bool leads_on(const struct send_request *request, long status)
{
  const bool is_reading = request->type == NULL && strcmp(request->method, "GET") == 0;
  return !fetch_s3_is(request->url) &&
         (status == 307 || status == 308 || (is_reading && (status == 301 || status == 302 || status == 303)));
}

/* The address that libcurl is to ask for. */
static int set_address(struct try *t, struct error *error)
{
  const struct send_request *request = t->body.request;
  struct buffer whole = {0};
  if (t->led != NULL)
    return fetch_access_resolve_redirect(&t->sender->access, request->url, t->led, true, &t->address, &t->guard.reach,
                                         error);
  if (fetch_access_resolve(&t->sender->access, request->url, &t->address, &t->guard.reach, error) != 0)
    return -1;
  if (request->query == NULL)
    return 0;
  buffer_printf(&whole, "%s?%s", t->address, request->query);
  free(t->address);
  t->address = whole.failed ? NULL : whole.data;
  if (!whole.failed)
    return 0;
  buffer_free(&whole);
  return error_memory(error);
}

/* *led: where it is to be asked, NULL for its own address; then where the answer leads, or NULL. */
static int try_step(struct sender *sender, const struct send_request *request, char **led, struct send_answer *answer,
                    struct error *error)
{
  struct try t = {
      .sender = sender, .body = {.request = request}, .led = *led, .answer = answer, .guard = {.reach = WEB_PUBLIC}};
  curl_easy_reset(sender->curl);
  int status = set_address(&t, error) == 0 ? set_headers(&t, error) : -1;
  if (status == 0) {
    set_options(&t);
    const CURLcode code = curl_easy_perform(sender->curl);
    read_answer(&t);
    status = judge(&t, code, error);
  }
  free(*led);
  *led = NULL;
  if (status == 0 && leads_on(request, answer->status)) {
    char *next = NULL;
    curl_easy_getinfo(sender->curl, CURLINFO_REDIRECT_URL, &next);
    *led = next != NULL ? strdup(next) : NULL;
  }
  curl_slist_free_all(t.headers);
  free(t.address);
  return status;
}

/* Stores of many machines have a door that sends whoever reads or writes to the one that holds the file. */
static int try_once(struct sender *sender, const struct send_request *request, struct send_answer *answer,
                    struct error *error)
{
  char *led = NULL;
  int status = try_step(sender, request, &led, answer, error);
  for (unsigned steps = 0; status == 0 && led != NULL && steps < WEB_REDIRECTS_MOST; steps++) {
    buffer_free(&answer->body);
    *answer = (struct send_answer){.body.limit = SEND_ANSWER_MOST, .was_repeated = answer->was_repeated};
    status = try_step(sender, request, &led, answer, error);
  }
  free(led);
  return status;
}

static bool is_passing(long status)
{
  return status == 408 || status == 425 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

static void pause_before(unsigned try)
{
  const long milliseconds = (long)PAUSE_MS << try;
  const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&pause, NULL);
}

int send_request(struct sender *sender, const struct send_request *request, struct send_answer *out,
                 struct error *error)
{
  bool was_repeated = false;
  for (unsigned i = 0;; i++) {
    struct error reason = {0};
    *out = (struct send_answer){.body.limit = SEND_ANSWER_MOST, .was_repeated = was_repeated};
    const int status = try_once(sender, request, out, &reason);
    const bool is_last = i + 1 == TRIES || status < 0 || (status == 0 && !is_passing(out->status));
    if (is_last && status == 0)
      return 0;
    buffer_free(&out->body);
    if (is_last) {
      *error = reason;
      return -1;
    }
    was_repeated = true;
    pause_before(i);
  }
}

int send_refused(const struct send_request *request, const struct send_answer *answer, struct error *error)
{
  const long status = answer->status;
  if (status == 401 || status == 403)
    return error_set(error, ERROR_PermissionsInsufficient, "%.200s: its server refuses %s (status %ld)", request->url,
                     request->method, status);
  if (status == 413 || status == 507)
    return error_set(error, ERROR_StorageQuotaExceeded, "%.200s: its server has no room (status %ld)", request->url,
                     status);
  if (status == 409 || status == 412)
    return error_set(error, ERROR_StacConflict, "%.200s: its server has something else there (status %ld)",
                     request->url, status);
  return error_set(error, is_passing(status) ? ERROR_InfrastructureBusy : ERROR_StorageFailure,
                   "%.200s: its server answers %s with status %ld", request->url, request->method, status);
}
