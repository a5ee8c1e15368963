/* Messages in pieces, and waiting for them. See ranks.h. */
#include "hpc/ranks/ranks.h"

#include <sched.h>
#include <time.h>

/* Tries without a pause, soon with a short one, later with a long one; nanoseconds. By the clock: where others want the
 * core, one that yields comes back late, and one that has slept comes back soon. */
enum { EAGER = 100 * 1000, EARLY = 1000 * 1000 * 1000, SHORT_PAUSE = 50 * 1000, LONG_PAUSE = 1000 * 1000 };

static int64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 * 1000 * 1000 + time.tv_nsec;
}

/* `idle` is when nothing has moved since; 0: it has just moved. */
static void pause_between(int64_t *idle)
{
  *idle = *idle == 0 ? now() : *idle;
  const int64_t waited = now() - *idle;
  if (waited < EAGER) {
    sched_yield();
    return;
  }
  const struct timespec pause = {.tv_nsec = waited < EARLY ? SHORT_PAUSE : LONG_PAUSE};
  nanosleep(&pause, NULL);
}

static int give_up(struct ranks *ranks, struct error *error)
{
  ranks->broken = true;
  return ranks->cancel != NULL && *ranks->cancel != 0
             ? error_set(error, ERROR_RequestTimeout, "the run was cancelled")
             : error_set(error, ERROR_Internal, "rank %zu has lost the others", ranks->rank);
}

struct transfer {
  struct ranks_message out, in; /* what is left; the pointers move on */
  uintptr_t ticket;
  size_t flying; /* bytes of the piece that is being sent; 0: none is */
};

static size_t piece_of(size_t bytes)
{
  return bytes < RANKS_PIECE ? bytes : RANKS_PIECE;
}

/* 1 where something moved, 0, or -1. */
static int step_out(struct ranks *ranks, struct transfer *t)
{
  if (t->out.bytes == 0) {
    return 0;
  }
  if (t->flying == 0) {
    t->flying = piece_of(t->out.bytes);
    return ranks->transport->send(ranks->state, t->out.rank, t->out.data, t->flying, &t->ticket) == 0 ? 1 : -1;
  }
  int status = ranks->transport->sent(ranks->state, &t->ticket);
  if (status == 1) {
    t->out.data = (char *)t->out.data + t->flying;
    t->out.bytes -= t->flying;
    t->flying = 0;
  }
  return status;
}

static int step_in(struct ranks *ranks, struct transfer *t)
{
  size_t piece = piece_of(t->in.bytes);
  int status = piece == 0 ? 0 : ranks->transport->receive(ranks->state, t->in.rank, t->in.data, piece);
  if (status == 1) {
    t->in.data = (char *)t->in.data + piece;
    t->in.bytes -= piece;
  }
  return status;
}

static int run_transfer(struct ranks *ranks, struct transfer *t, struct error *error)
{
  int64_t idle = 0;
  while (!ranks->broken && (t->out.bytes > 0 || t->in.bytes > 0)) {
    int out = step_out(ranks, t), in = out < 0 ? -1 : step_in(ranks, t);
    if (out < 0 || in < 0 || (ranks->cancel != NULL && *ranks->cancel != 0)) {
      return give_up(ranks, error);
    }
    if (out + in > 0) {
      idle = 0;
    } else {
      pause_between(&idle);
    }
  }
  return ranks->broken ? give_up(ranks, error) : 0;
}

int ranks_exchange(struct ranks *ranks, const struct ranks_message *out, const struct ranks_message *in,
                   struct error *error)
{
  return run_transfer(ranks, &(struct transfer){.out = *out, .in = *in}, error);
}

int ranks_send(struct ranks *ranks, size_t to, const void *data, size_t bytes, struct error *error)
{
  /* only read */
  return run_transfer(ranks, &(struct transfer){.out = {to, (void *)(uintptr_t)data, bytes}}, error);
}

int ranks_receive(struct ranks *ranks, size_t from, void *data, size_t bytes, struct error *error)
{
  return run_transfer(ranks, &(struct transfer){.in = {from, data, bytes}}, error);
}
