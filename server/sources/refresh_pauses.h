/* Sources that fail again and again are looked at more and more seldom: after the first time when they are due, then
 * after twice as long each time, at most a day. One that succeeds is due as it always was. */
#ifndef TWINCUBE_SERVER_SOURCES_REFRESH_PAUSES_H
#define TWINCUBE_SERVER_SOURCES_REFRESH_PAUSES_H

#include <stddef.h>
#include <stdint.h>

struct refresh_pause {
  char *name;        /* owned: of the source */
  unsigned failures; /* since it last succeeded */
  int64_t until;     /* seconds of the clock */
};

struct refresh_pauses { /* zeros: none */
  struct refresh_pause *rows;
  size_t count;
};

/* When it may be looked at again; 0: now. NULL holds none. */
int64_t refresh_pauses_until(const struct refresh_pauses *pauses, const char *name);
/* How a refresh ended of a source that is looked at every so many seconds. Where memory lacks nothing is noted. */
void refresh_pauses_note(struct refresh_pauses *pauses, const char *name, int64_t every, int status);
void refresh_pauses_free(struct refresh_pauses *pauses);

#endif
