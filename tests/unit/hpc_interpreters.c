/* Interpreters of scripts before a host that gives fewer of them than there are callers: calls wait for one another.
 * The host and its interpreters are threads here, which say what those would say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hpc/udf/interpreters.h"
#include "hpc/udf/udf_protocol.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 64, CALLERS = 6, CALLS = 20 };

struct desk {
  int socket;                   /* the host's end */
  unsigned room;                /* interpreters that a caller may have */
  unsigned count;               /* … and has; of the host's thread */
  atomic_uint refused, running; /* requests to start; calls that came */
  pthread_t host, interpreters[MOST];
  size_t started;
};

/* ---- an interpreter --------------------------------------------------------------------------------------------- */

struct seat {
  struct desk *desk;
  int socket;
};

static void say(int socket, uint32_t kind, const char *body)
{
  const struct udf_frame head = {kind, (uint32_t)strlen(body)};
  send(socket, &head, sizeof head, MSG_NOSIGNAL);
  send(socket, body, head.size, MSG_NOSIGNAL);
}

/* Answers each call; but ends at the view "die", and says nothing to "stay". */
static void *interpret(void *data)
{
  struct seat *seat = data;
  struct udf_frame head;
  char body[64] = "";
  say(seat->socket, UDF_READY, "");
  while (recv(seat->socket, &head, sizeof head, MSG_WAITALL) == (ssize_t)sizeof head && head.size < sizeof body &&
         recv(seat->socket, body, head.size, MSG_WAITALL) == (ssize_t)head.size) {
    body[head.size] = '\0';
    if (head.kind == UDF_CALL)
      atomic_fetch_add(&seat->desk->running, 1);
    if (head.kind == UDF_CALL && strcmp(body, "die") == 0)
      break;
    if (head.kind != UDF_CALL || strcmp(body, "stay") == 0)
      continue;
    for (int i = 0; i < 100; i++)
      sched_yield();
    say(seat->socket, UDF_RESULT, "done");
  }
  close(seat->socket);
  free(seat);
  return NULL;
}

/* ---- the host --------------------------------------------------------------------------------------------------- */

static void start(struct desk *desk, struct udf_answer *answer, int *descriptors)
{
  int pair[2];
  struct seat *seat = calloc(1, sizeof *seat);
  assert_non_null(seat);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  descriptors[0] = pair[0];
  descriptors[1] = memfd_create("elements", 0);
  assert_int_equal(ftruncate(descriptors[1], (off_t)interpreters_room()), 0);
  *seat = (struct seat){desk, pair[1]};
  assert_true(desk->started < MOST);
  pthread_create(&desk->interpreters[desk->started++], NULL, interpret, seat);
  answer->id = (uint32_t)desk->started;
  desk->count++;
}

static void answer_with(int socket, const struct udf_answer *answer, const int *descriptors)
{
  union {
    char room[CMSG_SPACE(2 * sizeof(int))];
    struct cmsghdr align;
  } control = {.room = {0}};
  struct iovec part = {(void *)(uintptr_t)answer, sizeof *answer - UDF_TEXT + strlen(answer->text) + 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptors[0] >= 0) {
    message.msg_control = control.room;
    message.msg_controllen = sizeof control.room;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), descriptors, 2 * sizeof(int));
  }
  sendmsg(socket, &message, MSG_NOSIGNAL);
  for (size_t i = 0; i < 2; i++)
    if (descriptors[i] >= 0)
      close(descriptors[i]);
}

static void *serve(void *data)
{
  struct desk *desk = data;
  struct udf_request request;
  struct udf_answer *answer = calloc(1, sizeof *answer);
  assert_non_null(answer);
  while (recv(desk->socket, &request, sizeof request, 0) == (ssize_t)sizeof request) {
    int descriptors[2] = {-1, -1};
    memset(answer, 0, sizeof *answer);
    if (request.kind == UDF_START && desk->count < desk->room)
      start(desk, answer, descriptors);
    else if (request.kind == UDF_START) {
      answer->status = UDF_FULL;
      atomic_fetch_add(&desk->refused, 1);
    } else if (request.kind == UDF_END)
      desk->count--;
    answer_with(desk->socket, answer, descriptors);
  }
  close(desk->socket);
  free(answer);
  return NULL;
}

