/* Philox4x32-10, and normals in batches of 32 blocks so that every loop has lanes to fill. See philox.h. */
#include "physics/random/philox.h"

#include "physics/simd.h"

#include <math.h>

#define PHILOX_M0 UINT32_C(0xD2511F53)
#define PHILOX_M1 UINT32_C(0xCD9E8D57)
#define PHILOX_W0 UINT32_C(0x9E3779B9) /* golden ratio */
#define PHILOX_W1 UINT32_C(0xBB67AE85) /* sqrt(3) - 1 */

enum { ROUNDS = 10, BATCH = 32 };

struct batch { /* words of BATCH consecutive blocks */
  uint32_t word[4][BATCH];
};

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t product0 = (uint64_t)PHILOX_M0 * c0;
    uint64_t product1 = (uint64_t)PHILOX_M1 * c2;
    c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)product1;
    c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)product0;
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* The upper 52 bits as (k + 1/2) / 2^52: [1, 2) by its bits, then less 1 - 2^-53, which is exact. */
static inline __attribute__((always_inline)) double open_unit(uint32_t low, uint32_t high)
{
  uint64_t bits = (((uint64_t)high << 32 | low) >> 12) | UINT64_C(0x3FF0000000000000);
  double d;
  memcpy(&d, &bits, sizeof d);
  return d - (1.0 - 0x1p-53);
}

double philox_uniform(struct philox_stream stream, uint64_t n)
{
  uint64_t block = n / 2;
  const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream.stream,
                               (uint32_t)(stream.stream >> 32)};
  const uint32_t key[2] = {(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)};
  uint32_t word[4];
  philox4x32(counter, key, word);
  return n % 2 == 0 ? open_unit(word[0], word[1]) : open_unit(word[2], word[3]);
}

/* ln u for normal 0 < u < 1: u = m 2^e with m in [1/sqrt 2, sqrt 2), ln m = 2 artanh((m - 1) / (m + 1)) by its series;
 * the first term left out is under 1e-17 of the sum. The exponent becomes a double through the bits of 2^52. */
static inline __attribute__((always_inline)) double ln_unit(double u)
{
  uint64_t bits;
  memcpy(&bits, &u, sizeof bits);
  uint64_t shifted = bits + (UINT64_C(0x3FF0000000000000) - UINT64_C(0x3FE6A09E667F3BCD));
  uint64_t exponent = shifted >> 52; /* e + 1023 */
  uint64_t mantissa = bits - ((exponent - 1023) << 52);
  uint64_t exponent_bits = exponent | UINT64_C(0x4330000000000000);
  double m, e;
  memcpy(&m, &mantissa, sizeof m);
  memcpy(&e, &exponent_bits, sizeof e);
  e -= 0x1p52 + 1023.0;
  double s = (m - 1.0) / (m + 1.0);
  double z = s * s;
  double series = 1.0 / 21;
  series = series * z + 1.0 / 19;
  series = series * z + 1.0 / 17;
  series = series * z + 1.0 / 15;
  series = series * z + 1.0 / 13;
  series = series * z + 1.0 / 11;
  series = series * z + 1.0 / 9;
  series = series * z + 1.0 / 7;
  series = series * z + 1.0 / 5;
  series = series * z + 1.0 / 3;
  series = series * z + 1.0;
  return e * 0x1.62E42FEFA39EFp-1 + 2.0 * s * series;
}

/* Sine and cosine of 2 pi u, 0 < u < 1: quarter turns off first, then Taylor series on [-pi/4, pi/4]. */
static inline __attribute__((always_inline)) void turn_sin_cos(double u, double *sine, double *cosine)
{
  double t = 4.0 * u;
  double magic = t + 0x1.8p52; /* nearest integer in the low bits */
  uint64_t quarter;
  memcpy(&quarter, &magic, sizeof quarter);
  double x = (t - (magic - 0x1.8p52)) * 0x1.921FB54442D18p0;
  double z = x * x;
  double s = -1.0 / 1307674368000.0;
  s = s * z + 1.0 / 6227020800.0;
  s = s * z - 1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  s = x + x * z * s;
  double c = 1.0 / 20922789888000.0;
  c = c * z - 1.0 / 87178291200.0;
  c = c * z + 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = 1.0 - 0.5 * z + z * z * c;
  double swapped_s = (quarter & 1) ? c : s;
  double swapped_c = (quarter & 1) ? s : c;
  *sine = (quarter & 2) ? -swapped_s : swapped_s;
  *cosine = ((quarter + 1) & 2) ? -swapped_c : swapped_c;
}

/* Words of the blocks first … first + BATCH - 1. */
SIMD_BODY batch_words(struct philox_stream stream, uint64_t first, struct batch *batch)
{
  uint32_t(*w)[BATCH] = batch->word;
  for (size_t i = 0; i < BATCH; i++) {
    uint64_t block = first + i;
    w[0][i] = (uint32_t)block;
    w[1][i] = (uint32_t)(block >> 32);
    w[2][i] = (uint32_t)stream.stream;
    w[3][i] = (uint32_t)(stream.stream >> 32);
  }
  uint32_t k0 = (uint32_t)stream.seed, k1 = (uint32_t)(stream.seed >> 32);
  for (int round = 0; round < ROUNDS; round++) {
#pragma omp simd
    for (size_t i = 0; i < BATCH; i++) {
      uint64_t product0 = (uint64_t)PHILOX_M0 * w[0][i];
      uint64_t product1 = (uint64_t)PHILOX_M1 * w[2][i];
      w[0][i] = (uint32_t)(product1 >> 32) ^ w[1][i] ^ k0;
      w[1][i] = (uint32_t)product1;
      w[2][i] = (uint32_t)(product0 >> 32) ^ w[3][i] ^ k1;
      w[3][i] = (uint32_t)product0;
    }
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
}

/* The 2 * BATCH normals of the blocks first … first + BATCH - 1. */
SIMD_BODY batch_normals_body(struct philox_stream stream, uint64_t first, double *out)
{
  struct batch batch;
  batch_words(stream, first, &batch);
#pragma omp simd
  for (size_t i = 0; i < BATCH; i++) {
    double radius = sqrt(-2.0 * ln_unit(open_unit(batch.word[0][i], batch.word[1][i])));
    double sine, cosine;
    turn_sin_cos(open_unit(batch.word[2][i], batch.word[3][i]), &sine, &cosine);
    out[2 * i] = radius * cosine;
    out[2 * i + 1] = radius * sine;
  }
}

SIMD_LEVELS(batch_normals, (struct philox_stream stream, uint64_t first, double *out), (stream, first, out))

void philox_normals(struct philox_stream stream, uint64_t first, size_t count, double *out)
{
  void (*fill)(struct philox_stream, uint64_t, double *) = SIMD_PICK(batch_normals);
  while (count > 0) {
    size_t skip = (size_t)(first % 2);
    if (skip == 0 && count >= 2 * BATCH) {
      fill(stream, first / 2, out);
      first += 2 * BATCH;
      out += 2 * BATCH;
      count -= 2 * BATCH;
      continue;
    }
    double part[2 * BATCH];
    size_t n = count < 2 * BATCH - skip ? count : 2 * BATCH - skip;
    fill(stream, first / 2, part);
    memcpy(out, part + skip, n * sizeof *out);
    first += n;
    out += n;
    count -= n;
  }
}
