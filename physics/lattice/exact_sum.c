/* See exact_sum.h. */
#include "physics/lattice/exact_sum.h"

#include <math.h>

enum { LIMB_BITS = 32, LAST = EXACT_LIMBS - 1, LOWEST = 1074 };

void exact_sum_settle(struct exact_sum *sum)
{
  int64_t carry = 0;
  for (size_t i = 0; i < LAST; i++) {
    int64_t limb = sum->limb[i] + carry;
    sum->limb[i] = limb & UINT32_MAX;
    carry = (limb - sum->limb[i]) / (INT64_C(1) << LIMB_BITS);
  }
  sum->limb[LAST] += carry;
  sum->used = 1;
}

void exact_sum_merge(struct exact_sum *to, const struct exact_sum *from)
{
  if (to->used + from->used > EXACT_ROOM) {
    struct exact_sum settled = *from;
    exact_sum_settle(&settled);
    exact_sum_settle(to);
    exact_sum_merge(to, &settled);
    return;
  }
  for (size_t i = 0; i < EXACT_LIMBS; i++) {
    to->limb[i] += from->limb[i];
  }
  to->used += from->used;
  to->strange += from->strange;
}

/* The number in settled limbs, none negative, `top` the highest that is not 0. Its 64 highest bits, the last of them
 * set where anything lies below, round as the number does. */
static double rounded(const int64_t *limb, size_t top)
{
  if (top < 2) {
    return ldexp((double)limb[1], LIMB_BITS - LOWEST) + ldexp((double)limb[0], -LOWEST);
  }
  uint64_t word = (uint64_t)limb[top] << LIMB_BITS | (uint64_t)limb[top - 1], next = (uint64_t)limb[top - 2];
  const int lead = __builtin_clzll(word); /* at most 31 */
  word = word << lead | next >> (LIMB_BITS - lead);
  uint64_t below = next << (LIMB_BITS + lead);
  for (size_t i = 0; i + 2 < top; i++) {
    below |= (uint64_t)limb[i];
  }
  return ldexp((double)(word | (below != 0)), (int)(top - 1) * LIMB_BITS - lead - LOWEST);
}

double exact_sum_value(const struct exact_sum *sum)
{
  struct exact_sum settled = *sum;
  exact_sum_settle(&settled);
  const double sign = settled.limb[LAST] < 0 ? -1 : 1;
  if (sign < 0) {
    for (size_t i = 0; i < EXACT_LIMBS; i++) {
      settled.limb[i] = -settled.limb[i];
    }
    exact_sum_settle(&settled);
  }
  size_t top = LAST;
  while (top > 0 && settled.limb[top] == 0) {
    top--;
  }
  const double value = sign * rounded(settled.limb, top);
  return sum->strange != 0 ? sum->strange : value; /* NaN is not 0 */
}
