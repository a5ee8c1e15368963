/* Resampling of planes: where every target pixel lies in the source, and the loops that fill it.
 *
 * Coordinates are computed per target pixel from its absolute column and row, exactly (no interpolation between
 * transformed points), in pixels of the whole source grid:
 *     target centre (CRS of `to`) -> CRS of `from` -> (x - west) / res_x, (north - y) / res_y
 * so neither coordinates nor values depend on how the target is cut into boxes. They are kept for the last box, since
 * the same box is usually asked for many planes. Where the source is geographic, longitudes are taken modulo 360
 * degrees into the source's circle. One thread at a time. */
#include "datacube/warp.h"

#include "datacube/base/checked.h"
#include "datacube/transform.h"
#include "datacube/warp_kernels.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double edge_noise =
    1e-7; /* of a pixel: a centre that near a source pixel's edge belongs to the next one */

struct place { /* source pixel of a target pixel; x is -1 where it has none */
  int32_t y, x;
};

struct range { /* [first, end) of source rows and columns; empty while end is 0 */
  size_t first[2], end[2];
};

struct warper {
  struct grid from, to; /* crs not kept */
  enum resampling method;
  struct transform *transform; /* to -> from */
  bool owns_transform;
  double circle; /* source pixels in 360 degrees; 0 where the source is not geographic */
  struct resampler resampler;
  bool known; /* whether places or feet hold the box below */
  size_t start[2], count[2];
  bool range_known; /* whether range is what the box needs */
  struct range range;
  struct place *places; /* nearest: one a target pixel of the box */
  union foot *feet;     /* other methods: likewise */
  size_t room;          /* target pixels that places or feet have room for */
  double *line;         /* coordinates of one row: x, y of centres; of the corners above; of the corners below */
  size_t line_room;     /* points a line has room for */
  double *window, *row; /* source window and target row as doubles */
  size_t window_room, row_room;
};

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
    return error_parameter(error, "FeatureUnsupported", "method", "The resampling method \"%s\" is not supported.",
                           resampling_name(method));
  if (!(from->res_x > 0 && from->res_y > 0 && to->res_x > 0 && to->res_y > 0))
    return error_set(error, "Internal", "A grid without a resolution cannot be resampled.");
  if (from->width > INT32_MAX || from->height > INT32_MAX)
    return error_set(error, "Internal", "A grid of %zu x %zu pixels is too large to be resampled.", from->width,
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
  w->circle = transform_circle(transform) / from->res_x;
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
    return error_set(error, "CRSInvalid", "A cube without a coordinate reference system cannot be resampled.");
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
  free(w->places);
  free(w->feet);
  free(w->line);
  free(w->window);
  free(w->row);
  free(w);
}

size_t warper_bytes(enum resampling method, const struct grid *to, size_t from_pixels)
{
  size_t line = saturated_mul(6 * sizeof(double), to->width + 1);
  if (method == RESAMPLE_NEAREST)
    return saturated_add(line, WARP_BOX_PIXELS * sizeof(struct place));
  size_t window = saturated_mul(from_pixels, sizeof(double));
  return saturated_add(saturated_add(line, window), WARP_BOX_PIXELS * sizeof(union foot));
}

/* Source coordinates of n points of the target at (column, row), (column + 1, row), …, in target pixels; NaN for a
 * point without an image. */
static void row_coordinates(struct warper *w, double column, double row, size_t n, double *x, double *y)
{
  for (size_t i = 0; i < n; i++) {
    x[i] = w->to.west + (column + (double)i) * w->to.res_x;
    y[i] = w->to.north - row * w->to.res_y;
  }
  if (!transform_is_identity(w->transform))
    transform_points(w->transform, n, x, y);
  double middle = (double)w->from.width / 2, half = w->circle / 2;
  for (size_t i = 0; i < n; i++) {
    if (x[i] == HUGE_VAL) {
      x[i] = y[i] = (double)NAN;
      continue;
    }
    x[i] = (x[i] - w->from.west) / w->from.res_x;
    y[i] = (w->from.north - y[i]) / w->from.res_y;
    if (half > 0 && !(x[i] >= middle - half && x[i] < middle + half))
      x[i] -= w->circle * floor((x[i] - (middle - half)) / w->circle);
  }
}

static struct place place_of(const struct warper *w, double x, double y)
{
  x = floor(x + edge_noise);
  y = floor(y + edge_noise);
  if (!(x >= 0 && y >= 0 && x < (double)w->from.width && y < (double)w->from.height))
    return (struct place){-1, -1};
  return (struct place){(int32_t)y, (int32_t)x};
}

/* A corner's x on the same turn of the circle as its centre. */
static double same_turn(const struct warper *w, double x, double centre)
{
  if (w->circle > 0 && fabs(x - centre) > w->circle / 2)
    x -= w->circle * rint((x - centre) / w->circle);
  return x;
}

static double larger(double a, double b)
{
  return a > b ? a : b;
}

