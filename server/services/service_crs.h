/* Coordinate reference systems as the OGC's services write them. */
#ifndef TWINCUBE_SERVER_SERVICES_SERVICE_CRS_H
#define TWINCUBE_SERVER_SERVICES_SERVICE_CRS_H

#include "datacube/base/error.h"
#include "server/services/map_task.h"

#include <stdbool.h>

/* Reads EPSG:3857, urn:ogc:def:crs:EPSG::3857, http://www.opengis.net/def/crs/EPSG/0/3857 (each also in brackets), and
 * CRS84 in the same forms, as "EPSG:n". *turned: its own first axis goes north. Error CRSInvalid naming `parameter`. */
int service_crs_read(const char *text, const char *parameter, char out[MAP_CRS_SIZE], bool *turned,
                     struct error *error);
/* http://www.opengis.net/def/crs/EPSG/0/n of "EPSG:n"; other texts stay as they are. */
void service_crs_uri(const char *crs, char out[512]);

#endif
