/* Where target pixels lie in the source. See locate.h. */
#include "datacube/locate.h"

#include "datacube/base/checked.h"
#include "datacube/transform.h"

#include <math.h>
#include <stdlib.h>

enum { LARGEST_VOID = 16, NODES = 9, CHECKS = 4, SAMPLES = NODES + CHECKS };

struct locator locator_make(struct transform *transform, const struct grid *from, const struct grid *to)
{
  struct locator l = {.from = *from, .to = *to, .transform = transform};
  l.from.crs = l.to.crs = NULL;
  l.circle = transform_circle(transform) / from->res_x;
  return l;
}

void locator_clear(struct locator *l)
{
  free(l->cells);
  l->cells = NULL;
  l->count = l->room = 0;
}

/* ---- Exact points ---------------------------------------------------------------------------------------------- */

/* n points in place, from target pixels to source pixels on whatever turn of the circle; NaN without an image. */
static void transform_pixels(const struct locator *l, size_t n, double *x, double *y)
{
  for (size_t i = 0; i < n; i++) {
    x[i] = l->to.west + x[i] * l->to.res_x;
    y[i] = l->to.north - y[i] * l->to.res_y;
  }
  if (!transform_is_identity(l->transform))
    transform_points(l->transform, n, x, y);
  for (size_t i = 0; i < n; i++) {
    bool image = x[i] != HUGE_VAL;
    x[i] = image ? (x[i] - l->from.west) / l->from.res_x : (double)NAN;
    y[i] = image ? (l->from.north - y[i]) / l->from.res_y : (double)NAN;
  }
}

/* Onto the turn round the middle of the source. */
static void turn_back(const struct locator *l, size_t n, double *x)
{
  double middle = (double)l->from.width / 2, half = l->circle / 2;
  for (size_t i = 0; half > 0 && i < n; i++)
    if (!isnan(x[i]) && !(x[i] >= middle - half && x[i] < middle + half))
      x[i] -= l->circle * floor((x[i] - (middle - half)) / l->circle);
}

/* ---- Cells ----------------------------------------------------------------------------------------------------- */

struct cell_samples { /* nodes row by row, then the checks */
  double x[SAMPLES], y[SAMPLES];
  size_t images; /* how many have one */
};

static void sample_cell(const struct locator *l, size_t top, size_t left, size_t side, struct cell_samples *s)
{
  static const double third[3] = {0, 0.5, 1}, check[2] = {0.2, 0.8};
  for (size_t k = 0; k < NODES; k++) {
    s->x[k] = (double)left + third[k % 3] * (double)side;
    s->y[k] = (double)top + third[k / 3] * (double)side;
  }
  for (size_t k = 0; k < CHECKS; k++) {
    s->x[NODES + k] = (double)left + check[k % 2] * (double)side;
    s->y[NODES + k] = (double)top + check[k / 2] * (double)side;
  }
  transform_pixels(l, SAMPLES, s->x, s->y);
  s->images = 0;
  for (size_t k = 0; k < SAMPLES; k++) {
    s->images += !isnan(s->x[k]);
    if (l->circle > 0)
      s->x[k] -= l->circle * rint((s->x[k] - s->x[4]) / l->circle); /* on the turn of the middle */
  }
}

/* Coefficients of the quadratic through three values at 0, side / 2, side. Powers of two: no rounding by side. */
static void quadratic(double f0, double f1, double f2, double side, double c[3])
{
  c[0] = f0;
  c[1] = ((f1 - f0) * 4 - (f2 - f0)) / side;
  c[2] = ((f2 - f0) - (f1 - f0) * 2) * 2 / (side * side);
}

static void fit(const double nodes[NODES], double side, double out[3][3])
{
  double rows[3][3];
  for (size_t i = 0; i < 3; i++)
    quadratic(nodes[3 * i], nodes[3 * i + 1], nodes[3 * i + 2], side, rows[i]);
  for (size_t j = 0; j < 3; j++) {
    double column[3];
    quadratic(rows[0][j], rows[1][j], rows[2][j], side, column);
    for (size_t i = 0; i < 3; i++)
      out[i][j] = column[i];
  }
}

static void row_of(const double c[3][3], double v, double out[3])
{
  for (size_t j = 0; j < 3; j++)
    out[j] = c[0][j] + v * (c[1][j] + v * c[2][j]);
}

