/* Whether a request of ours may go to an address of the net: by what the address is, after its name was resolved. */
#ifndef TWINCUBE_SERVER_WEB_WEB_ADDRESS_H
#define TWINCUBE_SERVER_WEB_WEB_ADDRESS_H

#include <sys/socket.h>

enum web_reach {
  WEB_NOWHERE, /* of an address: nobody connects there */
  WEB_PUBLIC,  /* what the whole net may reach */
  WEB_PRIVATE  /* this machine, its networks, shared networks of providers, and all that is public */
};

enum { WEB_ADDRESS_TEXT = 64 };

/* The least reach that includes an address. Nowhere are link-local (where clouds keep their secrets), unspecified,
 * multicast, reserved and documentation addresses, and other families. An IPv4 address inside an IPv6 one (mapped,
 * compatible, NAT64, 6to4) counts as itself. */
enum web_reach web_address_reach(const struct sockaddr *address);

/* As people write it, without the port. */
void web_address_text(const struct sockaddr *address, char out[WEB_ADDRESS_TEXT]);

#endif
