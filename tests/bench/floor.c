/* The floors under the benchmark: what no program that reads these bytes and writes those can go below.
 *
 *   floor decode THREADS INDEX    every stretch of bytes that INDEX names, read once and inflated, shared out to the
 *                                 threads; a line each: codec (none, zlib, gzip, zstd), offset, bytes, bytes inflated,
 *                                 path (chunks.py writes them). Predictors and shuffling are not undone
 *   floor write BYTES OUT         a new file of so many bytes, by one thread
 *   floor memory THREADS          gigabytes a second that the threads together read, and copy */
#include <libdeflate.h>
#include <zstd.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 256, PATH_SIZE = 1024, PIECE_BYTES = 1 << 20 };

/* ---- decode ------------------------------------------------------------------------------------------------------ */

struct stretch {
  char codec[8];
  off_t offset;
  size_t bytes, inflated;
  size_t file; /* index of its path */
};

struct index {
  struct stretch *stretches;
  size_t count;
  int *files; /* descriptors, in the order of first use */
  size_t file_count;
  size_t largest, largest_inflated; /* bytes */
  atomic_size_t next;
  _Atomic uint64_t sum; /* so that no decoding can be left out */
  atomic_bool failed;
};

static void *grown(void *items, size_t count, size_t size)
{
  if ((count & (count - 1)) != 0 && count != 0)
    return items;
  items = realloc(items, (count ? 2 * count : 1) * size);
  if (items == NULL)
    exit(1);
  return items;
}

/* Stretches of one file follow each other. */
static bool read_index(struct index *index, const char *path)
{
  static char names[2][PATH_SIZE]; /* the last one and this one, in turn */
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return false;
  for (;;) {
    struct stretch s = {0};
    long long offset;
    char *name = names[index->count % 2];
    if (fscanf(file, "%7s %lld %zu %zu %1023[^\n]", s.codec, &offset, &s.bytes, &s.inflated, name) != 5)
      break;
    s.offset = offset;
    if (strcmp(names[0], names[1]) != 0) {
      index->files = grown(index->files, index->file_count, sizeof *index->files);
      index->files[index->file_count++] = open(name, O_RDONLY | O_CLOEXEC);
    }
    s.file = index->file_count - 1;
    index->largest = s.bytes > index->largest ? s.bytes : index->largest;
    index->largest_inflated = s.inflated > index->largest_inflated ? s.inflated : index->largest_inflated;
    index->stretches = grown(index->stretches, index->count, sizeof *index->stretches);
    index->stretches[index->count++] = s;
  }
  const bool whole = feof(file);
  fclose(file);
  return whole && index->count > 0;
}

static bool inflate(struct libdeflate_decompressor *inflater, const struct stretch *s, const void *from, void *to)
{
  size_t got = 0;
  if (strcmp(s->codec, "zlib") == 0)
    return libdeflate_zlib_decompress(inflater, from, s->bytes, to, s->inflated, &got) == LIBDEFLATE_SUCCESS;
  if (strcmp(s->codec, "gzip") == 0)
    return libdeflate_gzip_decompress(inflater, from, s->bytes, to, s->inflated, &got) == LIBDEFLATE_SUCCESS;
  if (strcmp(s->codec, "zstd") == 0)
    return !ZSTD_isError(ZSTD_decompress(to, s->inflated, from, s->bytes));
  return strcmp(s->codec, "none") == 0;
}

static void *decode_some(void *argument)
{
  struct index *index = argument;
  unsigned char *from = malloc(index->largest + 1), *to = calloc(1, index->largest_inflated + 1);
  struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
  bool good = from != NULL && to != NULL && inflater != NULL;
  uint64_t sum = 0;
  for (size_t i; good && (i = atomic_fetch_add(&index->next, 1)) < index->count;) {
    const struct stretch *s = &index->stretches[i];
    good =
        pread(index->files[s->file], from, s->bytes, s->offset) == (ssize_t)s->bytes && inflate(inflater, s, from, to);
    sum += to[s->inflated / 2] + from[s->bytes / 2];
  }
  if (!good)
    atomic_store(&index->failed, true);
  atomic_fetch_add(&index->sum, sum);
  libdeflate_free_decompressor(inflater);
  free(from);
  free(to);
  return NULL;
}

