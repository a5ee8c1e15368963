/* Counter-based random numbers: Philox4x32-10.
 *
 * There is no state. A number is a pure function of (seed, stream, n), so it is the same whoever asks for it, in
 * whatever order, on however many threads. A simulator gives every use a stream of its own (trajectory, purpose) and
 * numbers its sites n = 0, 1, 2 …
 *
 *   key     = seed (low word, high word)
 *   counter = block (low, high), stream (low, high);  block b holds the numbers 2b and 2b + 1
 *   uniform = (k + 1/2) / 2^52, k the upper 52 bits of two words: never 0, never 1
 *   normals = Box-Muller of the two uniforms of a block: sqrt(-2 ln u0) (cos, sin)(2 pi u1)
 * Logarithm, sine and cosine are polynomials of this file, not the library's: the same bits everywhere, and they
 * vectorise.
 *
 * Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11
 * (2011), section 3.3. Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_RANDOM_PHILOX_H
#define TWINCUBE_PHYSICS_RANDOM_PHILOX_H

#include <stddef.h>
#include <stdint.h>

#define CHAIN_SEED_BITS 53 /* of the user's seed; where there are several chains, their numbers are above them */

struct philox_stream {
  uint64_t seed;   /* the user's */
  uint64_t stream; /* what the numbers are for; different streams are independent */
};

/* The bare bijection: ten rounds on one counter. */
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Uniform number n of the stream, in the open interval (0, 1). */
double philox_uniform(struct philox_stream stream, uint64_t n);

/* Uniform numbers 2 block and 2 block + 1 of the stream, at the cost of one. */
void philox_pair(struct philox_stream stream, uint64_t block, double out[2]);

/* Normal numbers first … first + count - 1 of the stream (mean 0, variance 1). |normal| < 8.6. */
void philox_normals(struct philox_stream stream, uint64_t first, size_t count, double *out);

#endif
