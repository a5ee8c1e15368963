/* resample_spatial: another resolution or projection. In the same projection the new grid hangs on the corner of the
 * extent that `align` names; in a new one it is anchored to the origin of the CRS. */
#include "processes/resample/regrid.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct wish {
  double res_x, res_y; /* 0: keep */
  const char *crs;     /* NULL: keep */
  enum resampling method;
  const char *align;
};

static int read_resolution(struct call *call, struct wish *wish)
{
  const struct value *value = call_argument(call, "resolution");
  wish->res_x = wish->res_y = 0;
  if (value && value->kind == VALUE_NUMBER)
    wish->res_x = wish->res_y = value->number;
  if (value && value->kind == VALUE_ARRAY) {
    wish->res_x = value->items[0].number;
    wish->res_y = value->items[1].number;
  }
  if (!isfinite(wish->res_x) || !isfinite(wish->res_y) || (wish->res_x == 0) != (wish->res_y == 0))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "resolution",
                           "both resolutions are positive numbers, or both are 0");
  return 0;
}

static int read_projection(struct call *call, struct wish *wish)
{
  const struct value *value = call_argument(call, "projection");
  char code[32];
  wish->crs = NULL;
  if (!value || value->kind == VALUE_NULL)
    return 0;
  snprintf(code, sizeof code, "EPSG:%.0f", value->number);
  if (crs_canonical(call->arena, value->kind == VALUE_TEXT ? value->text : code, &wish->crs, call->error) != 0)
    return error_at_parameter(call->error, "projection");
  return 0;
}

static int read_wish(struct call *call, struct wish *wish)
{
  const char *method;
  if (read_resolution(call, wish) != 0 || read_projection(call, wish) != 0 || call_text(call, "method", &method) != 0 ||
      call_text(call, "align", &wish->align) != 0)
    return -1;
  wish->method = resampling_from_name(method);
  if (wish->method == RESAMPLE_COUNT)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "method", "there is no resampling method '%s'",
                           method);
  if (wish->res_x == 0 && !wish->crs)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "resolution",
                           "give a resolution or a projection");
  return 0;
}

/* Same CRS: the smallest grid that covers the extent from one corner. */
static struct grid aligned(const struct grid *from, const struct wish *wish)
{
  struct grid to = *from;
  double across = (double)from->width * from->res_x, down = (double)from->height * from->res_y;
  to.res_x = wish->res_x;
  to.res_y = wish->res_y;
  to.width = (size_t)ceil(across / to.res_x - 1e-9);
  to.height = (size_t)ceil(down / to.res_y - 1e-9);
  if (strstr(wish->align, "right"))
    to.west = from->west + across - (double)to.width * to.res_x;
  if (strstr(wish->align, "lower"))
    to.north = from->north - down + (double)to.height * to.res_y;
  return to;
}

/* New CRS: resolution from the lengths of the extents' diagonals where none is given, rounded to three digits. */
static int projected(struct call *call, const struct grid *from, const struct wish *wish, struct grid *to)
{
  struct extent here = {from->west, from->north - (double)from->height * from->res_y,
                        from->west + (double)from->width * from->res_x, from->north, from->crs};
  struct extent there;
  if (extent_transform_in_use(&here, wish->crs, &there, call->error) != 0)
    return error_at_parameter(call->error, "projection");
  double res_x = wish->res_x, res_y = wish->res_y;
  if (res_x == 0) {
    double ratio = hypot(there.east - there.west, there.north - there.south) /
                   hypot(here.east - here.west, here.north - here.south);
    double res = sqrt(from->res_x * from->res_y) * ratio, unit = pow(10, floor(log10(res)) - 2);
    res_x = res_y = rint(res / unit) * unit;
  }
  if (grid_anchored(&there, res_x, res_y, to, call->error) != 0)
    return error_at_parameter(call->error, "resolution");
  to->crs = wish->crs;
  return 0;
}

static int resample_spatial_call(struct call *call, struct value *result)
{
  const struct node *data, *node;
  struct grid from, to;
  struct wish wish;
  if (call_cube(call, "data", &data) != 0 || read_wish(call, &wish) != 0)
    return -1;
  if (grid_under_cube(data->cube, &from) != 0 || !data->cube->crs)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "the cube has no regular spatial grid with a CRS (its dimensions: %s)",
                           cube_dimension_names(call->arena, data->cube));
  if (wish.crs && !crs_equal(wish.crs, from.crs)) {
    if (projected(call, &from, &wish, &to) != 0)
      return -1;
  } else if (wish.res_x == 0) {
    *result = value_cube(data); /* nothing changes */
    return 0;
  } else
    to = aligned(&from, &wish);
  if ((double)to.width * (double)to.height > 1e12)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "resolution",
                           "the result would have %zu x %zu pixels", to.width, to.height);
  if (regrid(call, data, &to, wish.method, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_resample_spatial = {
    .id = "resample_spatial", .shape = PROCESS_CUBE, .call = resample_spatial_call};
