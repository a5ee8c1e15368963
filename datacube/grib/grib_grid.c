#include "datacube/grib/grib_grid.h"

#include "datacube/grid.h"
#include "datacube/grib/grib_library.h"
#include "datacube/grib/grib_memory.h"

#include <eccodes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AXIS_MOST = 1 << 18, GRIDS_MOST = 256, OCTETS_MOST = 1 << 20, GAUSSIAN_MOST = 20000 };

/* What a message says of its grid, before anything is made of it. */
struct grid_told {
  char type[256];
  long x_size, y_size, circles; /* circles: Gaussian latitudes between a pole and the equator */
  bool x_back, y_up, is_by_column, alternates;
  double first_x, first_y, last_x, last_y, step_x, step_y; /* degrees; steps of projections metres */
  double parallel[2], true_parallel, meridian;             /* of a projection; NAN: not told */
  double pole_y, pole_x, turn;                             /* of a rotation: the south pole */
  bool south;                                              /* the pole of a stereographic projection */
  double axis[2];                                          /* of the earth, metres */
};

struct grid_making {
  struct grib_grids *grids;
  struct grib_grid *grid;
  struct grid_told told;
  const char *cf_name; /* of a projection */
  struct error *error;
};

/* ---- what ecCodes tells ------------------------------------------------------------------------------------------ */

static double real_of(struct grib_handle *h, const char *key)
{
  double value;
  return grib_real(h, key, &value) ? value : NAN;
}

static bool flag_of(struct grib_handle *h, const char *key)
{
  long value;
  return grib_integer(h, key, &value) && value == 1;
}

static void take_earth(struct grib_handle *h, struct grid_told *t)
{
  long oblate = 0;
  grib_integer(h, "earthIsOblate", &oblate);
  t->axis[0] = oblate ? real_of(h, "earthMajorAxisInMetres") : real_of(h, "radius");
  t->axis[1] = oblate ? real_of(h, "earthMinorAxisInMetres") : t->axis[0];
  if (oblate && (isnan(t->axis[0]) || isnan(t->axis[1]))) { /* GRIB 1: the International Astronomical Union's of 1965 */
    t->axis[0] = 6378160;
    t->axis[1] = 6356775;
  }
  if (!(t->axis[0] > 1e3 && t->axis[0] < 1e9))
    t->axis[0] = t->axis[1] = 6367470;
}

static bool take_told(struct grib_handle *h, void *data)
{
  struct grid_told *t = data;
  if (!grib_text(h, "gridType", t->type))
    return false;
  if (!grib_integer(h, "Ni", &t->x_size) && !grib_integer(h, "Nx", &t->x_size))
    t->x_size = 0;
  if (!grib_integer(h, "Nj", &t->y_size) && !grib_integer(h, "Ny", &t->y_size))
    t->y_size = 0;
  if (!grib_integer(h, "N", &t->circles))
    t->circles = 0;
  t->x_back = flag_of(h, "iScansNegatively");
  t->y_up = flag_of(h, "jScansPositively");
  t->is_by_column = flag_of(h, "jPointsAreConsecutive");
  t->alternates = flag_of(h, "alternativeRowScanning");
  t->first_x = real_of(h, "longitudeOfFirstGridPointInDegrees");
  t->first_y = real_of(h, "latitudeOfFirstGridPointInDegrees");
  t->last_x = real_of(h, "longitudeOfLastGridPointInDegrees");
  t->last_y = real_of(h, "latitudeOfLastGridPointInDegrees");
  t->step_x = real_of(h, strcmp(t->type, "mercator") == 0 ? "DiInMetres" : "DxInMetres");
  t->step_y = real_of(h, strcmp(t->type, "mercator") == 0 ? "DjInMetres" : "DyInMetres");
  t->parallel[0] = real_of(h, "Latin1InDegrees");
  t->parallel[1] = real_of(h, "Latin2InDegrees");
  t->true_parallel = real_of(h, "LaDInDegrees");
  t->meridian = real_of(h, "LoVInDegrees");
  if (strcmp(t->type, "polar_stereographic") == 0)
    t->meridian = real_of(h, "orientationOfTheGridInDegrees");
  if (strcmp(t->type, "lambert_azimuthal_equal_area") == 0) {
    t->meridian = real_of(h, "centralLongitudeInDegrees");
    t->parallel[0] = real_of(h, "standardParallelInDegrees");
  }
  long centre = 0;
  t->south = grib_integer(h, "projectionCentreFlag", &centre) && (centre & 0x80) != 0;
  t->pole_y = real_of(h, "latitudeOfSouthernPoleInDegrees");
  t->pole_x = real_of(h, "longitudeOfSouthernPoleInDegrees");
  t->turn = real_of(h, "angleOfRotationInDegrees");
  take_earth(h, t);
  return true;
}

