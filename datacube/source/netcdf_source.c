/* netCDF files with dimensions as cubes: the source itself.
 *
 * Every label of the variables' dimension is one variable of the file; the other dimensions of the cube are the
 * variables' own, each with the indexes that the selection left. A read is split per variable, and per run of adjacent
 * indexes, into regions of the file. Readers share the cache of chunks; each has its own
 * handles. */
#include "datacube/source/netcdf_source.h"

#include "datacube/dap/dap_address.h"
#include "datacube/dap/dap_store.h"
#include "datacube/remote/remote_file.h"
#include "datacube/remote/remote_whole.h"
#include "datacube/source/identity.h"
#include "datacube/source/netcdf_chunk.h"
#include "datacube/source/netcdf_describe.h"
#include "datacube/source/netcdf_select.h"
#include "datacube/source/zarr_chunk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ZARR_FILES_MOST = 4096 }; /* that are worth looking at for an identity */

struct netcdf_state {
  const char *path; /* that is opened */
  const char *name; /* as it was given, without a variable: of a remote file its address */
  struct netcdf_variable *variables;
  const struct netcdf_layout *layouts;
  size_t variable_count;
  size_t insert;                                /* the variables' dimension in the cube, SIZE_MAX: none */
  struct netcdf_pick pick[CUBE_MAX_DIMENSIONS]; /* per dimension of the cube */
};

struct source_reader {
  const struct source *source;
  struct netcdf_chunks *chunks;
};

static int reader_open(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  (void)threads;
  const struct netcdf_state *state = source->state;
  struct source_reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL)
    return error_memory(error);
  reader->source = source;
  if (netcdf_chunks_open(state->path, state->variables, state->layouts, state->variable_count, &reader->chunks,
                         error) != 0) {
    free(reader);
    return -1;
  }
  *out = reader;
  return 0;
}

static void reader_close(struct source_reader *reader)
{
  if (reader == NULL)
    return;
  netcdf_chunks_close(reader->chunks);
  free(reader);
}

static void reader_share(struct source_reader *reader, struct block_cache *cache)
{
  netcdf_chunks_share(reader->chunks, cache);
}

/* One variable's share of a box, in the variable's dimensions. */
struct share {
  struct source_reader *reader;
  size_t variable, rank;
  size_t start[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS]; /* labels of the cube */
  const struct netcdf_pick *pick[CUBE_MAX_DIMENSIONS];
  size_t file_start[CUBE_MAX_DIMENSIONS], file_count[CUBE_MAX_DIMENSIONS];
  struct netcdf_target target;
};

/* Length of the run of adjacent file indexes from label i on. */
static size_t run_length(const struct netcdf_pick *pick, size_t i, size_t left)
{
  size_t n = 1;
  if (pick->indexes == NULL)
    return left;
  while (n < left && pick->indexes[i + n] == pick->indexes[i] + n)
    n++;
  return n;
}

/* Fixes dimension d to each of its runs in turn, then goes on to the next; reads when all are fixed. */
static int read_runs(struct share *share, size_t d, char *data, struct error *error)
{
  if (d == share->rank) {
    struct netcdf_target target = share->target;
    target.data = data;
    return netcdf_chunks_read(share->reader->chunks, share->variable, share->file_start, share->file_count, &target,
                              error);
  }
  const struct netcdf_pick *pick = share->pick[d];
  const size_t size = element_info(share->target.type)->size;
  for (size_t done = 0; done < share->count[d];) {
    const size_t i = share->start[d] + done, n = run_length(pick, i, share->count[d] - done);
    share->file_start[d] = pick->indexes != NULL ? pick->indexes[i] : pick->start + i;
    share->file_count[d] = n;
    if (read_runs(share, d + 1, data + done * share->target.step[d] * size, error) != 0)
      return -1;
    done += n;
  }
  return 0;
}

static int reader_read(struct source_reader *reader, const struct box *box, void *data, struct error *error)
{
  const struct netcdf_state *state = reader->source->state;
  const struct cube *cube = &reader->source->cube;
  struct share share = {.reader = reader, .target = {.type = cube->type, .nodata = cube->nodata}};
  size_t step = 1, band_step = 0;
  if (box_elements(box) == 0)
    return 0;
  share.rank = cube->dimensions - (state->insert != SIZE_MAX);
  for (size_t d = cube->dimensions, v = share.rank; d-- > 0;) {
    if (d == state->insert) {
      band_step = step;
    } else {
      v--;
      share.start[v] = box->start[d];
      share.count[v] = box->count[d];
      share.pick[v] = &state->pick[d];
      share.target.step[v] = step;
    }
    step *= box->count[d];
  }
  const bool many = state->insert != SIZE_MAX;
  for (size_t i = 0; i < (many ? box->count[state->insert] : 1); i++) {
    share.variable = many ? box->start[state->insert] + i : 0;
    if (read_runs(&share, 0, (char *)data + i * band_step * element_info(cube->type)->size, error) != 0)
      return -1;
  }
  return 0;
}

