/* Lists of the form NAME(VALUE), NAME(LOW,HIGH), …: how coverage services say subsets and sizes.
 *
 * Two values are parted by a comma, or by a colon as the OGC API has it; quotes are dropped. Of several colons the
 * middle one parts, for dates have colons of their own. */
#ifndef TWINCUBE_SERVER_SERVICES_SUBSET_LIST_H
#define TWINCUBE_SERVER_SERVICES_SUBSET_LIST_H

#include <stdbool.h>

enum { SUBSET_TEXT = 128 };

struct subset_item {
  char name[SUBSET_TEXT];
  char low[SUBSET_TEXT], high[SUBSET_TEXT];
  bool has_high;
};

/* Reads the next item; *text moves behind it. 1: there is one, 0: the end, -1: it is no such item. */
int subset_next(const char **text, struct subset_item *out);

#endif
