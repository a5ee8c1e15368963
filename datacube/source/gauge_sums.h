/* What files of gauge fields are verified by: checksums over the stored bytes, and means over the links.
 *
 * Elements as in gauge_file.h, extents t, x, y, z. Plain loops: each link is looked at a few times in all.
 * Thread rule: pure functions. */
#ifndef TWINCUBE_DATACUBE_SOURCE_GAUGE_SUMS_H
#define TWINCUBE_DATACUBE_SOURCE_GAUGE_SUMS_H

#include <stddef.h>
#include <stdint.h>

/* Mean over sites and planes of Re Tr U_P / 3, and over the links of Re Tr U / 3. */
double gauge_mean_plaquette(const size_t extent[4], const double *elements);
double gauge_mean_trace(const size_t extent[4], const double *elements);
/* Greatest entry of |U U^dagger - 1| of a link of n colours ([row][column][re, im]), and of all links of a file; NaN
 * where a number is not finite. Links whose entry is below GAUGE_UNITARITY are those of a gauge field, which may have
 * come through single precision or a few digits. */
#define GAUGE_UNITARITY 1e-3
double gauge_link_off(size_t n, const double *link);
double gauge_unitarity(const size_t extent[4], const double *elements);
/* |det U - 1| / n of a link that is unitary, n up to GAUGE_LINK_COLOURS, and the greatest of all links of a file: below
 * GAUGE_UNITARITY, too, where the link is of SU(n). One colour is of U(1), which has every phase: 0. */
enum { GAUGE_LINK_COLOURS = 8 };
double gauge_link_turned(size_t n, const double *link);
double gauge_turned(const size_t extent[4], const double *elements);

/* Adds 32-bit words, given as numbers. */
uint32_t gauge_sum_words(const uint32_t *words, size_t count, uint32_t sum);
/* Words number `first` … of the file into both rotated sums. */
void gauge_sum_rotated(const uint32_t *words, size_t count, uint64_t first, uint32_t sum[2]);
/* The bytes of site number `site`, as they are stored. */
void gauge_sum_site(const void *bytes, size_t count, uint64_t site, uint32_t sum[2]);

#endif
