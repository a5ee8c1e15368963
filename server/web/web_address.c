/* Two tables of networks; the first that has an address counts. Source: IANA's registries of special-purpose addresses,
 * and of IPv6 unicast, which hands out nothing outside of 2000::/3. */
#include "server/web/web_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct network4 {
  uint32_t address;
  unsigned bits;
  enum web_reach reach;
};

#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const struct network4 networks4[] = {
    {IPV4(0, 0, 0, 0), 8, WEB_NOWHERE},       /* this host */
    {IPV4(10, 0, 0, 0), 8, WEB_PRIVATE},      /* */
    {IPV4(100, 64, 0, 0), 10, WEB_PRIVATE},   /* behind a provider's NAT */
    {IPV4(127, 0, 0, 0), 8, WEB_PRIVATE},     /* loopback */
    {IPV4(169, 254, 0, 0), 16, WEB_NOWHERE},  /* link-local */
    {IPV4(172, 16, 0, 0), 12, WEB_PRIVATE},   /* */
    {IPV4(192, 0, 0, 0), 24, WEB_NOWHERE},    /* protocol assignments */
    {IPV4(192, 0, 2, 0), 24, WEB_NOWHERE},    /* documentation */
    {IPV4(192, 88, 99, 0), 24, WEB_NOWHERE},  /* relays of 6to4 */
    {IPV4(192, 168, 0, 0), 16, WEB_PRIVATE},  /* */
    {IPV4(198, 18, 0, 0), 15, WEB_PRIVATE},   /* networks for measuring */
    {IPV4(198, 51, 100, 0), 24, WEB_NOWHERE}, /* documentation */
    {IPV4(203, 0, 113, 0), 24, WEB_NOWHERE},  /* documentation */
    {IPV4(224, 0, 0, 0), 3, WEB_NOWHERE},     /* multicast, reserved, broadcast */
    {0, 0, WEB_PUBLIC},
};

struct network6 {
  unsigned char start[12]; /* the first bytes, zeros behind */
  unsigned bits;
  unsigned inner; /* byte at which an IPv4 address starts that counts instead; 0: none */
  enum web_reach reach;
};

static const struct network6 networks6[] = {
    {{[10] = 0xff, [11] = 0xff}, 96, 12, WEB_NOWHERE},    /* ::ffff:a.b.c.d */
    {{[8] = 0xff, [9] = 0xff}, 96, 12, WEB_NOWHERE},      /* ::ffff:0:a.b.c.d */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12, WEB_NOWHERE},      /* NAT64 */
    {{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48, 0, WEB_PRIVATE}, /* NAT64 of a network's own */
    {{0x20, 0x01, 0x00, 0x00}, 23, 0, WEB_NOWHERE},       /* protocol assignments, Teredo, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, 0, WEB_NOWHERE},       /* documentation */
    {{0x20, 0x02}, 16, 2, WEB_NOWHERE},                   /* 6to4 */
    {{0x3f, 0xff}, 20, 0, WEB_NOWHERE},                   /* documentation */
    {{0x20}, 3, 0, WEB_PUBLIC},                           /* global unicast */
    {{0xfc}, 7, 0, WEB_PRIVATE},                          /* unique local */
    {{0xfe, 0xc0}, 10, 0, WEB_PRIVATE},                   /* site-local, as they were */
};

static enum web_reach reach4(uint32_t address)
{
  const struct network4 *network = networks4;
  while (network->bits > 0 && (address ^ network->address) >> (32 - network->bits) != 0)
    network++;
  return network->reach;
}

static uint32_t read4(const unsigned char bytes[4])
{
  return IPV4(bytes[0], (uint32_t)bytes[1], (uint32_t)bytes[2], (uint32_t)bytes[3]);
}

static bool has(const struct network6 *network, const unsigned char address[16])
{
  const unsigned bytes = network->bits / 8, rest = network->bits % 8;
  return memcmp(network->start, address, bytes) == 0 &&
         (rest == 0 || (network->start[bytes] ^ address[bytes]) >> (8 - rest) == 0);
}

static enum web_reach reach6(const unsigned char address[16])
{
  static const unsigned char loopback[16] = {[15] = 1}, zeros[12] = {0};
  if (memcmp(address, loopback, sizeof loopback) == 0)
    return WEB_PRIVATE;
  if (memcmp(address, zeros, sizeof zeros) == 0) /* ::a.b.c.d, and :: itself */
    return reach4(read4(address + 12));
  for (size_t i = 0; i < sizeof networks6 / sizeof networks6[0]; i++)
    if (has(&networks6[i], address))
      return networks6[i].inner > 0 ? reach4(read4(address + networks6[i].inner)) : networks6[i].reach;
  return WEB_NOWHERE;
}

enum web_reach web_address_reach(const struct sockaddr *address)
{
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  switch (address->sa_family) {
  case AF_INET:
    memcpy(&v4, address, sizeof v4);
    return reach4(ntohl(v4.sin_addr.s_addr));
  case AF_INET6:
    memcpy(&v6, address, sizeof v6);
    return reach6(v6.sin6_addr.s6_addr);
  default:
    return WEB_NOWHERE;
  }
}

void web_address_text(const struct sockaddr *address, char out[WEB_ADDRESS_TEXT])
{
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  snprintf(out, WEB_ADDRESS_TEXT, "?");
  if (address->sa_family == AF_INET) {
    memcpy(&v4, address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, out, WEB_ADDRESS_TEXT);
  } else if (address->sa_family == AF_INET6) {
    memcpy(&v6, address, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, out, WEB_ADDRESS_TEXT);
  }
}
