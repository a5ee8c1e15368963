/* The floor under the benchmark: decode the inputs, write a result of the same size and format, nothing between.
 *
 *   floor geotiff THREADS PLANES OUT FILE...   every block of every file with GDAL, files shared out to the threads; of
 *                                              a single file, its rows of blocks
 *   floor netcdf  THREADS PLANES OUT FILE      every chunk of the variables (t, y, x) with netCDF-C, which takes one
 *                                              thread only
 *   floor memory  THREADS                      gigabytes a second that the threads together read, and copy
 *
 * OUT holds PLANES planes of float32, as large as the inputs', uncompressed, in the format of the inputs; none where
 * PLANES is 0, as many as the input has for a netCDF file where PLANES is -1. */
#include <gdal.h>
#include <netcdf.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 256 };

struct inputs {
  char *const *paths;
  size_t count;
  size_t parts; /* of each file: interleaved rows of blocks */
  atomic_size_t next;
  _Atomic uint64_t sum; /* so that no decoding can be left out */
  atomic_bool failed;
};

static bool decode_blocks(GDALRasterBandH band, size_t part, size_t parts, uint64_t *sum)
{
  int width, height;
  GDALGetBlockSize(band, &width, &height);
  int across = (GDALGetRasterBandXSize(band) + width - 1) / width;
  int down = (GDALGetRasterBandYSize(band) + height - 1) / height;
  size_t bytes = (size_t)width * (size_t)height * (size_t)GDALGetDataTypeSizeBytes(GDALGetRasterDataType(band));
  unsigned char *block = malloc(bytes);
  bool good = block != NULL;
  for (int y = (int)part; good && y < down; y += (int)parts)
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
  for (size_t i; (i = atomic_fetch_add(&inputs->next, 1)) < inputs->count * inputs->parts;) {
    GDALDatasetH file = GDALOpen(inputs->paths[i / inputs->parts], GA_ReadOnly);
    bool good = file != NULL;
    for (int b = 1; good && b <= GDALGetRasterCount(file); b++)
      good = decode_blocks(GDALGetRasterBand(file, b), i % inputs->parts, inputs->parts, &sum);
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
  struct inputs inputs = {.paths = paths, .count = count, .parts = count == 1 ? threads : 1};
  pthread_t thread[MAX_THREADS];
  GDALAllRegister();
  for (unsigned t = 1; t < threads; t++)
    if (pthread_create(&thread[t], NULL, decode_files, &inputs) != 0)
      return -1;
  decode_files(&inputs);
  for (unsigned t = 1; t < threads; t++)
    pthread_join(thread[t], NULL);
  fprintf(stderr, "checksum %llu\n", (unsigned long long)inputs.sum);
  if (atomic_load(&inputs.failed))
    return -1;
  return planes == 0 ? 0 : write_geotiff(out, paths[0], planes);
}

/* Every chunk of a variable, in the file's own type. */
static int decode_variable(int file, int variable, const size_t shape[3], uint64_t *sum)
{
  nc_type type;
  size_t chunk[3], bytes;
  int storage;
  if (nc_inq_vartype(file, variable, &type) != 0 || nc_inq_type(file, type, NULL, &bytes) != 0 ||
      nc_inq_var_chunking(file, variable, &storage, chunk) != 0 || storage != NC_CHUNKED)
    return -1;
  unsigned char *data = malloc(chunk[0] * chunk[1] * chunk[2] * bytes);
  int status = data == NULL ? -1 : 0;
  for (size_t t = 0; status == 0 && t < shape[0]; t += chunk[0])
    for (size_t y = 0; status == 0 && y < shape[1]; y += chunk[1])
      for (size_t x = 0; status == 0 && x < shape[2]; x += chunk[2]) {
        const size_t start[3] = {t, y, x};
        size_t count[3];
        for (int d = 0; d < 3; d++)
          count[d] = shape[d] - start[d] < chunk[d] ? shape[d] - start[d] : chunk[d];
        status = nc_get_vara(file, variable, start, count, data);
        *sum += data[0];
      }
  free(data);
  return status;
}

/* The variables of three dimensions; shape is theirs. */
static int decode_variables(int file, size_t shape[3], uint64_t *sum)
{
  int variables, dimensions[NC_MAX_VAR_DIMS], count, status = nc_inq_nvars(file, &variables);
  for (int v = 0; status == 0 && v < variables; v++) {
    status = nc_inq_varndims(file, v, &count);
    if (status != 0 || count != 3)
      continue;
    status = nc_inq_vardimid(file, v, dimensions);
    for (int d = 0; status == 0 && d < 3; d++)
      status = nc_inq_dimlen(file, dimensions[d], &shape[d]);
    if (status == 0)
      status = decode_variable(file, v, shape, sum);
  }
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
  int status = decode_variables(file, shape, &sum);
  nc_close(file);
  fprintf(stderr, "checksum %llu\n", (unsigned long long)sum);
  if (status != 0 || planes == 0)
    return status;
  return write_netcdf(out, shape, planes < 0 ? shape[0] : (size_t)planes);
}

enum { MEMORY_BYTES = 256 << 20, MEMORY_ROUNDS = 5 }; /* a thread; far above any cache */

struct stretch { /* of memory, one a thread */
  uint64_t *from, *to;
  uint64_t sum;
};

static void *read_stretch(void *argument)
{
  struct stretch *s = argument;
  uint64_t sum[8] = {0};
  for (size_t i = 0; i < MEMORY_BYTES / sizeof(uint64_t); i += 8)
    for (int lane = 0; lane < 8; lane++)
      sum[lane] += s->from[i + (size_t)lane];
  for (int lane = 0; lane < 8; lane++)
    s->sum += sum[lane];
  return NULL;
}

static void *copy_stretch(void *argument)
{
  struct stretch *s = argument;
  memcpy(s->to, s->from, MEMORY_BYTES);
  s->sum += s->to[s->sum % 1000];
  return NULL;
}

/* Bytes a second of the fastest round, or 0 when a thread cannot start. */
static double memory_rate(void *(*work)(void *), struct stretch *stretches, unsigned threads)
{
  double best = 0;
  for (int round = 0; round < MEMORY_ROUNDS; round++) {
    pthread_t thread[MAX_THREADS];
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned t = 0; t < threads; t++)
      if (pthread_create(&thread[t], NULL, work, &stretches[t]) != 0)
        exit(1);
    for (unsigned t = 0; t < threads; t++)
      pthread_join(thread[t], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    double rate = (double)threads * MEMORY_BYTES / seconds;
    best = rate > best ? rate : best;
  }
  return best;
}

static int floor_memory(unsigned threads)
{
  struct stretch stretches[MAX_THREADS] = {0};
  for (unsigned t = 0; t < threads; t++) {
    stretches[t].from = malloc(MEMORY_BYTES);
    stretches[t].to = malloc(MEMORY_BYTES);
    if (stretches[t].from == NULL || stretches[t].to == NULL)
      return -1;
    memset(stretches[t].from, 1, MEMORY_BYTES);
    memset(stretches[t].to, 2, MEMORY_BYTES);
  }
  double reading = memory_rate(read_stretch, stretches, threads);
  double copying = memory_rate(copy_stretch, stretches, threads);
  uint64_t sum = 0;
  for (unsigned t = 0; t < threads; t++) {
    sum += stretches[t].sum;
    free(stretches[t].from);
    free(stretches[t].to);
  }
  printf("reads %.1f copies %.1f checksum %llu\n", reading * 1e-9, copying * 1e-9, (unsigned long long)sum);
  return 0;
}

int main(int count, char **arguments)
{
  const char *what = count > 2 ? arguments[1] : "";
  long threads = count > 2 ? strtol(arguments[2], NULL, 10) : 0;
  long planes = count > 3 ? strtol(arguments[3], NULL, 10) : 0;
  int status = -1;
  if (threads < 1 || threads > MAX_THREADS || planes < -1 || planes > 65535 ||
      (count < 6 && strcmp(what, "memory") != 0)) {
    fprintf(stderr, "usage: floor geotiff|netcdf THREADS PLANES OUT FILE...\n       floor memory THREADS\n");
    return 2;
  }
  if (strcmp(what, "memory") == 0)
    status = floor_memory((unsigned)threads);
  else if (strcmp(what, "geotiff") == 0 && planes >= 0)
    status = floor_geotiff((unsigned)threads, (int)planes, arguments[4], arguments + 5, (size_t)count - 5);
  else if (strcmp(what, "netcdf") == 0)
    status = floor_netcdf((int)planes, arguments[4], arguments[5]);
  if (status != 0)
    fprintf(stderr, "floor: cannot read the inputs or write the result\n");
  return status == 0 ? 0 : 1;
}
