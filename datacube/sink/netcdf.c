/* netCDF output: CF-1.8 in netCDF-4, one variable a band, written by all threads at once.
 *
 * NetCDF-C makes the file's frame (netcdf_define), HDF5 opens it again for the values (netcdf_store). put encodes, in
 * any thread (netcdf_encoding); place writes. */
#include "datacube/sink/formats.h"
#include "datacube/sink/netcdf_plan.h"
#include "datacube/sink/netcdf_store.h"
#include "datacube/sink/output.h"
#include "datacube/sink/parcels.h"

#include <stdlib.h>
#include <string.h>

struct netcdf_sink {
  struct sink sink;
  struct output output;
  struct arena *arena;
  struct netcdf_plan plan;
  struct netcdf_encoding *encoding;
  struct netcdf_store *store;
  struct parcels parcels;
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

static int netcdf_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  struct netcdf_sink *sink = (struct netcdf_sink *)base;
  return parcels_put(&sink->parcels, sink->encoding, box, data, error);
}

static int write_parcel(void *data, const struct netcdf_parcel *parcel, struct error *error)
{
  return netcdf_store_write(((struct netcdf_sink *)data)->store, parcel, error);
}

static int netcdf_place(struct sink *base, const struct box *box, struct error *error)
{
  struct netcdf_sink *sink = (struct netcdf_sink *)base;
  return parcels_place(&sink->parcels, sink->encoding, box, write_parcel, sink, error);
}

static int netcdf_finish(struct sink *base, struct error *error)
{
  struct netcdf_sink *sink = (struct netcdf_sink *)base;
  if (parcels_place_all(&sink->parcels, sink->encoding, write_parcel, sink, error) != 0 ||
      netcdf_store_finish(sink->store, error) != 0)
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
  parcels_end(&sink->parcels, sink->encoding);
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
  parcels_begin(&sink->parcels);
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
