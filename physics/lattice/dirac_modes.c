/* Lowest modes. See dirac_modes.h. */
#include "physics/lattice/dirac_modes.h"

#include "datacube/base/checked.h"
#include "physics/lattice/fermion_algebra.h"
#include "physics/lattice/hermitian.h"
#include "physics/random/philox.h"

#include <math.h>
#include <string.h>

enum {
  MOST_PASSES = 20,
  TOP_STEPS = 16, /* of Lanczos' method, for the upper end of the spectrum */
  MOST_DEGREE = 128,
  LEAST_DEGREE = 8,
  WORK_FIELDS = 5 /* two of the operator's, and of the polynomial */
};

#define CLEARANCE 1.3   /* of the cut above the last wanted value, which may be that of all guards, too */
#define HIGHEST_CUT 0.9 /* of the top; where the spectrum is narrow */
#define GROWTH 2.5      /* the polynomial grows to cosh of about twice this at 0 */

static const struct philox_stream start_numbers = {.seed = UINT64_C(0x6D6F646573), .stream = 0};

struct mode_search {
  const struct dirac *dirac;
  struct fermion_algebra algebra;
  enum fermion_type type;
  size_t wanted, kept, filled; /* modes; Ritz vectors that a basis begins with; fields in it now */
  size_t bytes;                /* of a field */
  unsigned char *basis;
  void *work[WORK_FIELDS];
  double complex *projected, *matrix, *vector; /* of 2 kept rows and columns each; projected: V^dagger A V */
  double *value;                               /* of 2 kept */
  double top;
  size_t applications;
  const volatile int *cancel;
};

static size_t kept_of(size_t count)
{
  return count + count / 4 + 2;
}

static size_t half_of(const struct fermion_shape *shape)
{
  return shape->lattice->blocks / 2;
}

size_t dirac_modes_most(const struct fermion_shape *shape)
{
  size_t numbers = shape->lattice->sites / 2 * shape->spins * shape->colours;
  return numbers / 8 < DIRAC_MOST_MODES ? numbers / 8 : DIRAC_MOST_MODES;
}

size_t dirac_modes_bytes(const struct fermion_shape *shape, enum fermion_type type, size_t count)
{
  const size_t room = 2 * kept_of(count), square = room * room * sizeof(double complex);
  size_t fields = saturated_mul(room + WORK_FIELDS, fermion_bytes(shape, type, half_of(shape)));
  size_t dense = (3 * square + room * sizeof(double) + 63) / 64 * 64;
  return saturated_add(fields, dense);
}

static void take_memory(struct mode_search *s, void *memory)
{
  const size_t room = 2 * s->kept;
  unsigned char *at = memory;
  s->bytes = fermion_bytes(&s->dirac->shape, s->type, half_of(&s->dirac->shape));
  s->basis = at;
  at += room * s->bytes;
  for (size_t i = 0; i < WORK_FIELDS; i++, at += s->bytes) {
    s->work[i] = at;
  }
  s->algebra = fermion_algebra_of(s->dirac, 0, half_of(&s->dirac->shape));
  s->projected = (double complex *)(void *)at;
  s->matrix = s->projected + room * room;
  s->vector = s->matrix + room * room;
  s->value = (double *)(s->vector + room * room);
}

static void *field_of(const struct mode_search *s, size_t i)
{
  return s->basis + i * s->bytes;
}

static bool is_over(const struct mode_search *s)
{
  return s->cancel != NULL && *s->cancel != 0;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void apply(struct mode_search *s, const void *in, void *out)
{
  dirac_normal(s->dirac, s->type, in, out, s->work);
  s->applications++;
}

/* x += factor y */
static void add(const struct mode_search *s, void *x, double complex factor, const void *y)
{
  fermion_add(&s->algebra, s->type, x, factor, y, x);
}

static double complex dot(const struct mode_search *s, const void *x, const void *y)
{
  return fermion_dot(&s->algebra, s->type, x, y);
}

/* x *= factor, however small: by way of zeros. */
static void scale(const struct mode_search *s, void *x, double factor)
{
  memset(s->work[3], 0, s->bytes);
  fermion_add(&s->algebra, s->type, s->work[3], factor, x, x);
}

static double length(const struct mode_search *s, const void *x)
{
  return sqrt(fermion_square(&s->algebra, s->type, x));
}

/* Normal numbers by site, so that they are the same on every layout. */
static void fill_random(const struct mode_search *s, uint64_t number, void *field)
{
  const struct lattice *lattice = s->dirac->shape.lattice;
  const size_t numbers = fermion_numbers(&s->dirac->shape);
  double normals[FERMION_MAX_SPINS * FERMION_MAX_COLOURS * 2];
  for (size_t block = 0; block < half_of(&s->dirac->shape); block++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      uint64_t first = (number * lattice_all_sites(lattice) + lattice_site(lattice, block, lane)) * numbers;
      philox_normals(start_numbers, first, numbers, normals);
      for (size_t i = 0; i < numbers; i++) {
        size_t at = (block * numbers + i) * LATTICE_LANES + lane;
        if (s->type == FERMION_F32) {
          ((float *)field)[at] = (float)normals[i];
        } else {
          ((double *)field)[at] = normals[i];
        }
      }
    }
  }
}

