/* netCDF output: CF-1.8 in netCDF-4, one variable a band, written by all threads at once.
 *
 * NetCDF-C makes the file's frame (netcdf_define), HDF5 opens it again for the values (netcdf_store). put encodes, in
 * any thread (netcdf_encoding); place writes. */
#include "datacube/sink/formats.h"
#include "datacube/sink/netcdf_plan.h"
#include "datacube/sink/netcdf_store.h"
#include "datacube/sink/output.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct parcel { /* of a box that was put and waits for its place */
  struct parcel *next;
  struct box box;
  struct netcdf_parcel chunks;
};

struct netcdf_sink {
  struct sink sink;
  struct output output;
  struct arena *arena;
  struct netcdf_plan plan;
  struct netcdf_encoding *encoding;
  struct netcdf_store *store;
  pthread_mutex_t lock; /* guards what follows */
  struct parcel *parcels;
};

static int netcdf_check(const struct cube *cube, const struct sink_option *options, size_t count, struct error *error)
{
  struct netcdf_plan plan;
  struct arena *arena = arena_new(0);
  if (arena == NULL)
    return error_memory(error);
  const int result = netcdf_plan_make(arena, cube, options, count, &plan, error);
  arena_free(arena);
  return result;
}

static void netcdf_prefer(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[])
{
  struct netcdf_plan plan;
  struct error ignored = {0};
  struct arena *arena = arena_new(0);
  memset(tile, 0, cube->dimensions * sizeof *tile);
  if (arena != NULL && netcdf_plan_make(arena, cube, options, count, &plan, &ignored) == 0)
    for (size_t v = 0; v < plan.rank; v++)
      tile[plan.dimension[v]] = plan.chunk[v];
  arena_free(arena);
}

static int encode_box(struct netcdf_sink *sink, const struct box *box, const char *data, struct netcdf_parcel *to,
                      struct error *error)
{
  const struct netcdf_plan *plan = &sink->plan;
  struct netcdf_piece piece = {.data = data};
  size_t step = 1, band_step = 0, band = 0, bands = 1;
  for (size_t d = plan->cube.dimensions, v = plan->rank; d-- > 0;) {
    if (d == plan->bands) {
      band_step = step;
      band = box->start[d];
      bands = box->count[d];
    } else {
      v--;
      piece.start[v] = box->start[d];
      piece.count[v] = box->count[d];
      piece.step[v] = step;
    }
    step *= box->count[d];
  }
  for (size_t i = 0; i < bands; i++) {
    piece.variable = band + i;
    piece.data = data + i * band_step * element_info(plan->cube.type)->size;
    if (netcdf_encoding_add(sink->encoding, &piece, to, error) != 0)
      return -1;
  }
  return 0;
}

static int netcdf_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  struct netcdf_sink *sink = (struct netcdf_sink *)base;
  if (box_elements(box) == 0)
    return 0;
  struct parcel *parcel = calloc(1, sizeof *parcel);
  if (parcel == NULL)
    return error_memory(error);
  parcel->box = *box;
  if (encode_box(sink, box, data, &parcel->chunks, error) != 0) {
    netcdf_parcel_free(sink->encoding, &parcel->chunks);
    free(parcel);
    return -1;
  }
  pthread_mutex_lock(&sink->lock);
  struct parcel **end = &sink->parcels;
  while (*end != NULL)
    end = &(*end)->next;
  *end = parcel;
  pthread_mutex_unlock(&sink->lock);
  return 0;
}

/* The parcel of the box, or the first one; NULL where there is none. It is the caller's now. */
static struct parcel *take_parcel(struct netcdf_sink *sink, const struct box *box)
{
  pthread_mutex_lock(&sink->lock);
  struct parcel **at = &sink->parcels;
  while (*at != NULL && box != NULL && memcmp((*at)->box.start, box->start, box->dimensions * sizeof *box->start) != 0)
    at = &(*at)->next;
  struct parcel *parcel = *at;
  if (parcel != NULL)
    *at = parcel->next;
  pthread_mutex_unlock(&sink->lock);
  return parcel;
}

static int write_parcel(struct netcdf_sink *sink, struct parcel *parcel, struct error *error)
{
  int status = netcdf_store_write(sink->store, &parcel->chunks, error);
  netcdf_parcel_free(sink->encoding, &parcel->chunks);
  free(parcel);
  return status;
}

