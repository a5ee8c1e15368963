/* The floor under the benchmark: decode the inputs, write a result of the same size and format, nothing between.
 *
 *   floor geotiff THREADS PLANES OUT FILE...   every block of every file with GDAL, files shared out to the threads
 *   floor netcdf  THREADS PLANES OUT FILE      every chunk of B04 and B08 with netCDF-C, which takes one thread only
 *
 * OUT holds PLANES planes of float32, as large as the inputs', uncompressed, in the format of the inputs. */
#include <gdal.h>
#include <netcdf.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 256 };

struct inputs {
  char *const *paths;
  size_t count;
  atomic_size_t next;
  _Atomic uint64_t sum; /* so that no decoding can be left out */
  atomic_bool failed;
};

static bool decode_blocks(GDALRasterBandH band, uint64_t *sum)
{
  int width, height;
  GDALGetBlockSize(band, &width, &height);
  int across = (GDALGetRasterBandXSize(band) + width - 1) / width;
  int down = (GDALGetRasterBandYSize(band) + height - 1) / height;
  size_t bytes = (size_t)width * (size_t)height * (size_t)GDALGetDataTypeSizeBytes(GDALGetRasterDataType(band));
  unsigned char *block = malloc(bytes);
  bool good = block != NULL;
  for (int y = 0; good && y < down; y++)
    for (int x = 0; good && x < across; x++) {
      good = GDALReadBlock(band, x, y, block) == CE_None;
      *sum += block[bytes / 2];
    }
  free(block);
  return good;
}

static void *decode_files(void *argument)
{
  struct inputs *inputs = argument;
  uint64_t sum = 0;
  for (size_t i; (i = atomic_fetch_add(&inputs->next, 1)) < inputs->count;) {
    GDALDatasetH file = GDALOpen(inputs->paths[i], GA_ReadOnly);
    bool good = file != NULL;
    for (int b = 1; good && b <= GDALGetRasterCount(file); b++)
      good = decode_blocks(GDALGetRasterBand(file, b), &sum);
    if (!good)
      atomic_store(&inputs->failed, true);
    if (file != NULL)
      GDALClose(file);
  }
  atomic_fetch_add(&inputs->sum, sum);
  return NULL;
}

static int write_geotiff(const char *path, const char *like, int planes)
{
  GDALDatasetH model = GDALOpen(like, GA_ReadOnly);
  if (model == NULL)
    return -1;
  int width = GDALGetRasterXSize(model), height = GDALGetRasterYSize(model);
  double transform[6];
  char *options[] = {"TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512", "INTERLEAVE=BAND", NULL};
  GDALDatasetH out = GDALCreate(GDALGetDriverByName("GTiff"), path, width, height, planes, GDT_Float32, options);
  float *row = calloc((size_t)width * 512, sizeof *row);
  int status = out != NULL && row != NULL ? 0 : -1;
  if (status == 0 && GDALGetGeoTransform(model, transform) == CE_None)
    GDALSetGeoTransform(out, transform);
  for (size_t i = 0; status == 0 && i < (size_t)width * 512; i++)
    row[i] = (float)i * 1e-6f;
  for (int plane = 1; status == 0 && plane <= planes; plane++)
    for (int y = 0; status == 0 && y < height; y += 512) {
      int rows = height - y < 512 ? height - y : 512;
      if (GDALRasterIO(GDALGetRasterBand(out, plane), GF_Write, 0, y, width, rows, row, width, rows, GDT_Float32, 0,
                       0) != CE_None)
        status = -1;
    }
  free(row);
  if (out != NULL)
    GDALClose(out);
  GDALClose(model);
  return status;
}

static int floor_geotiff(unsigned threads, int planes, const char *out, char *const *paths, size_t count)
{
  struct inputs inputs = {.paths = paths, .count = count};
  pthread_t thread[MAX_THREADS];
  GDALAllRegister();
  for (unsigned t = 1; t < threads; t++)
    if (pthread_create(&thread[t], NULL, decode_files, &inputs) != 0)
      return -1;
  decode_files(&inputs);
  for (unsigned t = 1; t < threads; t++)
    pthread_join(thread[t], NULL);
  fprintf(stderr, "checksum %llu\n", (unsigned long long)inputs.sum);
  return atomic_load(&inputs.failed) ? -1 : write_geotiff(out, paths[0], planes);
}

