/* What all requests to services share: the tiles made lately and those in files, and a store for the threads that have
 * none. */
#ifndef TWINCUBE_SERVER_SERVICES_SERVICE_HUB_H
#define TWINCUBE_SERVER_SERVICES_SERVICE_HUB_H

#include "server/services/tile_cache.h"
#include "server/services/tile_folder.h"
#include "server/store/store_services.h"

struct service_hub;

/* `tiles`: folder of tiles, at most so many bytes of them; 0: none are kept in files. */
int service_hub_open(const char *place, const char *tiles, uint64_t bytes, struct service_hub **out,
                     struct error *error);
void service_hub_close(struct service_hub *hub); /* NULL is allowed */

struct tile_cache *service_hub_tiles(struct service_hub *hub);
struct tile_folder *service_hub_folder(struct service_hub *hub); /* or NULL */

/* Calls `use` with the store, one thread at a time; its outcome. */
int service_hub_store(struct service_hub *hub, int (*use)(struct store *store, void *data, struct error *error),
                      void *data, struct error *error);
/* Writes an error of a request into the log of its service: the first of each second, so that a map full of faulty
 * tiles says it once. */
void service_hub_log_error(struct service_hub *hub, const char *service, const struct error *found);

#endif
