/* Chunks of a netCDF file, encoded by the threads that bring them.
 *
 * A piece is cut along the chunks. Where it covers all of a chunk that lies in the variable, the chunk is shuffled and
 * deflated right here, and only the finished bytes are written under the lock (H5Dwrite_chunk); the part of an edge
 * chunk outside the variable is no-data. Where it covers a chunk in part, HDF5 merges it (H5Dwrite), slowly but
 * rightly.
 *
 * Adaptive: noise, as the low bytes of floats are, costs more time than it saves room. A sample decides per chunk; what
 * does not shrink to half is stored as it is, with the filters masked out, which every reader of HDF5 understands.
 */
#include "datacube/sink/netcdf_store.h"

#include "datacube/source/netcdf_convert.h"
#include "datacube/source/netcdf_lock.h"

#include <hdf5.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_BYTES = 4096, SAMPLES = 8, HDF5_CACHE = 16 << 20, ALL_FILTERS = ~0 };

struct encoder { /* one thread's room */
  struct encoder *next;
  struct libdeflate_compressor *deflater;
  unsigned char *plain, *shuffled, *packed;
  size_t packed_room;
};

struct netcdf_store {
  const struct netcdf_plan *plan;
  size_t element_size;
  unsigned char fill[16];
  hid_t type; /* of the elements in memory; ours to close where it is a compound */
  hid_t file;
  hid_t *datasets;
  pthread_mutex_t idle_lock;
  struct encoder *idle;
};

static void encoder_free(struct encoder *e)
{
  if (e == NULL)
    return;
  libdeflate_free_compressor(e->deflater);
  free(e->plain);
  free(e->shuffled);
  free(e->packed);
  free(e);
}

static struct encoder *encoder_new(const struct netcdf_store *store)
{
  const size_t bytes = store->plan->chunk_elements * store->element_size;
  struct encoder *e = calloc(1, sizeof *e);
  if (e == NULL)
    return NULL;
  e->deflater = libdeflate_alloc_compressor(store->plan->level > 0 ? store->plan->level : 1);
  e->packed_room = e->deflater != NULL ? libdeflate_zlib_compress_bound(e->deflater, bytes) : 0;
  e->plain = malloc(bytes);
  e->shuffled = malloc(bytes);
  e->packed = malloc(e->packed_room + 1);
  if (e->deflater != NULL && e->plain != NULL && e->shuffled != NULL && e->packed != NULL)
    return e;
  encoder_free(e);
  return NULL;
}

static struct encoder *take_encoder(struct netcdf_store *store)
{
  pthread_mutex_lock(&store->idle_lock);
  struct encoder *e = store->idle;
  if (e != NULL)
    store->idle = e->next;
  pthread_mutex_unlock(&store->idle_lock);
  return e != NULL ? e : encoder_new(store);
}

static void give_encoder(struct netcdf_store *store, struct encoder *e)
{
  pthread_mutex_lock(&store->idle_lock);
  e->next = store->idle;
  store->idle = e;
  pthread_mutex_unlock(&store->idle_lock);
}

static hid_t pair_type(size_t size)
{
  const hid_t part = size == sizeof(float[2]) ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
  const hid_t pair = H5Tcreate(H5T_COMPOUND, size);
  if (pair >= 0 && H5Tinsert(pair, "r", 0, part) >= 0 && H5Tinsert(pair, "i", size / 2, part) >= 0)
    return pair;
  if (pair >= 0)
    H5Tclose(pair);
  return H5I_INVALID_HID;
}

static hid_t memory_type(enum element_type type)
{
  switch (type) {
  case ELEMENT_C64:
  case ELEMENT_C128:
    return pair_type(element_info(type)->size);
  case ELEMENT_I8:
    return H5T_NATIVE_INT8;
  case ELEMENT_U16:
    return H5T_NATIVE_UINT16;
  case ELEMENT_I16:
    return H5T_NATIVE_INT16;
  case ELEMENT_U32:
    return H5T_NATIVE_UINT32;
  case ELEMENT_I32:
    return H5T_NATIVE_INT32;
  case ELEMENT_U64:
    return H5T_NATIVE_UINT64;
  case ELEMENT_I64:
    return H5T_NATIVE_INT64;
  case ELEMENT_F32:
    return H5T_NATIVE_FLOAT;
  case ELEMENT_F64:
    return H5T_NATIVE_DOUBLE;
  default:
    return H5T_NATIVE_UINT8;
  }
}

static int open_datasets(struct netcdf_store *store, const char *path)
{
  const struct netcdf_plan *plan = store->plan;
  const size_t chunk = plan->chunk_elements * store->element_size, share = HDF5_CACHE / plan->variable_count;
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, 521, chunk > share ? chunk : share, 1);
  store->type = memory_type(plan->cube.type);
  store->file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  bool good = store->file >= 0 && store->type >= 0;
  for (size_t i = 0; good && i < plan->variable_count; i++) {
    store->datasets[i] = H5Dopen2(store->file, plan->variables[i], access);
    good = store->datasets[i] >= 0;
  }
  H5Pclose(access);
  return good ? 0 : -1;
}

