/* What may be asked of the web: addresses of the net by their kind, addresses as they are written by prefixes, and what
 * a fetch does with answers, redirects and names that lead where they may not, against a server of its own. */
#include "server/web/web_fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum web_reach reach_of(const char *text)
{
  struct sockaddr_in v4 = {.sin_family = AF_INET};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
    return web_address_reach((const struct sockaddr *)&v4);
  assert_int_equal(1, inet_pton(AF_INET6, text, &v6.sin6_addr));
  return web_address_reach((const struct sockaddr *)&v6);
}

static void test_addresses(void **state)
{
  static const char *const nowhere[] = {"0.0.0.0",
                                        "0.1.2.3",
                                        "169.254.169.254",
                                        "192.0.0.8",
                                        "192.0.2.1",
                                        "198.51.100.9",
                                        "203.0.113.7",
                                        "224.0.0.1",
                                        "239.255.255.255",
                                        "240.0.0.1",
                                        "255.255.255.255",
                                        "192.88.99.1",
                                        "::",
                                        "fe80::1",
                                        "febf::1",
                                        "ff02::1",
                                        "2001:db8::1",
                                        "2001::1",
                                        "2001:1ff::1",
                                        "100::1",
                                        "::ffff:0.0.0.0",
                                        "::ffff:169.254.169.254",
                                        "::ffff:0:169.254.169.254",
                                        "64:ff9b::169.254.169.254",
                                        "2002:a9fe:a9fe::1",
                                        "::169.254.169.254",
                                        "3fff::1",
                                        "4000::1",
                                        "5f00::1",
                                        "1::1"};
  static const char *const private[] = {"10.0.0.1",        "10.255.255.255",  "100.64.0.1",        "100.127.255.255",
                                        "127.0.0.1",       "127.255.0.1",     "172.16.0.1",        "172.31.255.255",
                                        "192.168.0.1",     "198.18.0.1",      "198.19.255.255",    "::1",
                                        "fc00::1",         "fdff::1",         "fec0::1",           "::ffff:127.0.0.1",
                                        "::ffff:10.1.2.3", "::127.0.0.1",     "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8",
                                        "2002:7f00:1::",   "2002:c0a8:101::1"};
  static const char *const public[] = {
      "1.1.1.1",         "8.8.8.8",     "9.255.255.255",  "11.0.0.0",         "100.63.255.255",  "100.128.0.0",
      "126.255.255.255", "128.0.0.1",   "169.253.0.1",    "169.255.0.1",      "172.15.255.255",  "172.32.0.0",
      "192.167.1.1",     "192.169.0.1", "198.17.0.1",     "198.20.0.0",       "223.255.255.255", "2606:4700::1111",
      "2a00:1450::1",    "2001:200::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:4860::8888"};
  (void)state;
  for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++)
    if (reach_of(nowhere[i]) != WEB_NOWHERE)
      fail_msg("%s is somewhere", nowhere[i]);
  for (size_t i = 0; i < sizeof private / sizeof private[0]; i++)
    if (reach_of(private[i]) != WEB_PRIVATE)
      fail_msg("%s is not private", private[i]);
  for (size_t i = 0; i < sizeof public / sizeof public[0]; i++)
    if (reach_of(public[i]) != WEB_PUBLIC)
      fail_msg("%s is not public", public[i]);
  assert_int_equal(WEB_NOWHERE, web_address_reach(&(const struct sockaddr){.sa_family = AF_UNIX}));
}

