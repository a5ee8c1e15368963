/* Work that may wait for a disk, done beside the thread that polls the connections: a list of items and a few threads.
 * Items of one owner are its own to keep in order: it hands in the next when the one before is done. */
#ifndef TWINCUBE_SERVER_HTTP_PUMP_H
#define TWINCUBE_SERVER_HTTP_PUMP_H

struct pump;

struct pump_item { /* embedded in what is to be worked on; alive until `work` was called */
  void (*work)(struct pump_item *item);
  struct pump_item *next;
};

/* NULL where no thread can be started. */
struct pump *pump_start(void);
/* Does what was put before, then ends. NULL is allowed. */
void pump_stop(struct pump *pump);
/* Thread safe; never waits. */
void pump_put(struct pump *pump, struct pump_item *item);

#endif
