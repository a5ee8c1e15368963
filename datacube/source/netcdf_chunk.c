/* Boxes of netCDF variables, chunk by chunk: see the header.
 *
 * Inflated chunks stay as HDF5 stores them, shuffled; bytes are put together when rows are copied out, so every element
 * is touched once. Chunks that a region cuts go into the block cache, for the neighbouring box; those of a region of
 * whole chunks pass through scratch. Filter i of a chunk was skipped by the writer where bit i of its mask is set.
 *
 * The chunks of a region often lie far apart, so the system is asked for the next ones while one is inflated.
 */
#include "datacube/source/netcdf_chunk.h"

#include "datacube/base/checked.h"
#include "datacube/base/hash.h"
#include "datacube/dap/dap_store.h"
#include "datacube/source/hdf5_place.h"
#include "datacube/source/netcdf_group.h"
#include "datacube/source/netcdf_hdf5.h"
#include "datacube/source/netcdf_lock.h"
#include "datacube/source/netcdf_region.h"
#include "datacube/source/zarr_chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <netcdf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

struct chunk_slot { /* one inflated chunk; in the cache its elements follow at CHUNK_HEAD */
  unsigned char *data;
  struct netcdf_packed packed;
  size_t shape[CUBE_MAX_DIMENSIONS]; /* of the elements in it */
};

enum {
  CHUNK_HEAD = (sizeof(struct chunk_slot) + 63) / 64 * 64,
  AHEAD = 32,             /* most chunks that are asked for before they are read, */
  AHEAD_BYTES = 32 << 20, /* and bytes, inflated */
  SPARSE = 8              /* less of its chunks than one part of so many is wanted of a region */
};

struct netcdf_chunks {
  const char *path;
  const struct netcdf_variable *variables;
  const struct netcdf_layout *layouts;
  size_t count;
  int file;                 /* NetCDF-C, -1 where no variable needs it */
  hid_t hdf5;               /* negative where no variable needs it */
  int descriptor;           /* of the same; the file's */
  struct zarr_reader *zarr; /* NULL where no variable needs it */
  hid_t *datasets;          /* per variable, negative: not raw */
  int *groups;              /* per variable, of `file`: where it is not raw */
  struct libdeflate_decompressor *inflater;
  unsigned char *stored, *scratch;
  size_t stored_room, scratch_room;
  struct chunk_slot scratch_chunk;
  struct hdf5_place places[AHEAD]; /* of raw chunks that are asked for, in turn, */
  const struct hdf5_place *place;  /* and of the one that is read */
  uint64_t *ids;                   /* per variable: what its chunks are called in the cache */
  struct block_cache *cache, *own; /* own: what `cache` is where none is shared */
};

struct sizes {
  size_t chunk, stored, row;
  size_t room, library; /* of Zarr: what decoding a chunk needs; what a library takes for it beside that */
  bool any_raw, any_zarr, any_other;
};

static size_t chunk_bytes(const struct netcdf_layout *layout)
{
  size_t bytes = layout->element_size;
  for (size_t d = 0; d < layout->rank; d++)
    bytes = saturated_mul(bytes, layout->chunk[d]);
  return bytes;
}

static struct sizes sizes_of(const struct netcdf_layout *layouts, size_t count)
{
  struct sizes s = {.chunk = 16, .row = 16};
  for (size_t i = 0; i < count; i++) {
    const struct netcdf_layout *l = &layouts[i];
    const size_t bytes = chunk_bytes(l);
    const size_t row = (l->rank > 0 ? l->chunk[l->rank - 1] : 1) * (l->element_size > 8 ? 16 : 8);
    s.chunk = bytes > s.chunk ? bytes : s.chunk;
    s.row = row > s.row ? row : s.row;
    const size_t room = l->zarr ? zarr_chunk_room(l->zarr) : 0;
    s.room = room > s.room ? room : s.room;
    s.library = l->zarr && zarr_array_is_grib(l->zarr) ? saturated_mul(s.room, 2) : s.library;
    s.any_raw = s.any_raw || (l->raw && l->zarr == NULL);
    s.any_zarr = s.any_zarr || l->zarr != NULL;
    s.any_other = s.any_other || !l->raw;
  }
  /* Deflate makes data that cannot be compressed longer by 5 bytes in 16384; anything beyond is damage. */
  s.stored = s.any_raw ? s.chunk + s.chunk / 1024 + 4096 : 0;
  return s;
}

