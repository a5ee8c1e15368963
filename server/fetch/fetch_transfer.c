/* The body is written to the file as it comes, after the answer's headers were judged; its pages count only when all of
 * it was there. */
#include "server/fetch/fetch_transfer.h"

#include "server/clock.h"
#include "server/web/web_fetch.h"

#include "datacube/base/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

enum {
  SLOW_BYTES = 1024, /* a second: slower for SLOW_SECONDS is as no answer */
  SLOW_SECONDS = 8,
  PAUSE_MS = 100, /* before the second try */
  WAIT_MOST_MS = 10000,
  REFUSAL_BYTES = 65536 /* of the body of an answer that is no file */
};

static const char *address(const struct fetch_transfer *t)
{
  return t->url ? t->url : t->file->moved ? t->file->moved : t->file->url;
}

static uint64_t host_of(const struct fetch_transfer *t)
{
  const char *url = address(t), *start = strstr(url, "://");
  const size_t before = start ? (size_t)(start - url) + 3 : 0;
  struct hash sum = {0, 0};
  hash_bytes(&sum, url, before + strcspn(url + before, "/?#"));
  return sum.a;
}

struct fetch_transfer *fetch_transfer_new(const struct fetch_access *access, struct fetch_cache *cache,
                                          struct fetch_file *file, enum fetch_kind kind)
{
  struct fetch_transfer *t = calloc(1, sizeof *t);
  if (!t)
    return NULL;
  *t = (struct fetch_transfer){.access = access, .cache = cache, .file = file, .kind = kind, .most = FETCH_WHOLE_BYTES};
  t->length = FETCH_HEAD_PAGES * REMOTE_PAGE;
  t->host = host_of(t);
  file->holds++;
  return t;
}

static void end_try(struct fetch_transfer *t)
{
  curl_easy_cleanup(t->curl);
  curl_slist_free_all(t->headers);
  free(t->asked);
  t->curl = NULL;
  t->headers = NULL;
  t->asked = NULL;
}

void fetch_transfer_free(struct fetch_transfer *t)
{
  end_try(t);
  free(t->url);
  fetch_cache_release(t->cache, t->file);
  free(t);
}

/* ---- judging the answer ------------------------------------------------------------------------------------------ */

