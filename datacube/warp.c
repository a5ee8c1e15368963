/* Resampling of planes: where every target pixel lies in the source, and the loops that fill it.
 *
 * Coordinates come from locate.h, per target pixel from its absolute column and row, so neither coordinates nor values
 * depend on how the target is cut into boxes. The cells of the last box are kept, since the same box is usually asked
 * for many planes; coordinates and footprints are made again from them, a run of SEGMENT pixels at a time. Bilinear and
 * cubic values where source pixels are not shrunk come from the loops of warp_rows.h, and one by one from
 * warp_kernels.h where those find a gap. One thread at a time. */
#include "datacube/warp_state.h"

#include "datacube/base/checked.h"
#include "datacube/transform.h"
#include "datacube/warp_elements.h"
#include "datacube/warp_rows.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double edge_noise =
    1e-7; /* of a pixel: a centre that near a source pixel's edge belongs to the next one */

static int grow(void **data, size_t *room, size_t count, size_t size, struct error *error)
{
  if (count <= *room)
    return 0;
  size_t bytes;
  if (checked_mul(count, size, &bytes))
    return error_memory(error);
  free(*data);
  *room = 0;
  *data = malloc(bytes);
  if (!*data)
    return error_memory(error);
  *room = count;
  return 0;
}

static int check_request(const struct grid *from, const struct grid *to, enum resampling method, struct error *error)
{
  if ((size_t)method >= RESAMPLE_COUNT || method == RESAMPLE_GEOCODE)
    return error_parameter(error, ERROR_FeatureUnsupported, "method", "The resampling method \"%s\" is not supported.",
                           resampling_name(method));
  if (!(from->res_x > 0 && from->res_y > 0 && to->res_x > 0 && to->res_y > 0))
    return error_set(error, ERROR_Internal, "A grid without a resolution cannot be resampled.");
  if (from->width > INT32_MAX || from->height > INT32_MAX)
    return error_set(error, ERROR_Internal, "A grid of %zu x %zu pixels is too large to be resampled.", from->width,
                     from->height);
  return 0;
}

int warper_new_with(struct transform *transform, const struct grid *from, const struct grid *to, enum resampling method,
                    struct warper **out, struct error *error)
{
  if (check_request(from, to, method, error))
    return -1;
  struct warper *w = calloc(1, sizeof *w);
  if (!w)
    return error_memory(error);
  w->from = *from;
  w->to = *to;
  w->from.crs = w->to.crs = NULL;
  w->method = method;
  w->transform = transform;
  w->locator = locator_make(transform, from, to);
  if (resampler_init(&w->resampler, method, from, error)) {
    warper_free(w);
    return -1;
  }
  *out = w;
  return 0;
}

int warper_new(const struct grid *from, const struct grid *to, enum resampling method, struct warper **out,
               struct error *error)
{
  if (check_request(from, to, method, error))
    return -1;
  if (!from->crs || !to->crs)
    return error_set(error, ERROR_CRSInvalid, "A cube without a coordinate reference system cannot be resampled.");
  struct transform *transform;
  if (transform_new(to->crs, from->crs, &transform, error))
    return -1;
  if (warper_new_with(transform, from, to, method, out, error)) {
    transform_free(transform);
    return -1;
  }
  (*out)->owns_transform = true;
  return 0;
}

void warper_free(struct warper *w)
{
  if (!w)
    return;
  if (w->owns_transform)
    transform_free(w->transform);
  resampler_free(&w->resampler);
  locator_clear(&w->locator);
  free(w->window);
  free(w);
}

size_t warper_bytes(enum resampling method, const struct grid *to, size_t from_pixels)
{
  size_t cells = 2 * (WARP_BOX_PIXELS / (LOCATE_LEAST * LOCATE_LEAST)) * sizeof(struct located_cell);
  (void)to;
  if (method == RESAMPLE_NEAREST)
    return cells;
  return saturated_add(cells, saturated_mul(from_pixels, sizeof(double)));
}