size_t netcdf_chunks_bytes(const struct netcdf_layout *layouts, size_t count)
{
  const struct sizes s = sizes_of(layouts, count);
  const size_t handles = 512 << 10; /* of the libraries, about */
  const size_t theirs = s.any_other ? s.chunk : s.any_zarr ? saturated_add(zarr_reader_bytes(s.room), s.library) : 0;
  return saturated_add(s.chunk, saturated_add(s.stored, s.row + theirs + handles));
}

static int open_handles(struct netcdf_chunks *c, const struct sizes *sizes, struct error *error)
{
  if (sizes->any_zarr)
    return zarr_reader_open(c->path, c->layouts[0].zarr->references, sizes->room, &c->zarr, error);
  if (sizes->any_other && nc_open(c->path, NC_NOWRITE, &c->file) != NC_NOERR) {
    c->file = -1;
    return error_set(error, ERROR_FileContentInvalid, "%s cannot be opened", netcdf_base_name(c->path));
  }
  if (sizes->any_raw &&
      ((c->hdf5 = hdf5_place_open(c->path, error)) < 0 || (c->descriptor = hdf5_place_descriptor(c->hdf5)) < 0))
    return error_set(error, ERROR_FileContentInvalid, "%s cannot be opened", netcdf_base_name(c->path));
  for (size_t i = 0; i < c->count; i++) {
    const struct netcdf_variable *v = &c->variables[i];
    const bool opened = c->layouts[i].raw ? (c->datasets[i] = netcdf_hdf5_variable(c->hdf5, v)) >= 0
                                          : netcdf_group_find(c->file, v->group, &c->groups[i]) == 0;
    if (!opened)
      return error_set(error, ERROR_FileContentInvalid, "%s: the variable %s cannot be opened",
                       netcdf_base_name(c->path), v->name);
    if (!c->layouts[i].raw) /* a second cache below ours is of no use; files without chunks refuse, rightly */
      nc_set_var_chunk_cache(c->groups[i], v->id, 0, 1, 0.75F);
  }
  return 0;
}

static int allocate(struct netcdf_chunks *c, const struct sizes *sizes)
{
  c->datasets = calloc(c->count + 1, sizeof *c->datasets);
  c->groups = calloc(c->count + 1, sizeof *c->groups);
  c->ids = calloc(c->count + 1, sizeof *c->ids);
  c->inflater = libdeflate_alloc_decompressor();
  c->scratch = malloc(sizes->row);
  c->stored = malloc(sizes->stored + 1);
  c->scratch_chunk.data = malloc(sizes->chunk);
  if (c->datasets == NULL || c->groups == NULL || c->ids == NULL || c->inflater == NULL || c->scratch == NULL ||
      c->stored == NULL || c->scratch_chunk.data == NULL)
    return -1;
  c->stored_room = sizes->stored;
  for (size_t i = 0; i < c->count; i++)
    c->datasets[i] = -1;
  return 0;
}

/* Variables are told apart by where they are in the file: their group and their number in it. */
static void name_variables(struct netcdf_chunks *c)
{
  for (size_t i = 0; i < c->count; i++) {
    struct stat status;
    const bool is_here = stat(c->variables[i].zarr ? c->variables[i].zarr_document : c->path, &status) == 0;
    struct hash part = {0, 0};
    hash_text(&part, c->variables[i].group);
    hash_text(&part, c->variables[i].name);
    c->ids[i] = block_file_id(c->path, is_here ? &status : NULL, part.a);
  }
}

int netcdf_chunks_open(const char *path, const struct netcdf_variable *variables, const struct netcdf_layout *layouts,
                       size_t count, struct netcdf_chunks **out, struct error *error)
{
  const struct sizes sizes = sizes_of(layouts, count);
  struct netcdf_chunks *c = calloc(1, sizeof *c);
  if (c == NULL)
    return error_memory(error);
  *c = (struct netcdf_chunks){.path = path,
                              .variables = variables,
                              .layouts = layouts,
                              .count = count,
                              .file = -1,
                              .hdf5 = -1,
                              .descriptor = -1};
  int result = allocate(c, &sizes) == 0 ? 0 : error_memory(error);
  if (result == 0) {
    netcdf_lock();
    result = open_handles(c, &sizes, error);
    netcdf_unlock();
  }
  if (result != 0) {
    netcdf_chunks_close(c);
    return -1;
  }
  name_variables(c);
  *out = c;
  return 0;
}

