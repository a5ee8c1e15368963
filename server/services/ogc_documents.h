/* The OGC's capabilities documents of a service: one layer, named MAP_LAYER. */
#ifndef TWINCUBE_SERVER_SERVICES_OGC_DOCUMENTS_H
#define TWINCUBE_SERVER_SERVICES_OGC_DOCUMENTS_H

#include "server/services/map_look.h"

#define MAP_LAYER "result"

struct ogc_document {
  const struct looking *at;
  const char *url; /* of the service, without a query */
  struct buffer *out;
};

void wmts_capabilities(const struct ogc_document *document);
/* `version` 1.3.0 or 1.1.1. */
void wms_capabilities(const struct ogc_document *document, const char *version);

#endif
