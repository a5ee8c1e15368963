#include "datacube/source/hdf5_type.h"

#include <dlfcn.h>
#include <stdio.h>

static hid_t find(const char *format, const char *name)
{
  char variable[64];
  H5open(); /* the library is there now, and its variables are set */
  snprintf(variable, sizeof variable, format, name);
  const hid_t *found = dlsym(RTLD_DEFAULT, variable);
  return found != NULL ? *found : H5I_INVALID_HID;
}

hid_t hdf5_type(const char *name)
{
  return find("H5T_%s_g", name);
}

hid_t hdf5_property_class(const char *name)
{
  return find("H5P_CLS_%s_ID_g", name);
}