int netcdf_store_open(const char *path, const struct netcdf_plan *plan, struct netcdf_store **out, struct error *error)
{
  struct netcdf_store *store = calloc(1, sizeof *store);
  if (store == NULL)
    return error_memory(error);
  store->plan = plan;
  store->element_size = element_info(plan->cube.type)->size;
  store->file = -1;
  pthread_mutex_init(&store->idle_lock, NULL);
  netcdf_plan_fill(plan, store->fill);
  store->datasets = calloc(plan->variable_count, sizeof *store->datasets);
  if (store->datasets == NULL) {
    netcdf_store_free(store);
    return error_memory(error);
  }
  for (size_t i = 0; i < plan->variable_count; i++)
    store->datasets[i] = -1;
  int status = -1;
  netcdf_lock();
  H5E_BEGIN_TRY
  {
    status = open_datasets(store, path);
  }
  H5E_END_TRY
  netcdf_unlock();
  if (status != 0) {
    netcdf_store_free(store);
    return error_set(error, "StorageFailure", "the netCDF result cannot be opened for writing");
  }
  *out = store;
  return 0;
}

/* One chunk's share of a piece. */
struct piece_part {
  size_t start[CUBE_MAX_DIMENSIONS]; /* in the variable */
  size_t count[CUBE_MAX_DIMENSIONS];
  size_t room[CUBE_MAX_DIMENSIONS]; /* shape of the buffer: the chunk's where it is covered, else count */
  const char *data;
  bool covered; /* all of the chunk that lies in the variable */
  bool padded;  /* the chunk reaches beyond the variable */
};

static struct piece_part cut(const struct netcdf_store *store, const struct netcdf_piece *piece, const size_t *index)
{
  const struct netcdf_plan *plan = store->plan;
  struct piece_part part = {.covered = true, .data = piece->data};
  for (size_t d = 0; d < plan->rank; d++) {
    const size_t first = index[d] * plan->chunk[d];
    const size_t end = plan->shape[d] - first < plan->chunk[d] ? plan->shape[d] : first + plan->chunk[d];
    const size_t from = piece->start[d] > first ? piece->start[d] : first;
    const size_t to = piece->start[d] + piece->count[d] < end ? piece->start[d] + piece->count[d] : end;
    part.start[d] = from;
    part.count[d] = to - from;
    part.data += (from - piece->start[d]) * piece->step[d] * store->element_size;
    part.covered = part.covered && from == first && to == end;
    part.padded = part.padded || end - first < plan->chunk[d];
  }
  memcpy(part.room, part.covered ? plan->chunk : part.count, sizeof part.room);
  return part;
}

static void copy_row(char *to, const char *from, size_t count, size_t step, size_t size)
{
  if (step == 1) {
    memcpy(to, from, count * size);
    return;
  }
  for (size_t i = 0; i < count; i++)
    memcpy(to + i * size, from + i * step * size, size);
}

/* Gathers the part into `to`, dense in part->room. */
static void gather(const struct netcdf_store *store, const struct netcdf_piece *piece, const struct piece_part *part,
                   unsigned char *to)
{
  const size_t rank = store->plan->rank, size = store->element_size, last = rank > 0 ? rank - 1 : 0;
  size_t at[CUBE_MAX_DIMENSIONS] = {0};
  if (part->covered && part->padded)
    for (size_t i = 0; i < store->plan->chunk_elements; i++)
      memcpy(to + i * size, store->fill, size);
  for (;;) {
    size_t place = 0, offset = 0;
    for (size_t d = 0; d < rank; d++) {
      place = place * part->room[d] + at[d];
      offset += at[d] * piece->step[d];
    }
    copy_row((char *)to + place * size, part->data + offset * size, rank > 0 ? part->count[last] : 1,
             rank > 0 ? piece->step[last] : 1, size);
    size_t d = last;
    while (d > 0 && ++at[d - 1] == part->count[d - 1])
      at[--d] = 0;
    if (d == 0)
      return;
  }
}

/* Whether a sample of the bytes shrinks enough to be worth it. */
static bool worth_deflating(struct encoder *e, size_t bytes)
{
  size_t packed = 0;
  if (bytes < 4 * SAMPLES * SAMPLE_BYTES)
    return true;
  for (size_t i = 0; i < SAMPLES; i++) {
    const size_t at = (2 * i + 1) * bytes / (2 * SAMPLES) - SAMPLE_BYTES / 2;
    const size_t n = libdeflate_zlib_compress(e->deflater, e->shuffled + at, SAMPLE_BYTES, e->packed, e->packed_room);
    packed += n > 0 ? n : SAMPLE_BYTES;
  }
  return packed < SAMPLES * SAMPLE_BYTES / 2;
}