static double smaller(double a, double b)
{
  return a < b ? a : b;
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
      foot.area.x0 = x0, foot.area.x1 = x1;
      foot.area.y0 = y0, foot.area.y1 = y1;
    }
    return foot;
  }
  if (place_of(w, x, y).x < 0)
    return foot;
  foot.kernel.x = x, foot.kernel.y = y;
  double scale_x = hypot(ux[1] + ux[3] - ux[0] - ux[2], ux[2] + ux[3] - ux[0] - ux[1]) / 2;
  double scale_y = hypot(cy[1] + cy[3] - cy[0] - cy[2], cy[2] + cy[3] - cy[0] - cy[1]) / 2;
  foot.kernel.scale_x = whole && scale_x > 1 + edge_noise ? scale_x : 1;
  foot.kernel.scale_y = whole && scale_y > 1 + edge_noise ? scale_y : 1;
  return foot;
}

/* Places or feet of row `row` of the box, written from `at` on. The lower corners stay for the next row. */
static void locate_row(struct warper *w, const size_t start[2], size_t row, size_t width, size_t at)
{
  double *x = w->line, *y = x + w->line_room, *ax = y + w->line_room, *ay = ax + w->line_room;
  double *bx = ay + w->line_room, *by = bx + w->line_room;
  double column = (double)start[1], line = (double)(start[0] + row);
  row_coordinates(w, column + 0.5, line + 0.5, width, x, y);
  if (w->method == RESAMPLE_NEAREST) {
    for (size_t i = 0; i < width; i++)
      w->places[at + i] = place_of(w, x[i], y[i]);
    return;
  }
  if (row == 0)
    row_coordinates(w, column, line, width + 1, ax, ay);
  else {
    memcpy(ax, bx, (width + 1) * sizeof *ax);
    memcpy(ay, by, (width + 1) * sizeof *ay);
  }
  row_coordinates(w, column, line + 1, width + 1, bx, by);
  for (size_t i = 0; i < width; i++)
    w->feet[at + i] = foot_of(w, x[i], y[i], (const double[4]){ax[i], ax[i + 1], bx[i], bx[i + 1]},
                              (const double[4]){ay[i], ay[i + 1], by[i], by[i + 1]});
}

/* Computes places or feet of a box, unless they are those of the last one. */
static int locate(struct warper *w, const size_t start[2], const size_t count[2], struct error *error)
{
  if (w->known && memcmp(start, w->start, sizeof w->start) == 0 && memcmp(count, w->count, sizeof w->count) == 0)
    return 0;
  w->known = w->range_known = false;
  bool nearest = w->method == RESAMPLE_NEAREST;
  size_t room = w->line_room;
  if (grow((void **)&w->line, &room, count[1] + 1, 6 * sizeof(double), error))
    return -1;
  w->line_room = room;
  if (grow(nearest ? (void **)&w->places : (void **)&w->feet, &w->room, count[0] * count[1],
           nearest ? sizeof(struct place) : sizeof(union foot), error))
    return -1;
  for (size_t row = 0; row < count[0]; row++)
    locate_row(w, start, row, count[1], row * count[1]);
  memcpy(w->start, start, sizeof w->start);
  memcpy(w->count, count, sizeof w->count);
  w->known = true;
  return 0;
}

static void range_add(struct range *r, int axis, size_t first, size_t end)
{
  r->first[axis] = r->end[axis] && r->first[axis] < first ? r->first[axis] : first;
  r->end[axis] = r->end[axis] > end ? r->end[axis] : end;
}

/* Adds what the located pixels need. */
static void range_of_located(const struct warper *w, size_t n, struct range *r)
{
  const size_t sizes[2] = {w->from.height, w->from.width};
  for (size_t i = 0; i < n; i++) {
    size_t first[2], end[2];
    if (w->method == RESAMPLE_NEAREST) {
      if (w->places[i].x < 0)
        continue;
      first[0] = (size_t)w->places[i].y, end[0] = first[0] + 1;
      first[1] = (size_t)w->places[i].x, end[1] = first[1] + 1;
    } else {
      if (isnan(w->feet[i].kernel.x))
        continue;
      for (int axis = 0; axis < 2; axis++)
        foot_range(w->method, &w->feet[i], axis, sizes[axis], &first[axis], &end[axis]);
    }
    if (first[0] >= end[0] || first[1] >= end[1])
      continue;
    range_add(r, 0, first[0], end[0]);
    range_add(r, 1, first[1], end[1]);
  }
}

/* A box too large to keep: its edge rows and columns and some between, and a margin for what lies between those. */
static int range_of_sampled(struct warper *w, const size_t start[2], const size_t count[2], struct range *r,
                            struct error *error)
{
  enum { LINES = 64 };
  for (int axis = 0; axis < 2; axis++) {
    size_t lines = count[axis] < LINES ? count[axis] : LINES;
    for (size_t i = 0; i < lines; i++) {
      size_t s[2] = {start[0], start[1]}, c[2] = {count[0], count[1]};
      s[axis] += lines > 1 ? i * (count[axis] - 1) / (lines - 1) : 0;
      c[axis] = 1;
      if (locate(w, s, c, error))
        return -1;
      range_of_located(w, c[0] * c[1], r);
    }
  }
  const size_t sizes[2] = {w->from.height, w->from.width};
  for (int axis = 0; axis < 2; axis++) {
    size_t margin = (r->end[axis] - r->first[axis]) / 64 + 2;
    if (r->end[axis] == 0)
      continue;
    r->first[axis] = r->first[axis] > margin ? r->first[axis] - margin : 0;
    r->end[axis] = r->end[axis] + margin < sizes[axis] ? r->end[axis] + margin : sizes[axis];
  }
  return 0;
}

