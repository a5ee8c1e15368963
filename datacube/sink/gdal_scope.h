/* The frame of every call into GDAL from a sink: drivers registered, messages kept for us, no side files (.aux.xml).
 * Begin and end in the same thread. */
#ifndef TWINCUBE_DATACUBE_SINK_GDAL_SCOPE_H
#define TWINCUBE_DATACUBE_SINK_GDAL_SCOPE_H

#include "datacube/base/error.h"
#include "datacube/element.h"

#include <gdal.h>

void gdal_scope_begin(void);
void gdal_scope_end(void);
/* Whether GDAL reported a failure since the scope began (GDALClose returns nothing in older versions). */
bool gdal_scope_failed(void);
/* StorageFailure with GDAL's last message. */
int gdal_scope_error(struct error *error, const char *what);

/* GDT_Unknown where GDAL has no such type. int8 before GDAL 3.7 is GDT_Byte, marked by the creation option
 * PIXELTYPE=SIGNEDBYTE. */
GDALDataType gdal_type(enum element_type type);

#endif
