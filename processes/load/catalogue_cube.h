/* Cubes from a catalogue: what load_collection and load_stac share, whose arguments but for the first are the same. */
#ifndef TWINCUBE_PROCESSES_LOAD_CATALOGUE_CUBE_H
#define TWINCUBE_PROCESSES_LOAD_CATALOGUE_CUBE_H

#include "datacube/geometry.h"
#include "processes/process.h"
#include "stac/catalogue.h"

struct property_conditions {
  struct call *call;
  const struct value *conditions; /* object: property name -> callback */
};

struct cube_request {                  /* points into itself: not to be copied */
  struct load_request load;            /* its collection is still to be named */
  struct extent extent;                /* of the box, or around the polygons */
  const struct geometry_set *polygons; /* or NULL */
  struct property_conditions conditions;
  struct item_filter filter;
};

/* Reads spatial_extent, temporal_extent, bands and properties, and looks at no data. Errors: ProcessParameterInvalid,
 * CRSInvalid, TemporalExtentEmpty. */
int cube_request_read(struct call *call, struct cube_request *out);

/* The cube, as a node over its source. The catalogue is needed no longer than this. Errors: those of catalogue_load. */
int catalogue_cube(struct call *call, const struct catalogue *catalogue, const char *collection,
                   struct cube_request *request, struct value *result);

#endif
