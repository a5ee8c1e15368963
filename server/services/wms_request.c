/* Boxes become windows of a lattice: requests of one resolution whose pixels lie alike share it, and so the open map.
 */
#include "server/services/wms_request.h"

#include "server/services/service_crs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int invalid(struct error *error, const char *name, const char *wants)
{
  return error_parameter(error, ERROR_QueryParameterInvalid, name, "wants %s", wants);
}

static int read_side(const struct exchange *exchange, const char *name, uint32_t *out, struct error *error)
{
  char text[16], *end;
  const long number = http_query(exchange->http, name, text, sizeof text) > 0 ? strtol(text, &end, 10) : 0;
  if (number < 1 || *end != '\0' || number > MAP_MOST_SIDE)
    return error_parameter(error, ERROR_QueryParameterInvalid, name, "wants a number of pixels from 1 to %d",
                           (int)MAP_MOST_SIDE);
  *out = (uint32_t)number;
  return 0;
}

/* "EPSG:n" of a request's CRS; *turned: its boxes name y first. */
static int read_crs(const struct exchange *exchange, char out[MAP_CRS_SIZE], bool *turned, struct error *error)
{
  char text[128], version[16] = "";
  const char *name = http_query(exchange->http, "crs", text, sizeof text) > 0 ? "crs" : "srs";
  if (name[0] == 's' && http_query(exchange->http, name, text, sizeof text) <= 0)
    return invalid(error, "crs", "a coordinate reference system such as EPSG:3857");
  http_query(exchange->http, "version", version, sizeof version);
  if (service_crs_read(text, "crs", out, turned, error) != 0)
    return -1;
  if (strncmp(version, "1.1", 3) == 0)
    *turned = false;
  return 0;
}

static int read_box(const struct exchange *exchange, bool turned, double box[4], struct error *error)
{
  char text[256], *at = text;
  static const char wants[] = "four numbers, the least of each axis first";
  if (http_query(exchange->http, "bbox", text, sizeof text) <= 0)
    return invalid(error, "bbox", wants);
  for (size_t i = 0; i < 4; i++) {
    char *end;
    box[turned ? i ^ 1 : i] = strtod(at, &end);
    if (end == at || *end != (i < 3 ? ',' : '\0'))
      return invalid(error, "bbox", wants);
    at = end + 1;
  }
  if (!(box[2] > box[0] && box[3] > box[1]) || !isfinite(box[2] - box[0]) || !isfinite(box[3] - box[1]))
    return invalid(error, "bbox", wants);
  return 0;
}

/* To so many digits that neighbouring windows agree. */
static double rounded(double value)
{
  char text[32];
  snprintf(text, sizeof text, "%.11g", value);
  return strtod(text, NULL);
}

/* Where an edge lies on a lattice whose pixels begin at a millionth's multiple of a pixel from 0: whole pixels, and
 * that rest. */
static int64_t split(double edge, double res, double *rest)
{
  double at = edge / res, whole = floor(at + 5e-7);
  *rest = rint((at - whole) * 1e6) * 1e-6;
  return (int64_t)whole;
}

static int set_window(const double box[4], struct map_task *task, struct error *error)
{
  double rest_x, rest_y;
  task->res_x = rounded((box[2] - box[0]) / task->width);
  task->res_y = rounded((box[3] - box[1]) / task->height);
  if (fabs(box[0]) / task->res_x > 1e14 || fabs(box[3]) / task->res_y > 1e14)
    return invalid(error, "bbox", "a box that is larger than rounding");
  task->column = split(box[0], task->res_x, &rest_x);
  task->row = -split(box[3], task->res_y, &rest_y);
  task->west = rest_x * task->res_x;
  task->north = rest_y * task->res_y;
  return 0;
}

static int read_format(const struct exchange *exchange, const struct service_view *view, struct map_task *task,
                       struct error *error)
{
  char text[64];
  const int given = http_query(exchange->http, "format", text, sizeof text);
  const enum tile_format format = given > 0 ? tile_format_find(text) : view->format;
  task->format = format;
  if (given < 0 || format == TILE_FORMATS)
    return invalid(error, "format", "image/png, image/jpeg or image/webp");
  if (http_query(exchange->http, "transparent", text, sizeof text) > 0 && strcasecmp(text, "false") == 0)
    task->style.palette[0] = (struct colour){255, 255, 255, 255};
  return 0;
}

int wms_window_read(const struct exchange *exchange, const struct service_view *view, struct map_task *task,
                    struct error *error)
{
  double box[4];
  bool turned;
  if (read_crs(exchange, task->crs, &turned, error) != 0 || read_box(exchange, turned, box, error) != 0 ||
      read_side(exchange, "width", &task->width, error) != 0 ||
      read_side(exchange, "height", &task->height, error) != 0 || set_window(box, task, error) != 0)
    return -1;
  return read_format(exchange, view, task, error);
}

static int read_index(const struct exchange *exchange, const char *name, const char *old_name, uint32_t size,
                      int64_t *out, struct error *error)
{
  char text[16], *end = text;
  int given = http_query(exchange->http, name, text, sizeof text);
  if (given == 0)
    given = http_query(exchange->http, old_name, text, sizeof text);
  *out = given > 0 ? strtol(text, &end, 10) : -1;
  if (*out < 0 || *out >= (int64_t)size || *end != '\0')
    return invalid(error, name, "a pixel of the picture");
  return 0;
}

int wms_pixel_read(const struct exchange *exchange, struct map_task *task, struct error *error)
{
  int64_t x, y;
  if (read_index(exchange, "i", "x", task->width, &x, error) != 0 ||
      read_index(exchange, "j", "y", task->height, &y, error) != 0)
    return -1;
  task->column += x;
  task->row += y;
  task->width = task->height = 1;
  return 0;
}
