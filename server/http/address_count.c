/* A hash table with lists; an address is in it while it has a connection. */
#include "server/http/address_count.h"

#include "server/auth/client_address.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTS = 1024 };

struct address {
  struct address *next;
  unsigned count;
  char network[CLIENT_ADDRESS_SIZE];
};

struct address_count {
  struct address *lists[LISTS];
};

/* FNV-1a */
static unsigned list_of(const char *network)
{
  uint32_t hash = 2166136261U;
  for (const char *c = network; *c; c++)
    hash = (hash ^ (unsigned char)*c) * 16777619U;
  return hash % LISTS;
}

/* The link that leads to the address, or to the end of its list. */
static struct address **find(struct address_count *counts, const char *network)
{
  struct address **link = &counts->lists[list_of(network)];
  while (*link != NULL && strcmp((*link)->network, network) != 0)
    link = &(*link)->next;
  return link;
}

struct address_count *address_count_new(void)
{
  return calloc(1, sizeof(struct address_count));
}

void address_count_free(struct address_count *counts)
{
  for (size_t i = 0; counts != NULL && i < LISTS; i++)
    for (struct address *address = counts->lists[i], *next; address != NULL; address = next) {
      next = address->next;
      free(address);
    }
  free(counts);
}

unsigned address_count_of(const struct address_count *counts, const char *network)
{
  const struct address *address = counts->lists[list_of(network)];
  while (address != NULL && strcmp(address->network, network) != 0)
    address = address->next;
  return address != NULL ? address->count : 0;
}

unsigned address_count_enter(struct address_count *counts, const char *network)
{
  struct address **link = find(counts, network);
  if (*link == NULL) {
    *link = calloc(1, sizeof **link);
    if (*link == NULL)
      return 0;
    snprintf((*link)->network, sizeof(*link)->network, "%s", network);
  }
  return ++(*link)->count;
}

void address_count_leave(struct address_count *counts, const char *network)
{
  struct address **link = find(counts, network), *address = *link;
  if (address == NULL || --address->count > 0)
    return;
  *link = address->next;
  free(address);
}
