/* What the files of the fetcher's loop share: who asks, what they wait for, what is under way.
 *
 *   question (fetch_loop.c) -> wait (fetch_waits.c) -> transfers (fetch_queue.c) -> wait settled: answer
 *
 * A wait is settled when a transfer of its file has ended: all its pages are there, or one of them could not be had. */
#ifndef TWINCUBE_SERVER_FETCH_FETCH_LOOP_STATE_H
#define TWINCUBE_SERVER_FETCH_FETCH_LOOP_STATE_H

#include "server/fetch/fetch_loop.h"
#include "server/fetch/fetch_transfer.h"

enum { FETCH_READERS_MOST = 256, FETCH_WAITS_MOST = 4096, FETCH_HOLDS_MOST = 65536 }; /* waits, holds: of a reader */

struct fetch_reader {
  int fd;          /* -1: gone */
  uint64_t *holds; /* numbers of files that it has open, as often as it has */
  size_t hold_count, hold_room, waits;
};

struct fetch_wait {
  struct fetch_reader *reader;
  uint64_t id;
  struct fetch_file *file; /* held */
  bool is_open;            /* an OPEN, else a NEED */
  bool is_quiet;           /* nobody waits for more than that it is over */
  uint64_t most;           /* OPEN: all of it is wanted, at most so many bytes; 0: not so */
  struct remote_range ranges[REMOTE_RANGES_MOST];
  size_t range_count;
  struct fetch_wait *next;
};

struct fetch_loop {
  const struct fetch_loop_options *options;
  struct fetch_access access;     /* the options', with other accounts where such came */
  struct fetch_account *accounts; /* owned, or NULL */
  struct fetch_cache cache;
  CURLM *multi;
  struct fetch_reader readers[FETCH_READERS_MOST];
  struct fetch_wait *waits;
  struct fetch_transfer *transfers; /* the longest waiting first */
  size_t running;                   /* of them */
  size_t ahead;                     /* … of what nobody had asked for */
  bool is_over;
};

/* ---- fetch_waits.c ---- */

/* A wait for a question about a file, which it holds; NULL where there are too many, or no memory is left. */
struct fetch_wait *fetch_wait_new(struct fetch_loop *loop, struct fetch_reader *reader,
                                  const struct remote_question *question, struct fetch_file *file);
/* Sees to it that the pages of the wait's ranges come. */
int fetch_wait_want(struct fetch_loop *loop, struct fetch_wait *wait, struct error *error);
/* Answers and ends the wait where it can be told how it ends. */
void fetch_wait_settle(struct fetch_loop *loop, struct fetch_wait *wait);
/* … all waits for a file. */
void fetch_waits_settle(struct fetch_loop *loop, const struct fetch_file *file);
/* Answers with the error, or where there is none with success, and ends the wait. */
void fetch_wait_end(struct fetch_loop *loop, struct fetch_wait *wait, struct error *error);
void fetch_answer_error(const struct fetch_reader *reader, uint64_t id, bool is_quiet, const struct error *error);

/* Starts a transfer for the pages [first, end) of a file, all of them absent or wanted, with room for them. */
int fetch_start_part(struct fetch_loop *loop, struct fetch_file *file, size_t first, size_t end, bool is_ahead,
                     struct error *error);

/* ---- fetch_ahead.c ---- */

/* Ranges of a file were asked for: starts transfers for what will be asked for next, where that can be foreseen. */
void fetch_ahead(struct fetch_loop *loop, struct fetch_file *file, const struct remote_range *ranges, size_t count);

/* ---- fetch_queue.c ---- */

/* Takes the transfer, which begins when its turn comes. */
void fetch_queue_add(struct fetch_loop *loop, struct fetch_transfer *transfer);
/* Begins what may begin. */
void fetch_queue_begin(struct fetch_loop *loop);
/* Ends what was performed. */
void fetch_queue_end(struct fetch_loop *loop);
/* Milliseconds until another may begin; a minute where none waits. */
int fetch_queue_pause(const struct fetch_loop *loop);
/* Ends all, without a word to those who wait. */
void fetch_queue_clear(struct fetch_loop *loop);

#endif
