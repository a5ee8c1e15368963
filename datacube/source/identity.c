/* Pieces of a source's identity. See identity.h. */
#include "datacube/source/identity.h"

#include "datacube/remote/remote_file.h"
#include "datacube/remote/remote_states.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SHORT_CONTENT = 4096 };

void identity_text(struct buffer *out, const char *text)
{
  if (text)
    buffer_printf(out, "%zu:%s ", strlen(text), text);
  else
    buffer_text(out, "- ");
}

void identity_number(struct buffer *out, double number)
{
  buffer_printf(out, "%a ", number);
}

void identity_count(struct buffer *out, uint64_t count)
{
  buffer_printf(out, "%" PRIu64 " ", count);
}

void identity_file(struct buffer *out, const char *path)
{
  struct stat s;
  identity_text(out, path);
  if (remote_is(path)) {
    remote_states_identity(remote_url(path), out);
    return;
  }
  if (stat(path, &s) != 0) {
    buffer_text(out, "absent ");
    return;
  }
  buffer_printf(out, "%ju %ju %jd %jd.%09ld ", (uintmax_t)s.st_dev, (uintmax_t)s.st_ino, (intmax_t)s.st_size,
                (intmax_t)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
}

void identity_unique(struct buffer *out)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  buffer_printf(out, "%jd.%09ld %jd %p ", (intmax_t)now.tv_sec, now.tv_nsec, (intmax_t)getpid(), (const void *)out);
}

void identity_grid(struct buffer *out, const struct grid *grid)
{
  buffer_printf(out, "%a %a %a %a %zu %zu ", grid->west, grid->north, grid->res_x, grid->res_y, grid->width,
                grid->height);
  identity_text(out, grid->crs);
}

void identity_extent(struct buffer *out, const struct extent *e)
{
  buffer_printf(out, "%a %a %a %a ", e->west, e->south, e->east, e->north);
  identity_text(out, e->crs);
}

struct content_sum {
  uint64_t a, b;
};

static void sum_word(struct content_sum *s, uint64_t word)
{
  s->a = (s->a ^ word) * UINT64_C(0x9E3779B97F4A7C15);
  s->a ^= s->a >> 29;
  s->b = (s->b + word) * UINT64_C(0xD6E8FEB86659FD93);
  s->b ^= s->b >> 32;
}

void identity_bytes(struct buffer *out, const void *bytes, size_t length)
{
  buffer_printf(out, "%zu:", length);
  if (length <= SHORT_CONTENT) {
    buffer_add(out, bytes, length);
    buffer_text(out, " ");
    return;
  }
  struct content_sum sum = {UINT64_C(0x243F6A8885A308D3), UINT64_C(0x13198A2E03707344)};
  const unsigned char *p = bytes;
  uint64_t word;
  size_t i = 0;
  for (; i + sizeof word <= length; i += sizeof word) {
    memcpy(&word, p + i, sizeof word);
    sum_word(&sum, word);
  }
  word = 0;
  memcpy(&word, p + i, length - i);
  sum_word(&sum, word);
  buffer_printf(out, "%016" PRIx64 "%016" PRIx64 " ", sum.a, sum.b);
}

static void identity_dimension(struct buffer *out, const struct dimension *d)
{
  identity_text(out, d->name);
  buffer_printf(out, "%d %d %zu %d %d ", (int)d->type, d->axis, d->size, (int)d->labels, (int)d->calendar);
  identity_text(out, d->unit);
  identity_text(out, d->reference_system);
  if (d->labels == LABEL_STEP)
    buffer_printf(out, "%a %a ", d->start, d->step);
  if (d->labels == LABEL_NUMBER || (d->labels == LABEL_TEXT && d->numbers))
    identity_bytes(out, d->numbers, d->size * sizeof *d->numbers);
  if (d->labels == LABEL_TIME)
    identity_bytes(out, d->times, d->size * sizeof *d->times);
  for (size_t i = 0; d->texts && (d->labels == LABEL_TEXT || d->labels == LABEL_TIME) && i < d->size; i++)
    identity_text(out, d->texts[i]);
}

void identity_cube(struct buffer *out, const struct cube *cube)
{
  buffer_printf(out, "%s %d ", element_info(cube->type)->name, cube->has_nodata);
  identity_number(out, cube->has_nodata ? cube->nodata : 0);
  identity_text(out, cube->crs);
  for (size_t i = 0; i < cube->dimensions; i++)
    identity_dimension(out, &cube->dimension[i]);
}
