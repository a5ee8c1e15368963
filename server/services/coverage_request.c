/* Arguments are rows of a table; what they say about boxes is put together at the end. */
#include "server/services/coverage_request.h"

#include "server/services/service_crs.h"
#include "server/services/subset_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WEST, SOUTH, EAST, NORTH, EDGES };
enum { MOST_SIDE = 1000000 }; /* pixels that a request may ask for along an axis */

struct coverage_query {
  const struct service_view *view;
  const json_t *cube;
  enum coverage_dialect dialect;
  json_t *out, *intervals;
  double box[EDGES];                  /* NaN: open */
  bool has_box, is_lonlat, is_native; /* edges were given, by axes that name longitude and latitude, or others */
  char box_crs[MAP_CRS_SIZE];         /* of bbox and subsets; "": the request does not say */
  bool box_turned;                    /* a bbox names y first */
  double size[2], scale[2];
  struct error *error;
};

const struct coverage_format coverage_formats[] = {{"GTiff", "image/tiff; application=geotiff"},
                                                   {"netCDF", "application/netcdf"},
                                                   {"CovJSON", "application/prs.coverage+json"},
                                                   {"PNG", "image/png"},
                                                   {"JPEG", "image/jpeg"},
                                                   {NULL, NULL}};

struct coverage_axes coverage_axes_of(const char *crs)
{
  const bool north = crs_starts_north(crs);
  return crs_is_geographic(crs) ? (struct coverage_axes){"Long", "Lat", north}
                                : (struct coverage_axes){"E", "N", north};
}

static int invalid(struct coverage_query *q, const char *name, const char *wants)
{
  return error_parameter(q->error, ERROR_QueryParameterInvalid, name, "wants %s", wants);
}

/* ---- axes -------------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names)
{
  while (*names != NULL && strcasecmp(name, *names) != 0)
    names++;
  return *names != NULL;
}

/* 0: x, 1: y, -1: neither; *lonlat: the name is a geographic one. */
static int plane_axis(const struct coverage_query *q, const char *name, bool *lonlat)
{
  static const char *const degrees[][5] = {{"long", "lon", "longitude", NULL}, {"lat", "latitude", NULL}},
                           *const metres[][5] = {{"x", "e", "easting", NULL}, {"y", "n", "northing", NULL}};
  static const char *const members[] = {"x_name", "y_name"};
  for (int axis = 0; axis < 2; axis++) {
    const char *own = json_string_value(json_object_get(q->cube, members[axis]));
    *lonlat = is_one_of(name, degrees[axis]);
    if (*lonlat || is_one_of(name, metres[axis]) || (own != NULL && strcasecmp(name, own) == 0))
      return axis;
  }
  return -1;
}

static const char *dimension_of(const struct coverage_query *q, const char *name)
{
  static const char *const times[] = {"time", "t", "datetime", "date", "temporal", "ansi", "phenomenontime", NULL};
  const json_t *dimension;
  size_t i;
  json_array_foreach(json_object_get(q->cube, "dimensions"), i, dimension)
  {
    const char *own = json_string_value(json_object_get(dimension, "name"));
    if (own != NULL && strcasecmp(own, name) == 0)
      return own;
  }
  const json_t *time = is_one_of(name, times) ? service_dimension(q->view, "temporal") : NULL;
  return json_string_value(json_object_get(time, "name"));
}

/* The same interval may come twice: GDAL does that. */
static int add_interval(struct coverage_query *q, const char *dimension, const char *from, const char *to)
{
  json_t *interval = to != NULL ? json_pack("[s, s, s]", dimension, from, to) : json_pack("[s, s, n]", dimension, from);
  const json_t *given;
  int status = 0;
  size_t i;
  json_array_foreach(q->intervals, i, given)
  {
    if (json_equal(given, interval))
      break;
    if (strcmp(json_string_value(json_array_get(given, 0)), dimension) == 0)
      status = error_parameter(q->error, ERROR_QueryParameterInvalid, dimension, "is given twice");
  }
  if (status == 0 && i == json_array_size(q->intervals))
    json_array_append(q->intervals, interval);
  json_decref(interval);
  return status;
}