/* Chunks change without their documents. Where they are too many to look at, the source is like no other. */
static void identity_zarr(const struct netcdf_state *state, struct buffer *out)
{
  size_t left = ZARR_FILES_MOST;
  struct hash files = {0, 0};
  bool known = true;
  for (size_t i = 0; i < state->variable_count && known; i++)
    if (state->variables[i].zarr != NULL && !remote_is(state->path)) /* that goes by the work at hand */
      known = zarr_files_state(state->path, state->variables[i].zarr, &left, &files);
  if (known)
    identity_bytes(out, &files, sizeof files);
  else
    identity_unique(out);
}

static void identity(const struct source *source, struct buffer *out)
{
  const struct netcdf_state *state = source->state;
  identity_text(out, "netCDF");
  identity_file(out, state->name);
  identity_text(out, state->path); /* where a remote file lies now */
  identity_cube(out, &source->cube);
  identity_count(out, state->insert);
  identity_zarr(state, out);
  for (size_t i = 0; i < state->variable_count; i++) {
    const struct netcdf_variable *v = &state->variables[i];
    identity_text(out, v->group);
    identity_text(out, v->name_in_file);
    if (v->zarr != NULL && v->zarr->dap != NULL)
      identity_bytes(out, v->zarr->dap->origin, sizeof v->zarr->dap->origin);
    identity_bytes(out, v->missing.value, v->missing.count * sizeof *v->missing.value);
    identity_bytes(out, v->missing.word, v->missing.count * sizeof *v->missing.word);
  }
  for (size_t d = 0; d < source->cube.dimensions; d++) {
    const struct netcdf_pick *pick = &state->pick[d];
    identity_count(out, pick->start);
    identity_bytes(out, pick->indexes, pick->indexes ? source->cube.dimension[d].size * sizeof *pick->indexes : 0);
  }
}

static const struct source_ops netcdf_ops = {.name = "netCDF",
                                             .open = reader_open,
                                             .read = reader_read,
                                             .close = reader_close,
                                             .share = reader_share,
                                             .identity = identity};

static void override_nodata(struct netcdf_description *description, double nodata)
{
  for (size_t i = 0; i < description->variable_count; i++) {
    struct netcdf_variable *v = &description->variables[i];
    const double value = v->type == ELEMENT_F32 ? (double)(float)nodata : nodata;
    v->missing.count = element_can_mark(v->type, value) ? 1 : 0; /* what the type cannot hold marks nothing */
    v->missing.value[0] = value;
    v->missing.word[0] = element_is_word(v->type) ? element_word(v->type, value) : 0;
  }
}

/* Blocks are the chunks of the first variable, counted from the first label selected. */
static void set_blocks(const struct netcdf_state *state, struct source *source)
{
  const struct netcdf_layout *layout = &state->layouts[0];
  for (size_t d = 0, v = 0; d < source->cube.dimensions; d++) {
    if (d == state->insert) {
      source->block[d] = 1;
      continue;
    }
    const size_t chunk = layout->chunk[v++];
    if (state->pick[d].indexes != NULL && chunk > 1)
      continue; /* scattered over chunks: any */
    source->block[d] = chunk;
    source->block_phase[d] = (chunk - state->pick[d].start % chunk) % chunk;
  }
}

static void set_costs(const struct netcdf_state *state, struct source *source)
{
  double stored = 0, elements = 0;
  for (size_t i = 0; i < state->variable_count; i++) {
    const struct netcdf_layout *l = &state->layouts[i];
    double count = 1;
    for (size_t d = 0; d < l->rank; d++)
      count *= (double)l->shape[d];
    stored += l->stored_bytes > 0 ? l->stored_bytes : count * (double)l->element_size;
    elements += count;
  }
  source->bytes_per_element = elements > 0 ? stored / elements : 0;
  source->reader_bytes = netcdf_chunks_bytes(state->layouts, state->variable_count);
}

/* A file of another host is read by ranges where references can say where its bytes lie, and else fetched first. */
static int describe_file(struct arena *arena, const char *path, const char *override_crs,
                         struct netcdf_description *out, struct error *error)
{
  const char *place;
  struct error reason = {0};
  if (zarr_is(path) || dap_is(path) || !remote_is(path))
    return netcdf_describe(arena, path, override_crs, out, error);
  if (netcdf_describe(arena, path, override_crs, out, &reason) == 0)
    return 0;
  if (!error_is(&reason, ERROR_FeatureUnsupported) && !error_is(&reason, ERROR_FileContentInvalid)) {
    *error = reason;
    return -1;
  }
  if (remote_whole(arena, path, &place, error) != 0)
    return -1;
  return netcdf_describe(arena, place, override_crs, out, error) == 0 ? 0 : remote_whole_error(path, place, error);
}

