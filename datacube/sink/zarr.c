/* Zarr, version 2 and 3: a hierarchy of arrays, one a band, as a folder or as one ZIP file.
 *
 * Variables, names and chunks are those of the netCDF plan. put encodes chunks in any thread, place adds them to the
 * archive; a chunk that comes in parts is put together first. Chunks that nobody brings are the fill value. */
#include "datacube/sink/archive.h"
#include "datacube/sink/formats.h"
#include "datacube/sink/netcdf_encoding.h"
#include "datacube/sink/options.h"
#include "datacube/sink/parcels.h"
#include "datacube/sink/zarr_metadata.h"

#include <stdlib.h>
#include <string.h>

struct partial { /* a chunk of which parts have come */
  struct partial *next;
  size_t variable, start[CUBE_MAX_DIMENSIONS]; /* of the chunk */
  size_t missing;                              /* elements that have not come */
  unsigned char *bytes;
};

struct zarr_sink {
  struct sink sink;
  struct arena *arena;
  struct netcdf_plan plan;
  int version;
  struct archive *archive;
  struct netcdf_encoding *encoding;
  struct parcels parcels;
  struct partial *partials;
  struct statistics *statistics; /* of each variable, as far as it is placed */
};

static const char *const option_names[] = {"compress", "version", "zlevel", NULL};
static const char *const compressions[] = {"zstd", "deflate", "none", NULL};

/* The netCDF plan with Zarr's own options. */
static int zarr_plan(struct arena *arena, const struct cube *cube, struct sink_options options,
                     struct netcdf_plan *plan, int *version, struct error *error)
{
  int compress = 0, level = 0;
  *version = 2;
  if (sink_options_choice(options, "compress", compressions, &compress, error) != 0 ||
      sink_options_integer(options, "version", 2, 3, version, error) != 0 ||
      sink_options_integer(options, "zlevel", 1, 9, &level, error) != 0 ||
      netcdf_plan_make(arena, cube, NULL, 0, plan, error) != 0)
    return -1;
  plan->level = compress == 2 ? 0 : level > 0 ? level : 1;
  plan->adaptive = level == 0;
  plan->codec = compress == 0 ? CODEC_ZSTD : *version == 2 ? CODEC_ZLIB : CODEC_GZIP;
  plan->shuffles = *version == 2;
  return 0;
}

static int zarr_check(const struct cube *cube, const struct sink_option *options, size_t count, struct error *error)
{
  struct netcdf_plan plan;
  int version;
  struct arena *arena = arena_new(0);
  if (arena == NULL)
    return error_memory(error);
  const int result = zarr_plan(arena, cube, (struct sink_options){options, count}, &plan, &version, error);
  arena_free(arena);
  return result;
}

static void zarr_prefer(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[])
{
  struct netcdf_plan plan;
  struct error ignored = {0};
  int version;
  struct arena *arena = arena_new(0);
  memset(tile, 0, cube->dimensions * sizeof *tile);
  if (arena != NULL && zarr_plan(arena, cube, (struct sink_options){options, count}, &plan, &version, &ignored) == 0)
    for (size_t v = 0; v < plan.rank; v++)
      tile[plan.dimension[v]] = plan.chunk[v];
  arena_free(arena);
}

static int zarr_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  struct zarr_sink *sink = (struct zarr_sink *)base;
  return parcels_put(&sink->parcels, sink->encoding, box, data, error);
}

/* ---- chunks that come in parts ------------------------------------------------------------------------------------
 */

static int add_chunk(struct zarr_sink *sink, size_t variable, const size_t *start, const void *bytes, size_t length,
                     struct error *error)
{
  struct buffer name = {0};
  zarr_chunk_name(&sink->plan, sink->version, variable, start, &name);
  int status = name.failed ? error_memory(error) : archive_add(sink->archive, name.data, bytes, length, error);
  buffer_free(&name);
  return status;
}