static void on_threads(unsigned threads, void *(*work)(void *), void *arguments, size_t size)
{
  pthread_t thread[MAX_THREADS];
  for (unsigned t = 0; t < threads; t++)
    if (pthread_create(&thread[t], NULL, work, (char *)arguments + t * size) != 0)
      exit(1);
  for (unsigned t = 0; t < threads; t++)
    pthread_join(thread[t], NULL);
}

static int floor_decode(unsigned threads, const char *path)
{
  struct index index = {0};
  if (!read_index(&index, path))
    return -1;
  on_threads(threads, decode_some, &index, 0);
  printf("checksum %llu\n", (unsigned long long)index.sum);
  return atomic_load(&index.failed) ? -1 : 0;
}

/* ---- write ------------------------------------------------------------------------------------------------------- */

static int floor_write(size_t bytes, const char *path)
{
  static unsigned char piece[PIECE_BYTES];
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  for (size_t i = 0; i < sizeof piece; i++)
    piece[i] = (unsigned char)(i * 7);
  while (file >= 0 && bytes > 0) {
    size_t some = bytes < sizeof piece ? bytes : sizeof piece;
    if (write(file, piece, some) != (ssize_t)some)
      return -1;
    bytes -= some;
  }
  return file >= 0 ? close(file) : -1;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

enum { MEMORY_BYTES = 256 << 20, MEMORY_ROUNDS = 5 }; /* a thread; far above any cache */

struct memory { /* of one thread */
  uint64_t *from, *to;
  uint64_t sum;
};

static void *read_memory(void *argument)
{
  struct memory *m = argument;
  uint64_t sum[8] = {0};
  for (size_t i = 0; i < MEMORY_BYTES / sizeof(uint64_t); i += 8)
    for (int lane = 0; lane < 8; lane++)
      sum[lane] += m->from[i + (size_t)lane];
  for (int lane = 0; lane < 8; lane++)
    m->sum += sum[lane];
  return NULL;
}

static void *copy_memory(void *argument)
{
  struct memory *m = argument;
  memcpy(m->to, m->from, MEMORY_BYTES);
  m->sum += m->to[m->sum % 1000];
  return NULL;
}

/* Gigabytes a second of the fastest round. */
static double memory_rate(void *(*work)(void *), struct memory *parts, unsigned threads)
{
  double best = 0;
  for (int round = 0; round < MEMORY_ROUNDS; round++) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    on_threads(threads, work, parts, sizeof *parts);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    double rate = 1e-9 * threads * MEMORY_BYTES / seconds;
    best = rate > best ? rate : best;
  }
  return best;
}

static int floor_memory(unsigned threads)
{
  static struct memory parts[MAX_THREADS];
  uint64_t sum = 0;
  for (unsigned t = 0; t < threads; t++) {
    parts[t] = (struct memory){malloc(MEMORY_BYTES), malloc(MEMORY_BYTES), 0};
    if (parts[t].from == NULL || parts[t].to == NULL)
      return -1;
    memset(parts[t].from, 1, MEMORY_BYTES);
    memset(parts[t].to, 2, MEMORY_BYTES);
  }
  double reading = memory_rate(read_memory, parts, threads), copying = memory_rate(copy_memory, parts, threads);
  for (unsigned t = 0; t < threads; t++)
    sum += parts[t].sum;
  printf("reads %.1f copies %.1f checksum %llu\n", reading, copying, (unsigned long long)sum);
  return 0;
}

int main(int count, char **arguments)
{
  const char *what = count > 2 ? arguments[1] : "";
  const long long number = count > 2 ? strtoll(arguments[2], NULL, 10) : 0;
  const bool threads = number >= 1 && number <= MAX_THREADS;
  int status = 0;
  if (strcmp(what, "decode") == 0 && count == 4 && threads)
    status = floor_decode((unsigned)number, arguments[3]);
  else if (strcmp(what, "write") == 0 && count == 4 && number >= 0)
    status = floor_write((size_t)number, arguments[3]);
  else if (strcmp(what, "memory") == 0 && count == 3 && threads)
    status = floor_memory((unsigned)number);
  else {
    fprintf(stderr, "usage: floor decode THREADS INDEX | write BYTES OUT | memory THREADS\n");
    return 2;
  }
  if (status != 0)
    fprintf(stderr, "floor: cannot read the inputs or write the result\n");
  return status == 0 ? 0 : 1;
}
