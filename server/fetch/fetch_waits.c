/* What readers wait for: which pages are missing, and the answers. */
#include "server/fetch/fetch_loop_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { GAP_PAGES = 3 }; /* that are fetched as well, rather than asked around */

struct fetch_wait *fetch_wait_new(struct fetch_loop *loop, struct fetch_reader *reader,
                                  const struct remote_question *question, struct fetch_file *file)
{
  struct fetch_wait *wait = reader->waits < FETCH_WAITS_MOST ? calloc(1, sizeof *wait) : NULL;
  if (!wait)
    return NULL;
  wait->reader = reader;
  wait->id = question->id;
  wait->is_quiet = question->quiet != 0;
  wait->file = file;
  wait->next = loop->waits;
  loop->waits = wait;
  reader->waits++;
  file->holds++;
  return wait;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void send_answer(const struct fetch_reader *reader, const struct remote_answer *answer, size_t length)
{
  if (reader->fd >= 0 && send(reader->fd, answer, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    shutdown(reader->fd, SHUT_RDWR); /* it does not listen: its end comes with the next look at it */
}

void fetch_answer_error(const struct fetch_reader *reader, uint64_t id, bool is_quiet, const struct error *error)
{
  const struct remote_answer answer = {.id = id, .error = *error};
  send_answer(reader, &answer, is_quiet ? offsetof(struct remote_answer, path) : sizeof answer);
}

static int note_hold(struct fetch_reader *reader, uint64_t number, struct error *error)
{
  if (reader->hold_count == reader->hold_room) {
    const size_t room = reader->hold_room ? 2 * reader->hold_room : 64;
    uint64_t *more = room <= FETCH_HOLDS_MOST ? realloc(reader->holds, room * sizeof *more) : NULL;
    if (!more)
      return error_set(error, ERROR_InfrastructureBusy, "too many files of other hosts are open at once");
    reader->holds = more;
    reader->hold_room = room;
  }
  reader->holds[reader->hold_count++] = number;
  return 0;
}

static uint64_t bytes_there(const struct fetch_file *file)
{
  size_t page = 0;
  while (page < file->page_count && file->pages[page] == PAGE_THERE)
    page++;
  return page < file->page_count ? (uint64_t)page * REMOTE_PAGE : file->size;
}

static size_t answer_length(const struct fetch_wait *wait, size_t length)
{
  return wait->is_quiet ? offsetof(struct remote_answer, path) : length;
}

/* The wait's hold on the file becomes the reader's. */
static int answer_open(const struct fetch_loop *loop, struct fetch_wait *wait, struct error *error)
{
  const struct fetch_file *file = wait->file;
  const bool is_own = file->path[0] != '\0';
  if (note_hold(wait->reader, file->number, error) != 0)
    return -1;
  wait->file->holds++;
  struct remote_answer answer = {.id = wait->id,
                                 .file = file->number,
                                 .size = file->size,
                                 .is_complete = file->is_complete,
                                 .there = bytes_there(file),
                                 .is_slot = !is_own,
                                 .slot = file->slot};
  memcpy(answer.path, is_own ? file->path : loop->cache.slots.path, sizeof answer.path);
  memcpy(answer.validator, file->validator, sizeof answer.validator);
  send_answer(wait->reader, &answer, answer_length(wait, offsetof(struct remote_answer, error)));
  return 0;
}

static void answer_need(const struct fetch_wait *wait)
{
  struct remote_answer answer = {.id = wait->id};
  memcpy(answer.path, wait->file->path, sizeof answer.path);
  send_answer(wait->reader, &answer, answer_length(wait, offsetof(struct remote_answer, validator)));
}

void fetch_wait_end(struct fetch_loop *loop, struct fetch_wait *wait, struct error *error)
{
  struct fetch_wait **place = &loop->waits;
  while (*place != wait)
    place = &(*place)->next;
  *place = wait->next;
  if (!error_is_set(error) && wait->is_open)
    answer_open(loop, wait, error);
  else if (!error_is_set(error))
    answer_need(wait);
  if (error_is_set(error))
    fetch_answer_error(wait->reader, wait->id, wait->is_quiet, error);
  wait->reader->waits--;
  fetch_cache_release(&loop->cache, wait->file);
  free(wait);
}

/* ---- missing pages ----------------------------------------------------------------------------------------------- */

/* Pages of a range: [*first, *end). False where it is not inside the file. */
static bool pages_of(const struct fetch_file *file, const struct remote_range *range, size_t *first, size_t *end)
{
  if (range->length == 0 || range->offset >= file->size || range->length > file->size - range->offset)
    return false;
  *first = (size_t)(range->offset / REMOTE_PAGE);
  *end = (size_t)((range->offset + range->length - 1) / REMOTE_PAGE) + 1;
  return true;
}

int fetch_start_part(struct fetch_loop *loop, struct fetch_file *file, size_t first, size_t end, bool is_ahead,
                     struct error *error)
{
  const uint64_t offset = (uint64_t)first * REMOTE_PAGE, last = (uint64_t)end * REMOTE_PAGE;
  const uint64_t length = (last < file->size ? last : file->size) - offset;
  if (fetch_cache_reserve(&loop->cache, file, length, error) != 0)
    return -1;
  struct fetch_transfer *transfer = fetch_transfer_new(&loop->access, &loop->cache, file, FETCH_PART);
  if (!transfer) {
    fetch_cache_unreserve(&loop->cache, file, length);
    return error_memory(error);
  }
  transfer->offset = offset;
  transfer->length = length;
  transfer->is_ahead = is_ahead;
  loop->ahead += is_ahead;
  fetch_file_mark(file, first, end, PAGE_UNDER_WAY);
  fetch_queue_add(loop, transfer);
  return 0;
}

/* Transfers for the wanted pages of [first, end): short gaps between them are fetched, too. */
static int start_wanted(struct fetch_loop *loop, struct fetch_file *file, size_t first, size_t end, struct error *error)
{
  int status = 0;
  for (size_t at = first; at < end && status == 0;) {
    if (file->pages[at] != PAGE_WANTED) {
      at++;
      continue;
    }
    size_t last = at; /* wanted */
    for (size_t page = at + 1; page < end && page - last <= GAP_PAGES + 1 && page - at < FETCH_PART_PAGES; page++) {
      if (file->pages[page] > PAGE_WANTED)
        break;
      last = file->pages[page] == PAGE_WANTED ? page : last;
    }
    status = fetch_start_part(loop, file, at, last + 1, false, error);
    at = last + 1;
  }
  for (size_t page = first; page < end; page++) /* of those that found no room */
    file->pages[page] = file->pages[page] == PAGE_WANTED ? PAGE_ABSENT : file->pages[page];
  return status;
}

/* Sees to it that the pages of the ranges come. */
static int want_ranges(struct fetch_loop *loop, struct fetch_file *file, const struct remote_range *ranges,
                       size_t count, struct error *error)
{
  size_t low = file->page_count, high = 0;
  for (size_t i = 0; i < count; i++) {
    size_t first, end;
    if (!pages_of(file, &ranges[i], &first, &end))
      return error_set(error, ERROR_Internal, "a range lies outside of its file");
    for (size_t page = first; page < end; page++)
      if (file->pages[page] == PAGE_ABSENT) {
        file->pages[page] = PAGE_WANTED;
        low = page < low ? page : low;
        high = page + 1 > high ? page + 1 : high;
      }
  }
  if (low < high && file->state == FETCH_OVER)
    *error = file->failure;
  return low < high && file->state == FETCH_OVER ? -1 : start_wanted(loop, file, low, high, error);
}

static bool are_there(const struct fetch_file *file, const struct remote_range *ranges, size_t count, bool *is_pending)
{
  *is_pending = false;
  bool all = true;
  for (size_t i = 0; i < count; i++) {
    size_t first, end;
    for (bool is_in = pages_of(file, &ranges[i], &first, &end); is_in && first < end; first++) {
      all = all && file->pages[first] == PAGE_THERE;
      *is_pending = *is_pending || file->pages[first] == PAGE_UNDER_WAY;
    }
  }
  return all;
}

/* ---- waits ------------------------------------------------------------------------------------------------------- */

/* An OPEN of all of a file whose head is there: now its ranges are waited for. */
static int want_rest(struct fetch_loop *loop, struct fetch_wait *wait, struct error *error)
{
  struct fetch_file *file = wait->file;
  if (file->size > wait->most)
    return error_set(error, ERROR_FileSizeExceeded, "%.200s has %llu bytes, and %llu are read at most", file->url,
                     (unsigned long long)file->size, (unsigned long long)wait->most);
  if (file->is_complete)
    return 0;
  wait->ranges[0] = (struct remote_range){0, file->size};
  wait->range_count = 1;
  return want_ranges(loop, file, wait->ranges, 1, error);
}

/* Ends the wait where it can be told how it ends. */
void fetch_wait_settle(struct fetch_loop *loop, struct fetch_wait *wait)
{
  struct fetch_file *file = wait->file;
  struct error error = {0};
  bool is_pending;
  if (file->state == FETCH_OPENING)
    return;
  if (wait->is_open && file->state == FETCH_OVER && file->pages == NULL)
    error = file->failure;
  else if (wait->is_open && wait->most > 0 && wait->range_count == 0)
    want_rest(loop, wait, &error);
  if (!error_is_set(&error) && !are_there(file, wait->ranges, wait->range_count, &is_pending)) {
    if (is_pending)
      return;
    error = file->failure;
    if (!error_is_set(&error))
      error_set(&error, ERROR_Internal, "%.200s was not fetched", file->url);
  }
  fetch_wait_end(loop, wait, &error);
}

void fetch_waits_settle(struct fetch_loop *loop, const struct fetch_file *file)
{
  for (struct fetch_wait *wait = loop->waits, *next; wait; wait = next) {
    next = wait->next;
    if (wait->file == file)
      fetch_wait_settle(loop, wait);
  }
}

int fetch_wait_want(struct fetch_loop *loop, struct fetch_wait *wait, struct error *error)
{
  return want_ranges(loop, wait->file, wait->ranges, wait->range_count, error);
}
