/* Calls a function again and again from a thread of its own, while another is busy. */
#ifndef TWINCUBE_SERVER_WORKERS_TICKER_H
#define TWINCUBE_SERVER_WORKERS_TICKER_H

#include "datacube/base/error.h"

struct ticker;

/* Each so many milliseconds `tick` is called with `data`, until ticker_stop. The thread takes no signals. */
int ticker_start(unsigned milliseconds, void (*tick)(void *data), void *data, struct ticker **out, struct error *error);
/* After it no call is under way. NULL is allowed. */
void ticker_stop(struct ticker *ticker);

#endif
