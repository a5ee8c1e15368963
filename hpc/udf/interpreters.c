/* One question to the host at a time; an interpreter belongs to the thread that has taken it. */
#include "hpc/udf/interpreters.h"

#include "hpc/udf/udf_protocol.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 50, FRAME_MOST = 8 << 20, SAID_MOST = 1 << 20 };
static const size_t room = (size_t)1 << 30;

struct interpreter {
  struct interpreter *next; /* of those that rest */
  uint32_t id;              /* the host's */
  int fd;
  unsigned char *memory; /* `room` bytes */
  bool is_paused;
  char *told; /* message about the script that it was told last; or NULL */
};

struct said { /* a line of a script */
  struct said *next;
  enum log_level level;
  char *node, *text;
};

struct interpreters {
  struct interpreters_options options;
  pthread_mutex_t lock; /* guards what follows */
  struct interpreter *resting;
  size_t lent;      /* to calls */
  bool has_started; /* one at least */
  double cpu_seconds;
  char *description;
  struct said *said, **said_end;
  size_t said_size;
};

size_t interpreters_room(void)
{
  return room;
}

struct interpreters *interpreters_new(const struct interpreters_options *options)
{
  struct interpreters *all = calloc(1, sizeof *all);
  if (!all)
    return NULL;
  all->options = *options;
  all->said_end = &all->said;
  pthread_mutex_init(&all->lock, NULL);
  return all;
}

/* ---- the host -------------------------------------------------------------------------------------------------- */

static int no_host(struct error *error)
{
  return error_set(error, ERROR_InvalidRuntime, "there is no runtime for user-defined functions here");
}

