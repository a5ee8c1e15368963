/* What the text of kernels is written in, on a CUDA device. Tests give another beginning of the same names, in which
 * arithmetic loses the payload of NaN as a device's does. */
#ifndef TWINCUBE_DEVICE_NAMES
typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
typedef float f32, stored_f32;
typedef double f64, stored_f64;
#define DEVICE static __device__ __forceinline__
#define MEMBER __device__ __forceinline__
#define SHARED extern __shared__ u64
#define TABLE static __device__ const
#define KERNEL(name)                                                                                                   \
  extern "C" __global__ void name(const void *const *bases, void *out, const i64 *offsets, const i64 *strides, u64 nx, \
                                  u64 ny, u64 nz, void *scratch)
#ifndef INFINITY
#define INFINITY __int_as_float(0x7F800000)
#endif
#ifndef NAN
#define NAN __int_as_float(0x7FC00000)
#endif
DEVICE u32 bits_f32(f32 x) { return (u32)__float_as_int(x); }
DEVICE u64 bits_f64(f64 x) { return (u64)__double_as_longlong(x); }
DEVICE f32 of_bits_f32(u32 bits) { return __int_as_float((int)bits); }
DEVICE f64 of_bits_f64(u64 bits) { return __longlong_as_double((long long)bits); }
#endif

/* The lanes of a thread; and the first lanes of a block whose threads share them, and must go together. */
#define EACH_LANE                                                                                                      \
  for (u64 lane = (u64)blockIdx.x * blockDim.x + threadIdx.x; lane < nx * ny * nz; lane += (u64)gridDim.x * blockDim.x)
#define EACH_LANE_TOGETHER                                                                                             \
  for (u64 first = (u64)blockIdx.x * blockDim.x; first < nx * ny * nz; first += (u64)gridDim.x * blockDim.x)

#define EACH_TILE                                                                                                      \
  for (u64 tile = blockIdx.x; tile < tiles_of(nx, blockDim.x) * tiles_of(ny, TILE_ROWS) * nz; tile += gridDim.x)

/* An array in scratch memory: element i of all threads, then element i + 1. */
template <class E> struct far {
  E *first;
  u64 threads;
  MEMBER E &operator[](u64 i) const { return first[i * threads]; }
  MEMBER far operator+(u64 i) const { return {first + i * threads, threads}; }
};
#define THREADS ((u64)gridDim.x * blockDim.x * blockDim.y)
#define FAR(type, bytes)                                                                                               \
  far<type>{(type *)((char *)scratch + (bytes) * THREADS) +                                                            \
                ((u64)blockIdx.x * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x,                               \
            THREADS}

DEVICE u32 least(u32 a, u32 b) { return a < b ? a : b; }

/* Merges the parts that the threads of a lane have just made, the first `left` of them, in their order, into what each
 * of them has. */
template <class S> DEVICE void merge_parts(S &all, const S &own, u32 left)
{
  if (blockDim.y == 1) {
    all.merge(own);
    return;
  }
  SHARED block_memory[];
  S *const states = (S *)block_memory + threadIdx.x;
  states[threadIdx.y * blockDim.x] = own;
  __syncthreads();
  for (u32 y = 0; y < blockDim.y && y < left; y++)
    all.merge(states[y * blockDim.x]);
  __syncthreads();
}

/* A lane, x running fastest, and how far its elements lie from those of lane 0. */
struct lane_place {
  u64 x, y, z;
};

DEVICE lane_place place_of(u64 lane, u64 nx, u64 ny)
{
  const u64 row = lane / nx;
  return {lane - row * nx, row % ny, row / ny};
}

DEVICE i64 along(lane_place at, const i64 *strides)
{
  return (i64)at.x * strides[0] + (i64)at.y * strides[1] + (i64)at.z * strides[2];
}

/* ---- tiles of lanes, for windows ---- */

DEVICE u64 tiles_of(u64 lanes, u64 width) { return (lanes + width - 1) / width; }

DEVICE lane_place tile_corner(u64 tile, u64 nx, u64 ny)
{
  const lane_place at = place_of(tile, tiles_of(nx, blockDim.x), tiles_of(ny, TILE_ROWS));
  return {at.x * blockDim.x, at.y * TILE_ROWS, at.z};
}

/* Element e of a tile and its margins. */
DEVICE lane_place tile_place(lane_place corner, u32 e, u32 width)
{
  return {corner.x + e % width, corner.y + e / width, corner.z};
}

/* Whether a window's elements lie from each other as those of neighbouring lanes do. */
DEVICE bool is_even(const i64 *offsets, const i64 *strides, u32 rows, u32 columns)
{
  return (columns == 1 || offsets[1] - offsets[0] == strides[0]) &&
         (rows == 1 || offsets[columns] - offsets[0] == strides[1]);
}

/* NA: see datacube/base/missing.h. Arithmetic and conversions lose it here. */
DEVICE f32 na_f32() { return of_bits_f32(0x7FC007A2u); }
DEVICE f64 na_f64() { return of_bits_f64(0x7FF800F440000000ull); }
DEVICE bool is_na_f32(f32 x) { return (bits_f32(x) & 0x7FFFFFFFu) == 0x7FC007A2u; }
DEVICE bool is_na_f64(f64 x) { return (bits_f64(x) & 0x7FFFFFFFFFFFFFFFull) == 0x7FF800F440000000ull; }

#define ISNAN(x) ((x) != (x))
#define BOOL(condition) ((condition) ? (T)1 : (T)0)
#define KEEP1(a, value) (ISNAN(a) ? (a) : (value))
#define KEEP2(a, b, value) (ISNAN(a) ? (a) : ISNAN(b) ? (b) : (value))
#define COMMUTES(a, value) (ISNAN(a) ? (a) : (value))
#define MATH(name, ...) F(name)(__VA_ARGS__)
#define SETTLE(least, result)                                                                                          \
  (n - na < (ignore || n < (TINT)(least) ? (TINT)(least) : n) ? NA : FN(quiet)((f64)(result)))
#define kernel_mod_T FN(mod)
#define kernel_pow_T FN(pow)
#define kernel_log_T FN(log)
#define kernel_hypot_T FN(hypot)

/* A value between two others, f in (0, 1); between infinities too. */
DEVICE f64 between(f64 low, f64 high, f64 f)
{
  const f64 d = high - low;
  return d - d == 0 ? low + f * d : (1 - f) * low + f * high;
}

DEVICE f64 clamp(f64 x, f64 low, f64 high)
{
  return rint(x < low ? low : x > high ? high : x);
}
