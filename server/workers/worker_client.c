/* One worker as its thread sees it. A cancelled task gets a moment to end; then the process is killed. */
#include "server/workers/worker_client.h"

#include "server/confine/read_folders.h"
#include "server/confine/worker_binding.h"

#include "datacube/base/logger.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { TASKS_PER_PROCESS = 20000, GRACE_MS = 900, START_MS = 400 };

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const struct worker_process no_process = {.child = {.fd = -1, .pidfd = -1}};
static const size_t parked_limit = (size_t)128 << 20; /* resident bytes above which a process is ended, not parked */

void worker_client_open(struct worker_client *client, struct zygote *zygote, size_t resident_limit)
{
  *client = (struct worker_client){.zygote = zygote, .now = no_process, .resident_limit = resident_limit};
  for (size_t i = 0; i < WORKERS_PARKED; i++)
    client->parked[i] = no_process;
}

/* An idle process ends by itself when its socket closes; one that is busy or broken is killed. */
static void end_worker(struct worker_process *process, bool is_idle)
{
  if (process->child.fd < 0)
    return;
  if (!is_idle)
    pidfd_send_signal(process->child.pidfd, SIGKILL, NULL, 0);
  close(process->child.pidfd);
  close(process->child.fd);
  process->child.fd = process->child.pidfd = -1; /* whose it was is asked for still */
}

static void end_process(struct worker_client *client, bool is_idle)
{
  end_worker(&client->now, is_idle);
}

static void end_parked(struct worker_client *client)
{
  for (size_t i = 0; i < WORKERS_PARKED; i++)
    end_worker(&client->parked[i], true);
}

void worker_client_close(struct worker_client *client)
{
  end_process(client, true);
  end_parked(client);
  buffer_free(&client->frame);
}

