/* A client's connection: whose it is, the gate that its bytes come through, and how patient we are with it. Of one
 * address, or /64 network of IPv6, only so many are kept; those of trusted proxies are not counted. */
#ifndef TWINCUBE_SERVER_HTTP_HTTP_CLIENT_H
#define TWINCUBE_SERVER_HTTP_HTTP_CLIENT_H

#include "server/auth/client_address.h"
#include "server/http/gate.h"
#include "server/http/patience.h"

#include <sys/socket.h>

struct http_client {
  struct gate gate;
  struct patient *patient; /* or NULL */
  unsigned requests;       /* that the library has told of */
  int fd;
  bool is_counted;
  char address[CLIENT_ADDRESS_SIZE];
  char network[CLIENT_ADDRESS_SIZE]; /* what is counted */
};

struct http_clients;

/* `per_address`: connections of one address; `proxies` is borrowed. */
struct http_clients *http_clients_new(struct patience *patience, unsigned per_address,
                                      const struct proxy_networks *proxies);
void http_clients_free(struct http_clients *clients); /* NULL is allowed */

/* The rest is for the thread that polls connections. */

/* false: of that address there are too many, even to be told so. */
bool http_clients_admit(const struct http_clients *clients, const struct sockaddr *address);
/* A connection has come; one too many of its address gets 429 for an answer. NULL: it cannot be kept, and ends. */
struct http_client *http_client_new(struct http_clients *clients, int fd, const struct sockaddr *address,
                                    bool is_encrypted);
/* It goes; before its descriptor is closed. NULL is allowed. */
void http_client_free(struct http_clients *clients, struct http_client *client);

#endif
