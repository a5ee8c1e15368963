/* The readers' end of the fetcher's socket. Any number of threads ask; whoever waits while nobody reads the socket
 * reads it, and hands the others their answers. */
#include "datacube/remote/remote_file.h"

#include "datacube/remote/remote_slots.h"
#include "datacube/remote/remote_states.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LOOK_MS = 100 }; /* how often those who wait look whether they are still wanted */

struct waiting { /* for an answer; on its thread's stack */
  struct remote_answer answer;
  bool is_done;
  struct waiting *next;
};

struct remote_file {
  struct remote_file *next;   /* of all that are open */
  uint64_t number, size;      /* number 0: it rests */
  enum remote_whole whole;    /* how it was opened … */
  uint64_t most;              /* … and up to how many bytes, if whole */
  int descriptor;             /* of a file of its own, or -1 */
  struct remote_slots *slots; /* where it has none: its head lies there */
  uint64_t slot;              /* from that place on */
  bool is_complete;
  char *path;
  unsigned char *pages; /* a bit each: known to be there */
  char place[512], validator[REMOTE_VALIDATOR_SIZE];
};

static struct { /* set by remote_connect; `lock` guards what follows it */
  int fd;
  const volatile int *cancel;
  pthread_mutex_t lock;
  pthread_cond_t heard;
  struct waiting *first;
  uint64_t last_id;
  size_t ahead; /* questions whose answers nobody waits for */
  bool is_read; /* somebody reads the socket */
  bool is_lost; /* nobody is at its other end */
  struct remote_file *files;
} line = {.fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .heard = PTHREAD_COND_INITIALIZER};

void remote_connect(int fd, const volatile int *cancel)
{
  line.fd = fd;
  line.cancel = cancel;
}

bool remote_is_connected(void)
{
  return line.fd >= 0;
}

bool remote_is(const char *path)
{
  return strncmp(path, REMOTE_PREFIX, strlen(REMOTE_PREFIX)) == 0;
}

const char *remote_url(const char *path)
{
  return remote_is(path) ? path + strlen(REMOTE_PREFIX) : path;
}

/* ---- questions and answers --------------------------------------------------------------------------------------- */

static int lost(struct error *error)
{
  return error_set(error, ERROR_InfrastructureBusy, "the process that reads from other hosts has ended; try again");
}

static int send_question(const struct remote_question *question, const void *tail, size_t size)
{
  struct iovec parts[] = {{(void *)(uintptr_t)question, sizeof *question}, {(void *)(uintptr_t)tail, size}};
  const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  ssize_t sent;
  do
    sent = sendmsg(line.fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == (ssize_t)(sizeof *question + size) ? 0 : -1;
}

static void give_back(uint64_t file)
{
  if (file != 0)
    send_question(&(struct remote_question){.kind = REMOTE_CLOSE, .file = file}, NULL, 0);
}

/* With the lock held: an answer goes to whoever waits for it; a file that nobody waits for any more is given back. */
static void take_answer(const struct remote_answer *answer)
{
  struct waiting *w = line.first;
  while (w && w->answer.id != answer->id)
    w = w->next;
  if (!w) {
    give_back(answer->file);
    line.ahead -= line.ahead > 0;
    return;
  }
  w->answer = *answer;
  w->is_done = true;
}

/* With the lock held, which is let go meanwhile: reads one message, or waits for a moment. */
static void read_socket(void)
{
  struct remote_answer answer = {.id = 0};
  struct pollfd look = {.fd = line.fd, .events = POLLIN};
  line.is_read = true;
  pthread_mutex_unlock(&line.lock);
  ssize_t got = poll(&look, 1, LOOK_MS) > 0 ? recv(line.fd, &answer, sizeof answer, MSG_DONTWAIT) : -2;
  const bool is_lost = got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR);
  pthread_mutex_lock(&line.lock);
  line.is_read = false;
  line.is_lost = line.is_lost || is_lost;
  if (got >= (ssize_t)offsetof(struct remote_answer, path))
    take_answer(&answer);
  pthread_cond_broadcast(&line.heard);
}

static void wait_a_moment(void)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += LOOK_MS * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_nsec -= 1000000000L;
    until.tv_sec++;
  }
  pthread_cond_timedwait(&line.heard, &line.lock, &until);
}