void netcdf_chunks_share(struct netcdf_chunks *c, struct block_cache *cache)
{
  c->cache = cache;
}

void netcdf_chunks_close(struct netcdf_chunks *c)
{
  if (c == NULL)
    return;
  netcdf_lock();
  for (size_t i = 0; c->datasets != NULL && i < c->count; i++)
    if (c->datasets[i] >= 0)
      H5Dclose(c->datasets[i]);
  if (c->hdf5 >= 0)
    hdf5_place_close(c->hdf5);
  if (c->file >= 0)
    nc_close(c->file);
  netcdf_unlock();
  zarr_reader_close(c->zarr);
  free(c->scratch_chunk.data);
  block_cache_free(c->own);
  libdeflate_free_decompressor(c->inflater);
  free(c->ids);
  free(c->datasets);
  free(c->groups);
  free(c->scratch);
  free(c->stored);
  free(c);
}

static int damaged(const struct netcdf_chunks *c, size_t variable, struct error *error)
{
  return error_set(error, ERROR_FileContentInvalid, "%s: a part of the variable %s cannot be read",
                   netcdf_base_name(c->path), c->variables[variable].name);
}

static bool read_at(int file, uint64_t at, size_t length, unsigned char *to)
{
  for (size_t done = 0; done < length;) {
    const ssize_t got = pread(file, to + done, length - done, (off_t)(at + done));
    if (got == 0 || (got < 0 && errno != EINTR))
      return false;
    done += got > 0 ? (size_t)got : 0;
  }
  return true;
}

static void fill_slot(struct chunk_slot *slot, const struct netcdf_layout *layout)
{
  for (size_t i = 0; i < slot->packed.elements; i++)
    memcpy(slot->data + i * layout->element_size, layout->fill, layout->element_size);
  slot->packed.shuffled = false;
  slot->packed.big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}

static bool inflate(struct netcdf_chunks *c, const struct netcdf_layout *layout, size_t length, size_t want,
                    unsigned char *to)
{
  size_t inflated = 0;
  if (layout->zstd)
    inflated = ZSTD_decompress(to, want, c->stored, length); /* an error is a number that is never wanted */
  else if (libdeflate_zlib_decompress(c->inflater, c->stored, length, to, want, &inflated) != LIBDEFLATE_SUCCESS)
    return false;
  return inflated == want;
}

/* Without the lock: the place was found before. */
static int load_raw(struct netcdf_chunks *c, struct chunk_slot *slot, size_t variable, const size_t *index,
                    struct error *error)
{
  const struct netcdf_layout *layout = &c->layouts[variable];
  const struct hdf5_place *place = c->place;
  const size_t want = chunk_bytes(layout);
  (void)index;
  memcpy(slot->shape, layout->chunk, sizeof slot->shape);
  slot->packed = (struct netcdf_packed){.data = slot->data,
                                        .elements = want / layout->element_size,
                                        .size = layout->element_size,
                                        .shuffled = layout->shuffle >= 0 && (place->mask >> layout->shuffle & 1) == 0,
                                        .big_endian = layout->big_endian};
  if (place->length == 0) {
    fill_slot(slot, layout);
    return 0;
  }
  const bool is_plain = layout->packed < 0 || (place->mask >> layout->packed & 1) != 0;
  if (is_plain ? place->length != want : place->length > c->stored_room)
    return damaged(c, variable, error);
  if (!read_at(c->descriptor, place->at, place->length, is_plain ? slot->data : c->stored) ||
      (!is_plain && !inflate(c, layout, place->length, want, slot->data)))
    return damaged(c, variable, error);
  return 0;
}

