/* Checksums and means of gauge fields. See gauge_sums.h. */
#include "datacube/source/gauge_sums.h"

#include <complex.h>
#include <libdeflate.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { N = 3, NUMBERS = 2 * N * N, AXES = 4 };

static size_t sites_of(const size_t extent[AXES])
{
  return extent[0] * extent[1] * extent[2] * extent[3];
}

/* The site one step ahead along the axis. */
static size_t ahead(const size_t extent[AXES], size_t site, size_t axis)
{
  size_t stride = 1;
  for (size_t k = axis + 1; k < AXES; k++)
    stride *= extent[k];
  size_t at = site / stride % extent[axis];
  return site + ((at + 1) % extent[axis]) * stride - at * stride;
}

static const double *link_at(const double *elements, size_t site, size_t axis)
{
  return elements + (site * AXES + axis) * NUMBERS;
}

/* out = a b */
static void multiply(double *out, const double *a, const double *b)
{
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < N; j++) {
      double re = 0, im = 0;
      for (size_t k = 0; k < N; k++) {
        const double *x = a + 2 * (i * N + k), *y = b + 2 * (k * N + j);
        re += x[0] * y[0] - x[1] * y[1];
        im += x[0] * y[1] + x[1] * y[0];
      }
      out[2 * (i * N + j)] = re;
      out[2 * (i * N + j) + 1] = im;
    }
}

double gauge_mean_plaquette(const size_t extent[AXES], const double *elements)
{
  size_t sites = sites_of(extent);
  double sum = 0;
  for (size_t site = 0; site < sites; site++) {
    double of_site = 0;
    for (size_t mu = 0; mu < AXES; mu++)
      for (size_t nu = mu + 1; nu < AXES; nu++) {
        double one[NUMBERS], other[NUMBERS];
        multiply(one, link_at(elements, site, mu), link_at(elements, ahead(extent, site, mu), nu));
        multiply(other, link_at(elements, site, nu), link_at(elements, ahead(extent, site, nu), mu));
        for (size_t i = 0; i < NUMBERS; i++) /* Re Tr a b^dagger */
          of_site += one[i] * other[i];
      }
    sum += of_site;
  }
  return sum / (double)sites / (6 * N);
}

double gauge_mean_trace(const size_t extent[AXES], const double *elements)
{
  size_t links = sites_of(extent) * AXES;
  double sum = 0;
  for (size_t i = 0; i < links; i++)
    sum += elements[i * NUMBERS] + elements[i * NUMBERS + 8] + elements[i * NUMBERS + 16];
  return sum / (double)links / N;
}

double gauge_link_off(size_t n, const double *link)
{
  double largest = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      const double *a = link + 2 * n * i, *b = link + 2 * n * j;
      double re = i == j ? -1 : 0, im = 0;
      for (size_t k = 0; k < n; k++) {
        re += a[2 * k] * b[2 * k] + a[2 * k + 1] * b[2 * k + 1];
        im += a[2 * k + 1] * b[2 * k] - a[2 * k] * b[2 * k + 1];
      }
      if (isnan(re) || isnan(im))
        return NAN;
      largest = fmax(largest, hypot(re, im));
    }
  return largest;
}

double gauge_unitarity(const size_t extent[AXES], const double *elements)
{
  size_t links = sites_of(extent) * AXES;
  double largest = 0;
  for (size_t l = 0; l < links && !isnan(largest); l++) {
    double off = gauge_link_off(N, elements + l * NUMBERS);
    largest = off > largest || isnan(off) ? off : largest;
  }
  return largest;
}

/* The row at and below `column` with the largest entry there, exchanged with row `column`: whether it is another. */
static bool pivot(size_t n, double complex m[GAUGE_LINK_COLOURS][GAUGE_LINK_COLOURS], size_t column)
{
  size_t best = column;
  for (size_t i = column + 1; i < n; i++)
    if (cabs(m[i][column]) > cabs(m[best][column]))
      best = i;
  for (size_t k = 0; best != column && k < n; k++) {
    double complex other = m[best][k];
    m[best][k] = m[column][k];
    m[column][k] = other;
  }
  return best != column;
}

double gauge_link_turned(size_t n, const double *link)
{
  double complex m[GAUGE_LINK_COLOURS][GAUGE_LINK_COLOURS] = {{0}}, determinant = 1;
  for (size_t i = 0; i < n * n; i++)
    m[i / n][i % n] = link[2 * i] + link[2 * i + 1] * I;
  for (size_t c = 0; c < n; c++) {
    determinant *= pivot(n, m, c) ? -m[c][c] : m[c][c];
    for (size_t i = c + 1; i < n; i++) {
      double complex factor = m[i][c] / m[c][c];
      for (size_t k = c; k < n; k++)
        m[i][k] -= factor * m[c][k];
    }
  }
  return n == 1 ? 0 : cabs(determinant - 1) / (double)n;
}

double gauge_turned(const size_t extent[AXES], const double *elements)
{
  size_t links = sites_of(extent) * AXES;
  double largest = 0;
  for (size_t l = 0; l < links; l++)
    largest = fmax(largest, gauge_link_turned(N, elements + l * NUMBERS));
  return largest;
}

/* ---- checksums --------------------------------------------------------------------------------------------------- */

static uint32_t rotated(uint32_t word, unsigned by)
{
  return by == 0 ? word : word << by | word >> (32 - by);
}

uint32_t gauge_sum_words(const uint32_t *words, size_t count, uint32_t sum)
{
  for (size_t i = 0; i < count; i++)
    sum += words[i];
  return sum;
}

void gauge_sum_rotated(const uint32_t *words, size_t count, uint64_t first, uint32_t sum[2])
{
  unsigned by29 = (unsigned)(first % 29), by31 = (unsigned)(first % 31);
  for (size_t i = 0; i < count; i++) {
    sum[0] ^= rotated(words[i], by29);
    sum[1] ^= rotated(words[i], by31);
    by29 = by29 == 28 ? 0 : by29 + 1;
    by31 = by31 == 30 ? 0 : by31 + 1;
  }
}

void gauge_sum_site(const void *bytes, size_t count, uint64_t site, uint32_t sum[2])
{
  uint32_t crc = libdeflate_crc32(0, bytes, count);
  sum[0] ^= rotated(crc, (unsigned)(site % 29));
  sum[1] ^= rotated(crc, (unsigned)(site % 31));
}