static const char *header(const struct fetch_transfer *t, const char *name)
{
  struct curl_header *found;
  return curl_easy_header(t->curl, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value : NULL;
}

/* What cannot get better by another try. */
#define give_up(t, ...) ((t)->is_final = true, error_set(&(t)->error, __VA_ARGS__))

static int too_slow(struct fetch_transfer *t)
{
  return give_up(t, ERROR_InfrastructureBusy, "%.200s is not there within %g seconds: its server is too slow",
                 address(t), (double)t->patience / 1000);
}

static bool is_weak(const char *etag)
{
  return strncmp(etag, "W/", 2) == 0;
}

static void read_validator(const struct fetch_transfer *t, char out[REMOTE_VALIDATOR_SIZE], bool *is_etag)
{
  const char *etag = header(t, "ETag"), *date = header(t, "Last-Modified");
  *is_etag = etag && *etag && strlen(etag) < REMOTE_VALIDATOR_SIZE;
  snprintf(out, REMOTE_VALIDATOR_SIZE, "%s", *is_etag ? etag : date ? date : "");
}

/* A number with nothing of a sign or a blank before it; false where there is none. */
static bool read_number(const char **at, uint64_t *out)
{
  char *end;
  if (**at < '0' || **at > '9')
    return false;
  errno = 0;
  *out = strtoull(*at, &end, 10);
  *at = end;
  return errno == 0;
}

/* "bytes FIRST-LAST/SIZE" of a 206; the size 0 where it is not told. */
static bool read_range(const struct fetch_transfer *t, uint64_t *first, uint64_t *last, uint64_t *size)
{
  const char *at = header(t, "Content-Range");
  if (!at || strncasecmp(at, "bytes ", 6) != 0)
    return false;
  at += 6;
  if (!read_number(&at, first) || *at++ != '-' || !read_number(&at, last) || *at++ != '/')
    return false;
  *size = 0;
  return strcmp(at, "*") == 0 || (read_number(&at, size) && *at == '\0' && *last < *size && *first <= *last);
}

static int changed(struct fetch_transfer *t)
{
  t->file->state = FETCH_OVER;
  t->file->is_outdated = true;
  return give_up(t, ERROR_FileContentInvalid, "%.200s has changed while it was read: start again", t->file->url);
}

/* The head tells size and validator; a part must have the same. */
static int judge_part(struct fetch_transfer *t)
{
  struct fetch_file *file = t->file;
  uint64_t first, last, size;
  char validator[REMOTE_VALIDATOR_SIZE];
  bool is_etag;
  if (!read_range(t, &first, &last, &size) || first != t->offset)
    return error_set(&t->error, ERROR_InfrastructureBusy, "%.200s: other bytes came than were asked for", address(t));
  read_validator(t, validator, &is_etag);
  if (t->kind == FETCH_PART && (size != file->size || strcmp(validator, file->validator) != 0))
    return changed(t);
  if (t->kind == FETCH_HEAD && size > 0) {
    if (fetch_file_set_size(file, size, &t->error) != 0) {
      t->is_final = true;
      return -1;
    }
    snprintf(file->validator, sizeof file->validator, "%s", validator);
    file->is_etag = is_etag;
  }
  const uint64_t left = size - t->offset, given = last - first + 1;
  t->expected = size == 0 ? given : left < t->length ? left : t->length;
  if (given != t->expected || last < first)
    return error_set(&t->error, ERROR_InfrastructureBusy, "%.200s: fewer bytes came than were asked for", address(t));
  return 0;
}

/* All of it comes, because that was asked for or because ranges are not known there. */
static int judge_whole(struct fetch_transfer *t)
{
  curl_off_t length = -1;
  long version = 0;
  curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  curl_easy_getinfo(t->curl, CURLINFO_HTTP_VERSION, &version);
  if (t->kind == FETCH_PART)
    return changed(t);
  const char *coding = header(t, "Transfer-Encoding");
  const bool has_end = length >= 0 || version >= CURL_HTTP_VERSION_2_0 || (coding && strcasestr(coding, "chunked"));
  if (!has_end && !t->is_document)
    return give_up(t, ERROR_FileContentInvalid, "%.200s: its server tells neither ranges nor a length", address(t));
  if (length >= 0 && (uint64_t)length > t->most)
    return give_up(t, ERROR_FileSizeExceeded, "%.200s has %" PRId64 " bytes, and %" PRIu64 " are read at once",
                   address(t), (int64_t)length, t->most);
  t->kind = FETCH_WHOLE;
  t->offset = 0;
  read_validator(t, t->file->validator, &t->file->is_etag);
  return 0;
}

/* Servers tell of a file that is packed as a whole that its coding is so; it comes as it is. */
static bool is_named_packed(const char *url)
{
  static const char *const endings[] = {".gz", ".zst", ".zstd"};
  const size_t length = strcspn(url, "?#");
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
    if (length > strlen(endings[i]) &&
        strncasecmp(url + length - strlen(endings[i]), endings[i], strlen(endings[i])) == 0)
      return true;
  return false;
}

/* At the first byte of a body. */
static int judge(struct fetch_transfer *t, long status)
{
  const char *encoding = header(t, "Content-Encoding");
  if (encoding && strcasecmp(encoding, "identity") != 0 && !t->is_document && !is_named_packed(t->file->url))
    return give_up(t, ERROR_FileContentInvalid, "%.200s: its server packs it (%.40s) though it is not asked to",
                   address(t), encoding);
  return status == 206 ? judge_part(t) : judge_whole(t);
}

/* ---- the body ---------------------------------------------------------------------------------------------------- */

static int store(struct fetch_transfer *t, const char *bytes, size_t length)
{
  if (t->kind == FETCH_WHOLE && t->got + length > t->most)
    return give_up(t, ERROR_FileSizeExceeded, "%.200s is longer than the %" PRIu64 " bytes that are read at once",
                   address(t), t->most);
  if (t->kind != FETCH_PART) { /* a part's room was reserved before */
    if (fetch_cache_reserve(t->cache, t->file, length, &t->error) != 0) {
      t->is_final = true;
      return -1;
    }
    t->reserved += length;
  }
  if (t->kind != FETCH_WHOLE && length > t->expected - t->got)
    return error_set(&t->error, ERROR_InfrastructureBusy, "%.200s: more bytes came than were asked for", address(t));
  if (fetch_cache_write(t->cache, t->file, t->offset + t->got, bytes, length, &t->error) != 0) {
    t->is_final = true;
    return -1;
  }
  t->got += length;
  return 0;
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *data)
{
  struct fetch_transfer *t = data;
  long status = 0;
  curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200 && status != 206) {
    t->got += size * count;
    return t->got > REFUSAL_BYTES ? 0 : size * count;
  }
  if (!t->is_judged && judge(t, status) != 0)
    return 0;
  t->is_judged = true;
  return store(t, bytes, size * count) == 0 ? size * count : 0;
}