static int load_library(struct netcdf_chunks *c, struct chunk_slot *slot, size_t variable, const size_t *index,
                        struct error *error)
{
  const struct netcdf_layout *layout = &c->layouts[variable];
  size_t start[CUBE_MAX_DIMENSIONS] = {0}, elements = 1;
  for (size_t d = 0; d < layout->rank; d++) {
    start[d] = index[d] * layout->chunk[d];
    const size_t left = layout->shape[d] - start[d];
    slot->shape[d] = left < layout->chunk[d] ? left : layout->chunk[d];
    elements *= slot->shape[d];
  }
  slot->packed = (struct netcdf_packed){
      .data = slot->data, .elements = elements, .size = layout->element_size, .big_endian = layout->big_endian};
  netcdf_lock();
  const int status = nc_get_vara(c->groups[variable], c->variables[variable].id, start, slot->shape, slot->data);
  netcdf_unlock();
  return status == NC_NOERR ? 0 : damaged(c, variable, error);
}

static int load_zarr_of(struct netcdf_chunks *c, struct chunk_slot *slot, size_t variable,
                        const struct netcdf_layout *layout, const size_t *index, struct error *error)
{
  memcpy(slot->shape, layout->chunk, sizeof slot->shape);
  slot->packed = (struct netcdf_packed){.data = slot->data,
                                        .elements = chunk_bytes(layout) / layout->element_size,
                                        .size = layout->element_size,
                                        .big_endian = layout->big_endian};
  const int found = zarr_chunk_read(c->zarr, layout->zarr, index, slot->data);
  if (found == 0)
    fill_slot(slot, layout);
  if (found < 0 && zarr_reader_failure(c->zarr, error) != 0)
    return -1;
  return found < 0 ? damaged(c, variable, error) : 0;
}

static int load_zarr(struct netcdf_chunks *c, struct chunk_slot *slot, size_t variable, const size_t *index,
                     struct error *error)
{
  return load_zarr_of(c, slot, variable, &c->layouts[variable], index, error);
}

static size_t chunk_number(const struct netcdf_layout *layout, const size_t *index)
{
  size_t number = 0;
  for (size_t d = 0; d < layout->rank; d++)
    number = number * ((layout->shape[d] - 1) / layout->chunk[d] + 1) + index[d];
  return number;
}

static int load(struct netcdf_chunks *c, struct chunk_slot *slot, size_t variable, const size_t *index,
                struct error *error)
{
  const struct netcdf_layout *layout = &c->layouts[variable];
  return (layout->zarr != NULL ? load_zarr : layout->raw ? load_raw : load_library)(c, slot, variable, index, error);
}

static bool has_cache(struct netcdf_chunks *c, struct error *error)
{
  if (c->cache == NULL && block_cache_new(BLOCK_CACHE_LEAST, &c->own, error) == 0)
    c->cache = c->own;
  return c->cache != NULL;
}

/* What a chunk is called in the cache: those of Zarr with the state of their files, which are written one by one. */
static struct block_key key_of(const struct netcdf_chunks *c, size_t variable, const size_t *index)
{
  const struct netcdf_layout *layout = &c->layouts[variable];
  struct block_key key = {c->ids[variable], chunk_number(layout, index)};
  if (layout->zarr != NULL)
    key.file = hash_mix(key.file ^ zarr_chunk_state(c->zarr, layout->zarr, index));
  return key;
}

/* Holds a chunk in the cache. is_once: one that nobody else wants, but for whoever reads the whole file again. */
static bool hold(struct netcdf_chunks *c, size_t variable, const size_t *index, bool is_once,
                 struct cached_block *block)
{
  const size_t bytes = saturated_add(CHUNK_HEAD, chunk_bytes(&c->layouts[variable]));
  if (is_once && !block_cache_keeps(c->cache))
    return false;
  return (is_once ? block_cache_hold_free : block_cache_hold)(c->cache, key_of(c, variable, index), bytes, block);
}

/* A chunk from the cache, where it is held (block->entry), or else in scratch. */
static int fetch(struct netcdf_chunks *c, size_t variable, const size_t *index, bool is_once,
                 struct cached_block *block, const struct chunk_slot **out, struct error *error)
{
  if (!is_once && !has_cache(c, error))
    return -1;
  if (!hold(c, variable, index, is_once, block)) {
    *out = &c->scratch_chunk;
    return load(c, &c->scratch_chunk, variable, index, error);
  }
  struct chunk_slot *slot = (struct chunk_slot *)block->bytes;
  *out = slot;
  if (!block->is_new)
    return 0;
  slot->data = block->bytes + CHUNK_HEAD;
  if (load(c, slot, variable, index, error) == 0)
    return 0;
  block_cache_release(c->cache, block, false);
  return -1;
}