/* An upper bound of the spectrum by Lanczos' method from a random field: the greatest Ritz value, and what was left. */
static double find_top(struct mode_search *s)
{
  double complex matrix[TOP_STEPS * TOP_STEPS] = {0}, vector[TOP_STEPS * TOP_STEPS];
  double value[TOP_STEPS], beta = 0;
  void *before = field_of(s, 0), *now = field_of(s, 1), *next = field_of(s, 2);
  size_t steps = 0;
  memset(before, 0, s->bytes);
  fill_random(s, 0, now);
  scale(s, now, 1 / length(s, now));
  while (steps < TOP_STEPS) {
    apply(s, now, next);
    double alpha = creal(dot(s, now, next));
    add(s, next, -alpha, now);
    add(s, next, -beta, before);
    matrix[steps * TOP_STEPS + steps] = alpha;
    beta = length(s, next);
    steps++;
    if (!(beta > 1e-5 * fabs(alpha))) {
      break;
    }
    if (steps < TOP_STEPS) {
      matrix[steps * TOP_STEPS + steps - 1] = matrix[(steps - 1) * TOP_STEPS + steps] = beta;
    }
    scale(s, next, 1 / beta);
    void *spare = before;
    before = now, now = next, next = spare;
  }
  hermitian_eigen(TOP_STEPS, matrix, value, vector);
  return value[TOP_STEPS - 1] + beta;
}

/* Field i of the basis = T_degree of (2 A - top - cut) / (top - cut) times it. The three-term recurrence goes with
 * signs
 * + + - -, so that each step adds to the field before the last. */
static void filter(struct mode_search *s, size_t i, double cut, size_t degree)
{
  const double middle = (s->top + cut) / 2, half = (s->top - cut) / 2;
  void *before = s->work[2], *now = s->work[3], *image = s->work[4];
  memcpy(before, field_of(s, i), s->bytes);
  apply(s, before, image);
  add(s, image, -middle, before);
  memset(now, 0, s->bytes);
  add(s, now, 1 / half, image);
  for (size_t n = 1; n < degree && !is_over(s); n++) {
    apply(s, now, image);
    add(s, image, -middle, now);
    add(s, before, (n % 2 != 0 ? -2 : 2) / half, image);
    void *spare = before;
    before = now, now = spare;
  }
  memcpy(field_of(s, i), now, s->bytes);
}

/* Field i becomes orthogonal to those before it and of length 1. Whether there was anything left of it. */
static bool orthonormalise(struct mode_search *s, size_t i)
{
  const double begin = length(s, field_of(s, i));
  if (!(begin > 0) || isinf(begin)) {
    return false;
  }
  scale(s, field_of(s, i), 1 / begin);
  for (int again = 0; again < 2; again++) {
    for (size_t k = 0; k < i; k++) {
      add(s, field_of(s, i), -dot(s, field_of(s, k), field_of(s, i)), field_of(s, k));
    }
  }
  const double left = length(s, field_of(s, i));
  if (!(left > (s->type == FERMION_F32 ? 1e-6 : 1e-14))) {
    return false;
  }
  scale(s, field_of(s, i), 1 / left);
  return true;
}