/* ---- axes -------------------------------------------------------------------------------------------------------- */

static int damaged(const struct grid_making *m)
{
  return error_set(m->error, ERROR_FileContentInvalid, "a grid of GRIB (%.60s) is described by numbers that do not fit",
                   m->told.type);
}

static double *new_axis(const struct grid_making *m, long size, struct grib_axis *out)
{
  double *values = ARENA_ARRAY(m->grids->arena, double, (size_t)size);
  if (!values)
    error_memory(m->error);
  *out = (struct grib_axis){(size_t)size, values};
  return values;
}

static int steady_axis(const struct grid_making *m, long size, double first, double step, struct grib_axis *out)
{
  double *values = new_axis(m, size, out);
  if (!values)
    return -1;
  if (!isfinite(first) || !isfinite(step) || (step == 0 && size > 1))
    return damaged(m);
  for (long i = 0; i < size; i++)
    values[i] = first + (double)i * step;
  return 0;
}

/* Messages tell degrees in thousandths or millionths; a whole circle is one. */
static int longitudes(const struct grid_making *m)
{
  const struct grid_told *t = &m->told;
  const double sign = t->x_back ? -1 : 1, n = (double)t->x_size;
  double span = sign * (t->last_x - t->first_x);
  if (!(fabs(t->first_x) <= 720 && fabs(t->last_x) <= 720))
    return damaged(m);
  while (span < 0)
    span += 360;
  const double whole = 360 * (n - 1) / n, first = fmod(t->first_x, 360);
  if (n > 1 && span == 0)
    return damaged(m);
  if (fabs(span - whole) < 2e-3 && n > 4)
    span = whole;
  const double begin = !t->x_back && first + span > 360 ? first - 360 : first;
  return steady_axis(m, t->x_size, begin, n > 1 ? sign * span / (n - 1) : 1, &m->grid->x);
}

static int latitudes(const struct grid_making *m)
{
  const struct grid_told *t = &m->told;
  const double n = (double)t->y_size;
  if (!(fabs(t->first_y) <= 90.001 && fabs(t->last_y) <= 90.001) || (t->last_y > t->first_y) != (n > 1 && t->y_up))
    return damaged(m);
  return steady_axis(m, t->y_size, t->first_y, n > 1 ? (t->last_y - t->first_y) / (n - 1) : 1, &m->grid->y);
}

