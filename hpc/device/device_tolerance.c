/* How far a device's functions are from the CPU's: the largest errors of both, added.
 *
 * Of a device: CUDA C++ Programming Guide, Mathematical Functions, Standard Functions, where editions differ the larger
 * number. Of the CPU: The GNU C Library, Known Maximum Errors in Math Functions, x86_64. Neither is a guarantee. What
 * is not in the table is arithmetic that IEEE 754 rounds, compiled without fused multiply-add, with its own division,
 * root and small numbers, or is made of comparisons: it has the same bits. */
#include "hpc/device/device_text.h"

unsigned device_op_ulp(enum kernel_op op, enum lane_type type)
{
  static const struct {
    unsigned char f32, f64;
  } most[KOP_COUNT_] = {
      [KOP_POW] = {8 + 1, 2 + 1},     [KOP_EXP] = {2 + 1, 1 + 1},    [KOP_LN] = {1 + 1, 1 + 1},
      [KOP_LOG] = {1, 3 + 3}, /* f32: by way of f64; f64: two logarithms and a quotient */
      [KOP_SIN] = {2 + 1, 2 + 1},     [KOP_COS] = {2 + 1, 2 + 1},    [KOP_TAN] = {4 + 1, 2 + 1},
      [KOP_ARCSIN] = {4 + 1, 2 + 1},  [KOP_ARCCOS] = {3 + 1, 2 + 1}, [KOP_ARCTAN] = {2 + 1, 2 + 1},
      [KOP_ARCTAN2] = {3 + 2, 2 + 1}, [KOP_HYPOT] = {0, 2 + 1}, /* f32: by way of f64 */
      [KOP_SINH] = {3 + 2, 2 + 2},    [KOP_COSH] = {2 + 2, 1 + 2},   [KOP_TANH] = {2 + 2, 1 + 2},
      [KOP_ARSINH] = {3 + 2, 3 + 2},  [KOP_ARCOSH] = {4 + 2, 3 + 2}, [KOP_ARTANH] = {3 + 2, 2 + 2},
  };
  return type == LANE_F32 ? most[op].f32 : most[op].f64;
}
