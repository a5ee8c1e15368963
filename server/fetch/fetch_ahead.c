/* Reading ahead. Whoever reads on through a file, as a run over a whole scene does block by block, would wait for an
 * answer at each step. So a file remembers where its readers have come to, and where one goes on from there, what
 * follows is fetched before it is asked for: as much again as was read one after the other, up to a limit, in parts
 * that come side by side. Several readers, of rows of blocks or of parts of the file, are streams of their own; threads
 * that share one may ask a little out of turn.
 *
 * What nobody asked for takes no room and no turn from what somebody did: it is left out where the cache is half full
 * of files that are held, and so many transfers at a time are less than a host gets. */
#include "server/fetch/fetch_loop_state.h"

enum {
  STREAM_PAGES = 32,  /* read one after the other before anything is fetched ahead: 512 KiB */
  AHEAD_PAGES = 1024, /* at most, of a stream: 16 MiB */
  PART_PAGES = 64,    /* of one transfer: 1 MiB */
  SLACK_PAGES = 64,   /* by which a question may lie off where it is expected */
  AHEAD_AT_ONCE = 24  /* transfers, less than FETCH_AT_ONCE_HOST */
};

static bool continues(const struct fetch_stream *s, size_t first)
{
  const size_t furthest = s->ahead > s->end ? s->ahead : s->end;
  return s->run > 0 && first + SLACK_PAGES >= s->end && first <= furthest + SLACK_PAGES;
}

/* The stream that goes on with the pages [first, end); in place of the longest unused where there is none, a new one.
 */
static struct fetch_stream *stream_of(struct fetch_file *file, size_t first, size_t end)
{
  struct fetch_stream *oldest = &file->streams[0];
  for (size_t i = 0; i < FETCH_STREAMS; i++) {
    struct fetch_stream *s = &file->streams[i];
    if (continues(s, first)) {
      s->begin = first < s->begin ? first : s->begin;
      s->end = end > s->end ? end : s->end;
      s->run += end - first;
      s->run = s->run < s->end - s->begin ? s->run : s->end - s->begin;
      s->used = file->clock;
      return s;
    }
    oldest = s->used < oldest->used ? s : oldest;
  }
  *oldest = (struct fetch_stream){.begin = first, .end = end, .run = end - first, .used = file->clock};
  return oldest;
}

/* Absent pages from `first` on, before `end`, as many as one transfer takes: the page behind them; `first` where the
 * page is not absent. */
static size_t absent_until(const struct fetch_file *file, size_t first, size_t end)
{
  size_t page = first;
  while (page < end && page - first < PART_PAGES && file->pages[page] == PAGE_ABSENT)
    page++;
  return page;
}

/* An error is left to those who will ask. */
static void fetch_following(struct fetch_loop *loop, struct fetch_file *file, struct fetch_stream *s, size_t limit)
{
  struct error ignored = {0};
  size_t page = s->ahead > s->end ? s->ahead : s->end;
  while (page < limit && loop->ahead < AHEAD_AT_ONCE) {
    const size_t end = absent_until(file, page, limit);
    const uint64_t bytes = (uint64_t)(end - page) * REMOTE_PAGE;
    if (end > page &&
        (!fetch_cache_spares(&loop->cache, bytes) || fetch_start_part(loop, file, page, end, true, &ignored) != 0))
      return;
    page = end > page ? end : page + 1;
    s->ahead = page;
  }
}

void fetch_ahead(struct fetch_loop *loop, struct fetch_file *file, const struct remote_range *ranges, size_t count)
{
  file->clock++;
  for (size_t i = 0; i < count && file->state == FETCH_READY && !file->is_complete; i++) {
    if (ranges[i].length == 0 || ranges[i].offset >= file->size || ranges[i].length > file->size - ranges[i].offset)
      return;
    const size_t first = (size_t)(ranges[i].offset / REMOTE_PAGE);
    const size_t end = (size_t)((ranges[i].offset + ranges[i].length - 1) / REMOTE_PAGE) + 1;
    struct fetch_stream *s = stream_of(file, first, end);
    const size_t window = s->run < AHEAD_PAGES ? s->run : AHEAD_PAGES;
    const size_t left = file->page_count - s->end, limit = s->end + (window < left ? window : left);
    const bool is_dense = 2 * s->run >= s->end - s->begin; /* whoever takes a little here and there goes on so */
    if (is_dense && s->run > end - first && s->run >= STREAM_PAGES) /* it has gone on */
      fetch_following(loop, file, s, limit);
  }
}
