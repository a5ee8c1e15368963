#include "server/auth/client_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

/* An address of either family as 16 bytes. */
static int read_address(const char *text, unsigned char out[16])
{
  memcpy(out, mapped, sizeof mapped);
  return inet_pton(AF_INET, text, out + sizeof mapped) == 1 || inet_pton(AF_INET6, text, out) == 1 ? 0 : -1;
}

static void write_address(const unsigned char address[16], char out[CLIENT_ADDRESS_SIZE])
{
  const bool is_ipv4 = memcmp(address, mapped, sizeof mapped) == 0;
  inet_ntop(is_ipv4 ? AF_INET : AF_INET6, is_ipv4 ? address + sizeof mapped : address, out, CLIENT_ADDRESS_SIZE);
}

int proxy_networks_add(struct proxy_networks *networks, const char *text)
{
  char address[CLIENT_ADDRESS_SIZE], *end = NULL;
  const size_t length = strcspn(text, "/");
  if (networks->count == PROXY_NETWORKS_MOST || length >= sizeof address)
    return -1;
  snprintf(address, sizeof address, "%.*s", (int)length, text);
  struct proxy_network network = {.bits = 128};
  if (read_address(address, network.address) != 0)
    return -1;
  if (text[length] == '/') {
    const bool is_ipv4 = strchr(address, ':') == NULL;
    long bits = text[length + 1] >= '0' && text[length + 1] <= '9' ? strtol(text + length + 1, &end, 10) : -1;
    if (bits < 0 || *end != '\0' || bits > (is_ipv4 ? 32 : 128))
      return -1;
    network.bits = (unsigned)bits + (is_ipv4 ? 96 : 0);
  }
  networks->networks[networks->count++] = network;
  return 0;
}

static bool network_has(const struct proxy_network *network, const unsigned char address[16])
{
  const unsigned bytes = network->bits / 8, rest = network->bits % 8;
  if (memcmp(network->address, address, bytes) != 0)
    return false;
  return rest == 0 || ((network->address[bytes] ^ address[bytes]) >> (8 - rest)) == 0;
}

static bool is_trusted(const struct proxy_networks *trusted, const unsigned char address[16])
{
  for (size_t i = 0; i < trusted->count; i++)
    if (network_has(&trusted->networks[i], address))
      return true;
  return false;
}

bool proxy_networks_have(const struct proxy_networks *networks, const char *address)
{
  unsigned char bytes[16];
  return networks->count > 0 && read_address(address, bytes) == 0 && is_trusted(networks, bytes);
}

/* One entry of the header: an address, perhaps in brackets and with a port. */
static int read_entry(const char *text, size_t length, unsigned char out[16])
{
  char address[CLIENT_ADDRESS_SIZE];
  while (length > 0 && (*text == ' ' || *text == '\t'))
    text++, length--;
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
    length--;
  const char *colon = memchr(text, ':', length);
  if (length > 0 && *text == '[') {
    const char *end = memchr(text, ']', length);
    length = end != NULL ? (size_t)(end - text) - 1 : 0;
    text++;
  } else if (colon != NULL && memchr(colon + 1, ':', length - (size_t)(colon + 1 - text)) == NULL) {
    length = (size_t)(colon - text); /* IPv4 and a port */
  }
  if (length >= sizeof address)
    return -1;
  memcpy(address, text, length);
  address[length] = '\0';
  return read_address(address, out);
}

void client_address(const struct proxy_networks *trusted, const char *peer, const char *forwarded,
                    char out[CLIENT_ADDRESS_SIZE])
{
  unsigned char client[16], before[16];
  snprintf(out, CLIENT_ADDRESS_SIZE, "%s", peer);
  if (trusted->count == 0 || forwarded == NULL || read_address(peer, client) != 0 || !is_trusted(trusted, client))
    return;
  size_t end = strlen(forwarded);
  while (is_trusted(trusted, client)) {
    size_t start = end;
    while (start > 0 && forwarded[start - 1] != ',')
      start--;
    if (read_entry(forwarded + start, end - start, before) != 0)
      break; /* nothing more that can be believed */
    memcpy(client, before, sizeof client);
    if (start == 0)
      break;
    end = start - 1;
  }
  write_address(client, out);
}

void client_network(const char *address, char out[CLIENT_ADDRESS_SIZE])
{
  unsigned char bytes[16];
  snprintf(out, CLIENT_ADDRESS_SIZE, "%s", address);
  if (read_address(address, bytes) != 0)
    return;
  if (memcmp(bytes, mapped, sizeof mapped) != 0)
    memset(bytes + 8, 0, 8);
  write_address(bytes, out);
}