/* Encodes e->plain; says which bytes to store and which filters were skipped. */
static const unsigned char *encode(const struct netcdf_store *store, struct encoder *e, size_t *length, uint32_t *mask)
{
  const struct netcdf_plan *plan = store->plan;
  const size_t bytes = plan->chunk_elements * store->element_size;
  *length = bytes;
  *mask = 0;
  if (plan->level == 0)
    return e->plain;
  if (store->element_size > 1)
    netcdf_shuffle(e->plain, plan->chunk_elements, store->element_size, e->shuffled);
  else
    memcpy(e->shuffled, e->plain, bytes);
  const size_t n = plan->adaptive && !worth_deflating(e, bytes)
                       ? 0
                       : libdeflate_zlib_compress(e->deflater, e->shuffled, bytes, e->packed, e->packed_room);
  if (n > 0 && n < bytes) {
    *length = n;
    return e->packed;
  }
  *mask = (uint32_t)ALL_FILTERS >> (store->element_size > 1 ? 30 : 31);
  return e->plain;
}

static herr_t write_chunk(struct netcdf_store *store, struct encoder *e, const struct netcdf_piece *piece,
                          const struct piece_part *part)
{
  hsize_t offset[CUBE_MAX_DIMENSIONS];
  size_t length;
  uint32_t mask;
  herr_t status = -1;
  const unsigned char *bytes = encode(store, e, &length, &mask);
  for (size_t d = 0; d < store->plan->rank; d++)
    offset[d] = part->start[d];
  netcdf_lock();
  H5E_BEGIN_TRY
  {
    status = H5Dwrite_chunk(store->datasets[piece->variable], H5P_DEFAULT, mask, offset, length, bytes);
  }
  H5E_END_TRY
  netcdf_unlock();
  return status;
}

static herr_t write_slab(struct netcdf_store *store, struct encoder *e, const struct netcdf_piece *piece,
                         const struct piece_part *part)
{
  const int rank = (int)store->plan->rank;
  const hid_t dataset = store->datasets[piece->variable];
  hsize_t start[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS];
  herr_t status = -1;
  for (int d = 0; d < rank; d++) {
    start[d] = part->start[d];
    count[d] = part->count[d];
  }
  netcdf_lock();
  H5E_BEGIN_TRY
  {
    const hid_t memory = rank > 0 ? H5Screate_simple(rank, count, NULL) : H5Screate(H5S_SCALAR);
    const hid_t place = H5Dget_space(dataset);
    if (rank == 0 || H5Sselect_hyperslab(place, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
      status = H5Dwrite(dataset, store->type, memory, place, H5P_DEFAULT, e->plain);
    H5Sclose(place);
    H5Sclose(memory);
  }
  H5E_END_TRY
  netcdf_unlock();
  return status;
}

static int put_chunks(struct netcdf_store *store, struct encoder *e, const struct netcdf_piece *piece,
                      struct error *error)
{
  const struct netcdf_plan *plan = store->plan;
  size_t first[CUBE_MAX_DIMENSIONS] = {0}, index[CUBE_MAX_DIMENSIONS] = {0}, last[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t d = 0; d < plan->rank; d++) {
    if (piece->count[d] == 0)
      return 0;
    index[d] = first[d] = piece->start[d] / plan->chunk[d];
    last[d] = (piece->start[d] + piece->count[d] - 1) / plan->chunk[d];
  }
  for (;;) {
    const struct piece_part part = cut(store, piece, index);
    gather(store, piece, &part, e->plain);
    if ((part.covered && plan->rank > 0 ? write_chunk : write_slab)(store, e, piece, &part) < 0)
      return error_set(error, "StorageFailure", "the netCDF result cannot be written");
    size_t d = plan->rank;
    while (d > 0 && ++index[d - 1] > last[d - 1]) {
      index[d - 1] = first[d - 1];
      d--;
    }
    if (d == 0)
      return 0;
  }
}

int netcdf_store_put(struct netcdf_store *store, const struct netcdf_piece *piece, struct error *error)
{
  struct encoder *e = take_encoder(store);
  if (e == NULL)
    return error_memory(error);
  const int result = put_chunks(store, e, piece, error);
  give_encoder(store, e);
  return result;
}

static herr_t close_handles(struct netcdf_store *store)
{
  herr_t status = 0;
  for (size_t i = 0; store->datasets != NULL && i < store->plan->variable_count; i++) {
    if (store->datasets[i] >= 0 && H5Dclose(store->datasets[i]) < 0)
      status = -1;
    store->datasets[i] = -1;
  }
  if (store->file >= 0 && H5Fclose(store->file) < 0)
    status = -1;
  store->file = -1;
  if (element_info(store->plan->cube.type)->is_complex && store->type > 0) {
    H5Tclose(store->type);
    store->type = 0;
  }
  return status;
}

int netcdf_store_finish(struct netcdf_store *store, struct error *error)
{
  herr_t status = -1;
  netcdf_lock();
  H5E_BEGIN_TRY
  {
    status = close_handles(store);
  }
  H5E_END_TRY
  netcdf_unlock();
  return status < 0 ? error_set(error, "StorageFailure", "the netCDF result cannot be written") : 0;
}

void netcdf_store_free(struct netcdf_store *store)
{
  struct error ignored = {0};
  if (store == NULL)
    return;
  netcdf_store_finish(store, &ignored);
  while (store->idle != NULL) {
    struct encoder *e = store->idle;
    store->idle = e->next;
    encoder_free(e);
  }
  pthread_mutex_destroy(&store->idle_lock);
  free(store->datasets);
  free(store);
}