static int netcdf_place(struct sink *base, const struct box *box, struct error *error)
{
  struct netcdf_sink *sink = (struct netcdf_sink *)base;
  struct parcel *parcel = box_elements(box) > 0 ? take_parcel(sink, box) : NULL;
  return parcel != NULL ? write_parcel(sink, parcel, error) : 0;
}

static int netcdf_finish(struct sink *base, struct error *error)
{
  struct netcdf_sink *sink = (struct netcdf_sink *)base;
  for (struct parcel *parcel; (parcel = take_parcel(sink, NULL)) != NULL;)
    if (write_parcel(sink, parcel, error) != 0)
      return -1;
  if (netcdf_store_finish(sink->store, error) != 0)
    return -1;
  return output_commit(&sink->output, error);
}

static bool netcdf_statistics(const struct sink *base, size_t band, struct statistics *out)
{
  const struct netcdf_sink *sink = (const struct netcdf_sink *)base;
  if (band >= sink->plan.variable_count || !statistics_possible(sink->plan.cube.type))
    return false;
  *out = *netcdf_store_statistics(sink->store, band);
  return true;
}

static void netcdf_close(struct sink *base)
{
  struct netcdf_sink *sink = (struct netcdf_sink *)base;
  if (sink == NULL)
    return;
  for (struct parcel *parcel; (parcel = take_parcel(sink, NULL)) != NULL;) {
    netcdf_parcel_free(sink->encoding, &parcel->chunks);
    free(parcel);
  }
  pthread_mutex_destroy(&sink->lock);
  netcdf_encoding_free(sink->encoding);
  netcdf_store_free(sink->store);
  output_discard(&sink->output);
  arena_free(sink->arena);
  free(sink);
}

static const struct sink_ops netcdf_ops = {.put = netcdf_put,
                                           .place = netcdf_place,
                                           .finish = netcdf_finish,
                                           .close = netcdf_close,
                                           .statistics = netcdf_statistics};

static int netcdf_open(const struct sink_request *request, const struct cube *cube, struct sink **out,
                       struct error *error)
{
  *out = NULL;
  struct netcdf_sink *sink = calloc(1, sizeof *sink);
  if (sink == NULL)
    return error_memory(error);
  sink->sink = (struct sink){&netcdf_ops, "application/netcdf"};
  pthread_mutex_init(&sink->lock, NULL);
  sink->arena = arena_new(0);
  if (sink->arena == NULL)
    error_memory(error);
  int planned = -1;
  if (sink->arena != NULL)
    planned = netcdf_plan_make(sink->arena, cube, request->options, request->option_count, &sink->plan, error);
  if (planned == 0) {
    netcdf_plan_fit(&sink->plan, request->tile);
    sink->encoding = netcdf_encoding_new(&sink->plan);
    planned = sink->encoding != NULL ? 0 : error_memory(error);
  }
  if (planned != 0 || output_begin(&sink->output, request->path, error) != 0 ||
      netcdf_define(sink->output.temporary, &sink->plan, request->history, error) != 0 ||
      netcdf_store_open(sink->output.temporary, &sink->plan, &sink->store, error) != 0) {
    netcdf_close(&sink->sink);
    return -1;
  }
  *out = &sink->sink;
  return 0;
}

static const char *const option_names[] = {"compress", "zlevel", NULL};

const struct sink_format sink_format_netcdf = {
    .name = "netCDF",
    .title = "netCDF-4 with CF conventions",
    .description =
        "Holds any cube of real numbers with all its dimensions and labels. Each label of the bands dimension "
        "becomes a variable; a cube without bands is the variable 'var'. CRS as CF grid mapping and WKT, "
        "times in CF units with their calendar, no-data as _FillValue.",
    .extension = "nc",
    .media_type = "application/netcdf",
    .parameters =
        "{\"compress\":{\"type\":\"string\",\"enum\":[\"deflate\",\"none\"],\"default\":\"deflate\","
        "\"description\":\"Compression of the values.\"},"
        "\"zlevel\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,"
        "\"description\":\"Effort of deflate. Without it, level 1 where it helps, and chunks that hardly shrink are "
        "stored as they are.\"}}",
    .options = option_names,
    .vector = true,
    .check = netcdf_check,
    .prefer = netcdf_prefer,
    .open = netcdf_open,
};
