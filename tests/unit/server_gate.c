/* The gate before the HTTP library: what it lets out, what it refuses, and that pieces make no difference. */
#include "server/http/gate.h"
#include "server/http/address_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQUEST "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
#define REFUSED "GET / HTTP/1.1\r\nHost: none\r\nConnection: close\r\n\r\n"

struct row {
  const char *in, *out;
  enum error_code fault;
};

static const struct row rows[] = {
    {REQUEST REQUEST, REQUEST REQUEST, ERROR_NONE},
    {"\r\n" REQUEST "\r\n" REQUEST, REQUEST REQUEST, ERROR_NONE},
    {"\r\n\r\n" REQUEST, REFUSED, ERROR_RequestMalformed},
    {"GET http://y:1?b HTTP/1.1\r\nA: b\r\nhost: x\r\nC: d\r\n\r\n" REQUEST,
     "GET /?b HTTP/1.1\r\nHost: y:1\r\nA: b\r\nC: d\r\n\r\n" REQUEST, ERROR_NONE},
    {"PUT / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc" REQUEST "nonsense\r\n" REQUEST,
     "PUT / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc" REQUEST REFUSED, ERROR_RequestMalformed},
    {CHUNKED "3;a=\"b\"\r\nabc\r\n0a\t\r\n0123456789\r\n0\r\nA: b\r\nC: d\r\n\r\n" REQUEST,
     CHUNKED "3\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\n" REQUEST, ERROR_NONE},
    {CHUNKED "3\r\nabcd\r\n0\r\n\r\n" REQUEST, CHUNKED "3\r\nabc\r\n0\r\n\r\n", ERROR_RequestMalformed},
    {CHUNKED "3\r\nabc\r\nx" REQUEST, CHUNKED "3\r\nabc\r\n0\r\n\r\n", ERROR_RequestMalformed},
    {CHUNKED "0\r\n: no name\r\n\r\n" REQUEST, CHUNKED "0\r\n\r\n", ERROR_RequestMalformed},
    {"HEAD / HTTP/1.1\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: none\r\nConnection: close\r\n\r\n", ERROR_RequestMalformed},
    {"\x16\x03\x01", REFUSED, ERROR_RequestMalformed},
    {"GET / HTTP/2.0\r\n", REFUSED, ERROR_VersionUnsupported},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* What is read through the gate of a source that has `piece` bytes at a time, into rooms of another size. */
struct source {
  const char *bytes;
  size_t left, piece;
};

static ssize_t read_source(void *data, void *out, size_t room)
{
  struct source *source = data;
  size_t count = source->left < source->piece ? source->left : source->piece;
  count = count < room ? count : room;
  memcpy(out, source->bytes, count);
  source->bytes += count;
  source->left -= count;
  return count > 0 ? (ssize_t)count : -1;
}

static void check(const struct row *row, size_t piece, size_t room, bool is_encrypted)
{
  struct gate gate = {.is_encrypted = is_encrypted};
  struct source source = {row->in, strlen(row->in), piece};
  struct buffer out = {0};
  char some[64];
  for (ssize_t count; (count = gate_read(&gate, read_source, &source, some, room)) > 0 || source.left > 0;)
    buffer_add(&out, some, count > 0 ? (size_t)count : 0);
  assert_string_equal(out.data, row->out);
  assert_int_equal(gate.fault.code, row->fault);
  buffer_free(&out);
  gate_free(&gate);
}

static void test_rows_in_pieces(void **state)
{
  (void)state;
  for (size_t i = 0; i < ROWS; i++)
    for (size_t piece = 1; piece < 200; piece += piece < 20 ? 1 : 17)
      for (size_t room = 1; room <= 64; room += 21) {
        check(&rows[i], piece, room, false);
        check(&rows[i], piece, room, true);
      }
}

/* At its end a client still waits for its answer, or has gone. */
static ssize_t read_end(void *data, void *out, size_t room)
{
  (void)data, (void)out, (void)room;
  return 0;
}

static void test_end_waits_for_the_answer(void **state)
{
  (void)state;
  char some[256];
  struct gate gate = {0};
  assert_int_equal(gate_read(&gate, read_end, NULL, some, sizeof some), 0);
  struct source source = {REQUEST, strlen(REQUEST), 1000};
  assert_int_equal(gate_read(&gate, read_source, &source, some, sizeof some), strlen(REQUEST));
  assert_int_equal(gate_read(&gate, read_end, NULL, some, sizeof some), GATE_WAIT);
  gate.answered = 1;
  assert_int_equal(gate_read(&gate, read_end, NULL, some, sizeof some), 0);
  gate_put(&gate, "GET", 3);
  gate.answered = 0;
  assert_int_equal(gate_read(&gate, read_end, NULL, some, sizeof some), 0); /* an unfinished request gets none */
  gate_free(&gate);
}

/* Two requests with bodies, byte by byte: each is whole from the last of its bytes on. */
static void test_a_request_is_whole(void **state)
{
  (void)state;
  static const char post[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
  struct gate gate = {0};
  for (unsigned number = 1; number <= 2; number++)
    for (size_t i = 0; post[i] != '\0'; i++) {
      assert_false(gate_has_whole(&gate, number));
      gate_put(&gate, &post[i], 1);
      assert_int_equal(gate_has_whole(&gate, number), post[i + 1] == '\0');
      assert_int_equal(gate_has_whole(&gate, 1), number == 2 || post[i + 1] == '\0');
    }
  gate_free(&gate);
}

static void test_unwelcome(void **state)
{
  (void)state;
  char some[256];
  struct gate gate = {.unwelcome = {ERROR_TooManyRequests, "too many"}};
  gate_put(&gate, REQUEST, strlen(REQUEST));
  assert_int_equal(gate_take(&gate, some, sizeof some), strlen(REFUSED));
  assert_memory_equal(some, REFUSED, strlen(REFUSED));
  assert_int_equal(gate.fault.code, ERROR_TooManyRequests);
  gate_free(&gate);
}

static void test_counts_of_addresses(void **state)
{
  (void)state;
  struct address_count *counts = address_count_new();
  char name[32];
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 5000; i++) { /* more than there are lists */
      snprintf(name, sizeof name, "10.0.%d.%d", i / 250, i % 250);
      assert_int_equal(address_count_enter(counts, name), round + 1);
    }
  for (int i = 0; i < 5000; i++) {
    snprintf(name, sizeof name, "10.0.%d.%d", i / 250, i % 250);
    address_count_leave(counts, name);
    assert_int_equal(address_count_of(counts, name), 2);
    address_count_leave(counts, name);
    address_count_leave(counts, name);
    address_count_leave(counts, name); /* once too often: nothing */
    assert_int_equal(address_count_of(counts, name), 0);
  }
  address_count_free(counts);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows_in_pieces),      cmocka_unit_test(test_end_waits_for_the_answer),
      cmocka_unit_test(test_a_request_is_whole),  cmocka_unit_test(test_unwelcome),
      cmocka_unit_test(test_counts_of_addresses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