/* ---- subsets ----------------------------------------------------------------------------------------------------- */

/* A number, or NaN for an open end. */
static int read_edge(const char *text, double *out)
{
  char *end;
  *out = (double)NAN;
  if (text[0] == '\0' || strcmp(text, "*") == 0)
    return 0;
  *out = strtod(text, &end);
  return end == text || *end != '\0' || !isfinite(*out) ? -1 : 0;
}

/* A position instead of an interval stands for the pixel that it lies in. */
static void widen_to_pixel(const struct coverage_query *q, int axis, double *low, double *high)
{
  const double res = json_number_value(json_array_get(json_object_get(q->cube, "resolution"), (size_t)axis));
  const double start = json_number_value(json_array_get(json_object_get(q->cube, "bbox"), (size_t)axis));
  *low = *high = start + (floor((*low - start) / res) + 0.5) * res;
}

static int subset_plane(struct coverage_query *q, const struct subset_item *item, int axis, bool lonlat)
{
  double low, high;
  if (read_edge(item->low, &low) != 0 || (item->has_high && read_edge(item->high, &high) != 0) ||
      (!item->has_high && isnan(low)))
    return invalid(q, "subset", "numbers as limits of x and y");
  if (!item->has_high)
    widen_to_pixel(q, axis, &low, &high);
  if (low > high)
    return error_parameter(q->error, ERROR_QueryParameterInvalid, "subset",
                           "the limits of %s, %g and %g, are in the "
                           "wrong order",
                           item->name, low, high);
  if (!isnan(q->box[axis]) || !isnan(q->box[axis + EAST]))
    return invalid(q, "subset", "each axis once");
  q->box[axis] = low;
  q->box[axis + EAST] = high;
  q->has_box = true;
  *(lonlat ? &q->is_lonlat : &q->is_native) = true;
  return 0;
}

static int read_subset(struct coverage_query *q, const char *name, const char *value)
{
  struct subset_item item;
  int found;
  (void)name;
  while ((found = subset_next(&value, &item)) > 0) {
    bool lonlat;
    const int axis = plane_axis(q, item.name, &lonlat);
    const char *dimension = axis < 0 ? dimension_of(q, item.name) : NULL;
    if (axis < 0 && dimension == NULL)
      return error_parameter(q->error, ERROR_QueryParameterInvalid, "axis", "the coverage has no axis '%.60s'",
                             item.name);
    if ((axis >= 0 ? subset_plane(q, &item, axis, lonlat)
                   : add_interval(q, dimension, item.low, item.has_high ? item.high : NULL)) != 0)
      return -1;
  }
  return found == 0 ? 0 : invalid(q, "subset", "AXIS(LOW:HIGH), AXIS(LOW,HIGH) or AXIS(POSITION)");
}

static int read_bbox(struct coverage_query *q, const char *name, const char *value)
{
  static const char wants[] = "four numbers, the least of each axis first";
  double numbers[6];
  size_t count = 0;
  char *end;
  for (const char *at = value; count < 6; at = end + 1) {
    numbers[count++] = strtod(at, &end);
    if (end == at || !isfinite(numbers[count - 1]) || (*end != ',' && *end != '\0'))
      return invalid(q, name, wants);
    if (*end == '\0')
      break;
  }
  if ((count != 4 && count != 6) || *end != '\0' || q->has_box)
    return invalid(q, name, q->has_box ? "no subset of x or y beside it" : wants);
  const size_t half = count / 2;
  q->box[WEST] = numbers[q->box_turned ? 1 : 0];
  q->box[SOUTH] = numbers[q->box_turned ? 0 : 1];
  q->box[EAST] = numbers[half + (q->box_turned ? 1 : 0)];
  q->box[NORTH] = numbers[half + (q->box_turned ? 0 : 1)];
  q->has_box = true;
  if (q->box_crs[0] == '\0')
    q->is_lonlat = true;
  return q->box[WEST] <= q->box[EAST] && q->box[SOUTH] <= q->box[NORTH] ? 0 : invalid(q, name, wants);
}

