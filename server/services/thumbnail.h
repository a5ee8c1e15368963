/* A small picture of a graph's cube, as a worker makes it: its last date, in true colours where its bands say which are
 * red, green and blue, else the first band along the ramp. */
#ifndef TWINCUBE_SERVER_SERVICES_THUMBNAIL_H
#define TWINCUBE_SERVER_SERVICES_THUMBNAIL_H

#include "processes/map/map.h"

enum { THUMBNAIL_SIDE = 256 };

/* The map_hash of what is seen and, unless that is `have`, a PNG: at most THUMBNAIL_SIDE pixels each way, over the
 * whole cube, of overviews where these suit; stretched between the second and the 98th percentile of its pixels,
 * transparent where nothing is known. Lattice, choice and method of the request do not count. Errors as map_open and
 * map_read. */
int thumbnail_paint(const struct map_request *request, struct hash have, struct buffer *out, struct error *error);

#endif
