/* One-time set-up of GDAL.
 *
 * The block cache is small because tiles are read once, in block order; it serves pixel-interleaved files whose bands
 * are read one after the other. Folders are not listed on open (a folder of 10 000 scenes would be listed per scene);
 * sidecar files are still found by name. */
#include "datacube/gdal_init.h"

#include "datacube/remote/remote_vsi.h"

#include <cpl_conv.h>
#include <gdal.h>
#include <pthread.h>

static void gdal_init_once(void)
{
  CPLSetConfigOption("GDAL_DISABLE_READDIR_ON_OPEN", "TRUE");
  CPLSetConfigOption("VSI_CACHE", "FALSE");
  GDALAllRegister();
  remote_vsi_install();
  GDALSetCacheMax64((GIntBig)64 << 20);
}

void gdal_init(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, gdal_init_once);
}
