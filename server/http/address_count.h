/* How many connections each client has: by address, or /64 network of IPv6. For one thread. */
#ifndef TWINCUBE_SERVER_HTTP_ADDRESS_COUNT_H
#define TWINCUBE_SERVER_HTTP_ADDRESS_COUNT_H

struct address_count;

struct address_count *address_count_new(void);         /* NULL when out of memory */
void address_count_free(struct address_count *counts); /* NULL is allowed */
/* `network`: as client_network writes it. */
unsigned address_count_of(const struct address_count *counts, const char *network);
/* One more; the count then, or 0 when out of memory: that one is not counted, and does not leave. */
unsigned address_count_enter(struct address_count *counts, const char *network);
void address_count_leave(struct address_count *counts, const char *network);

#endif