static int read_datetime(struct coverage_query *q, const char *name, const char *value)
{
  const json_t *time = service_dimension(q->view, "temporal");
  const char *dimension = json_string_value(json_object_get(time, "name")), *slash = strchr(value, '/');
  char from[SUBSET_TEXT];
  if (dimension == NULL) /* what has no date lies in any */
    return 0;
  const size_t length = slash != NULL ? (size_t)(slash - value) : strlen(value);
  if (length >= sizeof from)
    return invalid(q, name, "a date, or an interval START/END");
  memcpy(from, value, length);
  from[length] = '\0';
  return add_interval(q, dimension, from, slash != NULL ? slash + 1 : from);
}

static int read_properties(struct coverage_query *q, const char *name, const char *value)
{
  json_t *names = json_array();
  (void)name;
  for (const char *end = value; *value != '\0'; value = *end == ',' ? end + 1 : end) {
    end = value + strcspn(value, ",");
    json_array_append_new(names, json_stringn(value, (size_t)(end - value)));
  }
  const char *first = json_string_value(json_array_get(names, 0));
  if (first != NULL && strcmp(first, "*") != 0)
    json_object_set(q->out, "properties", names);
  json_decref(names);
  return 0;
}

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

static int read_number(const char *text, double most, double *out)
{
  char *end;
  *out = strtod(text, &end);
  return end != text && *end == '\0' && *out > 0 && *out <= most ? 0 : -1;
}

/* 0 or 1, also by the names of the grid's own axes. */
static int grid_axis(const struct coverage_query *q, const char *name)
{
  bool lonlat;
  if (strcasecmp(name, "i") == 0 || strcasecmp(name, "j") == 0)
    return name[0] == 'j' || name[0] == 'J';
  return plane_axis(q, name, &lonlat);
}

/* AXIS(NUMBER), …, or AXIS(LOW:HIGH), … of indexes where `is_extent`. Axes beside x and y are not scaled. */
static int read_axes(struct coverage_query *q, const char *name, const char *value, double out[2])
{
  struct subset_item item;
  double low, high;
  int found;
  const bool is_extent = out == NULL;
  while ((found = subset_next(&value, &item)) > 0) {
    const int axis = grid_axis(q, item.name);
    if (axis < 0)
      return error_parameter(q->error, ERROR_QueryParameterInvalid, "scale-axis", "axis '%.60s' cannot be scaled",
                             item.name);
    if (!is_extent && (item.has_high || read_number(item.low, MOST_SIDE, &out[axis]) != 0))
      return invalid(q, name, "AXIS(NUMBER) with numbers above 0");
    if (is_extent && (!item.has_high || read_edge(item.low, &low) != 0 || read_edge(item.high, &high) != 0 ||
                      !(high >= low) || high - low >= MOST_SIDE))
      return invalid(q, name, "AXIS(LOW:HIGH)");
    if (is_extent)
      q->size[axis] = high - low + 1;
  }
  return found == 0 ? 0 : invalid(q, name, "AXIS(NUMBER), …");
}

static int read_scale_size(struct coverage_query *q, const char *name, const char *value)
{
  if (read_axes(q, name, value, q->size) != 0)
    return -1;
  for (size_t i = 0; i < 2; i++)
    if (q->size[i] != floor(q->size[i]))
      return invalid(q, name, "whole numbers of pixels");
  return 0;
}

static int read_scale_extent(struct coverage_query *q, const char *name, const char *value)
{
  return read_axes(q, name, value, NULL);
}

/* The OGC API tells how many pixels become one, WCS how many become of one. */
static void turn_factors(struct coverage_query *q)
{
  for (size_t i = 0; q->dialect == COVERAGE_OGC_API && i < 2; i++)
    q->scale[i] = q->scale[i] > 0 ? 1 / q->scale[i] : 0;
}

static int read_scale_axes(struct coverage_query *q, const char *name, const char *value)
{
  return read_axes(q, name, value, q->scale);
}

static int read_scale_factor(struct coverage_query *q, const char *name, const char *value)
{
  if (read_number(value, MOST_SIDE, &q->scale[0]) != 0)
    return invalid(q, name, "a number above 0");
  q->scale[1] = q->scale[0];
  return 0;
}