static void enter(struct waiting *w)
{
  pthread_mutex_lock(&line.lock);
  w->answer.id = ++line.last_id;
  w->next = line.first;
  line.first = w;
  pthread_mutex_unlock(&line.lock);
}

/* Waits for the answer; -1 where none comes any more. */
static int await(struct waiting *w, struct error *error)
{
  pthread_mutex_lock(&line.lock);
  while (!w->is_done && !line.is_lost && !(line.cancel && *line.cancel)) {
    if (line.is_read)
      wait_a_moment();
    else
      read_socket();
  }
  struct waiting **place = &line.first;
  while (*place != w)
    place = &(*place)->next;
  *place = w->next;
  const bool is_done = w->is_done, is_lost = line.is_lost;
  pthread_mutex_unlock(&line.lock);
  if (is_done)
    return 0;
  return is_lost ? lost(error) : error_set(error, ERROR_RequestTimeout, "the request was cancelled");
}

static int ask(struct remote_question *question, const void *tail, size_t size, struct remote_answer *answer,
               struct error *error)
{
  struct waiting w = {.is_done = false};
  enter(&w);
  question->id = w.answer.id;
  const bool is_sent = send_question(question, tail, size) == 0;
  if (!is_sent) {
    pthread_mutex_lock(&line.lock);
    line.is_lost = true;
    pthread_mutex_unlock(&line.lock);
  }
  if (await(&w, error) != 0)
    return -1;
  *answer = w.answer;
  answer->error.code[sizeof answer->error.code - 1] = '\0';
  if (!error_is_set(&answer->error))
    return 0;
  *error = error_is_set(error) ? *error : answer->error;
  return -1;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void enlist(struct remote_file *file)
{
  pthread_mutex_lock(&line.lock);
  file->next = line.files;
  line.files = file;
  pthread_mutex_unlock(&line.lock);
}

static void strike(const struct remote_file *file)
{
  pthread_mutex_lock(&line.lock);
  struct remote_file **place = &line.files;
  while (*place && *place != file)
    place = &(*place)->next;
  if (*place)
    *place = file->next;
  pthread_mutex_unlock(&line.lock);
}

static size_t page_count(const struct remote_file *file)
{
  return (size_t)((file->size + REMOTE_PAGE - 1) / REMOTE_PAGE);
}

static int cannot_open(struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "what was fetched cannot be opened: %s", strerror(errno));
}

static int open_slot(struct remote_file *file, const struct remote_answer *answer, struct error *error)
{
  remote_slots_leave(file->slots);
  file->slots = remote_slots_use(answer->path);
  file->slot = answer->slot;
  return file->slots ? 0 : cannot_open(error);
}

/* A new descriptor takes the place of the old one, whose number readers know. */
static int open_place(struct remote_file *file, struct error *error)
{
  int fd = open(file->place, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && file->descriptor >= 0) {
    const int moved = dup3(fd, file->descriptor, O_CLOEXEC);
    close(fd);
    fd = moved;
  }
  if (fd < 0)
    return cannot_open(error);
  file->descriptor = fd;
  return 0;
}

static int take_place(struct remote_file *file, const struct remote_answer *answer, struct error *error)
{
  snprintf(file->place, sizeof file->place, "%s", answer->path);
  remote_slots_leave(file->slots);
  file->slots = NULL;
  return open_place(file, error);
}

