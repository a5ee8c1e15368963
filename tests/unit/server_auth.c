/* Who counts as one client, what a header brings, which group an entitlement names, how failures are counted. */
#include "server/auth/bearer.h"
#include "server/auth/client_address.h"
#include "server/auth/entitlement.h"
#include "server/auth/login_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void test_client_addresses(void **state)
{
  static const struct {
    const char *peer, *forwarded, *client;
  } cases[] = {
      {"10.0.0.1", "203.0.113.5", "203.0.113.5"},
      {"10.0.0.1", NULL, "10.0.0.1"},
      {"10.0.0.1", "", "10.0.0.1"},
      {"10.0.0.1", "6.6.6.6, 203.0.113.5", "203.0.113.5"},
      {"10.0.0.1", "6.6.6.6, 203.0.113.5 ,10.9.9.9,::1", "203.0.113.5"},
      {"10.0.0.1", "10.1.1.1, 10.1.1.2", "10.1.1.1"}, /* all of them are proxies: the first */
      {"10.0.0.1", "6.6.6.6, garbage, 10.1.1.2", "10.1.1.2"},
      {"10.0.0.1", "203.0.113.5,", "10.0.0.1"},
      {"10.0.0.1", "203.0.113.5:4711", "203.0.113.5"},
      {"10.0.0.1", "[2001:DB8::1]:4711", "2001:db8::1"},
      {"10.0.0.1", "2001:db8::1", "2001:db8::1"},
      {"10.0.0.1", "[2001:db8::1", "10.0.0.1"},
      {"10.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"},
      {"::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"},
      {"::1", "203.0.113.5", "203.0.113.5"},
      {"11.0.0.1", "203.0.113.5", "11.0.0.1"}, /* no proxy of ours */
      {"", "203.0.113.5", ""},
  };
  struct proxy_networks trusted = {0};
  char client[CLIENT_ADDRESS_SIZE];
  (void)state;
  assert_int_equal(proxy_networks_add(&trusted, "10.0.0.0/8"), 0);
  assert_int_equal(proxy_networks_add(&trusted, "::1"), 0);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    client_address(&trusted, cases[i].peer, cases[i].forwarded, client);
    assert_string_equal(client, cases[i].client);
  }
  client_address(&(struct proxy_networks){0}, "10.0.0.1", "203.0.113.5", client);
  assert_string_equal(client, "10.0.0.1");
}

static void test_networks(void **state)
{
  static const char *const good[] = {"0.0.0.0/0", "1.2.3.4/31", "1.2.3.4", "::/0", "2001:db8::/33", "::1/128"};
  static const char *const bad[] = {"",           "/8",         "x",      "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1",
                                    "1.2.3.4/+1", "1.2.3.4/8x", "::/129", "1.2.3",    "[::1]"};
  struct proxy_networks networks = {0};
  char client[CLIENT_ADDRESS_SIZE];
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    assert_int_equal(proxy_networks_add(&networks, good[i]), 0);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_int_equal(proxy_networks_add(&networks, bad[i]), -1);
  for (size_t i = networks.count; i < PROXY_NETWORKS_MOST; i++)
    assert_int_equal(proxy_networks_add(&networks, "::1"), 0);
  assert_int_equal(proxy_networks_add(&networks, "::1"), -1);
  /* The last bit counts. */
  networks = (struct proxy_networks){0};
  assert_int_equal(proxy_networks_add(&networks, "192.0.2.2/31"), 0);
  for (int last = 0; last < 6; last++) {
    char peer[32];
    snprintf(peer, sizeof peer, "192.0.2.%d", last);
    client_address(&networks, peer, "203.0.113.5", client);
    assert_string_equal(client, last == 2 || last == 3 ? "203.0.113.5" : peer);
  }
}

static void test_limits(void **state)
{
  (void)state;
  assert_true(sodium_init() >= 0);
  struct login_limit *limit = login_limit_new();
  char address[CLIENT_ADDRESS_SIZE];
  for (unsigned i = 0; i < 10; i++) {
    snprintf(address, sizeof address, "2001:db8::%x", i); /* one client */
    assert_int_equal(login_limit_wait(limit, address, "alice"), 0);
    login_limit_count(limit, address, "alice");
  }
  unsigned wait = login_limit_wait(limit, "2001:db8::ffff", "alice");
  assert_true(wait > 50 && wait <= 60);
  assert_int_equal(login_limit_wait(limit, "2001:db8::1", "bob"), 0);
  assert_int_equal(login_limit_wait(limit, "2001:db8:0:1::1", "alice"), 0);
  for (unsigned i = 0; i < 90; i++) {
    snprintf(address, sizeof address, "name %u", i);
    login_limit_count(limit, "2001:db8::1", address);
  }
  assert_true(login_limit_wait(limit, "2001:db8::1", "bob") > 50); /* too many from that client */
  assert_int_equal(login_limit_wait(limit, "203.0.113.1", "bob"), 0);
  login_limit_welcome(limit, "2001:db8::2", "carol"); /* who has an account there is not kept out by others */
  assert_int_equal(login_limit_wait(limit, "2001:db8::1", "carol"), 0);
  assert_true(login_limit_wait(limit, "2001:db8::1", "bob") > 50);
  for (unsigned i = 0; i < 10; i++)
    login_limit_count(limit, "2001:db8::1", "carol");
  assert_true(login_limit_wait(limit, "2001:db8::1", "carol") > 50);
  login_limit_free(limit);
}

