/* Philox for loops over lanes, and the functions of its numbers: what philox.c makes normals of, and simulators
 * whatever else they need. Always inlined, without branches: loops over them vectorise, with the same bits everywhere.
 * Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_RANDOM_PHILOX_LANES_H
#define TWINCUBE_PHYSICS_RANDOM_PHILOX_LANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PHILOX_M0 UINT32_C(0xD2511F53)
#define PHILOX_M1 UINT32_C(0xCD9E8D57)
#define PHILOX_W0 UINT32_C(0x9E3779B9) /* golden ratio */
#define PHILOX_W1 UINT32_C(0xBB67AE85) /* sqrt(3) - 1 */
#define PHILOX_INLINE static inline __attribute__((always_inline))

enum { PHILOX_ROUNDS = 10 };

/* The upper 52 bits as (k + 1/2) / 2^52: [1, 2) by its bits, then less 1 - 2^-53, which is exact. */
PHILOX_INLINE double philox_open_unit(uint32_t low, uint32_t high)
{
  uint64_t bits = (((uint64_t)high << 32 | low) >> 12) | UINT64_C(0x3FF0000000000000);
  double d;
  memcpy(&d, &bits, sizeof d);
  return d - (1.0 - 0x1p-53);
}

/* One word as (k + 1/2) / 2^32: for proposals, whose fineness does not matter. */
PHILOX_INLINE double philox_open_word(uint32_t word)
{
  uint64_t bits = (uint64_t)word << 20 | UINT64_C(0x3FF0000000000000);
  double d;
  memcpy(&d, &bits, sizeof d);
  return d - (1.0 - 0x1p-33);
}

/* The same as a float: (k + 1/2) / 2^23. */
PHILOX_INLINE float philox_open_word_f32(uint32_t word)
{
  uint32_t bits = word >> 9 | UINT32_C(0x3F800000);
  float f;
  memcpy(&f, &bits, sizeof f);
  return f - (1.0F - 0x1p-24F);
}

/* ln u for normal u > 0: u = m 2^e with m in [1/sqrt 2, sqrt 2), ln m = 2 artanh((m - 1) / (m + 1)) by its series; the
 * first term left out is under 1e-17 of the sum. The exponent becomes a double through the bits of 2^52. */
PHILOX_INLINE double philox_ln(double u)
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

/* The same for floats, to their rounding. */
PHILOX_INLINE float philox_ln_f32(float u)
{
  uint32_t bits;
  memcpy(&bits, &u, sizeof bits);
  uint32_t shifted = bits + (UINT32_C(0x3F800000) - UINT32_C(0x3F3504F3));
  uint32_t exponent = shifted >> 23; /* e + 127 */
  uint32_t mantissa = bits - ((exponent - 127) << 23);
  float m;
  memcpy(&m, &mantissa, sizeof m);
  float s = (m - 1.0F) / (m + 1.0F);
  float z = s * s;
  float series = 1.0F / 9;
  series = series * z + 1.0F / 7;
  series = series * z + 1.0F / 5;
  series = series * z + 1.0F / 3;
  series = series * z + 1.0F;
  return (float)((int32_t)exponent - 127) * 0x1.62E43p-1F + 2.0F * s * series;
}

/* Sine and cosine of 2 pi u, |u| < 2^49: quarter turns off first, then Taylor series on [-pi/4, pi/4]. */
PHILOX_INLINE void philox_turn(double u, double *sine, double *cosine)
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

/* The same for floats, |u| < 2^19. */
PHILOX_INLINE void philox_turn_f32(float u, float *sine, float *cosine)
{
  float t = 4.0F * u;
  float magic = t + 0x1.8p23F;
  uint32_t quarter;
  memcpy(&quarter, &magic, sizeof quarter);
  float x = (t - (magic - 0x1.8p23F)) * 0x1.921FB6p0F;
  float z = x * x;
  float s = 1.0F / 362880.0F;
  s = s * z - 1.0F / 5040.0F;
  s = s * z + 1.0F / 120.0F;
  s = s * z - 1.0F / 6.0F;
  s = x + x * z * s;
  float c = -1.0F / 3628800.0F;
  c = c * z + 1.0F / 40320.0F;
  c = c * z - 1.0F / 720.0F;
  c = c * z + 1.0F / 24.0F;
  c = 1.0F - 0.5F * z + z * z * c;
  float swapped_s = (quarter & 1) ? c : s;
  float swapped_c = (quarter & 1) ? s : c;
  *sine = (quarter & 2) ? -swapped_s : swapped_s;
  *cosine = ((quarter + 1) & 2) ? -swapped_c : swapped_c;
}

/* The ten rounds on a counter a lane, in place: word k of a lane is word[k * lanes + lane]; `lanes` is a constant. */
PHILOX_INLINE void philox_rounds(uint32_t *word, size_t lanes, uint64_t seed)
{
  uint32_t *w0 = word, *w1 = word + lanes, *w2 = word + 2 * lanes, *w3 = word + 3 * lanes;
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < PHILOX_ROUNDS; round++) {
#pragma omp simd
    for (size_t i = 0; i < lanes; i++) {
      uint64_t product0 = (uint64_t)PHILOX_M0 * w0[i];
      uint64_t product1 = (uint64_t)PHILOX_M1 * w2[i];
      w0[i] = (uint32_t)(product1 >> 32) ^ w1[i] ^ k0;
      w1[i] = (uint32_t)product1;
      w2[i] = (uint32_t)(product0 >> 32) ^ w3[i] ^ k1;
      w3[i] = (uint32_t)product0;
    }
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
}

#endif