static int receive_answer(int fd, struct udf_answer *answer, int *descriptors)
{
  union {
    char room[CMSG_SPACE(2 * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec part = {.iov_base = answer, .iov_len = sizeof *answer};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  ssize_t got;
  do
    got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  const struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(2 * sizeof(int)))
    memcpy(descriptors, CMSG_DATA(header), 2 * sizeof(int));
  answer->text[got > (ssize_t)sizeof *answer - UDF_TEXT ? UDF_TEXT - 1 : 0] = '\0';
  return got >= (ssize_t)(sizeof *answer - UDF_TEXT) ? 0 : -1;
}

/* With the lock. The answer's descriptors, or -1 twice. */
static int ask(struct interpreters *all, const struct udf_request *request, struct udf_answer *answer, int *descriptors,
               struct error *error)
{
  descriptors[0] = descriptors[1] = -1;
  if (all->options.host < 0 && all->options.join) {
    all->options.host = all->options.join(all->options.data, error);
    if (all->options.host < 0)
      return -1;
  }
  if (all->options.host < 0)
    return no_host(error);
  ssize_t sent;
  do
    sent = send(all->options.host, request, sizeof *request, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent != (ssize_t)sizeof *request || receive_answer(all->options.host, answer, descriptors) != 0)
    return error_set(error, ERROR_InfrastructureBusy, "the host of user-defined functions does not answer");
  return 0;
}

int interpreters_describe(struct interpreters *all, const char **out, struct error *error)
{
  const struct udf_request request = {.kind = UDF_DESCRIBE};
  int descriptors[2], status = 0;
  if (!all)
    return no_host(error);
  pthread_mutex_lock(&all->lock);
  struct udf_answer *answer = all->description ? NULL : malloc(sizeof *answer);
  if (!all->description && !answer)
    status = error_memory(error);
  else if (!all->description) {
    status = ask(all, &request, answer, descriptors, error);
    if (status == 0 && answer->status != 0)
      status = error_set(error, ERROR_InvalidRuntime, "there is no runtime for user-defined functions here: %s",
                         answer->text);
    if (status == 0 && !(all->description = strdup(answer->text)))
      status = error_memory(error);
  }
  free(answer);
  *out = all->description;
  pthread_mutex_unlock(&all->lock);
  return status;
}

/* ---- starting and ending ---------------------------------------------------------------------------------------- */

static bool is_cancelled(const struct interpreters *all)
{
  return all->options.cancel && *all->options.cancel;
}

static int cancelled(struct error *error)
{
  return error_set(error, ERROR_RequestTimeout, "the request was cancelled while a user-defined function ran");
}

/* Ends it. `why`, or NULL, is for one whose socket has ended: it gets how, "" where it was not for that. */
static void end(struct interpreters *all, struct interpreter *it, char *why, size_t why_size)
{
  const struct udf_request request = {.kind = UDF_END, .id = it->id, .size = why != NULL};
  struct udf_answer *answer = malloc(sizeof *answer);
  struct error ignored = {0};
  int descriptors[2];
  if (why)
    why[0] = '\0';
  pthread_mutex_lock(&all->lock);
  if (answer && ask(all, &request, answer, descriptors, &ignored) == 0 && why)
    snprintf(why, why_size, "%.*s", (int)why_size - 1, answer->text);
  pthread_mutex_unlock(&all->lock);
  free(answer);
  munmap(it->memory, room);
  close(it->fd);
  free(it->told);
  free(it);
}

/* Whole, or -1: the other side is gone, or it was cancelled. */
static int transfer(struct interpreters *all, int fd, void *data, size_t size, bool sends)
{
  unsigned char *at = data;
  while (size > 0) {
    struct pollfd wait = {.fd = fd, .events = sends ? POLLOUT : POLLIN};
    if (is_cancelled(all))
      return -1;
    if (poll(&wait, 1, WAIT_MS) <= 0)
      continue;
    const ssize_t done = sends ? send(fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT) : recv(fd, at, size, MSG_DONTWAIT);
    if (done < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (done <= 0)
      return -1;
    at += done;
    size -= (size_t)done;
  }
  return 0;
}

static int send_frame(struct interpreters *all, const struct interpreter *it, uint32_t kind, const char *json)
{
  struct udf_frame head = {kind, (uint32_t)strlen(json)};
  return transfer(all, it->fd, &head, sizeof head, true) == 0
             ? transfer(all, it->fd, (void *)(uintptr_t)json, head.size, true)
             : -1;
}

/* The kind of the next frame, 0 where none comes or it is too long; the body ends in a NUL that is not of it. */
static uint32_t receive_frame(struct interpreters *all, const struct interpreter *it, struct buffer *body)
{
  struct udf_frame head;
  body->length = 0;
  if (transfer(all, it->fd, &head, sizeof head, false) != 0 || head.size > FRAME_MOST)
    return 0;
  char *bytes = malloc((size_t)head.size + 1);
  if (!bytes)
    return 0;
  const int status = transfer(all, it->fd, bytes, head.size, false);
  bytes[head.size] = '\0';
  buffer_add(body, bytes, head.size);
  free(bytes);
  return status == 0 && !body->failed ? head.kind : 0;
}

static struct interpreter *new_interpreter(uint32_t id, const int descriptors[2], struct error *error)
{
  struct interpreter *it = calloc(1, sizeof *it);
  void *memory = it && descriptors[1] >= 0
                     ? mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptors[1], 0)
                     : MAP_FAILED;
  if (descriptors[1] >= 0)
    close(descriptors[1]);
  if (memory != MAP_FAILED) {
    *it = (struct interpreter){.id = id, .fd = descriptors[0], .memory = memory};
    return it;
  }
  if (descriptors[0] >= 0)
    close(descriptors[0]);
  free(it);
  error_memory(error);
  return NULL;
}

/* How an interpreter ended that had not been told to. */
static int lost(struct interpreters *all, struct interpreter *it, struct error *error)
{
  char why[200];
  const bool was_cancelled = is_cancelled(all);
  end(all, it, was_cancelled ? NULL : why, sizeof why);
  if (was_cancelled)
    return cancelled(error);
  return error_parameter(error, ERROR_ProcessParameterInvalid, "udf",
                         "the process of the user-defined function has "
                         "ended%s%s",
                         why[0] ? ": " : "", why);
}

/* With the lock. */
static void set_paused(struct interpreters *all, struct interpreter *it, bool is_paused)
{
  const struct udf_request request = {.kind = is_paused ? UDF_PAUSE : UDF_RESUME, .id = it->id};
  struct udf_answer *answer = malloc(sizeof *answer);
  struct error ignored = {0};
  int descriptors[2];
  if (answer && it->is_paused != is_paused && ask(all, &request, answer, descriptors, &ignored) == 0)
    it->is_paused = is_paused;
  free(answer);
}

void interpreters_rest(struct interpreters *all)
{
  if (!all)
    return;
  pthread_mutex_lock(&all->lock);
  for (struct interpreter *it = all->resting; it; it = it->next)
    set_paused(all, it, true);
  pthread_mutex_unlock(&all->lock);
}

/* With the lock. 1: a process has been started; 0: there are as many as there may be, and one will be given back. */
static int ask_for_one(struct interpreters *all, struct udf_answer *answer, int *descriptors, struct error *error)
{
  const struct udf_request request = {.kind = UDF_START, .size = room};
  if (ask(all, &request, answer, descriptors, error) != 0)
    return -1;
  all->has_started = true;
  if (answer->status == 0)
    return 1;
  if (answer->status == UDF_FULL && all->lent > 0)
    return 0;
  return error_set(error, ERROR_InfrastructureBusy, "no process for user-defined functions can be started: %s",
                   answer->text);
}

/* With the lock, which it gives up for a while. */
static int wait_a_while(struct interpreters *all, struct error *error)
{
  pthread_mutex_unlock(&all->lock);
  poll(NULL, 0, WAIT_MS);
  pthread_mutex_lock(&all->lock);
  return is_cancelled(all) ? cancelled(error) : 0;
}

static void unlend(struct interpreters *all)
{
  pthread_mutex_lock(&all->lock);
  all->lent--;
  pthread_mutex_unlock(&all->lock);
}

/* The interpreter of a process that has been started. */
static int greet(struct interpreters *all, const struct udf_answer *answer, const int *descriptors,
                 struct interpreter **out, struct error *error)
{
  struct buffer body = {0};
  *out = new_interpreter(answer->id, descriptors, error);
  int status = *out ? 0 : -1;
  if (status == 0 && receive_frame(all, *out, &body) != UDF_READY)
    status = lost(all, *out, error);
  buffer_free(&body);
  if (status != 0)
    unlend(all);
  return status;
}

/* One that rests, a new one, or the next one that is given back. */
static int take(struct interpreters *all, struct interpreter **out, struct error *error)
{
  struct udf_answer *answer = malloc(sizeof *answer);
  int descriptors[2], status = answer ? 0 : error_memory(error);
  pthread_mutex_lock(&all->lock);
  while (status == 0 && !(*out = all->resting)) {
    status = ask_for_one(all, answer, descriptors, error);
    if (status == 0)
      status = wait_a_while(all, error);
  }
  if (status == 0) {
    all->resting = (*out)->next;
    set_paused(all, *out, false);
  }
  all->lent += status >= 0;
  pthread_mutex_unlock(&all->lock);
  if (status > 0)
    status = greet(all, answer, descriptors, out, error);
  free(answer);
  return status;
}

static void give_back(struct interpreters *all, struct interpreter *it)
{
  pthread_mutex_lock(&all->lock);
  it->next = all->resting;
  all->resting = it;
  all->lent--;
  pthread_mutex_unlock(&all->lock);
}

void interpreters_forget(struct interpreters *all)
{
  if (!all)
    return;
  pthread_mutex_lock(&all->lock);
  struct interpreter *it = all->resting;
  all->resting = NULL;
  pthread_mutex_unlock(&all->lock);
  while (it) {
    struct interpreter *next = it->next;
    end(all, it, NULL, 0);
    it = next;
  }
}

double interpreters_cpu_seconds(struct interpreters *all)
{
  const struct udf_request request = {.kind = UDF_USAGE};
  struct udf_answer *answer = all ? malloc(sizeof *answer) : NULL;
  struct error ignored = {0};
  int descriptors[2];
  if (!answer)
    return 0;
  pthread_mutex_lock(&all->lock);
  if (all->has_started && ask(all, &request, answer, descriptors, &ignored) == 0)
    all->cpu_seconds = answer->cpu_seconds;
  const double seconds = all->cpu_seconds;
  pthread_mutex_unlock(&all->lock);
  free(answer);
  return seconds;
}

/* ---- what scripts say ------------------------------------------------------------------------------------------- */

static void free_said(struct said *said)
{
  while (said) {
    struct said *next = said->next;
    free(said->node);
    free(said->text);
    free(said);
    said = next;
  }
}

static void hear(struct interpreters *all, const char *node, enum log_level level, const char *text)
{
  struct said *said = calloc(1, sizeof *said);
  if (!said)
    return;
  *said = (struct said){.level = level, .node = strdup(node), .text = strdup(text)};
  pthread_mutex_lock(&all->lock);
  all->said_size += strlen(text) + sizeof *said;
  if (said->node && said->text && all->said_size < SAID_MOST) {
    *all->said_end = said;
    all->said_end = &said->next;
    said = NULL;
  }
  pthread_mutex_unlock(&all->lock);
  free_said(said);
}

void interpreters_tell(struct interpreters *all,
                       void (*tell)(void *data, enum log_level level, const char *node, const char *text), void *data)
{
  if (!all)
    return;
  pthread_mutex_lock(&all->lock);
  struct said *first = all->said;
  all->said = NULL;
  all->said_end = &all->said;
  all->said_size = 0;
  pthread_mutex_unlock(&all->lock);
  for (const struct said *said = first; tell && said; said = said->next)
    tell(data, said->level, said->node, said->text);
  free_said(first);
}

void interpreters_free(struct interpreters *all)
{
  if (!all)
    return;
  interpreters_forget(all);
  interpreters_tell(all, NULL, NULL);
  if (all->options.host >= 0)
    close(all->options.host);
  pthread_mutex_destroy(&all->lock);
  free(all->description);
  free(all);
}

/* ---- a call ----------------------------------------------------------------------------------------------------- */

/* The text behind the first one of a frame; "" where there is none. */
static const char *second_text(const struct buffer *body)
{
  const size_t first = body->length ? strlen(body->data) + 1 : 0;
  return first < body->length ? body->data + first : "";
}

static enum log_level level_of(const char *name)
{
  return strcmp(name, "error") == 0 ? LOG_ERROR : strcmp(name, "warning") == 0 ? LOG_WARNING : LOG_INFO;
}

static int failed(struct interpreters *all, const struct udf_call *call, const struct buffer *body, struct error *error)
{
  if (second_text(body)[0])
    hear(all, call->script->node, LOG_ERROR, second_text(body));
  return error_parameter(error, ERROR_ProcessParameterInvalid, "udf", "the user-defined function fails: %s",
                         body->length ? body->data : "");
}

static int tell_script(struct interpreters *all, struct interpreter *it, const char *message)
{
  if (it->told && strcmp(it->told, message) == 0)
    return 0;
  free(it->told);
  it->told = strdup(message);
  return it->told ? send_frame(all, it, UDF_SCRIPT, message) : -1;
}

/* 1: a result; 0: the script failed, and the interpreter is as good as before; -1: it is lost. */
static int converse(struct interpreters *all, struct interpreter *it, const struct udf_call *call, struct buffer *body,
                    struct error *error)
{
  if (tell_script(all, it, call->script->message) != 0 || send_frame(all, it, UDF_CALL, call->view) != 0)
    return -1;
  for (;;) {
    switch (receive_frame(all, it, body)) {
    case UDF_LOG:
      if (body->length)
        hear(all, call->script->node, level_of(body->data), second_text(body));
      break;
    case UDF_FAILED:
      failed(all, call, body, error);
      return 0;
    case UDF_RESULT:
      return 1;
    default:
      return -1;
    }
  }
}

int interpreters_call(struct interpreters *all, const struct udf_call *call, struct buffer *reply, struct error *error)
{
  struct interpreter *it;
  struct buffer body = {.limit = FRAME_MOST + 16};
  if (!all)
    return no_host(error);
  if (call->input_size > room || call->output_size > room || (call->output && call->offset > room - call->output_size))
    return error_set(error, ERROR_Internal, "more elements for a user-defined function than there is room for");
  if (take(all, &it, error) != 0)
    return -1;
  if (call->input)
    memcpy(it->memory, call->input, call->input_size);
  const int outcome = converse(all, it, call, &body, error);
  if (outcome > 0 && call->output)
    memcpy(call->output, it->memory + call->offset, call->output_size);
  int status = outcome > 0 ? 0 : -1;
  if (outcome < 0) {
    lost(all, it, error);
    unlend(all);
  } else
    give_back(all, it);
  if (status == 0 && reply)
    buffer_add(reply, body.data ? body.data : "", body.length);
  buffer_free(&body);
  return status == 0 && reply && reply->failed ? error_memory(error) : status;
}
