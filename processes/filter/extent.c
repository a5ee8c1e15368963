/* Reading extents. */
#include "processes/filter/extent.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int edge(struct call *call, const char *parameter, const struct value *box, const char *name, double *out)
{
  const struct value *value = value_member(box, name);
  if (!value || value->kind != VALUE_NUMBER || !isfinite(value->number))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                           "the bounding box needs a finite number '%s'", name);
  *out = value->number;
  return 0;
}

static int box_crs(struct call *call, const char *parameter, const struct value *box, const char **out)
{
  const struct value *crs = value_member(box, "crs");
  char code[32];
  *out = NULL;
  if (!crs || crs->kind == VALUE_NULL)
    return 0;
  if (crs->kind == VALUE_NUMBER)
    snprintf(code, sizeof code, "EPSG:%.0f", crs->number);
  else if (crs->kind != VALUE_TEXT)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                           "the CRS of a bounding box is an EPSG code or WKT 2");
  if (crs_canonical(call->arena, crs->kind == VALUE_TEXT ? crs->text : code, out, call->error) != 0)
    return error_at_parameter(call->error, parameter);
  return 0;
}

int extent_read(struct call *call, const char *parameter, const struct value *value, struct extent *out)
{
  if (value->kind != VALUE_OBJECT)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                           "a bounding box is an object with west, south, east and north");
  if (edge(call, parameter, value, "west", &out->west) != 0 ||
      edge(call, parameter, value, "south", &out->south) != 0 ||
      edge(call, parameter, value, "east", &out->east) != 0 ||
      edge(call, parameter, value, "north", &out->north) != 0 || box_crs(call, parameter, value, &out->crs) != 0)
    return -1;
  if (out->south > out->north)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter, "south (%g) lies north of north (%g)",
                           out->south, out->north);
  if (out->crs && out->west > out->east)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter, "west (%g) lies east of east (%g)",
                           out->west, out->east);
  if (!out->crs && (fabs(out->south) > 90 || fabs(out->north) > 90 || fabs(out->west) > 360 || fabs(out->east) > 360))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                           "degrees out of range; give 'crs' for coordinates of a projection");
  return 0;
}

static int bound(struct call *call, const char *parameter, const struct value *value, enum calendar calendar, bool *has,
                 int64_t *out)
{
  *has = value->kind != VALUE_NULL;
  if (!*has)
    return 0;
  if (value->kind != VALUE_TEXT || instant_parse(value->text, calendar, out) != 0)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                           "'%s' is no date (YYYY-MM-DD) or date-time (RFC 3339)",
                           value->kind == VALUE_TEXT ? value->text : value_kind_name(value));
  return 0;
}

int interval_read(struct call *call, const char *parameter, const struct value *value, enum calendar calendar,
                  struct interval *out)
{
  if (value->kind != VALUE_ARRAY || value->count != 2)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                           "a temporal extent is an array of two dates");
  if (bound(call, parameter, &value->items[0], calendar, &out->has_start, &out->start) != 0 ||
      bound(call, parameter, &value->items[1], calendar, &out->has_end, &out->end) != 0)
    return -1;
  if (out->has_start && out->has_end && out->end <= out->start)
    return error_parameter(call->error, ERROR_TemporalExtentEmpty, parameter,
                           "the temporal extent is empty: its end must be later than its start");
  return 0;
}