/* The circles of a quadrature are those that the first one begins with. */
static int gaussian_latitudes(const struct grid_making *m)
{
  const struct grid_told *t = &m->told;
  const long all = 2 * t->circles;
  long best = 0;
  if (t->circles < 1 || t->circles > GAUSSIAN_MOST || t->y_size > all || isnan(t->first_y))
    return damaged(m);
  double *circles = malloc((size_t)all * sizeof *circles), *values = new_axis(m, t->y_size, &m->grid->y);
  int status = !circles || !values                                                  ? error_memory(m->error)
               : codes_get_gaussian_latitudes(t->circles, circles) == CODES_SUCCESS ? 0
                                                                                    : damaged(m);
  for (long i = 0; status == 0 && i < all; i++)
    if (fabs(circles[i] - t->first_y) < fabs(circles[best] - t->first_y))
      best = i;
  const long step = t->y_up ? -1 : 1, last = best + step * (t->y_size - 1);
  if (status == 0 && (last < 0 || last >= all || fabs(circles[best] - t->first_y) > 0.01))
    status = damaged(m);
  for (long i = 0; status == 0 && i < t->y_size; i++)
    values[i] = circles[best + step * i];
  free(circles);
  return status;
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

static int regular(struct grid_making *m)
{
  m->grid->frame = GRIB_GEOGRAPHIC;
  return longitudes(m) == 0 ? latitudes(m) : -1;
}

static int gaussian(struct grid_making *m)
{
  m->grid->frame = GRIB_GEOGRAPHIC;
  return longitudes(m) == 0 ? gaussian_latitudes(m) : -1;
}

/* CF names the north pole of a rotation, where GRIB has the south pole. */
static int rotated(struct grid_making *m)
{
  const struct grid_told *t = &m->told;
  if (regular(m) != 0)
    return -1;
  if (isnan(t->pole_x) || isnan(t->pole_y))
    return damaged(m);
  m->grid->frame = GRIB_ROTATED;
  m->grid->mapping = arena_printf(m->grids->arena,
                                  "\"grid_mapping_name\":\"rotated_latitude_longitude\","
                                  "\"grid_north_pole_latitude\":%.12g,\"grid_north_pole_longitude\":%.12g,"
                                  "\"north_pole_grid_longitude\":%.12g",
                                  -t->pole_y, fmod(t->pole_x + 180, 360), isnan(t->turn) ? 0 : t->turn);
  return m->grid->mapping ? 0 : error_memory(m->error);
}

static const char *projection(const struct grid_making *m)
{
  const struct grid_told *t = &m->told;
  struct arena *arena = m->grids->arena;
  const double *p = t->parallel;
  const double true_parallel = isnan(t->true_parallel) ? 60 : fabs(t->true_parallel); /* GRIB 1 has no other */
  if (strcmp(t->type, "lambert") == 0)
    return arena_printf(arena, "+proj=lcc +lat_0=%.12g +lon_0=%.12g +lat_1=%.12g +lat_2=%.12g",
                        isnan(t->true_parallel) ? p[0] : t->true_parallel, t->meridian, p[0], p[1]);
  if (strcmp(t->type, "polar_stereographic") == 0)
    return arena_printf(arena, "+proj=stere +lat_0=%d +lat_ts=%.12g +lon_0=%.12g", t->south ? -90 : 90,
                        t->south ? -true_parallel : true_parallel, t->meridian);
  if (strcmp(t->type, "lambert_azimuthal_equal_area") == 0)
    return arena_printf(arena, "+proj=laea +lat_0=%.12g +lon_0=%.12g", p[0], t->meridian);
  const bool passes = fmod(t->first_x + 540, 360) > fmod(t->last_x + 540, 360); /* the antimeridian */
  return arena_printf(arena, "+proj=merc +lat_ts=%.12g +lon_0=%d", isnan(t->true_parallel) ? 0 : t->true_parallel,
                      passes ? 180 : 0);
}

/* The first point is told in degrees, the others by metres from it. */
static int projected(struct grid_making *m)
{
  const struct grid_told *t = &m->told;
  struct arena *arena = m->grids->arena;
  const char *earth = t->axis[0] == t->axis[1]
                          ? arena_printf(arena, "+R=%.12g +no_defs +type=crs", t->axis[0])
                          : arena_printf(arena, "+a=%.12g +b=%.12g +no_defs +type=crs", t->axis[0], t->axis[1]);
  const char *shape = projection(m), *crs, *degrees;
  double x = t->first_x, y = t->first_y;
  struct error reason = {0};
  if (!earth || !shape)
    return error_memory(m->error);
  const char *text = arena_printf(arena, "%s +units=m %s", shape, earth);
  const char *plain = arena_printf(arena, "+proj=longlat %s", earth);
  if (!text || !plain)
    return error_memory(m->error);
  if (strstr(text, "nan") || crs_canonical(arena, text, &crs, &reason) != 0 ||
      crs_canonical(arena, plain, &degrees, &reason) != 0 || points_transform(degrees, crs, 1, &x, &y, &reason) != 0 ||
      !isfinite(x) || !isfinite(y))
    return damaged(m);
  m->grid->frame = GRIB_PROJECTED;
  m->grid->mapping = arena_printf(arena, "\"grid_mapping_name\":\"%s\",\"proj4\":\"%s\"", m->cf_name, text);
  if (!m->grid->mapping)
    return error_memory(m->error);
  return steady_axis(m, t->x_size, x, t->x_back ? -t->step_x : t->step_x, &m->grid->x) == 0
             ? steady_axis(m, t->y_size, y, t->y_up ? t->step_y : -t->step_y, &m->grid->y)
             : -1;
}

static int make(struct grid_making *m)
{
  static const struct {
    const char *type, *cf_name;
    int (*make)(struct grid_making *m);
  } rows[] = {{"regular_ll", NULL, regular},
              {"regular_gg", NULL, gaussian},
              {"rotated_ll", NULL, rotated},
              {"lambert", "lambert_conformal_conic", projected},
              {"mercator", "mercator", projected},
              {"polar_stereographic", "polar_stereographic", projected},
              {"lambert_azimuthal_equal_area", "lambert_azimuthal_equal_area", projected}};
  const struct grid_told *t = &m->told;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (strcmp(t->type, rows[i].type) != 0)
      continue;
    if (t->x_size < 1 || t->y_size < 1 || t->x_size > AXIS_MOST || t->y_size > AXIS_MOST || isnan(t->first_x) ||
        isnan(t->first_y))
      return damaged(m);
    m->grid->is_by_column = t->is_by_column;
    m->grid->alternates = t->alternates;
    m->cf_name = rows[i].cf_name;
    return rows[i].make(m);
  }
  return error_set(m->error, ERROR_FeatureUnsupported,
                   "a field lies on a grid of the kind '%.60s' (of ecCodes), which is not supported", t->type);
}