static void test_bearers(void **state)
{
  static const struct {
    const char *header, *code, *provider, *token;
    enum bearer_kind kind;
  } cases[] = {
      {NULL, "AuthenticationRequired", "", NULL, 0},
      {"", "AuthenticationRequired", "", NULL, 0},
      {"Basic abc", "AuthenticationSchemeInvalid", "", NULL, 0},
      {"Bearer", "AuthenticationSchemeInvalid", "", NULL, 0},
      {"Bearer ", "TokenInvalid", "", NULL, 0},
      {"Bearer abc", "", "", "abc", BEARER_PLAIN},
      {"bearer   abc", "", "", "abc", BEARER_PLAIN},
      {"Bearer eyJ.eyJ.x", "", "", "eyJ.eyJ.x", BEARER_JWT},
      {"Bearer eyJ.eyJ.x.y.z", "", "", "eyJ.eyJ.x.y.z", BEARER_PLAIN},
      {"Bearer basic//abc", "", "", "abc", BEARER_BASIC},
      {"Bearer basic//a/b", "", "", "a/b", BEARER_BASIC},
      {"Bearer basic//", "TokenInvalid", "", NULL, 0},
      {"Bearer basic/x/abc", "AuthenticationSchemeInvalid", "", NULL, 0},
      {"Bearer Basic//abc", "AuthenticationSchemeInvalid", "", NULL, 0},
      {"Bearer oidc/egi/a/b", "", "egi", "a/b", BEARER_PROVIDER},
      {"Bearer oidc/egi/eyJ.eyJ.x", "", "egi", "eyJ.eyJ.x", BEARER_PROVIDER},
      {"Bearer oidc/a23456789012345678901/x", "AuthenticationSchemeInvalid", "", NULL, 0},
      {"Bearer oidc/egi", "AuthenticationSchemeInvalid", "", NULL, 0},
      {"Bearer oidc//x", "AuthenticationSchemeInvalid", "", NULL, 0},
      {"Bearer /", "AuthenticationSchemeInvalid", "", NULL, 0},
      {"Bearer //x", "AuthenticationSchemeInvalid", "", NULL, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct error error = {0};
    struct bearer bearer;
    int status = bearer_read(cases[i].header, &bearer, &error);
    assert_string_equal(error.code, cases[i].code);
    if (status != 0)
      continue;
    assert_int_equal(bearer.kind, cases[i].kind);
    assert_string_equal(bearer.provider, cases[i].provider);
    assert_string_equal(bearer.token, cases[i].token);
  }
}

static void test_entitlements(void **state)
{
  static const char vo[] = "urn:mace:egi.eu:group:vo.example.org";
  static const struct {
    const char *entitlement, *rule;
    bool fulfils;
  } cases[] = {
      {"urn:mace:egi.eu:group:vo.example.org:role=member#aai.egi.eu", vo, true},
      {"urn:mace:egi.eu:group:vo.example.org#aai.egi.eu", vo, true},
      {"URN:MACE:EGI.eu:group:vo.example.org#aai.egi.eu", vo, true},
      {"urn:mace:egi.eu:group:vo.example.org:sub:role=vm#aai.egi.eu", vo, true},
      {"urn:mace:egi.eu:group:vo.example.organic#aai.egi.eu", vo, false},
      {"urn:mace:egi.eu:group:VO.example.org#aai.egi.eu", vo, false},
      {"urn:mace:egi.eu:group:vo.example", vo, false},
      {"urn:geant:group:vo.example.org", vo, false},
      {"urn:mace:egi.eu:res:vo.example.org", vo, false},
      {"vo.example.org", vo, false},
      {"urn:x:group:a:role=admin#h", "urn:x:group:a:role=admin", true},
      {"urn:x:group:a:role=admin#h", "urn:x:group:a:role=admin#h", true},
      {"urn:x:group:a:role=admin#h", "urn:x:group:a:role=admin#g", false},
      {"urn:x:group:a:role=admin", "urn:x:group:a:role=admin#h", false},
      {"urn:x:group:a:b:role=admin#h", "urn:x:group:a:role=admin", false}, /* of the subgroup only */
      {"urn:x:group:a:role=administrator#h", "urn:x:group:a:role=admin", false},
      {"urn:x:group:a#h:role=admin", "urn:x:group:a:role=admin", false}, /* a role behind the authority is none */
      {"urn:x:group:a", "urn:x:group:a:b", false},
      {"/openeo/admins", "/openeo/admins", true},
      {"/openeo/admins/x", "/openeo/admins", false},
      {"urn:x:group:", "urn:x:group:", true}, /* no form of a group: as it is */
      {"urn:x:group::role=a", "urn:x:group:b:role=a", false},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(entitlement_fulfils(cases[i].entitlement, cases[i].rule), cases[i].fulfils);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_addresses), cmocka_unit_test(test_networks),     cmocka_unit_test(test_limits),
      cmocka_unit_test(test_bearers),          cmocka_unit_test(test_entitlements),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
