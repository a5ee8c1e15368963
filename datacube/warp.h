/* Resampling of planes between grids in memory.
 *
 * Target pixels lie in the source where the transformation between the CRSs puts them; it is interpolated, with an
 * error that is checked to be below LOCATE_ERROR, a thousandth of a source pixel, see locate.h. Between grids of one
 * CRS, and where no polynomial holds, it is exact. */
#ifndef TWINCUBE_DATACUBE_WARP_H
#define TWINCUBE_DATACUBE_WARP_H

#include "datacube/base/error.h"
#include "datacube/element.h"
#include "datacube/grid.h"

struct transform;
struct warper; /* transformer between two lattices and its scratch; one a worker */

/* Warper from pixels of `from` to pixels of `to` (whole grids; tiles are boxes of them). */
int warper_new(const struct grid *from, const struct grid *to, enum resampling method, struct warper **out,
               struct error *error);
/* The same with a transformation from `to`'s CRS to `from`'s that the caller made and frees after the warper: for many
 * grids of few CRSs. */
int warper_new_with(struct transform *transform, const struct grid *from, const struct grid *to, enum resampling method,
                    struct warper **out, struct error *error);
void warper_free(struct warper *warper);
/* Upper bound of the bytes a warper keeps while its target boxes are not larger than WARP_BOX_PIXELS. */
enum { WARP_BOX_PIXELS = 1 << 18 };
size_t warper_bytes(enum resampling method, const struct grid *to, size_t from_pixels);

/* Pixel box of `from` needed for a pixel box of `to`, kernel halo included, clipped to `from`; counts 0 if outside. */
int warper_need(struct warper *warper, const size_t to_start[2], const size_t to_count[2], size_t from_start[2],
                size_t from_count[2], struct error *error); /* [0] is y, [1] is x */

/* Warps `planes` planes; source planes are dense from_count boxes, target planes dense to_count boxes. Target pixels
 * without a valid source become nodata (NaN for floats without one; 0 for integers without one). Nearest takes the
 * source pixel that holds the target's centre: centres near an edge are transformed exactly. Interpolating kernels
 * widen where the source is shrunk by more than LOCATE_EVEN. The same bits whatever the boxes; boxes of whole multiples
 * of LOCATE_SIDE pixels from the grid's first are the quickest. */
int warper_run(struct warper *warper, enum element_type type, bool has_nodata, double nodata, size_t planes,
               const size_t from_start[2], const size_t from_count[2], const void *from, const size_t to_start[2],
               const size_t to_count[2], void *to, struct error *error);

#endif
