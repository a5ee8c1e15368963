/* Fields as vectors. See fermion_algebra.h. */
#include "physics/lattice/fermion_algebra.h"

#include "datacube/base/checked.h"
#include "physics/lattice/gamma.h"
#include "physics/simd.h"

size_t fermion_algebra_bytes(size_t blocks)
{
  size_t bytes = saturated_mul(blocks, sizeof(double complex) + sizeof(double));
  return bytes > SIZE_MAX - 63 ? SIZE_MAX : (bytes + 63) / 64 * 64;
}

struct fermion_algebra fermion_algebra_over(const struct fermion_shape *shape, unsigned threads, size_t blocks,
                                            void *memory)
{
  double complex *sums = memory;
  return (struct fermion_algebra){
      .shape = *shape, .threads = threads, .blocks = blocks, .sums = sums, .parts = (double *)(sums + blocks)};
}

size_t fermion_reals(const struct fermion_algebra *algebra)
{
  return algebra->blocks * fermion_numbers(&algebra->shape) * LATTICE_LANES;
}

void fermion_add(const struct fermion_algebra *algebra, enum fermion_type type, const void *x, double complex factor,
                 const void *y, void *out)
{
  struct add_task task = {.numbers = fermion_numbers(&algebra->shape), .x = x, .y = y, .factor = factor, .out = out};
  lattice_run(algebra->threads, 0, algebra->blocks, fermion_kernels(type)->add, &task);
}

double complex fermion_dot(const struct fermion_algebra *algebra, enum fermion_type type, const void *x, const void *y)
{
  struct dot_task task = {.numbers = fermion_numbers(&algebra->shape),
                          .lanes = algebra->shape.lattice->lanes,
                          .x = x,
                          .y = y,
                          .sum = algebra->sums};
  lattice_run(algebra->threads, 0, algebra->blocks, fermion_kernels(type)->dot, &task);
  double part[2];
  for (size_t k = 0; k < 2; k++) {
    for (size_t i = 0; i < algebra->blocks; i++) {
      algebra->parts[i] = k == 0 ? creal(algebra->sums[i]) : cimag(algebra->sums[i]);
    }
    part[k] = lattice_sum(algebra->parts, algebra->blocks);
  }
  return complex_of(part[0], part[1]);
}

double fermion_square(const struct fermion_algebra *algebra, enum fermion_type type, const void *x)
{
  return creal(fermion_dot(algebra, type, x, x));
}

/* ---- rotations --------------------------------------------------------------------------------------------------- */

struct rotation {
  void *fields;
  size_t reals, numbers, in, out; /* reals of a field, numbers (re or im) of a site */
  const double complex *matrix;
};

/* One complex number of a block in all fields at a time: what is written was read before. */
#define ROTATE(name, real)                                                                                             \
  SIMD_BODY name##_body(void *context, size_t first, size_t last)                                                      \
  {                                                                                                                    \
    const struct rotation *task = context;                                                                             \
    real old[FERMION_MOST_FIELDS][2][LATTICE_LANES] __attribute__((aligned(64)));                                      \
    for (size_t i = first * task->numbers; i < last * task->numbers; i += 2) {                                         \
      real *at = (real *)task->fields + i * LATTICE_LANES;                                                             \
      for (size_t j = 0; j < task->in; j++) {                                                                          \
        memcpy(old[j], at + j * task->reals, sizeof old[j]);                                                           \
      }                                                                                                                \
      for (size_t k = 0; k < task->out; k++) {                                                                         \
        real re[LATTICE_LANES] = {0}, im[LATTICE_LANES] = {0};                                                         \
        for (size_t j = 0; j < task->in; j++) {                                                                        \
          const real a = (real)creal(task->matrix[j * task->out + k]);                                                 \
          const real b = (real)cimag(task->matrix[j * task->out + k]);                                                 \
          _Pragma("omp simd") for (size_t l = 0; l < LATTICE_LANES; l++)                                               \
          {                                                                                                            \
            re[l] += a * old[j][0][l] - b * old[j][1][l];                                                              \
            im[l] += a * old[j][1][l] + b * old[j][0][l];                                                              \
          }                                                                                                            \
        }                                                                                                              \
        memcpy(at + k * task->reals, re, sizeof re);                                                                   \
        memcpy(at + k * task->reals + LATTICE_LANES, im, sizeof im);                                                   \
      }                                                                                                                \
    }                                                                                                                  \
  }                                                                                                                    \
  SIMD_LEVELS(name, (void *context, size_t first, size_t last), (context, first, last))

ROTATE(rotate_doubles, double)
ROTATE(rotate_floats, float)

void fermion_rotate(const struct fermion_algebra *algebra, enum fermion_type type, void *fields, size_t in, size_t out,
                    const double complex *matrix)
{
  struct rotation task = {.fields = fields,
                          .reals = fermion_reals(algebra),
                          .numbers = fermion_numbers(&algebra->shape),
                          .in = in,
                          .out = out,
                          .matrix = matrix};
  lattice_run(algebra->threads, 0, algebra->blocks,
              type == FERMION_F32 ? SIMD_PICK(rotate_floats) : SIMD_PICK(rotate_doubles), &task);
}
