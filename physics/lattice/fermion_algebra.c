/* Fields as vectors. See fermion_algebra.h. */
#include "physics/lattice/fermion_algebra.h"

#include "physics/lattice/gamma.h"
#include "physics/lattice/gauge_slab.h"
#include "physics/simd.h"

struct fermion_algebra fermion_algebra_of(const struct dirac *dirac, size_t first, size_t blocks)
{
  return (struct fermion_algebra){
      .shape = dirac->shape, .threads = dirac->threads, .first = first, .blocks = blocks, .slab = dirac->slab};
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

/* ---- sums -------------------------------------------------------------------------------------------------------- */

enum { TOGETHER = 16 /* blocks whose products lie about at a time */ };

struct products {
  const struct fermion_algebra *algebra;
  enum fermion_type type;
  const void *x, *y;
  size_t parts; /* 1: real ones, 2: imaginary ones, too */
  struct exact_sum sum[2];
};

static void add_products(void *context, size_t first, size_t last)
{
  struct products *p = context;
  double products[TOGETHER][2][LATTICE_LANES];
  struct dot_task task = {
      .numbers = fermion_numbers(&p->algebra->shape), .x = p->x, .y = p->y, .sum = products, .first = first};
  struct exact_sum sum[2] = {0};
  for (; task.first < last; task.first += TOGETHER) {
    const size_t end = last - task.first < TOGETHER ? last : task.first + TOGETHER;
    fermion_kernels(p->type)->dot(&task, task.first, end);
    for (size_t block = task.first; block < end; block++) {
      for (size_t k = 0; k < p->parts; k++) {
        gauge_slab_add(p->algebra->shape.lattice, p->algebra->first + block, products[block - task.first][k], &sum[k]);
      }
    }
  }
#pragma omp critical(fermion_algebra)
  for (size_t k = 0; k < p->parts; k++) {
    exact_sum_merge(&p->sum[k], &sum[k]);
  }
}

static void sum_products(struct products *p)
{
  lattice_run(p->algebra->threads, 0, p->algebra->blocks, add_products, p);
  gauge_slab_total(p->algebra->slab, p->sum, p->parts);
}

double complex fermion_dot(const struct fermion_algebra *algebra, enum fermion_type type, const void *x, const void *y)
{
  struct products p = {.algebra = algebra, .type = type, .x = x, .y = y, .parts = 2};
  sum_products(&p);
  return complex_of(exact_sum_value(&p.sum[0]), exact_sum_value(&p.sum[1]));
}

double fermion_real_dot(const struct fermion_algebra *algebra, enum fermion_type type, const void *x, const void *y)
{
  struct products p = {.algebra = algebra, .type = type, .x = x, .y = y, .parts = 1};
  sum_products(&p);
  return exact_sum_value(&p.sum[0]);
}

double fermion_square(const struct fermion_algebra *algebra, enum fermion_type type, const void *x)
{
  return fermion_real_dot(algebra, type, x, x);
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
