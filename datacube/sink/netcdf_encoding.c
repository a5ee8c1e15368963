/* Chunks of a netCDF file, encoded by the threads that bring them.
 *
 * A piece is cut along the chunks. Where it covers all of a chunk that lies in the variable, the chunk is shuffled and
 * deflated right here; the part of an edge chunk outside the variable is no-data. Where it covers a chunk in part, that
 * part stays as it is, for HDF5 to merge it.
 *
 * Adaptive: noise, as the low bytes of floats are, costs more time than it saves room. A sample decides per chunk; what
 * does not shrink to half is stored as it is, with the filters masked out, which every reader of HDF5 understands. */
#include "datacube/sink/netcdf_encoding.h"

#include "datacube/sink/rooms.h"
#include "datacube/source/netcdf_convert.h"

#include <libdeflate.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { SAMPLE_BYTES = 4096, SAMPLES = 8, ALL_FILTERS = ~0 };

struct encoder { /* one thread's room */
  struct encoder *next;
  struct libdeflate_compressor *deflater, *store;
  ZSTD_CCtx *zstd;
  unsigned char *shuffled;
};

struct netcdf_encoding {
  const struct netcdf_plan *plan;
  size_t element_size;
  unsigned char fill[16];
  struct statistics_rule rule;
  struct rooms rooms; /* of a chunk's size and some */
  pthread_mutex_t idle_lock;
  struct encoder *idle;
};

static void encoder_free(struct encoder *e)
{
  if (e == NULL)
    return;
  libdeflate_free_compressor(e->deflater);
  libdeflate_free_compressor(e->store);
  ZSTD_freeCCtx(e->zstd);
  free(e->shuffled);
  free(e);
}

static struct encoder *encoder_new(const struct netcdf_encoding *encoding)
{
  struct encoder *e = calloc(1, sizeof *e);
  if (e == NULL)
    return NULL;
  e->deflater = libdeflate_alloc_compressor(encoding->plan->level > 0 ? encoding->plan->level : 1);
  e->shuffled = malloc(encoding->plan->chunk_elements * encoding->element_size);
  e->store = libdeflate_alloc_compressor(0);
  e->zstd = encoding->plan->codec == CODEC_ZSTD ? ZSTD_createCCtx() : NULL;
  if (e->deflater != NULL && e->store != NULL && e->shuffled != NULL &&
      (e->zstd != NULL || encoding->plan->codec != CODEC_ZSTD))
    return e;
  encoder_free(e);
  return NULL;
}

static struct encoder *take_encoder(struct netcdf_encoding *encoding)
{
  pthread_mutex_lock(&encoding->idle_lock);
  struct encoder *e = encoding->idle;
  if (e != NULL)
    encoding->idle = e->next;
  pthread_mutex_unlock(&encoding->idle_lock);
  return e != NULL ? e : encoder_new(encoding);
}

