/* A stored service, read for serving: what it shows and how.
 *
 * When a service is made, a worker looks at its graph's cube; what came out is kept with it as `shown`:
 *   {"cube": map_describe's, "bands": [names shown], "range": [[low, high] a band], "parameters": [names of the
 * process's own parameters]}. */
#ifndef TWINCUBE_SERVER_SERVICES_SERVICE_VIEW_H
#define TWINCUBE_SERVER_SERVICES_SERVICE_VIEW_H

#include "server/services/map_task.h"
#include "server/services/service_type.h"
#include "server/store/store_services.h"

struct service_view {
  const struct service_type *type;
  json_t *configuration, *shown;
  struct style style;
  size_t bands; /* that are shown: 1 or 3 */
  unsigned tile_size;
  enum tile_format format;
  enum resampling method;
};

/* Error Internal where the texts make no sense; ServiceConfigInvalid where the options do not fit what is shown. Free
 * it after errors as well. */
int service_view_read(const struct service *service, struct service_view *out, struct error *error);
/* What is known of a service before anybody has looked at its cube: enough for map_choice_read. */
int service_view_draft(const struct service *service, struct service_view *out, struct error *error);
void service_view_free(struct service_view *view);

/* `shown` from a worker's answer to MAP_DESCRIBE: a new text. NULL: error set (ServiceConfigInvalid where the bands of
 * the configuration are not the cube's). */
char *service_shown(const struct service *service, const char *described, size_t length, struct error *error);

/* The dimension of what is shown: an object with name, type and labels, or NULL. Borrowed. */
const json_t *service_dimension(const struct service_view *view, const char *type);

#endif
