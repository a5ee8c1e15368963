/* What holds for every request of ours, on libcurl's handle: http and https, no signals, and no address of the net that
 * is further in than the rule allows, judged at the moment of connecting: a name that resolves to something else each
 * time gains nothing. */
#ifndef TWINCUBE_SERVER_WEB_WEB_GUARD_H
#define TWINCUBE_SERVER_WEB_WEB_GUARD_H

#include "server/web/web_address.h"

#include <curl/curl.h>

enum { WEB_CONNECT_MS = 3000 };

struct web_guard {
  enum web_reach reach;           /* of the request, by web_rule_check */
  char refused[WEB_ADDRESS_TEXT]; /* an address that was not connected to, "" for none */
};

/* The guard is borrowed for as long as the handle is used. Under a reach of WEB_PUBLIC no proxy is used: it would
 * resolve names unseen. */
void web_guard_set(struct web_guard *guard, CURL *curl);

#endif
