/* Solvers of the even half. See dirac_solve.h.
 *
 * The fields live in the work space by name; those of the iteration in its type, solution and true residual in
 * doubles. */
#include "physics/lattice/dirac_solve.h"

#include "datacube/base/checked.h"
#include "physics/lattice/fermion_algebra.h"
#include "physics/lattice/gauge_slab.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
  /* doubles */
  FIELD_RHS,  /* of the even half */
  FIELD_X,    /* solution */
  FIELD_TRUE, /* true residual */
  FIELD_SPARE,
  /* of the iteration's type */
  FIELD_R,
  FIELD_P,
  FIELD_Q,
  FIELD_D, /* solution since it last moved to X */
  FIELD_S,
  FIELD_SHADOW,
  /* of the operators */
  FIELD_WORK0,
  FIELD_WORK1,
  FIELDS
};

#define RELIABLE 0.1 /* the residual falls to this between reliable updates */
#define DEFLATE 1e-3 /* the residual falls to this until the modes, which are not exact, are taken out again */
#define MOST_TRIES 8 /* tightenings of the normal equations' tolerance */

struct solve {
  const struct dirac *dirac;
  const struct solver *solver;
  enum fermion_type type; /* of the iteration */
  bool normal;            /* the system is that of dirac_normal, else of dirac_even */
  size_t blocks;          /* of a field */
  void *field[FIELDS];
  struct fermion_algebra algebra;
  struct solver_report *report;
};

static size_t half_of(const struct fermion_shape *shape)
{
  return shape->lattice->blocks / 2;
}

size_t dirac_solve_bytes(const struct fermion_shape *shape)
{
  size_t fields = saturated_mul(FIELDS, fermion_bytes(shape, FERMION_F64, half_of(shape)));
  return fields == SIZE_MAX ? 0 : fields;
}

/* ---- linear algebra ---------------------------------------------------------------------------------------------- */

/* out = x + factor y */
static void add(const struct solve *s, enum fermion_type type, const void *x, double complex factor, const void *y,
                void *out)
{
  fermion_add(&s->algebra, type, x, factor, y, out);
}

/* Sum of conj(x) y. */
static double complex dot(const struct solve *s, enum fermion_type type, const void *x, const void *y)
{
  return fermion_dot(&s->algebra, type, x, y);
}

static double square(const struct solve *s, enum fermion_type type, const void *x)
{
  return fermion_square(&s->algebra, type, x);
}

static void operate(const struct solve *s, enum fermion_type type, const void *in, void *out)
{
  if (s->normal) {
    dirac_normal(s->dirac, type, in, out, &s->field[FIELD_WORK0]);
  } else {
    dirac_even(s->dirac, type, in, out, s->field[FIELD_WORK0]);
  }
}

static size_t reals_of(const struct solve *s)
{
  return fermion_reals(&s->algebra);
}

/* A field of doubles in the iteration's type, and back. */
static void to_iteration(const struct solve *s, const double *from, void *to)
{
  if (s->type == FERMION_F32) {
    fermion_narrow(from, reals_of(s), to);
  } else {
    memcpy(to, from, reals_of(s) * sizeof *from);
  }
}

static const double *from_iteration(const struct solve *s, void *from)
{
  if (s->type == FERMION_F64) {
    return from;
  }
  fermion_widen(from, reals_of(s), s->field[FIELD_SPARE]);
  return s->field[FIELD_SPARE];
}

static void clear(const struct solve *s, void *field)
{
  memset(field, 0, reals_of(s) * fermion_real_bytes(s->type));
}

/* ---- reports ----------------------------------------------------------------------------------------------------- */

static void record(struct solver_report *report, double residual)
{
  if (report->stride == 0) {
    report->stride = 1;
  }
  if (report->seen++ % report->stride != 0) {
    return;
  }
  if (report->recorded == SOLVER_HISTORY) {
    for (size_t i = 0; i < SOLVER_HISTORY / 2; i++) {
      report->history[i] = report->history[2 * i];
    }
    report->recorded = SOLVER_HISTORY / 2;
    report->stride *= 2;
  }
  report->history[report->recorded++] = (struct solver_step){report->iterations, residual};
}

static bool is_over(const struct solve *s)
{
  const struct gauge_slab *slab = s->dirac->slab;
  s->report->cancelled = s->solver->cancel != NULL && *s->solver->cancel != 0;
  return s->report->cancelled || (slab != NULL && slab->ranks->broken) ||
         s->report->iterations >= s->solver->most_iterations;
}

/* X += D, D = 0, and the residual of `rhs` anew, in doubles and in the iteration's type. Returns its square. */
static double renew(const struct solve *s, const double *rhs)
{
  double *x = s->field[FIELD_X], *residual = s->field[FIELD_TRUE];
  add(s, FERMION_F64, x, 1, from_iteration(s, s->field[FIELD_D]), x);
  clear(s, s->field[FIELD_D]);
  operate(s, FERMION_F64, x, residual);
  add(s, FERMION_F64, rhs, -1, residual, residual);
  to_iteration(s, residual, s->field[FIELD_R]);
  return square(s, FERMION_F64, residual);
}

