/* The pages for people; their handlers are listed with the others (endpoints.h). */
#ifndef TWINCUBE_SERVER_PAGES_PAGES_H
#define TWINCUBE_SERVER_PAGES_PAGES_H

#include "server/server.h"

/* Whether who asks would rather have a page than JSON. */
bool page_is_wanted(const struct exchange *exchange);

/* Answers with the landing page. */
void page_reply_landing(struct exchange *exchange);

#endif