/* ---- a try ------------------------------------------------------------------------------------------------------- */

static void add_header(struct fetch_transfer *t, const char *name, const char *value)
{
  char line[REMOTE_VALIDATOR_SIZE + 32];
  snprintf(line, sizeof line, "%s: %s", name, value);
  struct curl_slist *longer = curl_slist_append(t->headers, line);
  t->headers = longer ? longer : t->headers;
}

static void set_range(struct fetch_transfer *t)
{
  char range[64];
  const struct fetch_file *file = t->file;
  if (t->kind == FETCH_WHOLE)
    return;
  snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, t->offset, t->offset + t->length - 1);
  curl_easy_setopt(t->curl, CURLOPT_RANGE, range);
  if (t->kind == FETCH_PART && !(file->is_etag && is_weak(file->validator)))
    add_header(t, "If-Range", file->validator);
}

/* The account of the address that was asked for, as long as no redirect has led out of its prefix. */
static int use_account(struct fetch_transfer *t)
{
  const struct fetch_account *account = fetch_account_find(t->access, t->file->url);
  if (!account || fetch_account_find(t->access, address(t)) != account)
    return 0;
  t->has_account = account->kind != ACCOUNT_ANONYMOUS;
  return fetch_account_use(account, t->curl, &t->headers) == 0 ? 0 : error_memory(&t->error);
}

/* It counts from the first try. */
static int set_end(struct fetch_transfer *t)
{
  const int64_t now = steady_now();
  if (t->patience == 0)
    return 0;
  if (t->end == 0)
    t->end = now + t->patience;
  if (t->end <= now)
    return too_slow(t);
  curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS, (long)(t->end - now));
  return 0;
}

static void set_transfer_options(struct fetch_transfer *t)
{
  curl_easy_setopt(t->curl, CURLOPT_URL, t->asked);
  web_guard_set(&t->guard, t->curl);
  set_range(t);
  if (t->is_document)
    curl_easy_setopt(t->curl, CURLOPT_ACCEPT_ENCODING, "");
  else
    add_header(t, "Accept-Encoding", "identity");
  curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
  curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
  curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(t->curl, CURLOPT_PRIVATE, t);
}

int fetch_transfer_begin(struct fetch_transfer *t)
{
  end_try(t);
  fetch_cache_unreserve(t->cache, t->file, t->reserved); /* of the try before */
  t->reserved = t->got = 0;
  t->is_judged = t->is_final = t->has_account = false;
  t->error = (struct error){0};
  t->guard = (struct web_guard){.reach = WEB_PUBLIC};
  const bool is_redirect = address(t) != t->file->url;
  if ((is_redirect ? fetch_access_resolve_redirect(t->access, t->file->url, address(t), false, &t->asked,
                                                   &t->guard.reach, &t->error)
                   : fetch_access_resolve(t->access, t->file->url, &t->asked, &t->guard.reach, &t->error)) != 0)
    return -1;
  if ((t->kind == FETCH_PART || t->file->path[0] != '\0') && fetch_cache_own(t->cache, t->file, &t->error) != 0)
    return -1;
  t->curl = curl_easy_init();
  if (!t->curl)
    return error_memory(&t->error);
  set_transfer_options(t);
  if (set_end(t) != 0 || use_account(t) != 0)
    return -1;
  curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers);
  return 0;
}

/* ---- its end ----------------------------------------------------------------------------------------------------- */

/* Half to one and a half of a pause that doubles; longer where the server asks for that. */
static void set_pause(struct fetch_transfer *t)
{
  unsigned char random = 0;
  curl_off_t seconds = 0; /* that it asks for, by number or by date */
  curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &seconds);
  if (getrandom(&random, 1, GRND_NONBLOCK) != 1)
    random = 128;
  const int64_t pause = ((int64_t)PAUSE_MS << t->tries) * (128 + random) / 256;
  const int64_t wanted = seconds < WAIT_MOST_MS / 1000 ? (int64_t)seconds * 1000 : WAIT_MOST_MS;
  t->start = steady_now() + (wanted > pause ? wanted : pause);
}

static enum fetch_outcome again(struct fetch_transfer *t)
{
  if (t->is_final || ++t->tries >= FETCH_TRIES)
    return FETCH_FAILED;
  set_pause(t);
  return t->end > 0 && t->start >= t->end ? FETCH_FAILED : FETCH_AGAIN;
}