static double polynomial(const double c[3][3], double u, double v)
{
  double row[3];
  row_of(c, v, row);
  return row[0] + u * (row[1] + u * row[2]);
}

static bool checks_hold(const struct locator *l, const struct cell_samples *s, const struct located_cell *cell,
                        double side)
{
  static const double check[2] = {0.2, 0.8};
  for (size_t k = 0; k < CHECKS; k++) {
    double u = check[k % 2] * side, v = check[k / 2] * side;
    if (!(fabs(polynomial(cell->x, u, v) - s->x[NODES + k]) <= LOCATE_TOLERANCE &&
          fabs(polynomial(cell->y, u, v) - s->y[NODES + k]) <= LOCATE_TOLERANCE))
      return false;
  }
  for (size_t k = 0; l->circle > 0 && k < SAMPLES; k++)
    if (!(fabs(s->x[k] - s->x[4]) <= l->circle / 4))
      return false;
  return true;
}

/* Length of (d/d column, d/d row) at a point: source pixels along one axis that a target pixel spans. */
static double steepness(const double c[3][3], double u, double v)
{
  double row[3], along = 0;
  row_of(c, v, row);
  for (size_t j = 3; j-- > 0;)
    along = along * u + c[1][j] + 2 * v * c[2][j];
  return hypot(row[1] + 2 * u * row[2], along);
}

static bool is_even(const struct located_cell *cell, double side)
{
  for (size_t k = 0; k < 4; k++) {
    double u = k % 2 ? side : 0, v = k / 2 ? side : 0;
    if (!(steepness(cell->x, u, v) <= LOCATE_EVEN && steepness(cell->y, u, v) <= LOCATE_EVEN))
      return false;
  }
  return true;
}

static int add_cell(struct locator *l, const struct located_cell *cell, struct error *error)
{
  if (l->count == l->room) {
    size_t room = l->room ? 2 * l->room : 64;
    struct located_cell *more = realloc(l->cells, room * sizeof *more);
    if (!more)
      return error_memory(error);
    l->cells = more;
    l->room = room;
  }
  l->cells[l->count++] = *cell;
  return 0;
}

struct target_box {
  size_t start[2], end[2]; /* half-open; [0] is y */
};

static int locate_cell(struct locator *l, const struct target_box *box, size_t top, size_t left, size_t side,
                       struct error *error)
{
  if (top >= box->end[0] || left >= box->end[1] || top + side <= box->start[0] || left + side <= box->start[1])
    return 0;
  struct cell_samples s;
  struct located_cell cell = {.kind = CELL_EXACT, .top = top, .left = left};
  sample_cell(l, top, left, side, &s);
  if (s.images == SAMPLES) {
    fit(s.x, (double)side, cell.x);
    fit(s.y, (double)side, cell.y);
    if (checks_hold(l, &s, &cell, (double)side))
      cell.kind = CELL_SMOOTH;
  } else if (s.images == 0 && side <= LARGEST_VOID)
    cell.kind = CELL_VOID;
  if (cell.kind == CELL_EXACT && side > LOCATE_LEAST) {
    for (size_t k = 0; k < 4; k++)
      if (locate_cell(l, box, top + k / 2 * (side / 2), left + k % 2 * (side / 2), side / 2, error))
        return -1;
    return 0;
  }
  cell.even = cell.kind == CELL_SMOOTH && is_even(&cell, (double)side);
  cell.row = top > box->start[0] ? top : box->start[0];
  cell.column = left > box->start[1] ? left : box->start[1];
  cell.height = (top + side < box->end[0] ? top + side : box->end[0]) - cell.row;
  cell.width = (left + side < box->end[1] ? left + side : box->end[1]) - cell.column;
  return add_cell(l, &cell, error);
}

int locator_box(struct locator *l, const size_t start[2], const size_t count[2], struct error *error)
{
  const struct target_box box = {{start[0], start[1]}, {start[0] + count[0], start[1] + count[1]}};
  l->count = 0;
  if (count[0] == 0 || count[1] == 0)
    return 0;
  if (transform_is_identity(l->transform)) { /* linear: one cell, whatever its size */
    double rate_x = l->to.res_x / l->from.res_x, rate_y = l->to.res_y / l->from.res_y;
    const struct located_cell all = {.kind = CELL_EXACT,
                                     .row = start[0],
                                     .column = start[1],
                                     .height = count[0],
                                     .width = count[1],
                                     .even = rate_x <= LOCATE_EVEN && rate_y <= LOCATE_EVEN};
    return add_cell(l, &all, error);
  }
  for (size_t top = start[0] - start[0] % LOCATE_SIDE; top < box.end[0]; top += LOCATE_SIDE)
    for (size_t left = start[1] - start[1] % LOCATE_SIDE; left < box.end[1]; left += LOCATE_SIDE)
      if (locate_cell(l, &box, top, left, LOCATE_SIDE, error))
        return -1;
  return 0;
}

