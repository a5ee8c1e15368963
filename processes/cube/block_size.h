/* Sizes along dimensions as apply_neighborhood takes them, in indexes. */
#ifndef TWINCUBE_PROCESSES_CUBE_BLOCK_SIZE_H
#define TWINCUBE_PROCESSES_CUBE_BLOCK_SIZE_H

#include "datacube/cube.h"
#include "processes/process.h"

/* Reads argument `parameter`: an array of {dimension, value, unit}, or null. out[d] is the number of indexes along
 * dimension d, SIZE_MAX where none is given or the value is null. `least`: the smallest number allowed. Errors
 * DimensionNotAvailable, ProcessParameterInvalid; FeatureUnsupported for lengths of time where dates lie at unequal
 * distances, and for months and years. */
int block_sizes_read(struct call *call, const char *parameter, const struct cube *cube, size_t least,
                     size_t out[CUBE_MAX_DIMENSIONS]);

#endif