static enum fetch_outcome redirect(struct fetch_transfer *t, const char *location)
{
  if (++t->redirects > WEB_REDIRECTS_MOST) {
    give_up(t, ERROR_InfrastructureBusy, "%.200s is redirected too often", t->file->url);
    return FETCH_FAILED;
  }
  char *next = strdup(location);
  free(t->url);
  t->url = next;
  t->start = 0;
  t->host = host_of(t);
  return next ? FETCH_AGAIN : FETCH_FAILED;
}

static bool is_passing(long status)
{
  return status == 408 || status == 425 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* The server has answered, and it is no file. */
static enum fetch_outcome refuse(struct fetch_transfer *t, long status)
{
  if (is_passing(status)) {
    error_set(&t->error, ERROR_InfrastructureBusy, "%.200s: its server answers with status %ld", address(t), status);
    return again(t);
  }
  if (t->file->moved && t->redirects == 0) { /* what it was redirected to holds for a while only */
    free(t->file->moved);
    t->file->moved = NULL;
    t->host = host_of(t);
    error_set(&t->error, ERROR_InfrastructureBusy, "%.200s is gone from where it was", t->file->url);
    return again(t);
  }
  if (status == 401 && t->has_account)
    give_up(t, ERROR_PermissionsInsufficient,
            "%.200s: its server does not take our account (status 401), whose token may have run out", address(t));
  else if (status == 404 || status == 410)
    give_up(t, ERROR_FileNotFound, "%.200s is not there (status %ld)", address(t), status);
  else if (status == 401 || status == 403)
    give_up(t, ERROR_PermissionsInsufficient, "%.200s: its server refuses it (status %ld)", address(t), status);
  else if (status == 416 && t->kind == FETCH_HEAD)
    give_up(t, ERROR_FileContentInvalid, "%.200s is empty", address(t));
  else
    give_up(t, ERROR_FileContentInvalid, "%.200s: its server answers with status %ld", address(t), status);
  return FETCH_FAILED;
}

/* All bytes are there. */
static enum fetch_outcome finish(struct fetch_transfer *t)
{
  struct fetch_file *file = t->file;
  if (t->kind == FETCH_WHOLE) {
    if (fetch_file_set_size(file, t->got, &t->error) != 0)
      return FETCH_FAILED;
    fetch_file_mark(file, 0, file->page_count, PAGE_THERE);
    file->is_complete = true;
  } else if (file->validator[0] == '\0' || file->size == 0) { /* its ranges could be of different states */
    t->kind = FETCH_WHOLE;
    t->start = 0;
    return FETCH_AGAIN;
  } else {
    const size_t first = (size_t)(t->offset / REMOTE_PAGE);
    fetch_file_mark(file, first, first + (size_t)((t->got + REMOTE_PAGE - 1) / REMOTE_PAGE), PAGE_THERE);
  }
  if (file->is_complete)
    fetch_file_shut(file);
  if (t->url) {
    free(file->moved);
    file->moved = t->url;
    t->url = NULL;
  }
  return FETCH_DONE;
}

static enum fetch_outcome broken(struct fetch_transfer *t, CURLcode code)
{
  if (t->guard.refused[0] != '\0')
    give_up(t, ERROR_PermissionsInsufficient,
            "'%.200s' leads to the address %s, which may not be asked: it is not public", address(t), t->guard.refused);
  else if (code == CURLE_OPERATION_TIMEDOUT && t->end > 0 &&
           steady_now() + PAUSE_MS > t->end) /* libcurl's clock is its own */
    too_slow(t);
  else
    error_set(&t->error, ERROR_InfrastructureBusy, "%.200s: %s", address(t), curl_easy_strerror(code));
  t->is_final = t->is_final || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT;
  return again(t);
}

enum fetch_outcome fetch_transfer_end(struct fetch_transfer *t, CURLcode code)
{
  long status = 0;
  char *location = NULL;
  curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &location);
  if (code == CURLE_OK && location && status >= 300 && status < 400)
    return redirect(t, location);
  if (code == CURLE_OK && status != 200 && status != 206)
    return refuse(t, status);
  if (code == CURLE_OK && !t->is_judged && judge(t, status) != 0) /* a body without a byte */
    return again(t);
  if (code != CURLE_OK)
    return broken(t, code);
  if (t->kind != FETCH_WHOLE && t->got != t->expected) {
    error_set(&t->error, ERROR_InfrastructureBusy, "%.200s: its body is short", address(t));
    return again(t);
  }
  return finish(t);
}