/* Has the fetcher make a file of its own, with the ranges. */
static int need_own(struct remote_file *file, const struct remote_range *ranges, size_t count, struct error *error)
{
  struct remote_question question = {.kind = REMOTE_NEED, .file = file->number};
  struct remote_answer answer;
  if (ask(&question, ranges, count * sizeof *ranges, &answer, error) != 0)
    return -1;
  return file->slots ? take_place(file, &answer, error) : 0;
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

static bool has_page(const struct remote_file *file, size_t page)
{
  return file->pages[page / 8] >> page % 8 & 1;
}

/* The pages of a range that lie in the file: [*first, *end). */
static void pages_of(const struct remote_file *file, const struct remote_range *range, size_t *first, size_t *end)
{
  const uint64_t start = range->offset < file->size ? range->offset : file->size;
  const uint64_t length = range->length < file->size - start ? range->length : file->size - start;
  *first = (size_t)(start / REMOTE_PAGE);
  *end = length ? (size_t)((start + length - 1) / REMOTE_PAGE) + 1 : *first;
}

static bool is_there(const struct remote_file *file, const struct remote_range *range)
{
  size_t first, end;
  pages_of(file, range, &first, &end);
  for (size_t page = first; page < end; page++)
    if (!has_page(file, page))
      return false;
  return true;
}

static void note_pages(struct remote_file *file, const struct remote_range *ranges, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    size_t first, end;
    pages_of(file, &ranges[i], &first, &end);
    for (size_t page = first; page < end; page++)
      file->pages[page / 8] |= (unsigned char)(1u << page % 8);
  }
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* What the answer says, in place of what was known before. */
static int take_file(const char *path, const struct remote_answer *answer, struct remote_file *file,
                     struct error *error)
{
  free(file->pages);
  file->number = answer->file;
  file->size = answer->size;
  file->is_complete = answer->is_complete != 0;
  snprintf(file->validator, sizeof file->validator, "%s", answer->validator);
  file->pages = file->is_complete ? NULL : calloc(page_count(file) / 8 + 1, 1);
  if (!file->is_complete && !file->pages)
    return error_memory(error);
  if (remote_states_note(remote_url(path), file->validator, file->size, error) != 0)
    return -1;
  if (file->pages)
    note_pages(file, &(struct remote_range){0, answer->there}, 1);
  if (!answer->is_slot)
    return take_place(file, answer, error);
  if (open_slot(file, answer, error) != 0)
    return -1;
  return file->descriptor < 0 ? 0 : need_own(file, NULL, 0, error); /* its readers know the descriptor */
}

static int ask_file(struct remote_file *file, struct error *error)
{
  struct remote_question question = {.kind = REMOTE_OPEN, .whole = file->whole, .most = file->most};
  struct remote_answer answer;
  const char *url = remote_url(file->path);
  if (ask(&question, url, strlen(url), &answer, error) != 0)
    return -1;
  return take_file(file->path, &answer, file, error);
}

static int open_file(const char *path, enum remote_whole whole, uint64_t most, struct remote_file **out,
                     struct error *error)
{
  const char *url = remote_url(path);
  if (!remote_is_connected())
    return error_set(error, ERROR_FeatureUnsupported, "'%.200s' is on another host, and none may be asked here", url);
  if (strlen(url) >= REMOTE_URL_SIZE)
    return error_set(error, ERROR_ProcessParameterInvalid, "'%.200s…' is too long for an address", url);
  struct remote_file *file = calloc(1, sizeof *file);
  if (!file)
    return error_memory(error);
  file->descriptor = -1;
  file->whole = whole;
  file->most = most;
  file->path = strdup(path);
  enlist(file);
  const int status = file->path ? ask_file(file, error) : error_memory(error);
  if (status != 0)
    remote_close(file);
  else
    *out = file;
  return status;
}

int remote_open(const char *path, struct remote_file **out, struct error *error)
{
  return open_file(path, REMOTE_PARTS, 0, out, error);
}

int remote_open_whole(const char *path, uint64_t most, struct remote_file **out, struct error *error)
{
  return open_file(path, REMOTE_WHOLE, most, out, error);
}

int remote_open_document(const char *path, uint64_t most, struct remote_file **out, struct error *error)
{
  return open_file(path, REMOTE_DOCUMENT, most, out, error);
}

/* Nobody waits for the answer: take_answer gives the file back, and the fetcher keeps it for a while. False where there
 * is no room for it. */
static bool tell(struct remote_question *question, const void *tail, size_t size)
{
  pthread_mutex_lock(&line.lock);
  const bool has_room = line.ahead < REMOTE_AHEAD;
  line.ahead += has_room;
  question->id = ++line.last_id;
  question->quiet = 1;
  pthread_mutex_unlock(&line.lock);
  if (has_room)
    send_question(question, tail, size);
  return has_room;
}

static bool prefetch(const char *path, enum remote_whole whole, uint64_t most)
{
  const char *url = remote_url(path);
  struct remote_question question = {.kind = REMOTE_OPEN, .whole = whole, .most = most};
  if (!remote_is(path) || !remote_is_connected() || strlen(url) >= REMOTE_URL_SIZE)
    return true;
  return tell(&question, url, strlen(url));
}

bool remote_prefetch(const char *path, uint64_t most)
{
  return prefetch(path, most > 0 ? REMOTE_WHOLE : REMOTE_PARTS, most);
}

bool remote_prefetch_document(const char *path, uint64_t most)
{
  return prefetch(path, REMOTE_DOCUMENT, most);
}

void remote_close(struct remote_file *file)
{
  if (!file)
    return;
  strike(file);
  give_back(file->number);
  remote_slots_leave(file->slots);
  if (file->descriptor >= 0)
    close(file->descriptor);
  free(file->pages);
  free(file->path);
  free(file);
}

void remote_rest(void)
{
  pthread_mutex_lock(&line.lock);
  for (struct remote_file *file = line.files; file; file = file->next) {
    give_back(file->number);
    file->number = 0;
  }
  pthread_mutex_unlock(&line.lock);
}

/* A file that rested is opened again: it must be what it was. */
static int wake(struct remote_file *file, struct error *error)
{
  const uint64_t size = file->size;
  char validator[REMOTE_VALIDATOR_SIZE];
  memcpy(validator, file->validator, sizeof validator);
  if (ask_file(file, error) != 0)
    return -1;
  return size == file->size && strcmp(validator, file->validator) == 0
             ? 0
             : error_set(error, ERROR_FileContentInvalid, "%.200s has changed since it was opened: start again",
                         remote_url(file->path));
}

uint64_t remote_size(const struct remote_file *file)
{
  return file->size;
}

static int have_own(struct remote_file *file, struct error *error)
{
  if (file->number == 0 && wake(file, error) != 0)
    return -1;
  return file->descriptor >= 0 ? 0 : need_own(file, NULL, 0, error);
}

int remote_descriptor(struct remote_file *file, struct error *error)
{
  return have_own(file, error) == 0 ? file->descriptor : -1;
}

const char *remote_place(struct remote_file *file, struct error *error)
{
  return have_own(file, error) == 0 ? file->place : NULL;
}

ssize_t remote_read(const struct remote_file *file, void *to, size_t length, uint64_t offset)
{
  if (file->descriptor >= 0)
    return pread(file->descriptor, to, length, (off_t)offset);
  const uint64_t left = offset < file->size ? file->size - offset : 0; /* behind it lie others */
  return pread(remote_slots_descriptor(file->slots), to, length < left ? length : (size_t)left,
               (off_t)(file->slot + offset));
}

const char *remote_validator(const struct remote_file *file)
{
  return file->validator;
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

static int fetch(struct remote_file *file, const struct remote_range *ranges, size_t count, struct error *error)
{
  if (need_own(file, ranges, count, error) != 0)
    return -1;
  note_pages(file, ranges, count);
  return 0;
}

int remote_need(struct remote_file *file, const struct remote_range *ranges, size_t count, struct error *error)
{
  struct remote_range missing[REMOTE_RANGES_MOST];
  size_t n = 0;
  if (file->number == 0 && wake(file, error) != 0)
    return -1;
  for (size_t i = 0; i < count && !file->is_complete; i++) {
    if (is_there(file, &ranges[i]))
      continue;
    missing[n] = ranges[i];
    if (missing[n].length > file->size - missing[n].offset)
      missing[n].length = file->size - missing[n].offset;
    if (++n == REMOTE_RANGES_MOST) {
      if (fetch(file, missing, n, error) != 0)
        return -1;
      n = 0;
    }
  }
  return n > 0 ? fetch(file, missing, n, error) : 0;
}

void remote_ahead(struct remote_file *file, const struct remote_range *ranges, size_t count)
{
  struct remote_question question = {.kind = REMOTE_NEED, .file = file->number};
  struct remote_range missing[REMOTE_RANGES_MOST];
  size_t n = 0;
  for (size_t i = 0; i < count && !file->is_complete; i++)
    if (!is_there(file, &ranges[i]))
      missing[n++] = ranges[i];
  if (file->number != 0 && n > 0)
    tell(&question, missing, n * sizeof *missing);
}