static void test_prefixes(void **state)
{
  static const char *const list[] = {"https://example.org/processes/", "https://example.org:8443/a",
                                     "http://127.0.0.1:80", "https://Other.example"};
  static const char *const allowed[] = {"https://example.org/processes/",
                                        "https://example.org/processes/x.json?y=1",
                                        "https://EXAMPLE.org/processes/a/../b",
                                        "https://example.org:443/processes/x",
                                        "https://example.org:8443/a",
                                        "https://example.org:8443/a/b",
                                        "https://example.org:8443/a?b",
                                        "http://127.0.0.1/x",
                                        "http://127.1/x",
                                        "http://0x7f000001/x",
                                        "https://other.example/",
                                        "https://other.example",
                                        "https://example.org/processes/x#y"};
  static const char *const refused[] = {"http://example.org/processes/x",
                                        "https://example.org/process",
                                        "https://example.org/processes",
                                        "https://example.org/processes/../secret",
                                        "https://example.org/processes/%2e%2e/secret",
                                        "https://example.org/processes/.%2E/secret",
                                        "https://example.org/processes/a%2Fb",
                                        "https://example.org/processes/..%5cx",
                                        "https://example.org/processes/\\..\\x",
                                        "https://example.org:444/processes/x",
                                        "https://example.org:8443/ab",
                                        "https://example.org.evil.net/processes/x",
                                        "https://example.org@evil.net/processes/x",
                                        "https://user@example.org/processes/x",
                                        "https://evil.net/https://example.org/processes/",
                                        "file:///etc/passwd",
                                        "ftp://example.org/processes/x",
                                        "gopher://127.0.0.1/",
                                        "//example.org/processes/",
                                        "example.org/processes/x",
                                        "",
                                        "https://",
                                        "https:///processes/x",
                                        "https:/example.org/processes/x",
                                        "https:///example.org/processes/x",
                                        "https://%65xample.org/processes/x",
                                        "http://127.0.0.1:8080/x",
                                        "http://127.0.0.2/x",
                                        "https://example.org./processes/x",
                                        "data:application/json,{}",
                                        "https://example.org/processes/ x\n"};
  const struct web_rule rule = {.prefixes = list, .prefix_count = sizeof list / sizeof list[0]};
  (void)state;
  for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
    enum web_reach reach = WEB_NOWHERE;
    struct error error = {0};
    if (web_rule_check(&rule, allowed[i], &reach, &error) != 0)
      fail_msg("%s: %s", allowed[i], error.message);
    assert_int_equal(strncmp(allowed[i], "http:", 5) == 0 ? WEB_PRIVATE : WEB_PUBLIC, reach);
  }
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    enum web_reach reach;
    struct error error = {0};
    if (web_rule_check(&rule, refused[i], &reach, &error) == 0)
      fail_msg("%s is allowed", refused[i]);
    assert_string_equal("PermissionsInsufficient", error.code);
  }
  enum web_reach reach;
  struct error error = {0};
  assert_int_equal(-1, web_rule_check(&(const struct web_rule){0}, "https://example.org/", &reach, &error));
}

static void test_where_a_door_may_lead(void **state)
{
  static const char door[] = "https://door.example.org/data/x",
                    hosts[] = "pool.example.org *.pools.example.org 127.0.0.1";
  static const char *const allowed[] = {"https://door.example.org:20443/y?authz=1", "https://pool.example.org:24000/x",
                                        "https://a.b.pools.example.org/x", "https://POOL.example.org/",
                                        "https://127.0.0.1:8/x"};
  static const char *const refused[] = {"http://pool.example.org/",
                                        "http://door.example.org/data/x",
                                        "https://pools.example.org/",
                                        "https://evilpools.example.org/",
                                        "https://xpool.example.org/",
                                        "https://pool.example.org.evil.net/",
                                        "https://pool.example.org@evil.net/",
                                        "https://pool.example.orgx/",
                                        "https://127.0.0.2/",
                                        "https://localhost/",
                                        "file:///etc/passwd",
                                        ""};
  (void)state;
  for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
    enum web_reach reach = WEB_NOWHERE;
    struct error error = {0};
    if (web_redirect_check(door, allowed[i], hosts, &reach, &error) != 0)
      fail_msg("%s: %s", allowed[i], error.message);
    assert_int_equal(strstr(allowed[i], "127.") ? WEB_PRIVATE : WEB_PUBLIC, reach);
  }
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    enum web_reach reach = WEB_PRIVATE;
    struct error error = {0};
    if (web_redirect_check(door, refused[i], hosts, &reach, &error) == 0)
      fail_msg("%s is allowed", refused[i]);
    assert_string_equal("PermissionsInsufficient", error.code);
    assert_int_equal(WEB_PUBLIC, reach);
  }
  enum web_reach reach;
  struct error error = {0};
  assert_int_equal(0, web_redirect_check("http://a.org/", "http://a.org/b", "", &reach, &error));
  assert_int_equal(-1, web_redirect_check("http://a.org/", "http://b.org/", "", &reach, &error));
}

