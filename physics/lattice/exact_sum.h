/* Sums of doubles without rounding: the same bits in whatever order they are added, by however many threads and ranks.
 *
 * The sum is a fixed-point number with a bit for every power of two that a double can have (R. M. Neal,
 * arXiv:1505.05571): limb k counts 2^(32 k - 1074), and has room for 2^30 additions before carries must be passed on.
 * It is rounded once, to the nearest double, where its value is asked for. Sums of parts add to the sum of all.
 * Thread rule: one writer. Plain numbers: it may be sent and copied. */
#ifndef TWINCUBE_PHYSICS_LATTICE_EXACT_SUM_H
#define TWINCUBE_PHYSICS_LATTICE_EXACT_SUM_H

#include <stdint.h>
#include <string.h>

enum { EXACT_LIMBS = 68, EXACT_ROOM = 1 << 30 };

struct exact_sum { /* all 0: of nothing */
  int64_t limb[EXACT_LIMBS];
  int64_t used;   /* each limb is at most used 2^32 */
  double strange; /* sum of what is infinite or NaN */
};

/* Passes the carries on: all limbs but the last are in [0, 2^32) then. */
void exact_sum_settle(struct exact_sum *sum);

static inline void exact_sum_add(struct exact_sum *sum, double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint64_t exponent = bits >> 52 & 0x7FF, fraction = bits & 0xFFFFFFFFFFFFF;
  const int64_t sign = -(int64_t)(bits >> 63);
  if (exponent == 0x7FF) {
    sum->strange += value;
    return;
  }
  if (sum->used == EXACT_ROOM) {
    exact_sum_settle(sum);
  }
  const uint64_t whole = exponent > 0 ? fraction | UINT64_C(1) << 52 : fraction,
                 place = exponent > 0 ? exponent - 1 : 0;
  const uint64_t shift = place % 32, low = whole << shift & UINT32_MAX, rest = whole >> (32 - shift);
  int64_t *limb = &sum->limb[place / 32];
  limb[0] += ((int64_t)low ^ sign) - sign;
  limb[1] += ((int64_t)(rest & UINT32_MAX) ^ sign) - sign;
  limb[2] += ((int64_t)(rest >> 32) ^ sign) - sign;
  sum->used++;
}

/* to += from */
void exact_sum_merge(struct exact_sum *to, const struct exact_sum *from);

double exact_sum_value(const struct exact_sum *sum);

#endif
