/* Attributes of HDF5 objects as members of a JSON object. */
#ifndef TWINCUBE_DATACUBE_SOURCE_HDF5_ATTRIBUTES_H
#define TWINCUBE_DATACUBE_SOURCE_HDF5_ATTRIBUTES_H

#include "datacube/base/buffer.h"
#include "datacube/source/hdf5_type.h"

#include <stdbool.h>

/* Numbers and texts; those that netCDF-4 and dimension scales keep for themselves, and other types, are left out. False
 * where they cannot be read. The caller holds the lock (netcdf_lock.h). */
bool hdf5_attributes(hid_t object, struct buffer *out);

/* A number of a type that is read as an integer or a float, as JSON. */
void hdf5_write_number(struct json_writer *w, hid_t type, const void *value);

/* Text of an attribute that is one, of at most room bytes; false where there is none. */
bool hdf5_attribute_text(hid_t object, const char *name, char *out, size_t room);

/* "y", the name of the dimension `d` of a dataset, by its list of scales; false where it has none. */
bool hdf5_dimension_name(hid_t dataset, size_t rank, size_t d, char *out, size_t room);

#endif
