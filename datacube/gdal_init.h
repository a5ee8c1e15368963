/* One-time set-up of GDAL for the whole process. */
#ifndef TWINCUBE_DATACUBE_GDAL_INIT_H
#define TWINCUBE_DATACUBE_GDAL_INIT_H

/* Registers the drivers and sets the process-wide options. Cheap after the first call, safe from several threads.
 * Whoever calls GDAL calls this first. */
void gdal_init(void);

#endif