static bool is_inside(const struct warper *w, double x, double y)
{
  x += edge_noise;
  y += edge_noise;
  return x >= 0 && y >= 0 && x < (double)w->from.width && y < (double)w->from.height;
}

/* A corner's x on the same turn of the circle as its centre. */
static double same_turn(const struct warper *w, double x, double centre)
{
  double circle = w->locator.circle;
  if (circle > 0 && fabs(x - centre) > circle / 2)
    x -= circle * rint((x - centre) / circle);
  return x;
}

/* hypot without its care for overflow */
static double length(double a, double b)
{
  return sqrt(a * a + b * b);
}

static double area(const double x[2], const double y[2])
{
  return (x[1] - x[0]) * (y[1] - y[0]);
}

/* The box that stands for a turned pixel: between its upper left and lower right corners, as gdalwarp takes it, which
 * nearly keeps the pixel's area; the one round all corners where the turn is so large that it does not. */
static void narrow_box(const double cx[4], const double cy[4], double x[2], double y[2])
{
  const double nx[2] = {smaller(cx[0], cx[3]), larger(cx[0], cx[3])};
  const double ny[2] = {smaller(cy[0], cy[3]), larger(cy[0], cy[3])};
  if (area(nx, ny) < 0.5 * area(x, y))
    return;
  memcpy(x, nx, sizeof nx);
  memcpy(y, ny, sizeof ny);
}

/* Footprint from the centre and the corners (upper left, upper right, lower left, lower right). A box that does not lie
 * round the centre is torn (the pixel straddles the edge of a projection) and gives no area. */
static union foot foot_of(const struct warper *w, double x, double y, const double cx[4], const double cy[4])
{
  union foot foot = {.kernel = {.x = (double)NAN}};
  double ux[4];
  for (size_t i = 0; i < 4; i++)
    ux[i] = same_turn(w, cx[i], x);
  double x0 = smaller(smaller(ux[0], ux[1]), smaller(ux[2], ux[3]));
  double x1 = larger(larger(ux[0], ux[1]), larger(ux[2], ux[3]));
  double y0 = smaller(smaller(cy[0], cy[1]), smaller(cy[2], cy[3]));
  double y1 = larger(larger(cy[0], cy[1]), larger(cy[2], cy[3]));
  bool whole = fabs(x - (x0 + x1) / 2) <= 0.25 * (x1 - x0) + edge_noise &&
               fabs(y - (y0 + y1) / 2) <= 0.25 * (y1 - y0) + edge_noise;
  for (size_t i = 0; i < 4; i++)
    whole = whole && !isnan(ux[i]) && !isnan(cy[i]);
  if (!method_interpolates(w->method)) {
    bool meets = x1 > 0 && y1 > 0 && x0 < (double)w->from.width && y0 < (double)w->from.height;
    if (whole && meets) {
      double box_x[2] = {x0, x1}, box_y[2] = {y0, y1};
      narrow_box(ux, cy, box_x, box_y);
      foot.area.x0 = box_x[0], foot.area.x1 = box_x[1];
      foot.area.y0 = box_y[0], foot.area.y1 = box_y[1];
    }
    return foot;
  }
  if (!is_inside(w, x, y))
    return foot;
  foot.kernel.x = x, foot.kernel.y = y;
  double scale_x = length(ux[1] + ux[3] - ux[0] - ux[2], ux[2] + ux[3] - ux[0] - ux[1]) / 2;
  double scale_y = length(cy[1] + cy[3] - cy[0] - cy[2], cy[2] + cy[3] - cy[0] - cy[1]) / 2;
  foot.kernel.scale_x = whole && scale_x > LOCATE_EVEN ? scale_x : 1;
  foot.kernel.scale_y = whole && scale_y > LOCATE_EVEN ? scale_y : 1;
  return foot;
}