/* ---- deflation --------------------------------------------------------------------------------------------------- */

/* X += the part of the solution that lies in the modes, and the residual anew; returns its square. The modes solve
 * A x = r, A = K^dagger K, or K of staggered quarks: where the system is that of K, with r K^dagger's of the residual.
 */
static double deflate(const struct solve *s, const double *rhs, double now)
{
  const struct dirac_modes *modes = s->solver->modes;
  if (modes == NULL) {
    return now;
  }
  const unsigned char *vector = modes->vectors;
  const size_t bytes = reals_of(s) * fermion_real_bytes(modes->type);
  double *residual = s->field[FIELD_TRUE];
  if (!s->normal && !s->dirac->staggered) {
    dirac_chiral(s->dirac, FERMION_F64, residual, s->blocks);
    dirac_even(s->dirac, FERMION_F64, residual, s->field[FIELD_SPARE], s->field[FIELD_WORK0]);
    dirac_chiral(s->dirac, FERMION_F64, s->field[FIELD_SPARE], s->blocks);
    to_iteration(s, s->field[FIELD_SPARE], s->field[FIELD_R]);
  }
  /* below it a value is rounding: of no use, or of the wrong sign */
  const double least = (modes->type == FERMION_F32 ? FLT_EPSILON : DBL_EPSILON) * modes->top;
  for (size_t i = 0; i < modes->count; i++, vector += bytes) {
    if (!(modes->values[i] > least)) {
      continue;
    }
    double complex part = dot(s, s->type, vector, s->field[FIELD_R]) / modes->values[i];
    add(s, s->type, s->field[FIELD_D], part, vector, s->field[FIELD_D]);
  }
  return renew(s, rhs);
}

/* ---- conjugate gradients ----------------------------------------------------------------------------------------- */

/* From X towards A X = rhs, A Hermitian and positive, until |rhs - A X|^2 <= goal. Returns that square. */
static double conjugate_gradients(const struct solve *s, const double *rhs, double goal)
{
  void *r = s->field[FIELD_R], *p = s->field[FIELD_P], *q = s->field[FIELD_Q], *d = s->field[FIELD_D];
  const double scale = sqrt(square(s, FERMION_F64, rhs));
  clear(s, d);
  double now = deflate(s, rhs, renew(s, rhs)), highest = now, deflated = now;
  to_iteration(s, s->field[FIELD_TRUE], p);
  while (now > goal && !is_over(s)) {
    operate(s, s->type, p, q);
    double curvature = fermion_real_dot(&s->algebra, s->type, p, q);
    /* written so that NaN fails */
    if (!(curvature > 0)) {
      return renew(s, rhs);
    }
    double step = now / curvature;
    add(s, s->type, d, step, p, d);
    add(s, s->type, r, -step, q, r);
    double next = square(s, s->type, r);
    s->report->iterations++;
    if (next <= RELIABLE * RELIABLE * highest || next <= goal) {
      next = renew(s, rhs);
      if (s->solver->modes != NULL && next > goal && next <= DEFLATE * DEFLATE * deflated) {
        next = deflated = deflate(s, rhs, next);
      }
      highest = next;
      record(s->report, sqrt(next) / scale);
    }
    add(s, s->type, r, next / now, p, p);
    now = next;
  }
  return now > goal ? renew(s, rhs) : now;
}

/* ---- BiCGStab ---------------------------------------------------------------------------------------------------- */

/* D += the solution of K D = R, until |R|^2 <= goal or it breaks down. */
static void stabilised_steps(const struct solve *s, double goal)
{
  void *r = s->field[FIELD_R], *p = s->field[FIELD_P], *v = s->field[FIELD_Q], *d = s->field[FIELD_D];
  void *t = s->field[FIELD_S], *shadow = s->field[FIELD_SHADOW];
  size_t bytes = reals_of(s) * fermion_real_bytes(s->type);
  memcpy(shadow, r, bytes);
  memcpy(p, r, bytes);
  double complex rho = dot(s, s->type, shadow, r);
  while (square(s, s->type, r) > goal && !is_over(s)) {
    operate(s, s->type, p, v);
    double complex across = dot(s, s->type, shadow, v);
    double complex alpha = rho / across;
    if (across == 0 || !isfinite(cabs(alpha))) {
      return;
    }
    add(s, s->type, r, -alpha, v, r);
    operate(s, s->type, r, t);
    double complex omega = dot(s, s->type, t, r) / square(s, s->type, t);
    if (!(cabs(omega) > 0) || !isfinite(cabs(omega))) {
      add(s, s->type, d, alpha, p, d);
      return;
    }
    add(s, s->type, d, alpha, p, d);
    add(s, s->type, d, omega, r, d);
    add(s, s->type, r, -omega, t, r);
    double complex next = dot(s, s->type, shadow, r), beta = next / rho * (alpha / omega);
    add(s, s->type, p, -omega, v, p);
    add(s, s->type, r, beta, p, p);
    rho = next;
    s->report->iterations++;
  }
}

