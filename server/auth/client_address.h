/* Whose request it is behind proxies, and what counts as one client. */
#ifndef TWINCUBE_SERVER_AUTH_CLIENT_ADDRESS_H
#define TWINCUBE_SERVER_AUTH_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

enum { CLIENT_ADDRESS_SIZE = 48, PROXY_NETWORKS_MOST = 16 };

/* A network of proxies that are believed: ADDRESS or ADDRESS/BITS, IPv4 or IPv6. */
struct proxy_network {
  unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
  unsigned bits;             /* of the 128 */
};

struct proxy_networks {
  size_t count;
  struct proxy_network networks[PROXY_NETWORKS_MOST];
};

/* Adds a network; -1 where the text is none, or there are too many. */
int proxy_networks_add(struct proxy_networks *networks, const char *text);

/* Whether the address, as text, lies in one of them. */
bool proxy_networks_have(const struct proxy_networks *networks, const char *address);

/* The client's address: `peer`, or where a trusted proxy is the peer the last address of X-Forwarded-For (its values
 * joined by commas, or NULL) that no trusted proxy has. What a client writes there itself comes before that. */
void client_address(const struct proxy_networks *trusted, const char *peer, const char *forwarded,
                    char out[CLIENT_ADDRESS_SIZE]);

/* What limits count by: an IPv4 address, or the /64 network of an IPv6 address, which one client has for itself. */
void client_network(const char *address, char out[CLIENT_ADDRESS_SIZE]);

#endif
