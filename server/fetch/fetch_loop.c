/* Readers, their questions, and the turns of the loop. */
#include "server/fetch/fetch_loop_state.h"

#include "server/clock.h"
#include "server/workers/descriptors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  FRESH_MS = 60000, /* for which a state of a file is taken as its newest */
  ABSENT_MS = 1000, /* … that there is none */
  MESSAGES_AT_ONCE = 64
};

/* ---- questions --------------------------------------------------------------------------------------------------- */

/* The address's file: the one at hand, where it was looked at lately, or a new one, whose head is on its way. Held. */
static struct fetch_file *find_file(struct fetch_loop *loop, const struct remote_question *question, const char *url,
                                    struct error *error)
{
  if (fetch_access_check(&loop->access, url, error) != 0)
    return NULL;
  struct fetch_file *file = fetch_cache_find(&loop->cache, url);
  if (file &&
      (file->state == FETCH_OPENING || steady_now() - file->checked < (file->is_absent ? ABSENT_MS : FRESH_MS))) {
    file->holds++;
    return file;
  }
  if (file && file->is_absent)
    fetch_cache_forget(&loop->cache, file);
  const bool is_document = question->whole && question->most <= FETCH_DOCUMENT_BYTES;
  file = fetch_cache_add(&loop->cache, url, error);
  struct fetch_transfer *transfer =
      file ? fetch_transfer_new(&loop->access, &loop->cache, file, is_document ? FETCH_WHOLE : FETCH_HEAD) : NULL;
  if (!transfer) {
    error_memory(error);
    if (file) {
      file->is_outdated = true;
      fetch_cache_release(&loop->cache, file);
    }
    return NULL;
  }
  transfer->is_document = is_document;
  transfer->most = is_document ? question->most : FETCH_WHOLE_BYTES;
  if (question->whole == REMOTE_DOCUMENT)
    transfer->patience = loop->options->patience > 0 ? loop->options->patience : FETCH_DOCUMENT_MS;
  fetch_queue_add(loop, transfer);
  return file;
}

static void busy(struct error *error)
{
  error_set(error, ERROR_InfrastructureBusy, "too much is asked of other hosts at once");
}

static void take_open(struct fetch_loop *loop, struct fetch_reader *reader, const struct remote_question *question,
                      const char *url)
{
  struct error error = {0};
  struct fetch_file *file = find_file(loop, question, url, &error);
  struct fetch_wait *wait = file ? fetch_wait_new(loop, reader, question, file) : NULL;
  if (wait) {
    wait->is_open = true;
    wait->most = question->whole ? question->most : 0;
    fetch_wait_settle(loop, wait);
  } else {
    busy(&error);
    fetch_answer_error(reader, question->id, question->quiet != 0, &error);
  }
  if (file)
    fetch_cache_release(&loop->cache, file);
}

static bool has_hold(const struct fetch_reader *reader, uint64_t number, size_t *place)
{
  for (*place = reader->hold_count; *place > 0; --*place)
    if (reader->holds[*place - 1] == number) {
      --*place;
      return true;
    }
  return false;
}

static void take_need(struct fetch_loop *loop, struct fetch_reader *reader, const struct remote_question *question,
                      const struct remote_range *ranges, size_t count)
{
  struct error error = {0};
  size_t place;
  struct fetch_file *file =
      has_hold(reader, question->file, &place) ? fetch_cache_number(&loop->cache, question->file) : NULL;
  struct fetch_wait *wait = file ? fetch_wait_new(loop, reader, question, file) : NULL;
  if (!wait) {
    busy(&error);
    fetch_answer_error(reader, question->id, question->quiet != 0, &error);
    return;
  }
  memcpy(wait->ranges, ranges, count * sizeof *ranges);
  wait->range_count = count;
  if (fetch_cache_own(&loop->cache, file, &error) != 0 || fetch_wait_want(loop, wait, &error) != 0)
    fetch_wait_end(loop, wait, &error);
  else
    fetch_wait_settle(loop, wait);
  fetch_ahead(loop, file, ranges, count);
}

static void take_close(struct fetch_loop *loop, struct fetch_reader *reader, uint64_t number)
{
  size_t place;
  struct fetch_file *file = has_hold(reader, number, &place) ? fetch_cache_number(&loop->cache, number) : NULL;
  if (!file)
    return;
  reader->holds[place] = reader->holds[--reader->hold_count];
  fetch_cache_release(&loop->cache, file);
}

static void drop_reader(struct fetch_loop *loop, struct fetch_reader *reader)
{
  for (struct fetch_wait *wait = loop->waits, *next; wait; wait = next) {
    struct error gone = {0};
    next = wait->next;
    error_set(&gone, ERROR_RequestTimeout, "nobody waits for it");
    if (wait->reader == reader)
      fetch_wait_end(loop, wait, &gone);
  }
  while (reader->hold_count > 0)
    take_close(loop, reader, reader->holds[0]);
  close(reader->fd);
  free(reader->holds);
  *reader = (struct fetch_reader){.fd = -1};
  loop->is_over = loop->is_over || loop->options->control < 0;
}

