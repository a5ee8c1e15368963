/* Cubes of collections that other servers have, and compute. */
#ifndef TWINCUBE_PROCESSES_LOAD_FEDERATED_CUBE_H
#define TWINCUBE_PROCESSES_LOAD_FEDERATED_CUBE_H

#include "processes/process.h"

/* In place of the error CollectionNotFound that is set: load_collection with the call's arguments, where another server
 * has the collection. Errors: that one where none has; FeatureUnsupported; those of the other server. */
int federated_cube(struct call *call, const char *collection, struct value *result);

#endif
