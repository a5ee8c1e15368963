/* One source is looked at again by a process of its own, a child that ends with it: what it reads was written by
 * strangers, and whatever breaks into it, or makes it crash, costs this source alone.
 *
 * It is confined (server/confine/confine.h) to the catalogue, which it writes, to the source's own file or folder or to
 * the network, and to a scratch folder; secrets of accounts it has read before. Documents of this machine may name
 * files anywhere on it: who reads them may read all, and has the network only where the source was given other hosts.
 */
#ifndef TWINCUBE_SERVER_SOURCES_REFRESH_TASK_H
#define TWINCUBE_SERVER_SOURCES_REFRESH_TASK_H

#include "server/sources/source_add.h"
#include "server/sources/source_refresh.h"
#include "stac/source_book.h"

/* Waits for its end. No connection to the catalogue may be open in this process. Errors are those of source_add and
 * source_add_items; Internal where the process dies of itself. */
int refresh_task_run(const struct refresh_options *options, const struct kept_source *source,
                     struct source_outcome *outcome, struct buffer *report, struct error *error);

#endif
