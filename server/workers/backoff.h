/* Pauses between tries: 100 ms, doubled each time, at most 30 s. A struct of zeros begins anew. */
#ifndef TWINCUBE_SERVER_WORKERS_BACKOFF_H
#define TWINCUBE_SERVER_WORKERS_BACKOFF_H

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 30000 };

struct backoff {
  unsigned tries; /* so far */
  unsigned next;  /* milliseconds of the next pause, 0: the first */
};

/* Milliseconds to wait before the next try. */
static inline unsigned backoff_next(struct backoff *backoff)
{
  unsigned pause = backoff->next > 0 ? backoff->next : BACKOFF_FIRST_MS;
  backoff->next = 2 * pause < BACKOFF_MOST_MS ? 2 * pause : BACKOFF_MOST_MS;
  backoff->tries++;
  return pause;
}

#endif
