/* Gauge fields in HDF5 as other codes write them: one dataset of 3 x 3 matrices, whose dimensions have no names,
 *
 *   [t][z][y][x][mu][row][column]   or   [mu][t][z][y][x][row][column],   mu in the order x, y, z, t,
 *
 * of complex numbers: compounds of a real and an imaginary part, or pairs along one more axis. The extents tell where
 * mu is, or else the links do; and the links tell whether the axes are these at all: in another order plaquettes are
 * products of links that have nothing to do with each other. What stays open is refused: FeatureUnsupported. */
#ifndef TWINCUBE_DATACUBE_SOURCE_GAUGE_HDF5_H
#define TWINCUBE_DATACUBE_SOURCE_GAUGE_HDF5_H

#include "datacube/source/gauge_file.h"

/* Whether the file, by its name and contents, is HDF5 with a dataset like these: no netCDF-4. */
bool gauge_hdf5_is(const char *path);

gauge_header_reader gauge_hdf5_header;

/* Reads all links as doubles; the caller verifies them. */
int gauge_hdf5_read(const char *path, const struct gauge_file *file, double *links, struct error *error);

#endif