/* ---- ahead of need ---------------------------------------------------------------------------------------------- */

/* A place that cannot be found is longer than any, which is told when the chunk is read. */
static void find_places(struct netcdf_chunks *c, size_t variable, struct chunk_walk w, size_t from, size_t to)
{
  const struct netcdf_layout *layout = &c->layouts[variable];
  netcdf_lock();
  for (; from < to && !w.at_end; chunk_walk_on(&w), from++) {
    struct hdf5_place *place = &c->places[from % AHEAD];
    hsize_t offset[CUBE_MAX_DIMENSIONS];
    for (size_t d = 0; d < layout->rank; d++)
      offset[d] = w.index[d] * layout->chunk[d];
    if (hdf5_place_find(c->hdf5, c->datasets[variable], offset, place) != 0)
      *place = (struct hdf5_place){.length = UINT64_MAX};
  }
  netcdf_unlock();
}

/* False where that has to wait, for others are on their way. */
static bool ask_for(struct netcdf_chunks *c, size_t variable, const size_t *index, const struct hdf5_place *place)
{
  const struct netcdf_layout *layout = &c->layouts[variable];
  if (layout->zarr != NULL)
    return zarr_chunk_ahead(c->zarr, layout->zarr, index);
  if (place->length > 0 && place->length <= c->stored_room) /* none would be all of the file */
    posix_fadvise(c->descriptor, (off_t)place->at, (off_t)place->length, POSIX_FADV_WILLNEED);
  return true;
}

/* Asks for chunks number `from` to `to` - 1 of a region, as far as it has so many, but for those that are kept. */
static size_t ask_ahead(struct netcdf_chunks *c, size_t variable, struct chunk_walk *w, size_t from, size_t to)
{
  const struct netcdf_layout *layout = &c->layouts[variable];
  const bool is_alone = from == 0 && memcmp(w->first, w->last, w->rank * sizeof *w->last) == 0;
  if (!layout->raw) {
    w->at_end = true;
    return to;
  }
  if (layout->zarr == NULL)
    find_places(c, variable, *w, from, to);
  for (; from < to && !w->at_end; chunk_walk_on(w), from++) {
    const bool is_kept = c->cache != NULL && block_cache_has(c->cache, key_of(c, variable, w->index));
    if (!is_alone && !is_kept && !ask_for(c, variable, w->index, &c->places[from % AHEAD]))
      break;
  }
  return from;
}

/* ---- regions ---------------------------------------------------------------------------------------------------- */

static void copy_row(struct netcdf_chunks *c, const struct chunk_slot *slot, size_t first, size_t count,
                     const struct netcdf_conversion *conversion, char *out, size_t step)
{
  if (step == 1 && netcdf_conversion_is_copy(conversion)) {
    netcdf_unpack(&slot->packed, first, count, out);
    return;
  }
  netcdf_unpack(&slot->packed, first, count, c->scratch);
  netcdf_convert(conversion, c->scratch, count, out, step);
}

static void copy_part(struct netcdf_chunks *c, size_t variable, const struct chunk_slot *slot,
                      const struct chunk_part *part, const struct netcdf_target *target)
{
  const size_t rank = c->layouts[variable].rank, size = element_info(target->type)->size;
  const struct netcdf_conversion conversion = {.from = c->variables[variable].type,
                                               .to = target->type,
                                               .missing = &c->variables[variable].missing,
                                               .packing = c->variables[variable].packing,
                                               .nodata = target->nodata};
  const size_t last = rank > 0 ? rank - 1 : 0;
  const size_t row = rank > 0 ? part->count[last] : 1, row_step = rank > 0 ? target->step[last] : 1;
  size_t at[CUBE_MAX_DIMENSIONS] = {0};
  for (;;) {
    size_t first = 0, place = 0;
    for (size_t d = 0; d < rank; d++) {
      first = first * slot->shape[d] + part->in_chunk[d] + at[d];
      place += (part->in_region[d] + at[d]) * target->step[d];
    }
    copy_row(c, slot, first, row, &conversion, target->data + place * size, row_step);
    size_t d = last;
    while (d > 0 && ++at[d - 1] == part->count[d - 1])
      at[--d] = 0;
    if (d == 0)
      return;
  }
}