int netcdf_inspect(struct arena *arena, const char *path, const char *override_crs, const struct cube **out,
                   const char **left_out, struct error *error)
{
  struct netcdf_description description;
  struct cube *cube = ARENA_NEW(arena, struct cube);
  if (cube == NULL)
    return error_memory(error);
  if (describe_file(arena, path, override_crs, &description, error) != 0 ||
      netcdf_cube(arena, &description, cube, error) != 0)
    return -1;
  *out = cube;
  if (left_out != NULL)
    *left_out = description.left_out;
  return 0;
}

/* ---- datasets of OPeNDAP ----------------------------------------------------------------------------------------- */

/* The longest run of adjacent indexes; the first and last of all. */
static size_t longest_run(const struct netcdf_pick *pick, size_t count, size_t *low, size_t *high)
{
  size_t longest = 0;
  *low = SIZE_MAX;
  *high = 0;
  for (size_t i = 0, n; i < count; i += n) {
    const size_t first = pick->indexes != NULL ? pick->indexes[i] : pick->start;
    n = run_length(pick, i, count - i);
    *low = first < *low ? first : *low;
    *high = first + n - 1 > *high ? first + n - 1 : *high;
    longest = n > longest ? n : longest;
  }
  return longest;
}

/* Indexes are counted from `start` of the file on. */
static int count_from(struct arena *arena, struct netcdf_pick *pick, size_t count, size_t start, struct error *error)
{
  size_t *moved = pick->indexes != NULL ? ARENA_ARRAY(arena, size_t, count) : NULL;
  if (pick->indexes != NULL && moved == NULL)
    return error_memory(error);
  for (size_t i = 0; moved != NULL && i < count; i++)
    moved[i] = pick->indexes[i] - start;
  pick->indexes = moved;
  pick->start -= start;
  return 0;
}

/* What was selected is all that its arrays have from here on: what they ask for is no more than that. */
static int fit_questions(struct arena *arena, struct netcdf_state *state, const struct cube *cube, struct error *error)
{
  struct dap_window window;
  if (state->variables[0].zarr == NULL || state->variables[0].zarr->dap == NULL)
    return 0;
  for (size_t d = 0, v = 0; d < cube->dimensions; d++) {
    size_t low, high;
    if (d == state->insert)
      continue;
    window.run[v] = longest_run(&state->pick[d], cube->dimension[d].size, &low, &high);
    window.start[v] = low;
    window.count[v++] = high - low + 1;
    if (count_from(arena, &state->pick[d], cube->dimension[d].size, low, error) != 0)
      return -1;
  }
  for (size_t i = 0; i < state->variable_count; i++)
    if (dap_window(arena, state->variables[i].zarr, &window, &state->variables[i].zarr, error) != 0)
      return -1;
  return 0;
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

static int fill_source(struct arena *arena, const struct netcdf_file *file, const struct netcdf_selection *selection,
                       struct source *source, struct error *error)
{
  struct netcdf_description description;
  struct netcdf_state *state = ARENA_NEW(arena, struct netcdf_state);
  if (state == NULL)
    return error_memory(error);
  if (describe_file(arena, file->path, file->crs, &description, error) != 0)
    return -1;
  if (file->has_nodata)
    override_nodata(&description, file->nodata);
  bool own_bands = false;
  for (size_t i = 0; i < description.axes.count; i++)
    own_bands = own_bands || description.axes.dimension[i].type == DIMENSION_BANDS;
  if (!own_bands && selection != NULL && selection->bands != NULL && selection->band_count > 0 &&
      netcdf_keep_variables(arena, &description, selection->bands, selection->band_count, error) != 0)
    return -1;
  struct netcdf_layout *layouts = ARENA_ARRAY(arena, struct netcdf_layout, description.variable_count);
  *state = (struct netcdf_state){.path = description.path,
                                 .name = remote_is(file->path) ? arena_strdup(arena, file->path) : description.path,
                                 .variables = description.variables,
                                 .layouts = layouts,
                                 .variable_count = description.variable_count,
                                 .insert = description.insert};
  if (layouts == NULL || state->name == NULL)
    return error_memory(error);
  if (netcdf_cube(arena, &description, &source->cube, error) != 0 ||
      netcdf_select(arena, selection, own_bands, &source->cube, state->pick, error) != 0 ||
      fit_questions(arena, state, &source->cube, error) != 0 ||
      netcdf_layouts_read(state->path, state->variables, state->variable_count, layouts, error) != 0)
    return -1;
  source->ops = &netcdf_ops;
  source->state = state;
  set_blocks(state, source);
  set_costs(state, source);
  return 0;
}

int netcdf_source(struct arena *arena, const struct netcdf_file *file, const struct netcdf_selection *selection,
                  const struct source **out, struct error *error)
{
  struct source *source = ARENA_NEW(arena, struct source);
  if (source == NULL)
    return error_memory(error);
  if (fill_source(arena, file, selection, source, error) != 0)
    return -1;
  if (file->title != NULL)
    source->cube.title = arena_strdup(arena, file->title);
  source->origin = file->origin != NULL ? arena_strdup(arena, file->origin)
                                        : arena_printf(arena, "netCDF file %s", netcdf_base_name(file->path));
  *out = source;
  return 0;
}
