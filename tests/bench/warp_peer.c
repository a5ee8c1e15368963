/* gdalwarp as a program of its own: the library function behind GDAL's command, for machines without the command.
 *
 *   warp_peer OPTIONS… SOURCE TARGET       the options of gdalwarp */
#include <gdal_utils.h>
#include <stdio.h>

int main(int count, char **arguments)
{
  if (count < 3) {
    fprintf(stderr, "usage: warp_peer OPTIONS... SOURCE TARGET\n");
    return 2;
  }
  const char *source_path = arguments[count - 2], *target_path = arguments[count - 1];
  arguments[count - 2] = NULL;
  GDALAllRegister();
  GDALDatasetH source = GDALOpen(source_path, GA_ReadOnly), target = NULL;
  GDALWarpAppOptions *options = GDALWarpAppOptionsNew(arguments + 1, NULL);
  if (source && options)
    target = GDALWarp(target_path, NULL, 1, &source, options, NULL);
  GDALWarpAppOptionsFree(options);
  int failed = target == NULL;
  GDALClose(target);
  GDALClose(source);
  return failed;
}
