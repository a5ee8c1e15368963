#include "server/http/http_client.h"

#include "server/http/address_count.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOLD_MOST = 16 }; /* connections past the limit of an address that are told so; more are closed */

struct http_clients {
  struct patience *patience;
  const struct proxy_networks *proxies;
  unsigned per_address;
  struct address_count *counts;
};

struct http_clients *http_clients_new(struct patience *patience, unsigned per_address,
                                      const struct proxy_networks *proxies)
{
  struct http_clients *clients = calloc(1, sizeof *clients);
  struct address_count *counts = address_count_new();
  if (clients == NULL || counts == NULL) {
    free(clients);
    address_count_free(counts);
    return NULL;
  }
  *clients = (struct http_clients){patience, proxies, per_address, counts};
  return clients;
}

void http_clients_free(struct http_clients *clients)
{
  if (clients != NULL)
    address_count_free(clients->counts);
  free(clients);
}

static void address_text(const struct sockaddr *address, char out[CLIENT_ADDRESS_SIZE])
{
  out[0] = '\0';
  if (address == NULL)
    return;
  if (address->sa_family == AF_INET)
    inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, out, CLIENT_ADDRESS_SIZE);
  else if (address->sa_family == AF_INET6)
    inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, out, CLIENT_ADDRESS_SIZE);
}

bool http_clients_admit(const struct http_clients *clients, const struct sockaddr *address)
{
  char text[CLIENT_ADDRESS_SIZE], network[CLIENT_ADDRESS_SIZE];
  address_text(address, text);
  if (proxy_networks_have(clients->proxies, text))
    return true;
  client_network(text, network);
  return address_count_of(clients->counts, network) < clients->per_address + TOLD_MOST;
}

struct http_client *http_client_new(struct http_clients *clients, int fd, const struct sockaddr *address,
                                    bool is_encrypted)
{
  struct http_client *client = calloc(1, sizeof *client);
  if (client == NULL || gate_set(fd, &client->gate) != 0) {
    free(client);
    shutdown(fd, SHUT_RDWR);
    return NULL;
  }
  client->fd = fd;
  client->gate.is_encrypted = is_encrypted;
  client->patient = patient_new(clients->patience, fd);
  address_text(address, client->address);
  client_network(client->address, client->network);
  if (proxy_networks_have(clients->proxies, client->address))
    return client;
  const unsigned count = address_count_enter(clients->counts, client->network);
  client->is_counted = count > 0;
  if (count > clients->per_address)
    client->gate.unwelcome = (struct head_fault){ERROR_TooManyRequests, "your address has too many connections"};
  return client;
}

void http_client_free(struct http_clients *clients, struct http_client *client)
{
  if (client == NULL)
    return;
  gate_set(client->fd, NULL);
  if (client->is_counted)
    address_count_leave(clients->counts, client->network);
  patient_free(clients->patience, client->patient);
  gate_free(&client->gate);
  free(client);
}
