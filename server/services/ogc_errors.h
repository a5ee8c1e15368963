/* Errors as the OGC's services tell them: XML with codes of their own, by a table. */
#ifndef TWINCUBE_SERVER_SERVICES_OGC_ERRORS_H
#define TWINCUBE_SERVER_SERVICES_OGC_ERRORS_H

#include "server/server.h"

enum ogc_service { OGC_WMS, OGC_WMTS, OGC_WCS };

/* From here on the exchange tells errors as the service does (ServiceExceptionReport of WMS, ows:ExceptionReport of the
 * others); where the query says exceptions=application/json, as openEO does. */
void ogc_errors_begin(struct exchange *exchange, enum ogc_service service);

#endif