void locator_row(const struct locator *l, const struct located_cell *cell, double column, double row, size_t n,
                 double *x, double *y)
{
  if (cell->kind == CELL_SMOOTH) {
    double a[3], b[3], u = column - (double)cell->left;
    row_of(cell->x, row - (double)cell->top, a);
    row_of(cell->y, row - (double)cell->top, b);
    for (size_t i = 0; i < n; i++) {
      double at = u + (double)(int)i;
      x[i] = a[0] + at * (a[1] + at * a[2]);
      y[i] = b[0] + at * (b[1] + at * b[2]);
    }
  } else {
    for (size_t i = 0; i < n; i++) {
      x[i] = column + (double)i;
      y[i] = row;
    }
    transform_pixels(l, n, x, y);
  }
  turn_back(l, n, x);
}

/* Least and greatest value of a polynomial over [u[0], u[1]] x [v[0], v[1]], both not negative: every term has its own
 * at a corner. */
static void polynomial_range(const double c[3][3], const double u[2], const double v[2], double *low, double *high)
{
  *low = *high = c[0][0];
  for (int i = 0; i < 3; i++)
    for (int j = i ? 0 : 1; j < 3; j++) {
      double first = c[i][j] * pow(v[0], i) * pow(u[0], j), last = c[i][j] * pow(v[1], i) * pow(u[1], j);
      *low += first < last ? first : last;
      *high += first < last ? last : first;
    }
}

bool locator_bounds(const struct locator *l, const struct located_cell *cell, double low[2], double high[2])
{
  if (cell->kind != CELL_SMOOTH || l->circle > 0)
    return false;
  const double u[2] = {(double)(cell->column - cell->left), (double)(cell->column - cell->left + cell->width)};
  const double v[2] = {(double)(cell->row - cell->top), (double)(cell->row - cell->top + cell->height)};
  polynomial_range(cell->y, u, v, &low[0], &high[0]);
  polynomial_range(cell->x, u, v, &low[1], &high[1]);
  for (int axis = 0; axis < 2; axis++) {
    low[axis] -= LOCATE_ERROR;
    high[axis] += LOCATE_ERROR;
  }
  return true;
}

/* Nearest integer of what is below 2^51, by addition, which vectorises on every machine; NaN stays. */
static double nearest_integer(double t)
{
  const double shift = 0x1.8p52; /* whose neighbours are integers */
  return t + shift - shift;
}

/* The points that lie near an edge of a source pixel: their numbers, and how many. A loop without branches, and one
 * that has few to take. */
static size_t find_near_edges(size_t n, const double *restrict x, const double *restrict y, size_t *restrict which)
{
  int64_t is_near[LOCATE_SIDE];
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    const double dx = fabs(x[i] - nearest_integer(x[i])), dy = fabs(y[i] - nearest_integer(y[i]));
    is_near[i] = (dx < LOCATE_ERROR) | (dy < LOCATE_ERROR);
  }
  for (size_t i = 0; i < n; i++) {
    which[count] = i;
    count += (size_t)is_near[i];
  }
  return count;
}

void locator_row_settled(const struct locator *l, const struct located_cell *cell, double column, double row, size_t n,
                         double *x, double *y)
{
  double ex[LOCATE_SIDE], ey[LOCATE_SIDE];
  size_t which[LOCATE_SIDE];
  locator_row(l, cell, column, row, n, x, y);
  const size_t count = cell->kind == CELL_SMOOTH ? find_near_edges(n, x, y, which) : 0;
  if (count == 0)
    return;
  for (size_t k = 0; k < count; k++) {
    ex[k] = column + (double)which[k];
    ey[k] = row;
  }
  transform_pixels(l, count, ex, ey);
  turn_back(l, count, ex);
  for (size_t k = 0; k < count; k++) {
    x[which[k]] = ex[k];
    y[which[k]] = ey[k];
  }
}
