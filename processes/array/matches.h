/* Which elements of an array equal a value, as eq has it. */
#ifndef TWINCUBE_PROCESSES_ARRAY_MATCHES_H
#define TWINCUBE_PROCESSES_ARRAY_MATCHES_H

#include "processes/array/elements.h"

struct matches {
  bool on_host;             /* first and last say it all */
  size_t first, last;       /* indexes, SIZE_MAX where nothing matches */
  struct lanes lanes;       /* else: boolean array lanes; a missing element is no match, but missing */
  const struct lanes *kept; /* of the array, see value.h */
};

/* Compares the elements of argument "data" with argument "value". Missing values, arrays and objects match nothing. */
int find_matches(struct call *call, struct matches *out);

#endif