static int start_process(struct worker_client *client, struct error *error)
{
  const char *data = zygote_binds(client->zygote);
  const struct hash catalogue = data != NULL ? catalogue_stamp(data) : client->catalogue; /* before the zygote looks */
  if (!hash_equal(client->catalogue, catalogue))
    end_parked(client);
  client->catalogue = catalogue;
  if (zygote_spawn(client->zygote, &client->now.child, error) != 0)
    return -1;
  /* A worker that stops in the middle of a frame must not hold its thread. */
  const struct timeval patience = {.tv_sec = 20};
  setsockopt(client->now.child.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(client->now.child.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  client->now.tasks = 0;
  client->now.resident = 0;
  return 0;
}

int worker_client_ready(struct worker_client *client, struct error *error)
{
  struct pollfd idle = {.fd = client->now.child.fd, .events = POLLIN};
  if (client->now.child.fd >= 0 && poll(&idle, 1, 0) > 0) /* it has nothing to say unasked: it died */
    end_process(client, false);
  return client->now.child.fd >= 0 ? 0 : start_process(client, error);
}

bool worker_reply_next(const struct worker_reply *reply, uint64_t *at, struct reply_file *file, const char **metadata)
{
  const uint64_t left = reply->header.files_size - *at;
  if (left < sizeof *file)
    return false;
  memcpy(file, reply->files + *at, sizeof *file);
  if (file->metadata_size > left - sizeof *file)
    return false;
  file->path[sizeof file->path - 1] = '\0';
  file->name[sizeof file->name - 1] = '\0';
  file->media_type[sizeof file->media_type - 1] = '\0';
  *metadata = reply->files + *at + sizeof *file;
  *at += sizeof *file + file->metadata_size;
  return true;
}

/* A reply whose lengths and texts can be trusted. */
static int read_reply(const struct buffer *frame, struct worker_reply *reply)
{
  struct reply_header *header = &reply->header;
  if (frame->length < sizeof *header)
    return -1;
  memcpy(header, frame->data, sizeof *header);
  const uint64_t rest = frame->length - sizeof *header;
  if (header->json_size > rest || header->files_size != rest - header->json_size)
    return -1;
  header->error.code[sizeof header->error.code - 1] = '\0';
  header->error.message[sizeof header->error.message - 1] = '\0';
  header->error.node[sizeof header->error.node - 1] = '\0';
  header->error.parameter[sizeof header->error.parameter - 1] = '\0';
  reply->json = frame->data + sizeof *header;
  reply->files = reply->json + header->json_size;
  struct reply_file file;
  const char *metadata;
  uint64_t at = 0;
  while (worker_reply_next(reply, &at, &file, &metadata))
    ;
  return at == header->files_size ? 0 : -1;
}

static void hear(const struct worker_watch *watch, int kind, const struct buffer *frame)
{
  if (kind == FRAME_PROGRESS && watch->progress != NULL && frame->length == sizeof(double)) {
    double percent;
    memcpy(&percent, frame->data, sizeof percent);
    watch->progress(watch->data, percent);
  } else if (kind == FRAME_LOG && watch->log != NULL) {
    struct log_entry entry;
    if (frame_read_log(frame, &entry) == 0)
      watch->log(watch->data, &entry);
  }
}

/* The worker waits for the answer, whatever it is. */
static void tell(const struct worker_client *client, const struct worker_watch *watch)
{
  struct tell_header header = {0};
  struct buffer json = {0};
  const char *space, *id;
  if (frame_read_ask(&client->frame, &space, &id) != 0)
    error_set(&header.error, ERROR_Internal, "a question of a worker makes no sense");
  else if (watch->define != NULL && watch->define(watch->data, space, id, &json, &header.error) != 0)
    json.length = 0;
  if (json.failed)
    error_memory(&header.error);
  frame_send(client->now.child.fd, FRAME_TELL, &header, sizeof header, json.data, json.failed ? 0 : json.length);
  buffer_free(&json);
}

struct wait {
  struct pollfd fds[3];        /* worker, client, cancel */
  int64_t deadline;            /* of the task, then of the grace; 0: none */
  int64_t grace;               /* milliseconds */
  enum worker_outcome outcome; /* WORKER_REPLIED while nothing ended the task early */
};

static int time_left(const struct wait *wait)
{
  if (wait->deadline == 0)
    return -1;
  int64_t left = wait->deadline - now_ms();
  return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

static void give_up(struct worker_client *client, struct wait *wait, enum worker_outcome outcome)
{
  wait->outcome = outcome;
  wait->deadline = now_ms() + wait->grace;
  wait->fds[1].fd = wait->fds[2].fd = -1;
  pidfd_send_signal(client->now.child.pidfd, SIGUSR1, NULL, 0);
}

/* The process does not talk any more. What died with its zygote, or where nothing can be forked now (so that its own
 * threads had no room either), did not die of its task. */
static enum worker_outcome why_it_broke(struct worker_client *client)
{
  struct error error = {0};
  if (zygote_is_lost(client->zygote, client->now.child.generation))
    return WORKER_UNAVAILABLE;
  return start_process(client, &error) == 0 ? WORKER_BROKEN : WORKER_UNAVAILABLE;
}

/* A frame came, or the end: true when the call is over. */
static bool take_frame(struct worker_client *client, const struct worker_watch *watch, struct wait *wait,
                       struct worker_reply *reply)
{
  int kind = frame_receive(client->now.child.fd, &client->frame);
  if (kind == FRAME_PROGRESS || kind == FRAME_LOG) {
    hear(watch, kind, &client->frame);
    return false;
  }
  if (kind == FRAME_ASK) {
    tell(client, watch);
    return false;
  }
  if (kind == FRAME_REPLY && read_reply(&client->frame, reply) == 0) {
    client->now.resident = (size_t)reply->header.resident;
    return true;
  }
  end_process(client, false);
  if (wait->outcome == WORKER_REPLIED)
    wait->outcome = why_it_broke(client);
  return true;
}

/* One turn of the wait: true when the call is over. */
static bool wait_turn(struct worker_client *client, const struct worker_watch *watch, struct wait *wait,
                      struct worker_reply *reply)
{
  int ready = poll(wait->fds, 3, time_left(wait));
  if (ready == 0 && wait->deadline != 0 && now_ms() >= wait->deadline) {
    if (wait->outcome == WORKER_REPLIED) {
      give_up(client, wait, WORKER_TIMEOUT);
      return false;
    }
    log_message(LOG_WARNING, "a worker does not give up its task: it is replaced");
    end_process(client, false);
    return true;
  }
  if (ready <= 0)
    return false;
  if (wait->fds[0].revents != 0)
    return take_frame(client, watch, wait, reply);
  if (wait->outcome == WORKER_REPLIED && (wait->fds[1].revents | wait->fds[2].revents) != 0)
    give_up(client, wait, WORKER_CANCELLED);
  return false;
}

/* The process at hand is parked, and that of the place taken out; the others keep their order. */
static void change_places(struct worker_client *client, size_t place)
{
  const struct worker_process taken = client->parked[place];
  memmove(&client->parked[1], &client->parked[0], place * sizeof taken);
  client->parked[0] = client->now;
  client->now = taken;
}

/* Another process, or none, in place of one that is bound to other rights than the task's. */
static void change_process(struct worker_client *client, struct hash binding)
{
  size_t place = 0;
  while (place < WORKERS_PARKED &&
         (client->parked[place].child.fd < 0 || !hash_equal(client->parked[place].binding, binding)))
    place++;
  if (client->now.resident > parked_limit || client->serves_once)
    end_process(client, true);
  change_places(client, place < WORKERS_PARKED ? place : WORKERS_PARKED - 1);
  if (place == WORKERS_PARKED)
    end_process(client, true); /* the one that was not used for longest */
}

/* Sees to it that the process at hand, if there is one, is made for the catalogue as it is and bound as the task is. */
static struct hash bind_process(struct worker_client *client, const struct task_header *task)
{
  const char *data = zygote_binds(client->zygote);
  if (data == NULL)
    return (struct hash){0};
  const struct hash binding = worker_binding(task);
  if (!hash_equal(client->catalogue, catalogue_stamp(data))) {
    end_process(client, true);
    end_parked(client);
  } else if (client->now.child.fd >= 0 && client->now.tasks > 0 && !hash_equal(client->now.binding, binding)) {
    change_process(client, binding);
  }
  return binding;
}

/* Gives the task to a process: WORKER_REPLIED when it has it. One that died while idle is noticed, and replaced
 * once. */
static enum worker_outcome hand_over(struct worker_client *client, const struct task_header *task,
                                     const struct buffer *graph)
{
  struct error error = {0};
  const struct hash binding = bind_process(client, task);
  for (int attempt = 0; attempt < 2; attempt++) {
    if (worker_client_ready(client, &error) != 0) {
      log_message(LOG_WARNING, "%s", error.message);
      return WORKER_UNAVAILABLE;
    }
    if (frame_send(client->now.child.fd, FRAME_TASK, task, sizeof *task, graph->data, graph->length) == 0) {
      client->now.binding = binding;
      return WORKER_REPLIED;
    }
    end_process(client, false);
  }
  return why_it_broke(client);
}

enum worker_outcome worker_client_call(struct worker_client *client, const struct task_header *task,
                                       const struct buffer *graph, const struct worker_watch *watch,
                                       struct worker_reply *reply)
{
  enum worker_outcome given = hand_over(client, task, graph);
  if (given != WORKER_REPLIED)
    return given;
  const int64_t start = client->now.tasks == 0 ? START_MS : 0; /* a new process confines itself first */
  client->now.tasks++;
  struct wait wait = {.fds = {{.fd = client->now.child.fd, .events = POLLIN},
                              {.fd = watch->client_fd},
                              {.fd = watch->cancel_fd, .events = POLLIN}},
                      .deadline = watch->seconds > 0 ? now_ms() + start + (int64_t)(watch->seconds * 1000) : 0,
                      .grace = watch->grace > 0 ? watch->grace : GRACE_MS,
                      .outcome = WORKER_REPLIED};
  while (!wait_turn(client, watch, &wait, reply))
    ;
  return wait.outcome;
}

void worker_client_renew(struct worker_client *client)
{
  if (client->frame.capacity > (size_t)1 << 20)
    buffer_free(&client->frame);
  const unsigned most = client->serves_once && zygote_binds(client->zygote) != NULL ? 1 : TASKS_PER_PROCESS;
  if (client->now.child.fd < 0 || (client->now.tasks < most && client->now.resident < client->resident_limit))
    return;
  struct error error = {0};
  end_process(client, true);
  start_process(client, &error);
}
