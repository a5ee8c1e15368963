/* What the text of simulators' kernels begins with, on a CUDA device. Tests give another beginning of these names. */
#ifndef SCIENCE_KERNEL
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef float f32;
typedef double f64;
#define DEVICE static __device__ __forceinline__
#define SCIENCE_KERNEL(name, ...) extern "C" __global__ void name(__VA_ARGS__)
DEVICE u64 bits_f64(f64 x) { return (u64)__double_as_longlong(x); }
DEVICE f64 of_bits_f64(u64 bits) { return __longlong_as_double((long long)bits); }
#endif