/* ---- the grids of a file ----------------------------------------------------------------------------------------- */

static const struct grib_grid *find(const struct grib_grids *grids, const unsigned char *octets, size_t length)
{
  for (const struct grib_grid *g = grids->first; g; g = g->next)
    if (g->length == length && memcmp(g->octets, octets, length) == 0)
      return g;
  return NULL;
}

static int learn(struct grib_grids *grids, struct grib_products *products, struct grib_window *window,
                 const struct grib_field *field, const unsigned char *octets, struct error *error)
{
  const size_t length = (size_t)field->section[GRIB_GRID].length;
  const int kind = 10 + field->edition;
  struct grid_making m = {.grids = grids, .grid = ARENA_NEW(grids->arena, struct grib_grid), .error = error};
  if (!m.grid)
    return error_memory(error);
  *m.grid = (struct grib_grid){.octets = arena_copy(grids->arena, octets, length), .length = length};
  if (!m.grid->octets)
    return error_memory(error);
  if (grids->count++ == GRIDS_MOST)
    return error_set(error, ERROR_FeatureUnsupported, "it has more than %d grids, which is not supported", GRIDS_MOST);
  if (!grib_recall(kind, octets, length, &m.told, sizeof m.told)) {
    if (grib_ask(products, window, field, take_told, &m.told, error) != 0)
      return -1;
    grib_remember(kind, octets, length, &m.told, sizeof m.told);
  }
  if (make(&m) != 0)
    return -1;
  m.grid->next = grids->first;
  grids->first = m.grid;
  return 0;
}

int grib_grid_read(struct grib_grids *grids, struct grib_products *products, struct grib_window *window,
                   const struct grib_field *field, const struct grib_grid **out, struct error *error)
{
  const struct grib_span *span = &field->section[GRIB_GRID];
  unsigned char few[512];
  if (span->length > OCTETS_MOST)
    return error_set(error, ERROR_FeatureUnsupported, "a grid is described by too many bytes, which is not supported");
  unsigned char *octets = span->length <= sizeof few ? few : malloc((size_t)span->length);
  int status = octets ? grib_read(window, span->at, (size_t)span->length, octets, error) : error_memory(error);
  if (status == 0 && !find(grids, octets, (size_t)span->length))
    status = learn(grids, products, window, field, octets, error);
  if (status == 0)
    *out = find(grids, octets, (size_t)span->length);
  if (octets != few)
    free(octets);
  return status;
}
