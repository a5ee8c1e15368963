/* A table of 64-bit sums, open addressing: paths by one sum, states by another. */
#include "datacube/remote/remote_states.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct row {
  uint64_t path, state; /* sums; path 0: free */
};

static struct { /* of this process; the lock guards all */
  pthread_mutex_t lock;
  struct row *rows;
  size_t count, room; /* room: a power of two, or 0 */
  uint64_t work;      /* names the work at hand */
} states = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* FNV-1a; never 0. */
static uint64_t sum_text(uint64_t sum, const char *text)
{
  for (; *text; text++)
    sum = (sum ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  return sum ? sum : 1;
}

static uint64_t sum_path(const char *path)
{
  return sum_text(UINT64_C(0xcbf29ce484222325), path);
}

void remote_states_begin(void)
{
  uint64_t work = 0;
  if (getrandom(&work, sizeof work, 0) != (ssize_t)sizeof work)
    work = states.work + 1;
  pthread_mutex_lock(&states.lock);
  free(states.rows);
  states.rows = NULL;
  states.count = states.room = 0;
  states.work = work;
  pthread_mutex_unlock(&states.lock);
}

/* The path's row, or the free one where it would be. There is a free one. */
static struct row *find(struct row *rows, size_t room, uint64_t path)
{
  size_t at = (size_t)path & (room - 1);
  while (rows[at].path != 0 && rows[at].path != path)
    at = (at + 1) & (room - 1);
  return &rows[at];
}

static int grow(void)
{
  const size_t room = states.room ? 2 * states.room : 256;
  struct row *rows = calloc(room, sizeof *rows);
  if (!rows)
    return -1;
  for (size_t i = 0; i < states.room; i++)
    if (states.rows[i].path != 0)
      *find(rows, room, states.rows[i].path) = states.rows[i];
  free(states.rows);
  states.rows = rows;
  states.room = room;
  return 0;
}

int remote_states_note(const char *path, const char *validator, uint64_t size, struct error *error)
{
  const uint64_t state = sum_text(size * UINT64_C(0x9E3779B97F4A7C15), validator);
  int status = 0;
  pthread_mutex_lock(&states.lock);
  if (2 * states.count >= states.room && grow() != 0) {
    pthread_mutex_unlock(&states.lock);
    return error_memory(error);
  }
  struct row *row = find(states.rows, states.room, sum_path(path));
  if (row->path == 0) {
    *row = (struct row){sum_path(path), state};
    states.count++;
  } else if (row->state != state) {
    status = -1;
  }
  pthread_mutex_unlock(&states.lock);
  return status == 0 ? 0
                     : error_set(error, ERROR_FileContentInvalid, "%.200s has changed while it was read: start again",
                                 path);
}

void remote_states_identity(const char *path, struct buffer *out)
{
  pthread_mutex_lock(&states.lock);
  const struct row *row = states.room ? find(states.rows, states.room, sum_path(path)) : NULL;
  const bool is_known = row && row->path != 0;
  buffer_printf(out, "%s%016" PRIx64 " ", is_known ? "state " : "work ", is_known ? row->state : states.work);
  pthread_mutex_unlock(&states.lock);
}