void warper_feet(const struct warper *w, const struct located_cell *cell, const size_t at[2], size_t n,
                 union foot *feet)
{
  double x[SEGMENT], y[SEGMENT], ax[SEGMENT + 1], ay[SEGMENT + 1], bx[SEGMENT + 1], by[SEGMENT + 1];
  double row = (double)at[0], column = (double)at[1];
  locator_row(&w->locator, cell, column + 0.5, row + 0.5, n, x, y);
  if (cell->even && method_interpolates(w->method)) {
    for (size_t i = 0; i < n; i++) {
      feet[i].kernel.x = is_inside(w, x[i], y[i]) ? x[i] : (double)NAN;
      feet[i].kernel.y = y[i];
      feet[i].kernel.scale_x = feet[i].kernel.scale_y = 1;
    }
    return;
  }
  locator_row(&w->locator, cell, column, row, n + 1, ax, ay);
  locator_row(&w->locator, cell, column, row + 1, n + 1, bx, by);
  for (size_t i = 0; i < n; i++)
    feet[i] = foot_of(w, x[i], y[i], (const double[4]){ax[i], ax[i + 1], bx[i], bx[i + 1]},
                      (const double[4]){ay[i], ay[i + 1], by[i], by[i + 1]});
}

int warper_locate(struct warper *w, const size_t start[2], const size_t count[2], struct error *error)
{
  if (w->known && memcmp(start, w->start, sizeof w->start) == 0 && memcmp(count, w->count, sizeof w->count) == 0)
    return 0;
  w->known = w->range_known = false;
  if (locator_box(&w->locator, start, count, error))
    return -1;
  memcpy(w->start, start, sizeof w->start);
  memcpy(w->count, count, sizeof w->count);
  w->known = true;
  return 0;
}

struct planes { /* one call of warper_run */
  enum element_type type;
  size_t size; /* bytes of an element */
  bool has_nodata;
  double nodata;
  size_t planes;
  const size_t *from_start, *from_count;
  const unsigned char *from;
  const size_t *to_start, *to_count;
  unsigned char *to;
  unsigned char missing[16]; /* the element of a pixel without source */
};

static void set_missing(struct planes *p)
{
  const double none = (double)NAN;
  memset(p->missing, 0, sizeof p->missing);
  if (p->type == ELEMENT_C64 || p->type == ELEMENT_C128) {
    enum element_type part = p->type == ELEMENT_C64 ? ELEMENT_F32 : ELEMENT_F64;
    for (size_t i = 0; i < 2; i++)
      doubles_to_elements(part, p->has_nodata, p->nodata, 1, &none, p->missing + i * p->size / 2);
    return;
  }
  doubles_to_elements(p->type, p->has_nodata, p->nodata, 1, &none, p->missing);
}

static void fill_missing(const struct planes *p, size_t n, unsigned char *to)
{
  for (size_t i = 0; i < n; i++)
    memcpy(to + i * p->size, p->missing, p->size);
}

/* One run of pixels of a cell: coordinates or footprints, then values. */
static void nearest_segment(const struct warper *w, const struct located_cell *cell, const size_t at[2], size_t n,
                            const struct nearest_window *window, unsigned char *to)
{
  double x[SEGMENT], y[SEGMENT];
  locator_row_settled(&w->locator, cell, (double)at[1] + 0.5, (double)at[0] + 0.5, n, x, y);
  nearest_row(window, n, x, y, to);
}

static bool has_fast_rows(const struct warper *w, const struct located_cell *cell)
{
  return cell->even && (w->method == RESAMPLE_BILINEAR || w->method == RESAMPLE_CUBIC);
}

static int kernel_segment(struct warper *w, const struct located_cell *cell, const size_t at[2], size_t n,
                          const struct tap_window *window, double *values, struct error *error)
{
  union foot feet[SEGMENT];
  bool fast = has_fast_rows(w, cell);
  if (fast) {
    double x[SEGMENT], y[SEGMENT];
    locator_row(&w->locator, cell, (double)at[1] + 0.5, (double)at[0] + 0.5, n, x, y);
    if (interpolate_row(w->method, window, n, x, y, values))
      return 0;
  }
  warper_feet(w, cell, at, n, feet);
  for (size_t i = 0; i < n; i++)
    if ((!fast || isnan(values[i])) && resampler_value(&w->resampler, window, &feet[i], &values[i], error))
      return -1;
  return 0;
}

