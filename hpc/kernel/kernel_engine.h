/* The engine's inside: one set of lane loops a SIMD level, and the sorting network they share.
 *
 * kernel_baseline.c, kernel_avx2.c and kernel_avx512.c compile the same loops (kernel_level.inc) under different
 * flags. No multiply-add is contracted, no sum reordered, so every level gives the same bits. For kernel.c, the level
 * files and tests. */
#ifndef TWINCUBE_HPC_KERNEL_KERNEL_ENGINE_H
#define TWINCUBE_HPC_KERNEL_KERNEL_ENGINE_H

#include "hpc/kernel/array_function.h"
#include "hpc/kernel/kernel.h"

/* Own states of a reducer's row, at most. */
enum { MOST_STATES = 3 };

/* Up to STRIP_LANES arrays of up to STRIP_ROWS elements in memory: what accumulate.c reduces at a time. Element k of
 * lane i is data[k * row_stride + i * lane_stride]. */
enum { STRIP_ROWS = 256, STRIP_LANES = 512 };

struct kernel_strip {
  enum kernel_reducer reducer;
  bool ignore; /* parameter 0 */
  int mode;    /* parameter 1 */
  enum element_type type;
  bool has_nodata;
  double nodata;
  const void *data;                  /* borrowed */
  ptrdiff_t lane_stride, row_stride; /* in elements */
  size_t lanes, rows;
};

struct kernel_engine {
  const char *level; /* "baseline", "avx2", "avx512" */
  void (*run_f32)(const struct kernel *, void *scratch, const void *const *bases, void *out, size_t lanes);
  void (*run_f64)(const struct kernel *, void *scratch, const void *const *bases, void *out, size_t lanes);
  /* states [2 + own states][STRIP_LANES]: elements, those that are NA, and the row's own */
  void (*strip_f32)(const struct kernel_strip *, double *states);
  void (*strip_f64)(const struct kernel_strip *, double *states);
};

/* Whether there is more than the baseline. Not for programs that are built more often than they compute: fuzzers. */
#if defined(__x86_64__) && !defined(TWINCUBE_PLAIN)
#define KERNEL_HAS_LEVELS 1
#else
#define KERNEL_HAS_LEVELS 0
#endif

extern const struct kernel_engine kernel_engine_baseline;
#if KERNEL_HAS_LEVELS
extern const struct kernel_engine kernel_engine_avx2, kernel_engine_avx512;
#endif

/* The engine of the level, NULL where this CPU lacks it or no level has the name. */
const struct kernel_engine *kernel_engine_named(const char *level);

/* The engine that kernel_run uses. */
const struct kernel_engine *kernel_engine_chosen(void);

/* Blocks that fitting n values by `count` parameters takes beside its model: see kernel_fit.inc. */
static inline size_t fit_blocks(size_t n, size_t count)
{
  return n * (count + 1) + count * (2 * count + 5) + 6;
}

/* Blocks that one lane's array, results and work space take, behind each other: a block has 16 lanes at least. */
static inline size_t function_blocks(const struct array_function *function)
{
  return (function->arguments + function->results + function->work_bytes / sizeof(double)) / 16 + 2;
}

/* Batcher's odd-even mergesort (Knuth, The Art of Computer Programming 3, 5.3.4) of up to 64 elements, from sorted runs
 * of eight on: in each layer, element i is exchanged with element i + distance for every bit i of `lower`. Exchanges
 * that no wanted element depends on are left out. Any count works: elements past the end would stay there. */
enum { NETWORK_ELEMENTS = 64, NETWORK_LAYERS = 15, NETWORK_RUN = 8 };

struct sorting_network {
  size_t n;        /* elements */
  uint64_t wanted; /* bit i: element i of the sorted order is used */
  unsigned layers;
  unsigned distance[NETWORK_LAYERS];
  uint64_t lower[NETWORK_LAYERS];
};

/* n <= NETWORK_ELEMENTS. */
void sorting_network_make(struct sorting_network *network, size_t n, uint64_t wanted);

#endif