static int decode_variable(int file, const char *name, size_t shape[3], uint64_t *sum)
{
  int variable, dimensions[NC_MAX_VAR_DIMS], count;
  size_t chunk[3];
  if (nc_inq_varid(file, name, &variable) != 0 || nc_inq_varndims(file, variable, &count) != 0 || count != 3 ||
      nc_inq_vardimid(file, variable, dimensions) != 0 || nc_inq_var_chunking(file, variable, NULL, chunk) != 0)
    return -1;
  for (int d = 0; d < 3; d++)
    if (nc_inq_dimlen(file, dimensions[d], &shape[d]) != 0)
      return -1;
  uint16_t *data = malloc(chunk[1] * chunk[2] * sizeof *data);
  int status = data == NULL ? -1 : 0;
  for (size_t t = 0; status == 0 && t < shape[0]; t++)
    for (size_t y = 0; status == 0 && y < shape[1]; y += chunk[1])
      for (size_t x = 0; status == 0 && x < shape[2]; x += chunk[2]) {
        size_t start[3] = {t, y, x};
        size_t size[3] = {1, shape[1] - y < chunk[1] ? shape[1] - y : chunk[1],
                          shape[2] - x < chunk[2] ? shape[2] - x : chunk[2]};
        status = nc_get_vara_ushort(file, variable, start, size, data);
        *sum += data[0];
      }
  free(data);
  return status;
}

static int write_netcdf(const char *path, const size_t shape[3], size_t planes)
{
  int file, dimensions[3], variable;
  const char *const names[3] = {"t", "y", "x"};
  const size_t sizes[3] = {planes, shape[1], shape[2]};
  if (nc_create(path, NC_NETCDF4 | NC_CLOBBER, &file) != 0)
    return -1;
  int status = 0;
  for (int d = 0; d < 3 && status == 0; d++)
    status = nc_def_dim(file, names[d], sizes[d], &dimensions[d]);
  if (status == 0)
    status = nc_def_var(file, "result", NC_FLOAT, 3, dimensions, &variable);
  float *plane = calloc(shape[1] * shape[2], sizeof *plane);
  for (size_t i = 0; plane != NULL && i < shape[1] * shape[2]; i++)
    plane[i] = (float)i * 1e-6f;
  for (size_t t = 0; t < planes && status == 0; t++) {
    size_t start[3] = {t, 0, 0}, count[3] = {1, shape[1], shape[2]};
    status = plane == NULL ? -1 : nc_put_vara_float(file, variable, start, count, plane);
  }
  free(plane);
  return nc_close(file) == 0 && status == 0 ? 0 : -1;
}

static int floor_netcdf(int planes, const char *out, const char *path)
{
  int file;
  size_t shape[3] = {0};
  uint64_t sum = 0;
  if (nc_open(path, NC_NOWRITE, &file) != 0)
    return -1;
  int status = decode_variable(file, "B04", shape, &sum);
  if (status == 0)
    status = decode_variable(file, "B08", shape, &sum);
  nc_close(file);
  fprintf(stderr, "checksum %llu\n", (unsigned long long)sum);
  return status == 0 ? write_netcdf(out, shape, (size_t)planes) : -1;
}

int main(int count, char **arguments)
{
  if (count < 6) {
    fprintf(stderr, "usage: floor geotiff|netcdf THREADS PLANES OUT FILE...\n");
    return 2;
  }
  long threads = strtol(arguments[2], NULL, 10), planes = strtol(arguments[3], NULL, 10);
  if (threads < 1 || threads > MAX_THREADS || planes < 1 || planes > 65535)
    return 2;
  bool geotiff = strcmp(arguments[1], "geotiff") == 0;
  int status = geotiff ? floor_geotiff((unsigned)threads, (int)planes, arguments[4], arguments + 5, (size_t)count - 5)
                       : floor_netcdf((int)planes, arguments[4], arguments[5]);
  if (status != 0)
    fprintf(stderr, "floor: cannot read the inputs or write the result\n");
  return status == 0 ? 0 : 1;
}
