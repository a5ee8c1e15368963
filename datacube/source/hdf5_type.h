/* HDF5's own types and classes of properties, by name: the library has them as variables, which a program that loads it
 * only when it is wanted (lazy/) cannot be linked with. */
#ifndef TWINCUBE_DATACUBE_SOURCE_HDF5_TYPE_H
#define TWINCUBE_DATACUBE_SOURCE_HDF5_TYPE_H

#include <hdf5.h>

/* H5T_NATIVE_INT8 is hdf5_type("NATIVE_INT8"). Not for the caller to close. H5I_INVALID_HID where there is none. */
hid_t hdf5_type(const char *name);
/* H5P_FILE_ACCESS is hdf5_property_class("FILE_ACCESS"); likewise. */
hid_t hdf5_property_class(const char *name);

#endif