static int add_partial(struct zarr_sink *sink, struct partial *partial, struct error *error)
{
  struct netcdf_held held;
  if (netcdf_encoding_chunk(sink->encoding, partial->bytes, &held) != 0)
    return error_memory(error);
  int status = add_chunk(sink, partial->variable, partial->start, held.bytes, held.length, error);
  netcdf_held_release(sink->encoding, &held);
  return status;
}

static struct partial *partial_new(struct zarr_sink *sink, size_t variable, const size_t *start)
{
  const struct netcdf_plan *plan = &sink->plan;
  struct partial *partial = calloc(1, sizeof *partial);
  if (partial == NULL || (partial->bytes = netcdf_encoding_blank(sink->encoding)) == NULL) {
    free(partial);
    return NULL;
  }
  partial->variable = variable;
  partial->missing = 1;
  for (size_t v = 0; v < plan->rank; v++) {
    const size_t left = plan->shape[v] - start[v];
    partial->start[v] = start[v];
    partial->missing *= left < plan->chunk[v] ? left : plan->chunk[v];
  }
  partial->next = sink->partials;
  sink->partials = partial;
  return partial;
}

/* Where the chunk of the part hangs; a new one where it is the first. NULL: out of memory. */
static struct partial **find_partial(struct zarr_sink *sink, const struct netcdf_held *part)
{
  const struct netcdf_plan *plan = &sink->plan;
  size_t start[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t v = 0; v < plan->rank; v++)
    start[v] = part->start[v] / plan->chunk[v] * plan->chunk[v];
  struct partial **at = &sink->partials;
  while (*at != NULL && ((*at)->variable != part->variable || memcmp((*at)->start, start, sizeof start) != 0))
    at = &(*at)->next;
  if (*at != NULL)
    return at;
  return partial_new(sink, part->variable, start) != NULL ? &sink->partials : NULL;
}

static void copy_part(const struct zarr_sink *sink, const struct netcdf_held *part, struct partial *to)
{
  const struct netcdf_plan *plan = &sink->plan;
  const size_t size = element_info(plan->cube.type)->size, last = plan->rank > 0 ? plan->rank - 1 : 0;
  const size_t row = plan->rank > 0 ? part->count[last] * size : size;
  size_t at[CUBE_MAX_DIMENSIONS] = {0};
  const unsigned char *from = part->bytes;
  for (bool more = true; more; from += row) {
    size_t place = 0;
    for (size_t v = 0; v < plan->rank; v++)
      place = place * plan->chunk[v] + part->start[v] - to->start[v] + at[v];
    memcpy(to->bytes + place * size, from, row);
    more = false;
    for (size_t v = last; v-- > 0 && !more;) {
      more = ++at[v] < part->count[v];
      at[v] = more ? at[v] : 0;
    }
  }
  to->missing -= part->length / size;
}

static void partial_free(struct zarr_sink *sink, struct partial **at)
{
  struct partial *partial = *at;
  *at = partial->next;
  netcdf_encoding_unblank(sink->encoding, partial->bytes);
  free(partial);
}

static int place_part(struct zarr_sink *sink, const struct netcdf_held *part, struct error *error)
{
  struct partial **at = find_partial(sink, part);
  if (at == NULL)
    return error_memory(error);
  copy_part(sink, part, *at);
  if ((*at)->missing > 0)
    return 0;
  int status = add_partial(sink, *at, error);
  partial_free(sink, at);
  return status;
}

/* ---- the vtable ---------------------------------------------------------------------------------------------------
 */

static int place_parcel(void *data, const struct netcdf_parcel *parcel, struct error *error)
{
  struct zarr_sink *sink = data;
  for (const struct netcdf_held *held = parcel->first; held != NULL; held = held->next) {
    int status = held->is_chunk ? add_chunk(sink, held->variable, held->start, held->bytes, held->length, error)
                                : place_part(sink, held, error);
    if (status != 0)
      return -1;
    statistics_merge(&sink->statistics[held->variable], &held->statistics);
  }
  return 0;
}