/* One message: whether there was one. Nonsense ends the reader. */
static bool hear(struct fetch_loop *loop, struct fetch_reader *reader)
{
  union {
    struct remote_question question;
    char room[sizeof(struct remote_question) + REMOTE_URL_SIZE];
  } message;
  const ssize_t got = recv(reader->fd, &message, sizeof message - 1, MSG_DONTWAIT | MSG_TRUNC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return false;
  const struct remote_question *question = &message.question;
  const size_t head = sizeof *question, size = got > 0 ? (size_t)got : 0;
  if (size < head || size >= sizeof message) {
    drop_reader(loop, reader);
    return false;
  }
  message.room[size] = '\0';
  struct remote_range ranges[REMOTE_RANGES_MOST];
  const size_t tail = size - head, count = tail / sizeof ranges[0];
  if (question->kind == REMOTE_OPEN && strlen(message.room + head) == tail) {
    take_open(loop, reader, question, message.room + head);
  } else if (question->kind == REMOTE_NEED && tail % sizeof ranges[0] == 0 && count <= REMOTE_RANGES_MOST) {
    memcpy(ranges, message.room + head, tail);
    take_need(loop, reader, question, ranges, count);
  } else if (question->kind == REMOTE_CLOSE) {
    take_close(loop, reader, question->file);
  } else {
    drop_reader(loop, reader);
    return false;
  }
  return true;
}

/* What a reader has to say, but not for ever: others wait. */
static void hear_some(struct fetch_loop *loop, struct fetch_reader *reader)
{
  for (unsigned heard = 0; heard < MESSAGES_AT_ONCE && hear(loop, reader); heard++)
    ;
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static void add_reader(struct fetch_loop *loop, int fd)
{
  for (size_t i = 0; i < FETCH_READERS_MOST; i++)
    if (loop->readers[i].fd < 0) {
      loop->readers[i].fd = fd;
      return;
    }
  close(fd);
}

/* Transfers under way keep nothing of the old ones but what libcurl has copied. */
static void take_accounts(struct fetch_loop *loop, int fd, off_t size)
{
  const size_t count = (size_t)size / sizeof *loop->accounts;
  struct fetch_account *accounts = count <= FETCH_ACCOUNTS_MOST ? calloc(count + 1, sizeof *accounts) : NULL;
  if (accounts && pread(fd, accounts, count * sizeof *accounts, 0) == (ssize_t)(count * sizeof *accounts)) {
    free(loop->accounts);
    loop->accounts = loop->access.accounts = accounts;
    loop->access.account_count = count;
  } else {
    free(accounts);
  }
  close(fd);
}

static void take_control(struct fetch_loop *loop)
{
  int fd = -1;
  struct stat status;
  const int got = descriptors_receive(loop->options->control, &fd, 1);
  if (got > 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    take_accounts(loop, fd, status.st_size);
  else if (got > 0)
    add_reader(loop, fd);
  loop->is_over = loop->is_over || got == 0;
}

static void turn(struct fetch_loop *loop)
{
  struct curl_waitfd fds[FETCH_READERS_MOST + 1];
  struct fetch_reader *who[FETCH_READERS_MOST];
  unsigned count = 0;
  int running;
  for (size_t i = 0; i < FETCH_READERS_MOST; i++)
    if (loop->readers[i].fd >= 0) {
      who[count] = &loop->readers[i];
      fds[count++] = (struct curl_waitfd){.fd = loop->readers[i].fd, .events = CURL_WAIT_POLLIN};
    }
  fds[count] = (struct curl_waitfd){.fd = loop->options->control, .events = CURL_WAIT_POLLIN};
  const bool has_control = loop->options->control >= 0;
  curl_multi_poll(loop->multi, fds, count + has_control, fetch_queue_pause(loop), NULL);
  for (unsigned i = 0; i < count; i++)
    if (fds[i].revents != 0)
      hear_some(loop, who[i]);
  if (has_control && fds[count].revents != 0)
    take_control(loop);
  fetch_queue_begin(loop);
  curl_multi_perform(loop->multi, &running);
  fetch_queue_end(loop);
}

static void stop(struct fetch_loop *loop)
{
  for (size_t i = 0; i < FETCH_READERS_MOST; i++)
    if (loop->readers[i].fd >= 0)
      drop_reader(loop, &loop->readers[i]);
  fetch_queue_clear(loop);
  curl_multi_cleanup(loop->multi);
  fetch_cache_close(&loop->cache);
  free(loop->accounts);
  free(loop);
}

int fetch_loop_run(const struct fetch_loop_options *options, struct error *error)
{
  struct fetch_loop *loop = calloc(1, sizeof *loop);
  if (!loop || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    free(loop);
    return error_memory(error);
  }
  loop->options = options;
  loop->access = options->access;
  loop->cache.lock = -1;
  for (size_t i = 0; i < FETCH_READERS_MOST; i++)
    loop->readers[i].fd = -1;
  if (options->reader >= 0)
    add_reader(loop, options->reader);
  loop->multi = curl_multi_init();
  int status = loop->multi ? 0 : error_memory(error);
  if (status == 0)
    status = fetch_cache_open(&loop->cache, options->folder, options->most, error);
  if (status == 0) {
    curl_multi_setopt(loop->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)FETCH_AT_ONCE_HOST);
    while (!loop->is_over)
      turn(loop);
  }
  stop(loop);
  return status;
}
