/* Sizes go through checked arithmetic: the result, or -1 with nothing written. */
#ifndef TWINCUBE_DATACUBE_BASE_CHECKED_H
#define TWINCUBE_DATACUBE_BASE_CHECKED_H

#include <stddef.h>
#include <stdint.h>

static inline int checked_mul(size_t a, size_t b, size_t *out)
{
  return __builtin_mul_overflow(a, b, out) ? -1 : 0;
}

static inline int checked_add(size_t a, size_t b, size_t *out)
{
  return __builtin_add_overflow(a, b, out) ? -1 : 0;
}

/* The product, or SIZE_MAX where it does not fit: for estimates that are compared with a limit. */
static inline size_t saturated_mul(size_t a, size_t b)
{
  size_t r;
  return __builtin_mul_overflow(a, b, &r) ? SIZE_MAX : r;
}

static inline size_t saturated_add(size_t a, size_t b)
{
  size_t r;
  return __builtin_add_overflow(a, b, &r) ? SIZE_MAX : r;
}

#endif
