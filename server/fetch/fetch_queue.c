/* Transfers: which begin, and what comes of those that have ended. */
#include "server/fetch/fetch_loop_state.h"

#include "server/clock.h"

#include <stdlib.h>
#include <string.h>

enum { LONG_MS = 60000 };

void fetch_queue_add(struct fetch_loop *loop, struct fetch_transfer *transfer)
{
  struct fetch_transfer **last = &loop->transfers;
  while (*last)
    last = &(*last)->next;
  *last = transfer;
  transfer->next = NULL;
}

static bool is_same_state(const struct fetch_file *a, const struct fetch_file *b)
{
  return a->validator[0] != '\0' && a->is_etag == b->is_etag && strcmp(a->validator, b->validator) == 0 &&
         a->size == b->size;
}

/* A file is open: one that was there before counts where it is of the same state, else it is outdated. */
static struct fetch_file *settle_state(struct fetch_loop *loop, struct fetch_file *file)
{
  struct fetch_file *old = fetch_cache_older(file);
  file->state = FETCH_READY;
  file->checked = steady_now();
  if (!old)
    return file;
  if (!is_same_state(old, file)) {
    old->is_outdated = true;
    return file;
  }
  old->checked = file->checked;
  file->is_outdated = true;
  for (struct fetch_wait *wait = loop->waits; wait; wait = wait->next)
    if (wait->file == file) {
      old->holds++;
      wait->file = old;
      file->holds--; /* the transfer holds it still */
    }
  return old;
}

static void fail(struct fetch_loop *loop, struct fetch_transfer *t)
{
  struct fetch_file *file = t->file;
  file->failure = t->error;
  if (!error_is_set(&file->failure))
    error_set(&file->failure, ERROR_InfrastructureBusy, "%.200s cannot be fetched", file->url);
  if (file->state == FETCH_OPENING) {
    file->state = FETCH_OVER;
    file->checked = steady_now();
    file->is_absent = error_is(&file->failure, ERROR_FileNotFound);
    file->is_outdated = !file->is_absent; /* whoever asks next tries again */
    free(file->pages);
    file->pages = NULL;
  } else {
    const size_t first = (size_t)(t->offset / REMOTE_PAGE);
    fetch_file_mark(file, first, first + (size_t)((t->length + REMOTE_PAGE - 1) / REMOTE_PAGE), PAGE_ABSENT);
    fetch_cache_unreserve(&loop->cache, file, t->length);
  }
}

static void drop_transfer(struct fetch_loop *loop, struct fetch_transfer *t)
{
  struct fetch_transfer **place = &loop->transfers;
  while (*place != t)
    place = &(*place)->next;
  *place = t->next;
  loop->ahead -= t->is_ahead;
  fetch_transfer_free(t);
}

static void end_transfer(struct fetch_loop *loop, struct fetch_transfer *t, enum fetch_outcome outcome)
{
  struct fetch_file *file = t->file;
  if (outcome == FETCH_AGAIN)
    return;
  if (outcome == FETCH_FAILED)
    fail(loop, t);
  else if (file->state == FETCH_OPENING)
    file = settle_state(loop, file);
  file->holds++; /* while its waits are looked at */
  fetch_waits_settle(loop, file);
  fetch_cache_release(&loop->cache, file);
  drop_transfer(loop, t);
}

static void begin(struct fetch_loop *loop, struct fetch_transfer *t)
{
  t->is_running = fetch_transfer_begin(t) == 0 && curl_multi_add_handle(loop->multi, t->curl) == CURLM_OK;
  if (t->is_running)
    loop->running++;
  else
    end_transfer(loop, t, FETCH_FAILED);
}

struct host_counts { /* of transfers that run, by host */
  uint64_t host[2 * FETCH_AT_ONCE];
  unsigned count[2 * FETCH_AT_ONCE]; /* 0: the place is free; there always is such a one */
};

static unsigned *count_of(struct host_counts *counts, const struct fetch_transfer *t)
{
  const size_t room = sizeof counts->count / sizeof counts->count[0];
  const uint64_t host = t->host;
  size_t at = host % room;
  while (counts->count[at] > 0 && counts->host[at] != host)
    at = (at + 1) % room;
  counts->host[at] = host;
  return &counts->count[at];
}

static struct host_counts count_running(const struct fetch_loop *loop)
{
  struct host_counts counts = {.count = {0}};
  for (const struct fetch_transfer *t = loop->transfers; t; t = t->next)
    if (t->is_running)
      ++*count_of(&counts, t);
  return counts;
}

/* Of a host that has enough none begins, and those behind it have their turn. */
void fetch_queue_begin(struct fetch_loop *loop)
{
  const int64_t now = steady_now();
  struct host_counts counts = count_running(loop);
  for (struct fetch_transfer *t = loop->transfers, *next; t && loop->running < FETCH_AT_ONCE; t = next) {
    next = t->next;
    if (t->is_running || t->start > now)
      continue;
    unsigned *count = count_of(&counts, t);
    if (*count == FETCH_AT_ONCE_HOST)
      continue;
    ++*count;
    begin(loop, t);
  }
}

void fetch_queue_end(struct fetch_loop *loop)
{
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
    struct fetch_transfer *t;
    const CURLcode code = message->data.result;
    if (message->msg != CURLMSG_DONE)
      continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
    curl_multi_remove_handle(loop->multi, message->easy_handle);
    loop->running--;
    t->is_running = false;
    end_transfer(loop, t, fetch_transfer_end(t, code));
  }
}

int fetch_queue_pause(const struct fetch_loop *loop)
{
  int64_t first = steady_now() + LONG_MS;
  struct host_counts counts = count_running(loop);
  for (const struct fetch_transfer *t = loop->transfers; t && loop->running < FETCH_AT_ONCE; t = t->next)
    if (!t->is_running && t->start < first && *count_of(&counts, t) < FETCH_AT_ONCE_HOST)
      first = t->start;
  const int64_t left = first - steady_now();
  return left > 0 ? (int)left : 0;
}

void fetch_queue_clear(struct fetch_loop *loop)
{
  while (loop->transfers) {
    if (loop->transfers->is_running)
      curl_multi_remove_handle(loop->multi, loop->transfers->curl);
    drop_transfer(loop, loop->transfers);
  }
}