static struct interpreters *open_desk(struct desk *desk, unsigned room, const volatile int *cancel)
{
  int pair[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
  *desk = (struct desk){.socket = pair[1], .room = room};
  pthread_create(&desk->host, NULL, serve, desk);
  const struct interpreters_options options = {.host = pair[0], .cancel = cancel};
  struct interpreters *all = interpreters_new(&options);
  assert_non_null(all);
  return all;
}

static void close_desk(struct desk *desk, struct interpreters *all)
{
  interpreters_free(all);
  pthread_join(desk->host, NULL);
  for (size_t i = 0; i < desk->started; i++)
    pthread_join(desk->interpreters[i], NULL);
}

/* ---- callers ---------------------------------------------------------------------------------------------------- */

struct caller {
  struct interpreters *all;
  const char *view;
  int calls, status;
  struct error error;
  pthread_t thread;
};

static void *call(void *data)
{
  struct caller *caller = data;
  const struct udf_script script = {.node = "u", .message = "{}"};
  const struct udf_call asked = {.script = &script, .view = caller->view};
  for (int i = 0; i < caller->calls && caller->status == 0; i++) {
    struct buffer reply = {0};
    caller->status = interpreters_call(caller->all, &asked, &reply, &caller->error);
    buffer_free(&reply);
  }
  return NULL;
}

static void begin(struct caller *caller, struct interpreters *all, const char *view, int calls)
{
  *caller = (struct caller){.all = all, .view = view, .calls = calls};
  pthread_create(&caller->thread, NULL, call, caller);
}

static void await(const atomic_uint *number, unsigned least)
{
  while (atomic_load(number) < least)
    usleep(1000);
}

static void test_more_callers_than_interpreters(void **state)
{
  (void)state;
  struct desk desk;
  struct caller callers[CALLERS];
  struct interpreters *all = open_desk(&desk, 2, NULL);
  for (size_t i = 0; i < CALLERS; i++)
    begin(&callers[i], all, "work", CALLS);
  for (size_t i = 0; i < CALLERS; i++) {
    pthread_join(callers[i].thread, NULL);
    assert_string_equal(callers[i].error.message, "");
  }
  close_desk(&desk, all);
  assert_true(desk.started <= 2);
  assert_int_equal(desk.running, CALLERS * CALLS);
}

/* Whoever waits gets the place of one that dies. */
static void test_an_interpreter_that_dies_makes_room(void **state)
{
  (void)state;
  struct desk desk;
  struct caller callers[CALLERS];
  struct interpreters *all = open_desk(&desk, 1, NULL);
  for (size_t i = 0; i < CALLERS; i++)
    begin(&callers[i], all, i % 2 ? "work" : "die", 1);
  for (size_t i = 0; i < CALLERS; i++) {
    pthread_join(callers[i].thread, NULL);
    assert_int_equal(callers[i].status, i % 2 ? 0 : -1);
    assert_string_equal(callers[i].error.code, i % 2 ? "" : "ProcessParameterInvalid");
  }
  close_desk(&desk, all);
}

static void test_waiting_looks_at_cancel(void **state)
{
  (void)state;
  struct desk desk;
  struct caller callers[2];
  volatile int cancel = 0;
  struct interpreters *all = open_desk(&desk, 1, &cancel);
  begin(&callers[0], all, "stay", 1);
  await(&desk.running, 1);
  begin(&callers[1], all, "work", 1);
  await(&desk.refused, 2);
  cancel = 1;
  for (size_t i = 0; i < 2; i++) {
    pthread_join(callers[i].thread, NULL);
    assert_string_equal(callers[i].error.code, "RequestTimeout");
  }
  close_desk(&desk, all);
}

/* Nobody of this process would give one back. */
static void test_a_host_without_room_is_busy(void **state)
{
  (void)state;
  struct desk desk;
  struct caller caller;
  struct interpreters *all = open_desk(&desk, 0, NULL);
  begin(&caller, all, "work", 1);
  pthread_join(caller.thread, NULL);
  assert_string_equal(caller.error.code, "InfrastructureBusy");
  close_desk(&desk, all);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_more_callers_than_interpreters),
      cmocka_unit_test(test_an_interpreter_that_dies_makes_room),
      cmocka_unit_test(test_waiting_looks_at_cancel),
      cmocka_unit_test(test_a_host_without_room_is_busy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