/* The cells of the located box, in one plane. `to` is the box's first pixel. */
static int warp_cells(struct warper *w, const struct planes *p, const unsigned char *from, unsigned char *to,
                      struct error *error)
{
  const struct tap_window window = {
      w->window, {p->from_start[0], p->from_start[1]}, {p->from_count[0], p->from_count[1]}};
  const struct nearest_window pixels = {
      from, {window.start[0], window.start[1]}, {window.count[0], window.count[1]}, p->size, p->missing};
  for (size_t k = 0; k < w->locator.count; k++) {
    const struct located_cell *cell = &w->locator.cells[k];
    for (size_t row = cell->row; row < cell->row + cell->height; row++)
      for (size_t i = 0; i < cell->width; i += SEGMENT) {
        const size_t at[2] = {row, cell->column + i}, n = least(cell->width - i, SEGMENT);
        unsigned char *out = to + ((row - w->start[0]) * p->to_count[1] + at[1] - w->start[1]) * p->size;
        if (cell->kind == CELL_VOID) {
          fill_missing(p, n, out);
          continue;
        }
        if (w->method == RESAMPLE_NEAREST) {
          nearest_segment(w, cell, at, n, &pixels, out);
          continue;
        }
        double values[SEGMENT];
        if (kernel_segment(w, cell, at, n, &window, values, error))
          return -1;
        doubles_to_elements(p->type, p->has_nodata, p->nodata, n, values, out);
      }
  }
  return 0;
}

/* Fills `rows` rows from `row` on, of every plane. */
static int warp_strip(struct warper *w, const struct planes *p, size_t row, size_t rows, struct error *error)
{
  size_t start[2] = {p->to_start[0] + row, p->to_start[1]}, count[2] = {rows, p->to_count[1]};
  if (warper_locate(w, start, count, error))
    return -1;
  size_t width = p->to_count[1], from_pixels = p->from_count[0] * p->from_count[1];
  size_t to_pixels = p->to_count[0] * width;
  for (size_t plane = 0; plane < p->planes; plane++) {
    const unsigned char *from = p->from + plane * from_pixels * p->size;
    unsigned char *to = p->to + (plane * to_pixels + row * width) * p->size;
    if (w->method != RESAMPLE_NEAREST)
      elements_to_doubles(p->type, p->has_nodata, p->nodata, from_pixels, from, w->window);
    if (warp_cells(w, p, from, to, error))
      return -1;
  }
  return 0;
}

int warper_run(struct warper *w, enum element_type type, bool has_nodata, double nodata, size_t planes,
               const size_t from_start[2], const size_t from_count[2], const void *from, const size_t to_start[2],
               const size_t to_count[2], void *to, struct error *error)
{
  const struct element_info *info = element_info(type);
  if (w->method != RESAMPLE_NEAREST && info->is_complex)
    return error_set(error, ERROR_FeatureUnsupported, "Complex values can only be resampled with \"near\".");
  struct planes p = {.type = type,
                     .size = info->size,
                     .has_nodata = has_nodata && element_can_mark(type, nodata),
                     .nodata = nodata,
                     .planes = planes,
                     .from_start = from_start,
                     .from_count = from_count,
                     .from = from,
                     .to_start = to_start,
                     .to_count = to_count,
                     .to = to};
  if (type == ELEMENT_BOOLEAN && !p.has_nodata)
    p.has_nodata = true, p.nodata = 255;
  set_missing(&p);
  if (to_count[0] == 0 || to_count[1] == 0)
    return 0;
  if (w->method != RESAMPLE_NEAREST &&
      grow((void **)&w->window, &w->window_room, from_count[0] * from_count[1], sizeof(double), error))
    return -1;
  size_t strip = 4 * (size_t)WARP_BOX_PIXELS / to_count[1];
  strip = strip < 1 ? 1 : strip < to_count[0] ? strip : to_count[0];
  for (size_t row = 0; row < to_count[0]; row += strip)
    if (warp_strip(w, &p, row, to_count[0] - row < strip ? to_count[0] - row : strip, error))
      return -1;
  return 0;
}