/* Takes field `from` into the basis, with its column of V^dagger A V. */
static void take_field(struct mode_search *s, size_t from)
{
  const size_t room = 2 * s->kept, i = s->filled;
  if (from != i) {
    memcpy(field_of(s, i), field_of(s, from), s->bytes);
  }
  if (!orthonormalise(s, i)) {
    return;
  }
  apply(s, field_of(s, i), s->work[4]);
  for (size_t k = 0; k <= i; k++) {
    double complex entry = dot(s, field_of(s, k), s->work[4]);
    s->projected[k * room + i] = k == i ? creal(entry) : entry;
    s->projected[i * room + k] = conj(s->projected[k * room + i]);
  }
  s->filled++;
}

/* The basis becomes its best Ritz vectors. */
static void restart(struct mode_search *s)
{
  const size_t room = 2 * s->kept, n = s->filled, keep = n < s->kept ? n : s->kept;
  for (size_t i = 0; i < n * n; i++) {
    s->matrix[i] = s->projected[i / n * room + i % n];
  }
  hermitian_eigen(n, s->matrix, s->value, s->vector);
  for (size_t i = 0; i < n * keep; i++) { /* the columns that are kept */
    s->matrix[i] = s->vector[i / keep * n + i % keep];
  }
  fermion_rotate(&s->algebra, s->type, s->basis, n, keep, s->matrix);
  memset(s->projected, 0, room * room * sizeof *s->projected);
  for (size_t i = 0; i < keep; i++) {
    s->projected[i * room + i] = s->value[i];
  }
  s->filled = keep;
}

/* How many of the wanted are accurate, from the first; *off: the greatest relative residual of all of them. */
static size_t count_accurate(struct mode_search *s, double *off)
{
  size_t accurate = 0;
  *off = 0;
  for (size_t i = 0; i < s->wanted; i++) {
    apply(s, field_of(s, i), s->work[4]);
    add(s, s->work[4], -s->value[i], field_of(s, i));
    double residual = length(s, s->work[4]);
    accurate += accurate == i && residual <= DIRAC_MODE_ACCURACY * s->value[i];
    *off = fmax(*off, residual / s->value[i]);
  }
  return accurate;
}

/* ---- the search -------------------------------------------------------------------------------------------------- */

/* Fields first … kept - 1 through the polynomial, into the basis behind those that it has. */
static void expand(struct mode_search *s, size_t first)
{
  const double above = fmax(s->value[s->filled - 1], CLEARANCE * s->value[s->wanted - 1]);
  const double cut = fmin(above, HIGHEST_CUT * s->top);
  const double degree = ceil(GROWTH * sqrt(s->top / cut));
  const size_t n = degree < LEAST_DEGREE ? LEAST_DEGREE : degree > MOST_DEGREE ? MOST_DEGREE : (size_t)degree;
  const size_t last = s->filled;
  for (size_t i = first; i < last && !is_over(s); i++) {
    memcpy(field_of(s, s->filled), field_of(s, i), s->bytes);
    filter(s, s->filled, cut, n);
    take_field(s, s->filled);
  }
}

static void begin(struct mode_search *s)
{
  s->top = find_top(s);
  const double cut = 0.1 * s->top;
  for (size_t i = 0; i < s->kept && !is_over(s); i++) {
    fill_random(s, i + 1, field_of(s, s->filled));
    filter(s, s->filled, cut, (size_t)ceil(GROWTH * sqrt(s->top / cut)));
    take_field(s, s->filled);
  }
}

int dirac_modes_find(const struct dirac *dirac, enum fermion_type type, size_t count, const volatile int *cancel,
                     void *memory, struct dirac_modes *out)
{
  struct mode_search s = {.dirac = dirac, .type = type, .wanted = count, .kept = kept_of(count), .cancel = cancel};
  take_memory(&s, memory);
  begin(&s);
  s.wanted = s.filled < count ? s.filled : count; /* none where the type cannot hold the operator's numbers */
  restart(&s);
  double off = INFINITY, best = INFINITY;
  size_t accurate = 0;
  /* where rounding leaves no more, passes stop to help */
  for (size_t pass = 0, idle = 0; pass < MOST_PASSES && idle < 3 && accurate < s.wanted && !is_over(&s); pass++) {
    expand(&s, accurate);
    restart(&s);
    accurate = count_accurate(&s, &off);
    idle = off < 0.5 * best ? 0 : idle + 1;
    best = fmin(best, off);
  }
  *out = (struct dirac_modes){.type = type,
                              .count = s.wanted,
                              .vectors = s.basis,
                              .values = s.value,
                              .top = s.top,
                              .off = off,
                              .applications = s.applications};
  return is_over(&s) ? -1 : 0;
}
