/* Addresses of published files in documents that are sent: stored ones name the files by the scheme of
 * stac/published.h, so that they hold whatever the server is called. */
#ifndef TWINCUBE_SERVER_PUBLISH_PUBLISHED_LINKS_H
#define TWINCUBE_SERVER_PUBLISH_PUBLISHED_LINKS_H

#include "datacube/base/buffer.h"

#include <stdbool.h>

/* Whether a text of JSON has such names. */
bool published_are_named(const char *text, size_t length);

/* Appends the text with addresses below the host of `base`, an API of this server, in place of the names. */
void published_write_links(const char *base, const char *text, size_t length, struct buffer *out);

#endif