static void give_encoder(struct netcdf_encoding *encoding, struct encoder *e)
{
  pthread_mutex_lock(&encoding->idle_lock);
  e->next = encoding->idle;
  encoding->idle = e;
  pthread_mutex_unlock(&encoding->idle_lock);
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

static struct piece_part cut(const struct netcdf_encoding *encoding, const struct netcdf_piece *piece,
                             const size_t *index)
{
  const struct netcdf_plan *plan = encoding->plan;
  struct piece_part part = {.covered = true, .data = piece->data};
  for (size_t d = 0; d < plan->rank; d++) {
    const size_t first = index[d] * plan->chunk[d];
    const size_t end = plan->shape[d] - first < plan->chunk[d] ? plan->shape[d] : first + plan->chunk[d];
    const size_t from = piece->start[d] > first ? piece->start[d] : first;
    const size_t to = piece->start[d] + piece->count[d] < end ? piece->start[d] + piece->count[d] : end;
    part.start[d] = from;
    part.count[d] = to - from;
    part.data += (from - piece->start[d]) * piece->step[d] * encoding->element_size;
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
static void gather(const struct netcdf_encoding *encoding, const struct netcdf_piece *piece,
                   const struct piece_part *part, unsigned char *to)
{
  const size_t rank = encoding->plan->rank, size = encoding->element_size, last = rank > 0 ? rank - 1 : 0;
  size_t at[CUBE_MAX_DIMENSIONS] = {0};
  if (part->covered && part->padded)
    for (size_t i = 0; i < encoding->plan->chunk_elements; i++)
      memcpy(to + i * size, encoding->fill, size);
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

/* Of the part in `data`, which is dense in part->room: rows of what lies in the variable. */
static void look_at_part(const struct netcdf_encoding *encoding, const struct piece_part *part,
                         const unsigned char *data, struct statistics *out)
{
  const size_t rank = encoding->plan->rank, last = rank > 0 ? rank - 1 : 0;
  size_t at[CUBE_MAX_DIMENSIONS] = {0};
  for (bool more = statistics_possible(encoding->rule.type); more;) {
    size_t place = 0, row = rank > 0 ? part->count[last] : 1;
    for (size_t d = 0; d < rank; d++)
      place = place * part->room[d] + at[d];
    more = false;
    for (size_t d = last; d-- > 0 && !more;) {
      more = ++at[d] < part->count[d];
      at[d] = more ? at[d] : 0;
    }
    statistics_add(out, &encoding->rule, data + place * encoding->element_size, row);
  }
}

static bool shuffles(const struct netcdf_encoding *encoding)
{
  return encoding->element_size > 1 && (encoding->plan->codec == CODEC_HDF5 || encoding->plan->shuffles);
}

/* The chunk as it is deflated, in e->shuffled. */
static void shuffle(const struct netcdf_encoding *encoding, struct encoder *e, const unsigned char *plain)
{
  const size_t elements = encoding->plan->chunk_elements, size = encoding->element_size;
  if (shuffles(encoding))
    netcdf_shuffle(plain, elements, size, e->shuffled);
  else
    memcpy(e->shuffled, plain, elements * size);
}

/* Bytes from `at` on of what shuffle would make. */
static void sample(const struct netcdf_encoding *encoding, const unsigned char *plain, size_t at,
                   unsigned char out[SAMPLE_BYTES])
{
  const size_t size = shuffles(encoding) ? encoding->element_size : 1;
  const size_t elements = encoding->plan->chunk_elements * encoding->element_size / size;
  size_t byte = at / elements, element = at % elements;
  for (size_t i = 0; i < SAMPLE_BYTES; i++) {
    out[i] = plain[element * size + byte];
    byte += ++element == elements;
    element = element == elements ? 0 : element;
  }
}

/* Whether samples of the shuffled bytes shrink enough to be worth it; the room is for the try. */
static bool worth_deflating(const struct netcdf_encoding *encoding, struct encoder *e, const unsigned char *plain,
                            unsigned char *room)
{
  const size_t bytes = encoding->plan->chunk_elements * encoding->element_size;
  unsigned char part[SAMPLE_BYTES];
  size_t packed = 0;
  if (bytes < 4 * SAMPLES * SAMPLE_BYTES)
    return true;
  for (size_t i = 0; i < SAMPLES; i++) {
    sample(encoding, plain, (2 * i + 1) * bytes / (2 * SAMPLES) - SAMPLE_BYTES / 2, part);
    const size_t n = libdeflate_zlib_compress(e->deflater, part, SAMPLE_BYTES, room, 2 * SAMPLE_BYTES);
    packed += n > 0 ? n : SAMPLE_BYTES;
  }
  return packed < SAMPLES * SAMPLE_BYTES / 2;
}

/* Zarr's chunk, packed into the room; how many bytes, 0: it failed. */
static size_t pack(const struct netcdf_encoding *encoding, struct encoder *e, const unsigned char *plain,
                   unsigned char *room)
{
  const struct netcdf_plan *plan = encoding->plan;
  const size_t bytes = plan->chunk_elements * encoding->element_size, most = encoding->rooms.bytes;
  struct libdeflate_compressor *by =
      plan->codec != CODEC_ZSTD && plan->adaptive && !worth_deflating(encoding, e, plain, room) ? e->store
                                                                                                : e->deflater;
  shuffle(encoding, e, plain);
  if (plan->codec == CODEC_ZSTD) {
    const size_t n = ZSTD_compressCCtx(e->zstd, room, most, e->shuffled, bytes, plan->level);
    return ZSTD_isError(n) ? 0 : n;
  }
  return (plan->codec == CODEC_GZIP ? libdeflate_gzip_compress : libdeflate_zlib_compress)(by, e->shuffled, bytes, room,
                                                                                           most);
}

/* Encodes the chunk in `plain`, a room that is used up; -1: out of memory. */
static int encode(struct netcdf_encoding *encoding, struct encoder *e, unsigned char *plain, struct netcdf_held *out)
{
  const struct netcdf_plan *plan = encoding->plan;
  const size_t bytes = plan->chunk_elements * encoding->element_size;
  unsigned char *packed = plan->level > 0 ? rooms_take(&encoding->rooms) : NULL;
  out->bytes = plain;
  out->length = bytes;
  if (plan->level == 0)
    return 0;
  if (packed == NULL)
    return -1;
  if (plan->codec != CODEC_HDF5) {
    out->bytes = packed;
    out->length = pack(encoding, e, plain, packed);
    rooms_give(&encoding->rooms, plain);
    return out->length > 0 ? 0 : -1;
  }
  size_t n = 0;
  if (!plan->adaptive || worth_deflating(encoding, e, plain, packed)) { /* noise is not even shuffled */
    shuffle(encoding, e, plain);
    n = libdeflate_zlib_compress(e->deflater, e->shuffled, bytes, packed, encoding->rooms.bytes);
  }
  if (n > 0 && n < bytes) {
    out->bytes = packed;
    out->length = n;
    rooms_give(&encoding->rooms, plain);
    return 0;
  }
  out->mask = (uint32_t)ALL_FILTERS >> (encoding->element_size > 1 ? 30 : 31);
  rooms_give(&encoding->rooms, packed);
  return 0;
}

/* The part of the piece, ready to be written; NULL: out of memory. */
static struct netcdf_held *hold(struct netcdf_encoding *encoding, struct encoder *e, const struct netcdf_piece *piece,
                                const struct piece_part *part)
{
  const size_t rank = encoding->plan->rank;
  struct netcdf_held *held = calloc(1, sizeof *held);
  unsigned char *plain = held != NULL ? rooms_take(&encoding->rooms) : NULL;
  if (plain == NULL) {
    free(held);
    return NULL;
  }
  gather(encoding, piece, part, plain);
  *held = (struct netcdf_held){.variable = piece->variable, .is_chunk = part->covered && rank > 0, .bytes = plain};
  look_at_part(encoding, part, plain, &held->statistics);
  held->length = encoding->element_size;
  for (size_t d = 0; d < rank; d++) {
    held->start[d] = part->start[d];
    held->count[d] = part->count[d];
    held->length *= part->count[d];
  }
  int status = held->is_chunk ? encode(encoding, e, plain, held) : 0;
  if (status != 0)
    rooms_give(&encoding->rooms, held->bytes);
  held->bytes = status == 0 ? rooms_keep(&encoding->rooms, held->bytes, held->length) : NULL;
  if (held->bytes != NULL)
    return held;
  free(held);
  return NULL;
}

static int hold_chunks(struct netcdf_encoding *encoding, struct encoder *e, const struct netcdf_piece *piece,
                       struct netcdf_parcel *to)
{
  const struct netcdf_plan *plan = encoding->plan;
  size_t first[CUBE_MAX_DIMENSIONS] = {0}, index[CUBE_MAX_DIMENSIONS] = {0}, last[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t d = 0; d < plan->rank; d++) {
    if (piece->count[d] == 0)
      return 0;
    index[d] = first[d] = piece->start[d] / plan->chunk[d];
    last[d] = (piece->start[d] + piece->count[d] - 1) / plan->chunk[d];
  }
  for (;;) {
    const struct piece_part part = cut(encoding, piece, index);
    struct netcdf_held *held = hold(encoding, e, piece, &part);
    if (held == NULL)
      return -1;
    *to->last = held;
    to->last = &held->next;
    size_t d = plan->rank;
    while (d > 0 && ++index[d - 1] > last[d - 1]) {
      index[d - 1] = first[d - 1];
      d--;
    }
    if (d == 0)
      return 0;
  }
}

int netcdf_encoding_add(struct netcdf_encoding *encoding, const struct netcdf_piece *piece, struct netcdf_parcel *to,
                        struct error *error)
{
  struct encoder *e = take_encoder(encoding);
  if (e == NULL)
    return error_memory(error);
  if (to->first == NULL)
    to->last = &to->first;
  const int result = hold_chunks(encoding, e, piece, to);
  give_encoder(encoding, e);
  return result == 0 ? 0 : error_memory(error);
}

unsigned char *netcdf_encoding_blank(struct netcdf_encoding *encoding)
{
  unsigned char *chunk = rooms_take(&encoding->rooms);
  for (size_t i = 0; chunk != NULL && i < encoding->plan->chunk_elements; i++)
    memcpy(chunk + i * encoding->element_size, encoding->fill, encoding->element_size);
  return chunk;
}

void netcdf_encoding_unblank(struct netcdf_encoding *encoding, unsigned char *chunk)
{
  rooms_give(&encoding->rooms, chunk);
}

int netcdf_encoding_chunk(struct netcdf_encoding *encoding, const unsigned char *chunk, struct netcdf_held *out)
{
  struct encoder *e = take_encoder(encoding);
  unsigned char *plain = e != NULL ? rooms_take(&encoding->rooms) : NULL;
  int status = -1;
  *out = (struct netcdf_held){0};
  if (plain != NULL) {
    memcpy(plain, chunk, encoding->plan->chunk_elements * encoding->element_size);
    out->bytes = plain;
    status = encode(encoding, e, plain, out);
    if (status != 0)
      rooms_give(&encoding->rooms, out->bytes);
    out->bytes = status == 0 ? rooms_keep(&encoding->rooms, out->bytes, out->length) : NULL;
  }
  if (e != NULL)
    give_encoder(encoding, e);
  return out->bytes != NULL ? 0 : -1;
}

void netcdf_held_release(struct netcdf_encoding *encoding, struct netcdf_held *held)
{
  rooms_release(&encoding->rooms, held->bytes, held->length);
}

const struct netcdf_plan *netcdf_encoding_plan(const struct netcdf_encoding *encoding)
{
  return encoding->plan;
}

void netcdf_parcel_free(struct netcdf_encoding *encoding, struct netcdf_parcel *parcel)
{
  for (struct netcdf_held *held = parcel->first, *next; held != NULL; held = next) {
    next = held->next;
    rooms_release(&encoding->rooms, held->bytes, held->length);
    free(held);
  }
  *parcel = (struct netcdf_parcel){0};
}

struct netcdf_encoding *netcdf_encoding_new(const struct netcdf_plan *plan)
{
  struct netcdf_encoding *encoding = calloc(1, sizeof *encoding);
  if (encoding == NULL)
    return NULL;
  encoding->plan = plan;
  encoding->element_size = element_info(plan->cube.type)->size;
  encoding->rule = statistics_rule_of(&plan->cube);
  pthread_mutex_init(&encoding->idle_lock, NULL);
  netcdf_plan_fill(plan, encoding->fill);
  const size_t bytes = plan->chunk_elements * encoding->element_size,
               deflated = libdeflate_gzip_compress_bound(NULL, bytes);
  rooms_begin(&encoding->rooms, ZSTD_compressBound(bytes) > deflated ? ZSTD_compressBound(bytes) : deflated);
  return encoding;
}

void netcdf_encoding_free(struct netcdf_encoding *encoding)
{
  if (encoding == NULL)
    return;
  while (encoding->idle != NULL) {
    struct encoder *e = encoding->idle;
    encoding->idle = e->next;
    encoder_free(e);
  }
  pthread_mutex_destroy(&encoding->idle_lock);
  rooms_end(&encoding->rooms);
  free(encoding);
}