static void test_what_may_be_a_prefix(void **state)
{
  static const char *const wrong[] = {"",
                                      "example.org",
                                      "ftp://example.org/",
                                      "https://u:p@example.org/",
                                      "https://a/?b",
                                      "https://a/#b",
                                      "file:///x",
                                      "https://a/%2e%2e/",
                                      "https://"};
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct error error = {0};
    if (web_prefix_check(wrong[i], &error) == 0)
      fail_msg("'%s' is taken", wrong[i]);
    assert_string_equal("ServerConfigInvalid", error.code);
  }
  struct error error = {0};
  assert_int_equal(0, web_prefix_check("http://[::1]:8080/a", &error));
}

/* ---- a server of our own ---- */

struct little_server {
  int fd;
  unsigned port, requests;
  pthread_t thread;
};

static void answer(int client, const struct little_server *server, const char *request)
{
  char reply[4096];
  const char *path = request + strlen("GET ");
  if (strncmp(path, "/ok", 3) == 0)
    snprintf(reply, sizeof reply,
             "HTTP/1.1 %s\r\nETag: \"v1\"\r\nCache-Control: public, max-age=90\r\nContent-Length: %d\r\n\r\n%s",
             strstr(request, "If-None-Match: \"v1\"") ? "304 Not Modified" : "200 OK",
             strstr(request, "If-None-Match: \"v1\"") ? 0 : 2, strstr(request, "If-None-Match: \"v1\"") ? "" : "{}");
  else if (strncmp(path, "/big", 4) == 0)
    snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\n\r\n%02000d", 1);
  else if (strncmp(path, "/there", 6) == 0)
    snprintf(reply, sizeof reply, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 3\r\n\r\nold");
  else if (strncmp(path, "/round", 6) == 0)
    snprintf(reply, sizeof reply, "HTTP/1.1 302 Found\r\nLocation: /round\r\nContent-Length: 0\r\n\r\n");
  else
    snprintf(reply, sizeof reply, "HTTP/1.1 302 Found\r\nLocation: http://localhost:%u/ok\r\nContent-Length: 0\r\n\r\n",
             server->port);
  if (write(client, reply, strlen(reply)) < 0)
    perror("write");
}

static void *serve(void *data)
{
  struct little_server *server = data;
  int client;
  while ((client = accept(server->fd, NULL, NULL)) >= 0) {
    char request[4096] = "";
    ssize_t count = read(client, request, sizeof request - 1);
    server->requests++;
    if (count > 0)
      answer(client, server, request);
    close(client);
  }
  return NULL;
}

static int start(void **state)
{
  static struct little_server server;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  server.fd = socket(AF_INET, SOCK_STREAM, 0);
  *state = &server;
  return server.fd < 0 || bind(server.fd, (struct sockaddr *)&address, size) != 0 || listen(server.fd, 8) != 0 ||
         getsockname(server.fd, (struct sockaddr *)&address, &size) != 0 ||
         (server.port = ntohs(address.sin_port)) == 0 || pthread_create(&server.thread, NULL, serve, &server) != 0 ||
         curl_global_init(CURL_GLOBAL_DEFAULT) != 0;
}

static int stop(void **state)
{
  struct little_server *server = *state;
  shutdown(server->fd, SHUT_RDWR);
  pthread_join(server->thread, NULL);
  close(server->fd);
  curl_global_cleanup();
  return 0;
}

static atomic_bool never_stops;

/* Asks the little server under a rule of one prefix at it; "" or the error's code. */
static const char *ask(const struct little_server *server, const char *path, struct web_fetch fetch,
                       struct web_answer *got)
{
  static struct error error;
  char prefix[64], url[200];
  const char *const list[] = {prefix};
  snprintf(prefix, sizeof prefix, "http://127.0.0.1:%u/", server->port);
  snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server->port, path);
  const struct web_rule rule = {.prefixes = list, .prefix_count = 1};
  fetch.rule = &rule;
  fetch.url = url;
  fetch.stopping = &never_stops;
  error = (struct error){0};
  const int status = web_fetch(&fetch, got, &error);
  assert_int_equal(status == 0, !error_is_set(&error));
  return error.code;
}

