/* A whole cube in scratch room, for formats that need all of it before they can write the first byte. */
#ifndef TWINCUBE_DATACUBE_SINK_WHOLE_H
#define TWINCUBE_DATACUBE_SINK_WHOLE_H

#include "datacube/base/error.h"
#include "datacube/cube.h"

#include <stdatomic.h>

struct whole {
  struct box box; /* the cube's */
  size_t element_size;
  size_t elements, bytes;
  char *data;            /* row-major, last dimension fastest; see spill_new */
  atomic_size_t arrived; /* elements */
};

/* Error FormatUnsuitable above max_elements. */
int whole_check(const struct cube *cube, const char *format, size_t max_elements, struct error *error);
int whole_begin(struct whole *whole, const struct cube *cube, const char *beside, struct error *error);
void whole_put(struct whole *whole, const struct box *box, const void *data); /* thread safe for disjoint boxes */
/* Error Internal where elements are missing. */
int whole_complete(struct whole *whole, struct error *error);
void whole_end(struct whole *whole);

#endif
