/* Which of two forms of a document a client would rather have (RFC 9110, Accept). */
#ifndef TWINCUBE_SERVER_PAGES_ACCEPT_H
#define TWINCUBE_SERVER_PAGES_ACCEPT_H

#include <stdbool.h>

/* Whether `type` ("text/html") is wanted rather than `usual`: by its weight, and where both weigh the same, by being
 * named while the other one is only meant by a wildcard. Without a header (NULL) it is not. */
bool accept_prefers(const char *header, const char *type, const char *usual);

#endif