/* As conjugate_gradients, for K itself: in turns, each from the true residual of the last. */
static double stabilised(const struct solve *s, const double *rhs, double goal)
{
  const double scale = sqrt(square(s, FERMION_F64, rhs));
  clear(s, s->field[FIELD_D]);
  double now = renew(s, rhs);
  for (size_t idle = 0; now > goal && idle < 3 && !is_over(s);) {
    /* floats see five digits of the residual that a turn begins with */
    double turn = s->type == FERMION_F32 ? fmax(goal, 1e-10 * now) : goal;
    deflate(s, rhs, now);
    stabilised_steps(s, turn);
    double next = renew(s, rhs);
    record(s->report, sqrt(next) / scale);
    idle = next < 0.5 * now ? 0 : idle + 1;
    now = next;
  }
  return now;
}

/* ---- the even half ----------------------------------------------------------------------------------------------- */

/* Square of rhs - K X, of the even half's own system. */
static double even_residual(const struct solve *s)
{
  double *out = s->field[FIELD_SPARE];
  dirac_even(s->dirac, FERMION_F64, s->field[FIELD_X], out, s->field[FIELD_WORK0]);
  add(s, FERMION_F64, s->field[FIELD_RHS], -1, out, out);
  return square(s, FERMION_F64, out);
}

/* K^dagger rhs, in a field that conjugate gradients do not use. */
static double *normal_source(const struct solve *s)
{
  double *rhs = s->field[FIELD_SHADOW], *turned = s->field[FIELD_SPARE];
  memcpy(turned, s->field[FIELD_RHS], reals_of(s) * sizeof *rhs);
  dirac_chiral(s->dirac, FERMION_F64, turned, s->blocks);
  dirac_even(s->dirac, FERMION_F64, turned, rhs, s->field[FIELD_WORK0]);
  dirac_chiral(s->dirac, FERMION_F64, rhs, s->blocks);
  return rhs;
}

/* The normal equations' residual bounds that of K only by its condition: the goal is lowered until K's is reached. */
static void solve_normal(struct solve *s, double goal)
{
  const double *rhs = normal_source(s);
  double aim = goal / square(s, FERMION_F64, s->field[FIELD_RHS]) * square(s, FERMION_F64, rhs);
  for (int tries = 0; tries < MOST_TRIES; tries++) {
    double reached = conjugate_gradients(s, rhs, aim);
    double residual = even_residual(s);
    if (residual <= goal || reached > aim || s->report->cancelled) {
      return;
    }
    aim *= fmax(0.25 * goal / residual, 1e-4);
  }
}

static void solve_even(struct solve *s, double goal)
{
  if (s->solver->method == SOLVER_BICGSTAB) {
    stabilised(s, s->field[FIELD_RHS], goal);
  } else if (s->dirac->staggered) {
    conjugate_gradients(s, s->field[FIELD_RHS], goal);
  } else {
    s->normal = true;
    solve_normal(s, goal);
  }
}

static void take_fields(struct solve *s, void *work)
{
  unsigned char *bytes = work;
  for (size_t i = 0; i < FIELDS; i++) {
    s->field[i] = bytes;
    bytes += fermion_bytes(&s->dirac->shape, FERMION_F64, s->blocks);
  }
  s->algebra = fermion_algebra_of(s->dirac, 0, s->blocks);
}

void dirac_solve(const struct dirac *dirac, const struct solver *solver, const double *eta, double *psi, void *work,
                 struct solver_report *report)
{
  struct solve s = {.dirac = dirac,
                    .solver = solver,
                    .type = solver->mixed ? FERMION_F32 : FERMION_F64,
                    .blocks = half_of(&dirac->shape),
                    .report = report};
  size_t half = s.blocks * fermion_numbers(&dirac->shape) * LATTICE_LANES;
  *report = (struct solver_report){0};
  take_fields(&s, work);
  memset(psi, 0, 2 * half * sizeof *psi);
  const struct fermion_algebra odd = fermion_algebra_of(dirac, s.blocks, s.blocks);
  double norm = square(&s, FERMION_F64, eta) + fermion_square(&odd, FERMION_F64, eta + half);
  if (norm == 0) {
    report->converged = true;
    return;
  }
  dirac_even_source(dirac, eta, s.field[FIELD_RHS], s.field[FIELD_SPARE]);
  /* the odd half is solved exactly, so the residual is scale (rhs - K x) */
  double goal = solver->tolerance * solver->tolerance * norm / (dirac->scale * dirac->scale);
  memset(s.field[FIELD_X], 0, half * sizeof *psi);
  if (square(&s, FERMION_F64, s.field[FIELD_RHS]) > goal) {
    solve_even(&s, goal);
  }
  s.normal = false;
  report->residual = sqrt(even_residual(&s) / norm) * fabs(dirac->scale);
  report->converged = report->residual <= solver->tolerance * (1 + 1e-6);
  memcpy(psi, s.field[FIELD_X], half * sizeof *psi);
  dirac_odd_solution(dirac, eta, psi, s.field[FIELD_SPARE]);
}