int warper_need(struct warper *w, const size_t to_start[2], const size_t to_count[2], size_t from_start[2],
                size_t from_count[2], struct error *error)
{
  struct range r = {{0, 0}, {0, 0}};
  size_t pixels;
  if (checked_mul(to_count[0], to_count[1], &pixels) || pixels > 4 * (size_t)WARP_BOX_PIXELS) {
    if (range_of_sampled(w, to_start, to_count, &r, error))
      return -1;
  } else if (pixels > 0) {
    if (locate(w, to_start, to_count, error))
      return -1;
    if (!w->range_known) {
      w->range = (struct range){{0, 0}, {0, 0}};
      range_of_located(w, pixels, &w->range);
      w->range_known = true;
    }
    r = w->range;
  }
  for (int axis = 0; axis < 2; axis++) {
    from_start[axis] = r.first[axis];
    from_count[axis] = r.end[axis] - r.first[axis];
  }
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

#define NEAREST_LOOP(bytes)                                                                                            \
  for (size_t i = 0; i < n; i++) {                                                                                     \
    size_t y = (size_t)places[i].y - p->from_start[0], x = (size_t)places[i].x - p->from_start[1];                     \
    bool inside = places[i].x >= 0 && y < p->from_count[0] && x < p->from_count[1];                                    \
    memcpy(to + i * (bytes), inside ? from + (y * p->from_count[1] + x) * (bytes) : p->missing, (bytes));              \
  }                                                                                                                    \
  return

static void nearest_pixels(const struct planes *p, const struct place *places, size_t n, const unsigned char *from,
                           unsigned char *to)
{
  switch (p->size) {
  case 1:
    NEAREST_LOOP(1);
  case 2:
    NEAREST_LOOP(2);
  case 4:
    NEAREST_LOOP(4);
  case 8:
    NEAREST_LOOP(8);
  default:
    NEAREST_LOOP(16);
  }
}

static int resample_rows(struct warper *w, const struct planes *p, const struct window *window, size_t rows,
                         unsigned char *to, struct error *error)
{
  size_t width = p->to_count[1];
  for (size_t row = 0; row < rows; row++) {
    for (size_t i = 0; i < width; i++)
      if (resampler_value(&w->resampler, window, &w->feet[row * width + i], &w->row[i], error))
        return -1;
    doubles_to_elements(p->type, p->has_nodata, p->nodata, width, w->row, to + row * width * p->size);
  }
  return 0;
}

/* Fills `rows` rows from `row` on, of every plane. */
static int warp_strip(struct warper *w, const struct planes *p, size_t row, size_t rows, struct error *error)
{
  size_t start[2] = {p->to_start[0] + row, p->to_start[1]}, count[2] = {rows, p->to_count[1]};
  if (locate(w, start, count, error))
    return -1;
  size_t width = p->to_count[1], from_pixels = p->from_count[0] * p->from_count[1];
  size_t to_pixels = p->to_count[0] * width;
  for (size_t plane = 0; plane < p->planes; plane++) {
    const unsigned char *from = p->from + plane * from_pixels * p->size;
    unsigned char *to = p->to + (plane * to_pixels + row * width) * p->size;
    if (w->method == RESAMPLE_NEAREST) {
      nearest_pixels(p, w->places, rows * width, from, to);
      continue;
    }
    struct window window = {w->window, {p->from_start[0], p->from_start[1]}, {p->from_count[0], p->from_count[1]}};
    elements_to_doubles(p->type, p->has_nodata, p->nodata, from_pixels, from, w->window);
    if (resample_rows(w, p, &window, rows, to, error))
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
    return error_set(error, "FeatureUnsupported", "Complex values can only be resampled with \"near\".");
  struct planes p = {.type = type,
                     .size = info->size,
                     .has_nodata = has_nodata && element_holds(type, nodata),
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
      (grow((void **)&w->window, &w->window_room, from_count[0] * from_count[1], sizeof(double), error) ||
       grow((void **)&w->row, &w->row_room, to_count[1], sizeof(double), error)))
    return -1;
  size_t strip = 4 * (size_t)WARP_BOX_PIXELS / to_count[1];
  strip = strip < 1 ? 1 : strip < to_count[0] ? strip : to_count[0];
  for (size_t row = 0; row < to_count[0]; row += strip)
    if (warp_strip(w, &p, row, to_count[0] - row < strip ? to_count[0] - row : strip, error))
      return -1;
  return 0;
}
