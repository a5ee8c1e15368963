/* Cubes of collections whose items are stored as they came: the items are found by search, and made into a cube as
 * load_stac makes it of an ItemCollection. */
#ifndef TWINCUBE_PROCESSES_LOAD_STORED_CUBE_H
#define TWINCUBE_PROCESSES_LOAD_STORED_CUBE_H

#include "processes/load/catalogue_cube.h"

/* Files are read as load_stac reads them: those of the folders that graphs may read, and of hosts that are named.
 * Errors: those of catalogue_load; ProcessGraphComplexity (more items than are opened for one request). */
int stored_cube(struct call *call, const char *collection, struct cube_request *request, struct value *result);

#endif
