/* The window of the world that a WMS request asks for. */
#ifndef TWINCUBE_SERVER_SERVICES_WMS_REQUEST_H
#define TWINCUBE_SERVER_SERVICES_WMS_REQUEST_H

#include "server/services/map_look.h"

/* Reads crs (srs), bbox, width, height, format and transparent of GetMap and GetFeatureInfo into a task's lattice and
 * window. In 1.3.0 the box is in the order of the CRS's own axes, in 1.1.1 always x, y. Errors QueryParameterInvalid
 * naming the parameter, CRSInvalid. */
int wms_window_read(const struct exchange *exchange, const struct service_view *view, struct map_task *task,
                    struct error *error);
/* The pixel i, j (x, y) of a window, alone. */
int wms_pixel_read(const struct exchange *exchange, struct map_task *task, struct error *error);

#endif