static int read_chunk(struct netcdf_chunks *c, size_t variable, const struct chunk_walk *at, bool is_once,
                      const struct chunk_part *part, const struct netcdf_target *target, struct error *error)
{
  struct cached_block block = {.entry = NULL};
  const struct chunk_slot *slot;
  if (fetch(c, variable, at->index, is_once, &block, &slot, error) != 0)
    return -1;
  copy_part(c, variable, slot, part, target);
  if (block.entry != NULL)
    block_cache_release(c->cache, &block, true);
  return 0;
}

/* Whether a region is better asked for by itself than by its chunks: where these are questions (dap_store.h), little of
 * them is wanted, and they are not there already. */
static bool is_sparse(const struct netcdf_chunks *c, size_t variable, const struct chunk_walk *w, const size_t *count)
{
  const struct netcdf_layout *layout = &c->layouts[variable];
  double wanted = SPARSE, touched = 1;
  if (layout->zarr == NULL || layout->zarr->dap == NULL)
    return false;
  for (size_t d = 0; d < layout->rank; d++) {
    wanted *= (double)count[d];
    touched *= (double)(w->last[d] - w->first[d] + 1) * (double)layout->chunk[d];
  }
  return wanted < touched && !(c->cache != NULL && block_cache_has(c->cache, key_of(c, variable, w->first)));
}

static int read_by_itself(struct netcdf_chunks *c, size_t variable, const size_t *start, const size_t *count,
                          const struct netcdf_target *target, struct error *error)
{
  static const size_t none[CUBE_MAX_DIMENSIONS] = {0};
  struct netcdf_layout layout = c->layouts[variable];
  struct chunk_walk here;
  struct dap_window window;
  struct dap_array dap;
  struct zarr_array part;
  memcpy(window.start, start, layout.rank * sizeof *start);
  memcpy(window.count, count, layout.rank * sizeof *count);
  memcpy(window.run, count, layout.rank * sizeof *count);
  dap_window_of(layout.zarr, &window, &dap, &part);
  layout.zarr = &part;
  memcpy(layout.shape, part.shape, sizeof layout.shape);
  memcpy(layout.chunk, part.chunk, sizeof layout.chunk);
  chunk_walk_begin(&layout, none, count, &here);
  for (struct chunk_walk ahead = here; !ahead.at_end && zarr_chunk_ahead(c->zarr, &part, ahead.index);)
    chunk_walk_on(&ahead);
  for (; !here.at_end; chunk_walk_on(&here)) {
    const struct chunk_part piece = chunk_part_of(&layout, here.index, none, count);
    if (load_zarr_of(c, &c->scratch_chunk, variable, &layout, here.index, error) != 0)
      return -1;
    copy_part(c, variable, &c->scratch_chunk, &piece, target);
  }
  return 0;
}

int netcdf_chunks_read(struct netcdf_chunks *c, size_t variable, const size_t *start, const size_t *count,
                       const struct netcdf_target *target, struct error *error)
{
  const struct netcdf_layout *layout = &c->layouts[variable];
  const size_t fit = AHEAD_BYTES / chunk_bytes(layout), most = fit < 2 ? 2 : fit < AHEAD ? fit : AHEAD;
  struct chunk_walk here;
  if (!chunk_walk_begin(layout, start, count, &here))
    return 0;
  if (is_sparse(c, variable, &here, count))
    return read_by_itself(c, variable, start, count, target, error);
  struct chunk_walk ahead = here;
  const bool is_once = is_whole_chunks(layout, start, count);
  for (size_t done = 0, asked = 0; !here.at_end; chunk_walk_on(&here), done++) {
    if (!ahead.at_end && asked - done <= most / 2)
      asked = ask_ahead(c, variable, &ahead, asked, done + most);
    c->place = &c->places[done % AHEAD];
    const struct chunk_part part = chunk_part_of(layout, here.index, start, count);
    if (read_chunk(c, variable, &here, is_once, &part, target, error) != 0)
      return -1;
  }
  return 0;
}
