/* How far a device's functions are from the CPU's.
 *
 * NVIDIA states the errors of its functions in the appendix on mathematical functions of the CUDA C++ programming
 * guide; one more is allowed here for the CPU's own. What is not in the table is arithmetic that IEEE 754 rounds,
 * compiled without fused multiply-add, with its own division, root and small numbers, or is made of comparisons: it has
 * the same bits. */
#include "hpc/device/device_text.h"

unsigned device_op_ulp(enum kernel_op op, enum lane_type type)
{
  static const struct {
    unsigned char f32, f64;
  } most[KOP_COUNT_] = {
      [KOP_POW] = {9, 3},    [KOP_EXP] = {3, 2},    [KOP_LN] = {2, 2},      [KOP_LOG] = {1, 3}, /* f32 by way of f64 */
      [KOP_SIN] = {3, 3},    [KOP_COS] = {3, 3},    [KOP_TAN] = {5, 3},     [KOP_ARCSIN] = {5, 3},
      [KOP_ARCCOS] = {4, 3}, [KOP_ARCTAN] = {3, 3}, [KOP_ARCTAN2] = {4, 3}, [KOP_HYPOT] = {0, 3},
      [KOP_SINH] = {4, 3},   [KOP_COSH] = {3, 2},   [KOP_TANH] = {3, 2},    [KOP_ARSINH] = {4, 4},
      [KOP_ARCOSH] = {5, 4}, [KOP_ARTANH] = {4, 3}};
  return type == LANE_F32 ? most[op].f32 : most[op].f64;
}
