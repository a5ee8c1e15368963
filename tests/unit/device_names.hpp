/* The beginning of a device's text for a C++ compiler of this machine: numbers whose arithmetic and conversions lose
 * the payload of NaN, as a device's do, so that text which relies on a processor that keeps it gives wrong results here. */
#define TWINCUBE_DEVICE_NAMES
#include <cmath>
#include <cstdint>
#include <cstring>
#include <pthread.h>
#include <thread>
#include <type_traits>
#include <vector>

typedef int8_t i8;
typedef uint8_t u8;
typedef int16_t i16;
typedef uint16_t u16;
typedef int32_t i32;
typedef uint32_t u32;
typedef long long i64;
typedef unsigned long long u64;

template <class Own> static Own canonical(Own x)
{
  return x != x ? (Own)NAN : x;
}

template <class Own> struct number {
  Own value;
  number() = default;
  template <class N, class = std::enable_if_t<std::is_arithmetic_v<N>>> number(N n) : value(canonical((Own)n)) {}
  template <class Other, class = std::enable_if_t<!std::is_same_v<Other, Own>>>
  explicit number(number<Other> other) : value(canonical((Own)other.value)) {}
  template <class N, class = std::enable_if_t<std::is_arithmetic_v<N>>> explicit operator N() const { return (N)value; }
  number operator-() const { return canonical(-value); }
  number &operator+=(number other) { return *this = *this + other; }
  number &operator*=(number other) { return *this = *this * other; }
  friend number operator+(number a, number b) { return canonical(a.value + b.value); }
  friend number operator-(number a, number b) { return canonical(a.value - b.value); }
  friend number operator*(number a, number b) { return canonical(a.value * b.value); }
  friend number operator/(number a, number b) { return canonical(a.value / b.value); }
  friend bool operator==(number a, number b) { return a.value == b.value; }
  friend bool operator!=(number a, number b) { return a.value != b.value; }
  friend bool operator<(number a, number b) { return a.value < b.value; }
  friend bool operator>(number a, number b) { return a.value > b.value; }
  friend bool operator<=(number a, number b) { return a.value <= b.value; }
  friend bool operator>=(number a, number b) { return a.value >= b.value; }
};

typedef number<float> f32;
typedef number<double> f64;

#define ONE(name) \
  static f64 name(f64 x) { return canonical(std::name(x.value)); } \
  static f32 name##f(f32 x) { return canonical(std::name(x.value)); }
#define TWO(name) \
  static f64 name(f64 x, f64 y) { return canonical(std::name(x.value, y.value)); } \
  static f32 name##f(f32 x, f32 y) { return canonical(std::name(x.value, y.value)); }
ONE(fabs) ONE(sqrt) ONE(floor) ONE(ceil) ONE(trunc) ONE(rint) ONE(exp) ONE(log) ONE(log2) ONE(log10) ONE(sin) ONE(cos)
ONE(tan) ONE(asin) ONE(acos) ONE(atan) ONE(sinh) ONE(cosh) ONE(tanh) ONE(asinh) ONE(acosh) ONE(atanh)
TWO(fmod) TWO(pow) TWO(atan2) TWO(hypot)

#define DEVICE static inline __attribute__((unused))
#define MEMBER inline
#define SHARED extern u64
#define TABLE static const
#define KERNEL(name) \
  extern "C" void name(const void *const *bases, void *out, const i64 *offsets, const i64 *strides, u64 nx, u64 ny, \
                       u64 nz, void *scratch)

/* A grid of blocks, one after the other; the threads of a block one after the other too, or at once where they share
 * lanes. */
struct three {
  u32 x, y;
};
static thread_local three threadIdx;
static three blockIdx, blockDim, gridDim;
static pthread_barrier_t barrier;
u64 block_memory[6144];

static void __syncthreads() { pthread_barrier_wait(&barrier); }

typedef void device_kernel(const void *const *, void *, const i64 *, const i64 *, u64, u64, u64, void *);
struct device_call { /* as in hpc_device_text.c */
  device_kernel *kernel;
  const void *const *bases;
  void *out;
  const i64 *offsets, *strides;
  u64 shape[3];
  void *scratch;
  u32 blocks, threads, parts;
  bool waits;
};

static void run_thread(const device_call *c, three at)
{
  threadIdx = at;
  c->kernel(c->bases, c->out, c->offsets, c->strides, c->shape[0], c->shape[1], c->shape[2], c->scratch);
}

static void run_block(const device_call *c)
{
  std::vector<std::thread> threads;
  pthread_barrier_init(&barrier, nullptr, c->threads * c->parts);
  for (u32 y = 0; y < c->parts; y++)
    for (u32 x = 0; x < c->threads; x++)
      if (!c->waits)
        run_thread(c, {x, y});
      else
        threads.emplace_back(run_thread, c, three{x, y});
  for (std::thread &thread : threads)
    thread.join();
  pthread_barrier_destroy(&barrier);
}

extern "C" void run_grid(const device_call *c)
{
  gridDim = {c->blocks, 1}, blockDim = {c->threads, c->parts};
  for (u32 block = 0; block < c->blocks; block++) {
    blockIdx = {block, 0};
    run_block(c);
  }
}

DEVICE u32 bits_f32(f32 x)
{
  u32 bits;
  memcpy(&bits, &x.value, sizeof bits);
  return bits;
}
DEVICE u64 bits_f64(f64 x)
{
  u64 bits;
  memcpy(&bits, &x.value, sizeof bits);
  return bits;
}
DEVICE f32 of_bits_f32(u32 bits)
{
  f32 x;
  memcpy(&x.value, &bits, sizeof bits);
  return x;
}
DEVICE f64 of_bits_f64(u64 bits)
{
  f64 x;
  memcpy(&x.value, &bits, sizeof bits);
  return x;
}
#define double f64
