/* The fetcher, asked by a reader over its socket, and a host that sends a body byte by byte for as long as it is heard.
 */
#include "server/clock.h"
#include "server/fetch/fetch_loop.h"

#include "datacube/remote/remote_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 400, PAUSE_US = 10000, PIECES = 100, PATIENCE_MS = 250 }; /* 40 kB/s, one second in all */

struct host {
  int listener;
  char url[64];
  pthread_t thread;
};

/* A head, and pieces until all are sent or nobody listens. */
static void answer(int connection)
{
  char request[4096], head[128], piece[PIECE];
  memset(piece, 'a', sizeof piece);
  const int length = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", PIECE * PIECES);
  bool is_heard = recv(connection, request, sizeof request, 0) > 0 &&
                  send(connection, head, (size_t)length, MSG_NOSIGNAL) == length;
  for (int i = 0; is_heard && i < PIECES; i++) {
    usleep(PAUSE_US);
    is_heard = send(connection, piece, sizeof piece, MSG_NOSIGNAL) == PIECE;
  }
  close(connection);
}

static void *serve(void *data)
{
  const struct host *host = data;
  int connection;
  while ((connection = accept(host->listener, NULL, NULL)) >= 0)
    answer(connection);
  return NULL;
}

static void start_host(struct host *host)
{
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof here;
  host->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(host->listener, (struct sockaddr *)&here, sizeof here), 0);
  assert_int_equal(listen(host->listener, 8), 0);
  assert_int_equal(getsockname(host->listener, (struct sockaddr *)&here, &size), 0);
  snprintf(host->url, sizeof host->url, "http://127.0.0.1:%d/", ntohs(here.sin_port));
  assert_int_equal(pthread_create(&host->thread, NULL, serve, host), 0);
}

static void stop_host(struct host *host)
{
  shutdown(host->listener, SHUT_RDWR);
  pthread_join(host->thread, NULL);
  close(host->listener);
}

struct fetcher {
  struct fetch_loop_options options;
  const char *prefix;
  char folder[64];
  int fd; /* its reader's */
  pthread_t thread;
};

static void *run_loop(void *data)
{
  struct error error = {0};
  assert_int_equal(fetch_loop_run(data, &error), 0);
  return NULL;
}

static void start_fetcher(struct fetcher *fetcher, const struct host *host)
{
  int pair[2];
  snprintf(fetcher->folder, sizeof fetcher->folder, "/tmp/twincube-fetch-XXXXXX");
  assert_non_null(mkdtemp(fetcher->folder));
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  fetcher->prefix = host->url;
  fetcher->fd = pair[0];
  fetcher->options = (struct fetch_loop_options){.access.rule = {.prefixes = &fetcher->prefix, .prefix_count = 1},
                                                 .folder = fetcher->folder,
                                                 .most = 1 << 24,
                                                 .control = -1,
                                                 .reader = pair[1],
                                                 .patience = PATIENCE_MS};
  assert_int_equal(pthread_create(&fetcher->thread, NULL, run_loop, &fetcher->options), 0);
  remote_connect(fetcher->fd, NULL);
}

static void stop_fetcher(struct fetcher *fetcher)
{
  remote_connect(-1, NULL);
  close(fetcher->fd);
  pthread_join(fetcher->thread, NULL);
}

/* Slow as it is, the host sends enough not to count as silent: what is no document is waited for to its end. */
static void test_documents_have_a_time_and_files_take_theirs(void **state)
{
  (void)state;
  struct host host;
  struct fetcher fetcher;
  struct remote_file *file = NULL;
  struct error error = {0};
  char document[128], whole[128];
  start_host(&host);
  start_fetcher(&fetcher, &host);
  snprintf(document, sizeof document, REMOTE_PREFIX "%sitem.json", host.url);
  snprintf(whole, sizeof whole, REMOTE_PREFIX "%sscene.tif", host.url);
  const int64_t begin = steady_now();
  assert_int_equal(remote_open_document(document, 1 << 20, &file, &error), -1);
  assert_true(error_is(&error, ERROR_InfrastructureBusy));
  assert_non_null(strstr(error.message, host.url));
  assert_non_null(strstr(error.message, "within 0.25 seconds"));
  assert_true(steady_now() - begin >= PATIENCE_MS);
  error = (struct error){0};
  assert_int_equal(remote_open_whole(whole, 1 << 20, &file, &error), 0);
  assert_int_equal(remote_size(file), PIECE * PIECES);
  remote_close(file);
  stop_fetcher(&fetcher);
  stop_host(&host);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents_have_a_time_and_files_take_theirs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
