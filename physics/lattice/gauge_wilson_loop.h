/* Wilson loops of r links along a spatial axis and t along axis 0: Re Tr / N, mean over sites and spatial axes; loops
 * with a link that is not there (open axes) do not count.
 * Thread rule: pure; work inside goes to threads by blocks, the same bits for any number. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_WILSON_LOOP_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_WILSON_LOOP_H

#include "physics/lattice/gauge_field.h"

enum { GAUGE_MOST_LOOPS = 4096 };

struct gauge_loop_sizes {
  size_t r, t; /* the greatest; each at least 1, r t at most GAUGE_MOST_LOOPS */
};

/* Bytes of scratch, aligned to 64; SIZE_MAX where that overflows. */
size_t gauge_wilson_loop_bytes(const struct lattice *lattice, size_t colours, const struct gauge_loop_sizes *sizes);

/* out[r - 1][t - 1] for all sizes; returns early, with whatever is in out, once *cancel (may be NULL) is nonzero. */
void gauge_wilson_loops(const struct gauge_field *field, const struct gauge_loop_sizes *sizes, unsigned threads,
                        const volatile int *cancel, void *scratch, double *out);

#endif