static int read_side(struct coverage_query *q, const char *name, const char *value)
{
  double *side = &q->size[name[0] == 'h' || name[0] == 'H'];
  return read_number(value, MOST_SIDE, side) == 0 && *side == floor(*side) ? 0 : invalid(q, name, "a number of pixels");
}

/* ---- formats and methods ----------------------------------------------------------------------------------------- */

/* A format by its name, one of its other names, or its media type without parameters; NULL: none that is offered. */
static const char *find_format(const char *text)
{
  static const struct {
    const char *name, *sink;
  } others[] = {{"application/x-netcdf", "netCDF"},
                {"image/tiff", "GTiff"},
                {"image/geotiff", "GTiff"},
                {"application/x-geotiff", "GTiff"},
                {"application/vnd.cov+json", "CovJSON"},
                {"coveragejson", "CovJSON"},
                {"application/prs.coverage+json", "CovJSON"}};
  const struct sink_format *sink = sink_format_find(text);
  const size_t length = strcspn(text, "; ,");
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    if (strlen(others[i].name) == length && strncasecmp(others[i].name, text, length) == 0)
      return others[i].sink;
  for (const struct coverage_format *f = coverage_formats; f->sink != NULL; f++)
    if ((sink != NULL && sink == sink_format_find(f->sink)) ||
        (strcspn(f->media_type, ";") == length && strncasecmp(f->media_type, text, length) == 0))
      return f->sink;
  return NULL;
}

static int read_format(struct coverage_query *q, const char *name, const char *value)
{
  const char *format = find_format(value);
  if (format == NULL)
    return error_parameter(q->error, ERROR_QueryParameterInvalid, name, "there are no coverages as '%.60s'", value);
  json_object_set_new(q->out, "format", json_string(format));
  return 0;
}

static int read_interpolation(struct coverage_query *q, const char *name, const char *value)
{
  static const char *const names[][2] = {
      {"nearest-neighbor", "near"}, {"nearest", "near"}, {"linear", "bilinear"}, {"cubic", "cubic"}};
  const char *slash = strrchr(value, '/'), *last = slash != NULL ? slash + 1 : value;
  const char *method = resampling_from_name(last) != RESAMPLE_COUNT ? last : NULL;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    method = strcasecmp(last, names[i][0]) == 0 ? names[i][1] : method;
  if (method == NULL || strcmp(method, "geocode") == 0)
    return invalid(q, name, "nearest-neighbor, linear, cubic, or a method of resample_spatial");
  json_object_set_new(q->out, "method", json_string(method));
  return 0;
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static const struct coverage_argument {
  const char *name;
  int (*read)(struct coverage_query *q, const char *name, const char *value);
} arguments[] = {
    {"subset", read_subset},
    {"bbox", read_bbox},
    {"datetime", read_datetime},
    {"properties", read_properties},
    {"range-subset", read_properties},
    {"rangesubset", read_properties},
    {"scale-size", read_scale_size},
    {"scalesize", read_scale_size},
    {"scale-factor", read_scale_factor},
    {"scalefactor", read_scale_factor},
    {"scale-axes", read_scale_axes},
    {"scaleaxes", read_scale_axes},
    {"scaleextent", read_scale_extent},
    {"width", read_side},
    {"height", read_side},
    {"f", read_format},
    {"format", read_format},
    {"interpolation", read_interpolation},
};

/* GDAL numbers further subsets: SUBSET0. */
static bool is_argument(const struct coverage_argument *argument, const char *name)
{
  const size_t length = strlen(argument->name);
  return strcasecmp(name, argument->name) == 0 ||
         (argument->read == read_subset && strncasecmp(name, "subset", length) == 0 &&
          name[length + strspn(name + length, "0123456789")] == '\0');
}

static bool read_argument(void *data, const char *name, const char *value)
{
  struct coverage_query *q = data;
  for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
    if (!is_argument(&arguments[i], name))
      continue;
    if (value == NULL)
      return invalid(q, name, "a shorter text, and well encoded") == 0;
    return value[0] == '\0' || arguments[i].read(q, name, value) == 0;
  }
  return true;
}

