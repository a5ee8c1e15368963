/* Frames between server and workers, and the folder that a worker's file must lie in. */
#include "server/store/folder.h"
#include "server/workers/worker_protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_pair(int pair[2])
{
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

static void *send_large(void *data)
{
  const int fd = *(int *)data;
  struct buffer body = {0};
  for (int i = 0; i < 1000000; i++)
    buffer_add(&body, &(char){(char)i}, 1);
  frame_send(fd, FRAME_TASK, "head", 4, body.data, body.length);
  buffer_free(&body);
  close(fd);
  return NULL;
}

static void test_large_frames_arrive(void **state)
{
  (void)state;
  int pair[2];
  pthread_t thread;
  struct buffer frame = {0};
  make_pair(pair);
  assert_int_equal(pthread_create(&thread, NULL, send_large, &pair[0]), 0);
  assert_int_equal(frame_receive(pair[1], &frame), FRAME_TASK);
  assert_int_equal(frame.length, 1000004);
  assert_memory_equal(frame.data, "head", 4);
  for (int i = 0; i < 1000000; i++)
    assert_int_equal(frame.data[4 + i], (char)i);
  assert_int_equal(frame_receive(pair[1], &frame), 0); /* a clean end */
  pthread_join(thread, NULL);
  close(pair[1]);
  buffer_free(&frame);
}

static void expect_refused(const void *bytes, size_t length)
{
  int pair[2];
  struct buffer frame = {0};
  make_pair(pair);
  assert_int_equal(write(pair[0], bytes, length), (ssize_t)length);
  close(pair[0]);
  assert_int_equal(frame_receive(pair[1], &frame), -1);
  close(pair[1]);
  buffer_free(&frame);
}

static void test_nonsense_is_refused(void **state)
{
  (void)state;
  const struct frame_header unknown = {.kind = 99}, zero = {.kind = 0},
                            huge = {.kind = FRAME_REPLY, .size = UINT64_MAX}, cut = {.kind = FRAME_REPLY, .size = 5};
  expect_refused(&unknown, sizeof unknown);
  expect_refused(&zero, sizeof zero);
  expect_refused(&huge, sizeof huge);
  expect_refused(&cut, sizeof cut);
  expect_refused(&cut, 3);
}

static void expect_text(const char *have, const char *want)
{
  if (want == NULL)
    assert_null(have);
  else
    assert_string_equal(have, want);
}

static void test_log_entries_arrive(void **state)
{
  (void)state;
  const struct log_entry sent[] = {
      {.level = LOG_DEBUG, .message = ""},
      {.level = LOG_ERROR, .message = "m", .code = "c", .node = "a/b", .parameter = "p", .data = "[1]"},
      {.level = LOG_INFO, .message = "m\n", .data = "{}"},
  };
  int pair[2];
  make_pair(pair);
  for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
    struct buffer frame = {0};
    struct log_entry got;
    assert_int_equal(frame_send_log(pair[0], &sent[i]), 0);
    assert_int_equal(frame_receive(pair[1], &frame), FRAME_LOG);
    assert_int_equal(frame_read_log(&frame, &got), 0);
    assert_int_equal(got.level, sent[i].level);
    expect_text(got.message, sent[i].message);
    expect_text(got.code, sent[i].code);
    expect_text(got.node, sent[i].node);
    expect_text(got.parameter, sent[i].parameter);
    expect_text(got.data, sent[i].data);
    for (size_t length = 0; length < frame.length; length++) /* cut anywhere it is nonsense */
      assert_int_equal(frame_read_log(&(struct buffer){.data = frame.data, .length = length}, &got), -1);
    struct log_header header;
    memcpy(&header, frame.data, sizeof header);
    header.sizes[LOG_TEXT_DATA] = UINT64_MAX - 8;
    memcpy(frame.data, &header, sizeof header);
    assert_int_equal(frame_read_log(&frame, &got), -1);
    buffer_free(&frame);
  }
  close(pair[0]);
  close(pair[1]);
}

static void put_file(const char *path)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, "abc", 3), 3);
  close(fd);
}

static void test_only_files_of_the_folder(void **state)
{
  (void)state;
  struct error error = {0};
  char top[] = "folder-test-XXXXXX", inner[64], path[128], target[128];
  uint64_t size = 0;
  assert_non_null(mkdtemp(top));
  snprintf(inner, sizeof inner, "%s/inner/", top);
  assert_int_equal(folder_make(inner, &error), 0);
  snprintf(target, sizeof target, "%s/secret", top);
  put_file(target);
  snprintf(path, sizeof path, "%sfile", inner);
  put_file(path);
  int fd = folder_open_file(inner, path, &size);
  assert_true(fd >= 0);
  assert_int_equal(size, 3);
  close(fd);
  assert_int_equal(folder_open_file(inner, target, &size), -1);
  snprintf(path, sizeof path, "%s../secret", inner);
  assert_int_equal(folder_open_file(inner, path, &size), -1);
  assert_int_equal(folder_open_file(inner, inner, &size), -1);
  assert_int_equal(folder_open_file(inner, "", &size), -1);
  snprintf(path, sizeof path, "%slink", inner);
  assert_int_equal(symlink("../secret", path), 0);
  assert_int_equal(folder_open_file(inner, path, &size), -1);
  snprintf(path, sizeof path, "%sfifo", inner);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(folder_open_file(inner, path, &size), -1);
  folder_clear(inner); /* removes the link, not what it points to */
  assert_int_equal(access(target, F_OK), 0);
  folder_remove(top);
  assert_int_equal(access(top, F_OK), -1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_large_frames_arrive),
      cmocka_unit_test(test_nonsense_is_refused),
      cmocka_unit_test(test_log_entries_arrive),
      cmocka_unit_test(test_only_files_of_the_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