static void test_answers(void **state)
{
  struct web_answer got;
  assert_string_equal("", ask(*state, "/ok", (struct web_fetch){0}, &got));
  assert_int_equal(200, got.status);
  assert_int_equal(2, got.body.length);
  assert_string_equal("\"v1\"", got.etag);
  assert_int_equal(90, got.max_age);
  buffer_free(&got.body);
  assert_string_equal("", ask(*state, "/ok", (struct web_fetch){.etag = "\"v1\""}, &got));
  assert_int_equal(304, got.status);
  assert_int_equal(0, got.body.length);
  assert_string_equal("InfrastructureBusy", ask(*state, "/big", (struct web_fetch){.most = 1000}, &got));
  assert_null(got.body.data);
}

static void test_redirects(void **state)
{
  struct web_answer got;
  assert_string_equal("", ask(*state, "/there", (struct web_fetch){0}, &got));
  assert_int_equal(302, got.status);
  buffer_free(&got.body);
  assert_string_equal("", ask(*state, "/there", (struct web_fetch){.redirects = 3}, &got));
  assert_int_equal(200, got.status);
  assert_int_equal(2, got.body.length);
  buffer_free(&got.body);
  assert_string_equal("", ask(*state, "/there", (struct web_fetch){.redirects = 3, .bearer = "secret"}, &got));
  assert_int_equal(302, got.status);
  buffer_free(&got.body);
  assert_string_equal("", ask(*state, "/round", (struct web_fetch){.redirects = 3}, &got));
  assert_int_equal(302, got.status);
  buffer_free(&got.body);
  assert_string_equal("PermissionsInsufficient", ask(*state, "/away", (struct web_fetch){.redirects = 3}, &got));
}

/* The rule knows the name, but what it resolves to is private: it is not asked, not even once. */
static void test_names_that_lead_inside(void **state)
{
  const struct little_server *server = *state;
  char name[64] = "", url[200];
  const char *const list[] = {url};
  const unsigned before = server->requests;
  if (gethostname(name, sizeof name - 1) != 0 || strcmp(name, "localhost") == 0)
    skip();
  snprintf(url, sizeof url, "http://%s:%u/ok", name, server->port);
  const struct web_rule rule = {.prefixes = list, .prefix_count = 1};
  struct web_answer got;
  struct error error = {0};
  const struct web_fetch fetch = {.rule = &rule, .url = url, .stopping = &never_stops};
  assert_int_equal(-1, web_fetch(&fetch, &got, &error));
  if (strcmp(error.code, "InfrastructureBusy") == 0)
    skip(); /* the machine does not know its own name */
  assert_string_equal("PermissionsInsufficient", error.code);
  assert_non_null(strstr(error.message, "not public"));
  assert_int_equal(before, server->requests);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_addresses),
      cmocka_unit_test(test_prefixes),
      cmocka_unit_test(test_where_a_door_may_lead),
      cmocka_unit_test(test_what_may_be_a_prefix),
      cmocka_unit_test_setup_teardown(test_answers, start, stop),
      cmocka_unit_test_setup_teardown(test_redirects, start, stop),
      cmocka_unit_test_setup_teardown(test_names_that_lead_inside, start, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
