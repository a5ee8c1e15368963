/* Geometries to and from OGR's, for what a geometry library does better than we: reading files, buffers, relations.
 * For datacube's own files only. */
#ifndef TWINCUBE_DATACUBE_GEOMETRY_OGR_H
#define TWINCUBE_DATACUBE_GEOMETRY_OGR_H

#include "datacube/base/error.h"
#include "datacube/geometry.h"

#include <ogr_api.h>

/* The frame of every use: OGR's messages are kept for ogr_failed. Begin and end in the same thread. */
void ogr_frame_begin(void);
void ogr_frame_end(void);
/* Whether OGR has complained since the frame began or was asked before, and its text: one line, at most 200 bytes. */
bool ogr_failed(char reason[201]);

/* New geometry, which the caller destroys; an empty collection for GEOMETRY_NONE. NULL when out of memory. */
OGRGeometryH ogr_of_geometry(const struct geometry *geometry);
/* Type and parts of a geometry; id and properties stay. Heights and measures go, curves become lines; the members of
 * collections become parts of one. 0, or -1 when out of memory. */
int geometry_of_ogr(struct arena *arena, OGRGeometryH from, struct geometry *out);
/* Repairs what crosses itself, in place of the given geometry, which it destroys: what an odd number of rings surround
 * is inside, as everywhere. NULL where that cannot be done, or would take longer than some seconds, for what crosses
 * itself often: ogr_failed tells that. */
OGRGeometryH ogr_repaired(OGRGeometryH geometry);
/* The same within a second or two. */
OGRGeometryH ogr_repaired_soon(OGRGeometryH geometry);

#endif