/* A CRS by the first of its names that is given; out stays "" without one. */
static int read_crs(const struct exchange *exchange, const char *const *names, char out[MAP_CRS_SIZE], bool *turned,
                    struct error *error)
{
  char text[256];
  *turned = false;
  out[0] = '\0';
  for (; *names != NULL; names++) {
    const int given = http_query(exchange->http, *names, text, sizeof text);
    if (given < 0)
      return error_parameter(error, ERROR_CRSInvalid, *names, "is too long, or badly encoded");
    if (given > 0)
      return service_crs_read(text, *names, out, turned, error);
  }
  return 0;
}

static int read_crss(const struct exchange *exchange, struct coverage_query *q)
{
  static const char *const box[] = {"bbox-crs", "subset-crs", "subsettingcrs", NULL}, *const result[] = {
                                                                                          "crs", "outputcrs", NULL};
  char crs[MAP_CRS_SIZE];
  bool turned;
  if (read_crs(exchange, box, q->box_crs, &q->box_turned, q->error) != 0 ||
      read_crs(exchange, result, crs, &turned, q->error) != 0)
    return -1;
  if (crs[0] != '\0')
    json_object_set_new(q->out, "crs", json_string(crs));
  return 0;
}

/* Of several media types that are accepted the first that is offered; else the usual one. */
static void accept_format(const struct exchange *exchange, struct coverage_query *q)
{
  const char *accepted = http_header(exchange->http, "Accept");
  const char *format = NULL;
  for (const char *at = accepted; at != NULL && format == NULL; at = strchr(at, ',')) {
    at += strspn(at, ", ");
    format = strncmp(at, "*/*", 3) == 0 ? coverage_formats[0].sink : find_format(at);
  }
  if (json_object_get(q->out, "format") == NULL)
    json_object_set_new(q->out, "format", json_string(format != NULL ? format : coverage_formats[0].sink));
}

static json_t *edge(double value)
{
  return isnan(value) ? json_null() : json_real(value);
}

static int finish(const struct exchange *exchange, struct coverage_query *q)
{
  const char *native = json_string_value(json_object_get(q->cube, "crs"));
  if (q->is_lonlat && q->is_native)
    return invalid(q, "subset", "x and y by names of the same kind");
  if (q->has_box) {
    json_t *box = json_array();
    for (size_t i = 0; i < EDGES; i++)
      json_array_append_new(box, edge(q->box[i]));
    json_object_set_new(q->out, "box", box);
    /* Longitude and latitude are degrees, whatever the coverage's own axes are. */
    const char *crs = q->box_crs[0] != '\0'                                            ? q->box_crs
                      : q->is_lonlat && !(native != NULL && crs_is_geographic(native)) ? "EPSG:4326"
                                                                                       : native;
    json_object_set_new(q->out, "box_crs", json_string(crs));
  }
  turn_factors(q);
  if (q->size[0] > 0 || q->size[1] > 0)
    json_object_set_new(q->out, "size", json_pack("[f, f]", q->size[0], q->size[1]));
  if (q->scale[0] > 0 || q->scale[1] > 0)
    json_object_set_new(q->out, "scale", json_pack("[f, f]", q->scale[0], q->scale[1]));
  accept_format(exchange, q);
  return 0;
}

json_t *coverage_request_read(const struct exchange *exchange, const struct service_view *view,
                              enum coverage_dialect dialect, struct error *error)
{
  struct coverage_query q = {.view = view,
                             .cube = json_object_get(view->shown, "cube"),
                             .dialect = dialect,
                             .out = json_object(),
                             .intervals = json_array(),
                             .box = {(double)NAN, (double)NAN, (double)NAN, (double)NAN},
                             .error = error};
  json_object_set_new(q.out, "method", json_string(resampling_name(view->method)));
  int status = read_crss(exchange, &q);
  if (status == 0)
    http_query_each(exchange->http, read_argument, &q);
  if (status == 0 && !error_is_set(error))
    status = finish(exchange, &q);
  json_object_set_new(q.out, "intervals", q.intervals);
  if (status == 0 && !error_is_set(error))
    return q.out;
  json_decref(q.out);
  return NULL;
}
