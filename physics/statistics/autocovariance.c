/* Autocovariance by the fast Fourier transform. See autocovariance.h. */
#include "physics/statistics/autocovariance.h"

#include "physics/statistics/cancel.h"

#include <math.h>

struct spectrum {
  size_t size;              /* a power of two */
  double *real, *imaginary; /* [size] */
  double *cosine, *sine;    /* [size / 2] of 2 pi k / size */
  const volatile int *cancel;
};

static size_t padded_size(size_t n, size_t most)
{
  size_t size = 1;
  while (size < n + most) {
    size *= 2;
  }
  return size;
}

size_t autocovariance_work(size_t n, size_t most)
{
  return 3 * padded_size(n, most);
}

static void make_roots(struct spectrum *t)
{
  for (size_t k = 0; k < t->size / 2; k++) {
    double angle = 2.0 * 3.14159265358979323846 * (double)k / (double)t->size;
    t->cosine[k] = cos(angle);
    t->sine[k] = sin(angle);
  }
}

static void swap(double *a, double *b)
{
  double kept = *a;
  *a = *b;
  *b = kept;
}

/* Every element to the place whose number has its bits in reverse order. */
static void reverse_bits(struct spectrum *t)
{
  for (size_t i = 1, j = 0; i < t->size; i++) {
    size_t bit = t->size / 2;
    for (; j & bit; bit /= 2) {
      j ^= bit;
    }
    j ^= bit;
    if (i < j) {
      swap(&t->real[i], &t->real[j]);
      swap(&t->imaginary[i], &t->imaginary[j]);
    }
  }
}

/* The sums of halves that are `half` apart, for one block. */
static void butterflies(struct spectrum *t, size_t block, size_t half)
{
  size_t stride = t->size / (2 * half);
  for (size_t k = 0; k < half; k++) {
    size_t a = block + k, b = a + half;
    double c = t->cosine[k * stride], s = -t->sine[k * stride];
    double real = t->real[b] * c - t->imaginary[b] * s, imaginary = t->real[b] * s + t->imaginary[b] * c;
    t->real[b] = t->real[a] - real;
    t->imaginary[b] = t->imaginary[a] - imaginary;
    t->real[a] += real;
    t->imaginary[a] += imaginary;
  }
}

static void transform(struct spectrum *t)
{
  reverse_bits(t);
  for (size_t half = 1; half < t->size && !cancel_is_set(t->cancel); half *= 2) {
    for (size_t block = 0; block < t->size; block += 2 * half) {
      butterflies(t, block, half);
    }
  }
}

void autocovariance_add(const double *d, size_t n, size_t most, double *sums, double *work, const volatile int *cancel)
{
  size_t size = padded_size(n, most);
  struct spectrum t = {size, work, work + size, work + 2 * size, work + 2 * size + size / 2, cancel};
  make_roots(&t);
  for (size_t i = 0; i < size; i++) {
    t.real[i] = i < n ? d[i] : 0;
    t.imaginary[i] = 0;
  }
  transform(&t);
  for (size_t i = 0; i < size; i++) { /* real and even from here on: the way back is the way there */
    t.real[i] = t.real[i] * t.real[i] + t.imaginary[i] * t.imaginary[i];
    t.imaginary[i] = 0;
  }
  transform(&t);
  for (size_t lag = 0; lag <= most; lag++) {
    sums[lag] += t.real[lag] / (double)size;
  }
}