static int zarr_place(struct sink *base, const struct box *box, struct error *error)
{
  struct zarr_sink *sink = (struct zarr_sink *)base;
  return parcels_place(&sink->parcels, sink->encoding, box, place_parcel, sink, error);
}

static int zarr_finish(struct sink *base, struct error *error)
{
  struct zarr_sink *sink = (struct zarr_sink *)base;
  if (parcels_place_all(&sink->parcels, sink->encoding, place_parcel, sink, error) != 0)
    return -1;
  for (struct partial *partial = sink->partials; partial != NULL; partial = partial->next)
    if (add_partial(sink, partial, error) != 0)
      return -1;
  return archive_finish(sink->archive, error);
}

static bool zarr_statistics(const struct sink *base, size_t band, struct statistics *out)
{
  const struct zarr_sink *sink = (const struct zarr_sink *)base;
  if (band >= sink->plan.variable_count || !statistics_possible(sink->plan.cube.type))
    return false;
  *out = sink->statistics[band];
  return true;
}

static void zarr_close(struct sink *base)
{
  struct zarr_sink *sink = (struct zarr_sink *)base;
  if (sink == NULL)
    return;
  while (sink->partials != NULL)
    partial_free(sink, &sink->partials);
  parcels_end(&sink->parcels, sink->encoding);
  netcdf_encoding_free(sink->encoding);
  archive_free(sink->archive);
  free(sink->statistics);
  arena_free(sink->arena);
  free(sink);
}

static const struct sink_ops zarr_ops = {
    .put = zarr_put, .place = zarr_place, .finish = zarr_finish, .close = zarr_close, .statistics = zarr_statistics};

static int start(struct zarr_sink *sink, const struct cube *cube, const struct sink_request *request,
                 struct error *error)
{
  const struct sink_options options = {request->options, request->option_count};
  sink->arena = arena_new(0);
  if (sink->arena == NULL)
    return error_memory(error);
  if (zarr_plan(sink->arena, cube, options, &sink->plan, &sink->version, error) != 0)
    return -1;
  netcdf_plan_fit(&sink->plan, request->tile);
  sink->encoding = netcdf_encoding_new(&sink->plan);
  sink->statistics = calloc(sink->plan.variable_count, sizeof *sink->statistics);
  if (sink->encoding == NULL || sink->statistics == NULL)
    return error_memory(error);
  if (archive_new(request->path, &sink->archive, error) != 0)
    return -1;
  return zarr_write_metadata(sink->archive, &sink->plan, sink->version, request->history, error);
}

static int zarr_open(const struct sink_request *request, const struct cube *cube, struct sink **out,
                     struct error *error)
{
  *out = NULL;
  struct zarr_sink *sink = calloc(1, sizeof *sink);
  if (sink == NULL)
    return error_memory(error);
  sink->sink = (struct sink){&zarr_ops, "application/vnd+zarr"};
  parcels_begin(&sink->parcels);
  if (start(sink, cube, request, error) != 0) {
    zarr_close(&sink->sink);
    return -1;
  }
  *out = &sink->sink;
  return 0;
}

const struct sink_format sink_format_zarr = {
    .name = "Zarr",
    .title = "Zarr",
    .description =
        "A hierarchy of chunked arrays with all dimensions and labels, one array for each band, with consolidated "
        "metadata and CF attributes: one ZIP file, which xarray opens as it is; on the command line a folder, where "
        "the name does not end with .zip.",
    .extension = "zarr.zip",
    .media_type = "application/vnd+zarr",
    .parameters =
        "{\"version\":{\"type\":\"integer\",\"enum\":[2,3],\"default\":2,\"description\":\"Of the Zarr format.\"},"
        "\"compress\":{\"type\":\"string\",\"enum\":[\"zstd\",\"deflate\",\"none\"],\"default\":\"zstd\","
        "\"description\":\"Compression of the chunks.\"},"
        "\"zlevel\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,"
        "\"description\":\"Effort of the compression.\"}}",
    .options = option_names,
    .check = zarr_check,
    .prefer = zarr_prefer,
    .open = zarr_open,
};
