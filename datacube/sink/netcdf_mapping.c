/* The CF description of a CRS (CF conventions 1.8, appendix F), from PROJ.
 *
 * crs_wkt and spatial_ref hold the whole CRS and are what programs read first. The parameters of the grid mapping are
 * for those that know CF only: EPSG's methods and parameters by two tables. A method that CF lacks gets no
 * grid_mapping_name. */
#include "datacube/grid.h"
#include "datacube/proj_context.h"
#include "datacube/sink/netcdf_plan.h"

#include <math.h>
#include <netcdf.h>
#include <stdlib.h>
#include <string.h>

static const struct method_row {
  int epsg; /* coordinate operation method */
  const char *grid_mapping_name;
  const char *longitude; /* CF's name for the longitude of origin */
  const char *scale;     /* CF's name for the scale factor, NULL: has none */
} method_rows[] = {
    {9807, "transverse_mercator", "longitude_of_central_meridian", "scale_factor_at_central_meridian"},
    {9801, "lambert_conformal_conic", "longitude_of_central_meridian", NULL},
    {9802, "lambert_conformal_conic", "longitude_of_central_meridian", NULL},
    {9820, "lambert_azimuthal_equal_area", "longitude_of_projection_origin", NULL},
    {9822, "albers_conical_equal_area", "longitude_of_central_meridian", NULL},
    {9810, "polar_stereographic", "straight_vertical_longitude_from_pole", "scale_factor_at_projection_origin"},
    {9829, "polar_stereographic", "straight_vertical_longitude_from_pole", NULL},
    {9804, "mercator", "longitude_of_projection_origin", "scale_factor_at_projection_origin"},
    {9805, "mercator", "longitude_of_projection_origin", NULL},
    {9835, "lambert_cylindrical_equal_area", "longitude_of_central_meridian", NULL},
};

enum meaning { MEANS_LATITUDE, MEANS_LONGITUDE, MEANS_SCALE, MEANS_EASTING, MEANS_NORTHING, MEANS_PARALLEL };

static const struct {
  int epsg; /* parameter */
  enum meaning meaning;
} parameter_rows[] = {
    {8801, MEANS_LATITUDE},  {8821, MEANS_LATITUDE}, {8802, MEANS_LONGITUDE}, {8822, MEANS_LONGITUDE},
    {8833, MEANS_LONGITUDE}, {8805, MEANS_SCALE},    {8806, MEANS_EASTING},   {8826, MEANS_EASTING},
    {8807, MEANS_NORTHING},  {8827, MEANS_NORTHING}, {8823, MEANS_PARALLEL},  {8824, MEANS_PARALLEL},
    {8832, MEANS_PARALLEL},
};

struct target { /* sticky failure, checked once at the end */
  int file, variable;
  bool failed;
};

static void put_text(struct target *t, const char *name, const char *text)
{
  t->failed = t->failed || nc_put_att_text(t->file, t->variable, name, strlen(text), text) != NC_NOERR;
}

static void put_numbers(struct target *t, const char *name, const double *numbers, size_t count)
{
  t->failed = t->failed || nc_put_att_double(t->file, t->variable, name, NC_DOUBLE, count, numbers) != NC_NOERR;
}

static const struct method_row *find_method(const char *code)
{
  for (size_t i = 0; code != NULL && i < sizeof method_rows / sizeof method_rows[0]; i++)
    if (method_rows[i].epsg == strtol(code, NULL, 10))
      return &method_rows[i];
  return NULL;
}

static void put_parameter(struct target *t, const struct method_row *row, int epsg, double value)
{
  const char *const names[] = {[MEANS_LATITUDE] = "latitude_of_projection_origin",
                               [MEANS_LONGITUDE] = row->longitude,
                               [MEANS_SCALE] = row->scale,
                               [MEANS_EASTING] = "false_easting",
                               [MEANS_NORTHING] = "false_northing",
                               [MEANS_PARALLEL] = NULL};
  for (size_t i = 0; i < sizeof parameter_rows / sizeof parameter_rows[0]; i++)
    if (parameter_rows[i].epsg == epsg && names[parameter_rows[i].meaning] != NULL)
      put_numbers(t, names[parameter_rows[i].meaning], &value, 1);
}

static void put_projection(struct target *t, PJ_CONTEXT *context, const PJ *crs)
{
  const char *code = NULL;
  double parallels[2];
  size_t parallel_count = 0;
  PJ *operation = proj_crs_get_coordoperation(context, crs);
  if (operation == NULL)
    return;
  proj_coordoperation_get_method_info(context, operation, NULL, NULL, &code);
  const struct method_row *row = find_method(code);
  const int count = row != NULL ? proj_coordoperation_get_param_count(context, operation) : 0;
  for (int i = 0; i < count; i++) {
    const char *parameter = NULL;
    double value;
    if (!proj_coordoperation_get_param(context, operation, i, NULL, NULL, &parameter, &value, NULL, NULL, NULL, NULL,
                                       NULL, NULL) ||
        parameter == NULL)
      continue;
    const int epsg = (int)strtol(parameter, NULL, 10);
    if ((epsg == 8823 || epsg == 8824 || epsg == 8832) && parallel_count < 2)
      parallels[parallel_count++] = value;
    put_parameter(t, row, epsg, value);
    if (epsg == 8801 && row->epsg == 9801) /* one standard parallel: the latitude of origin */
      parallels[parallel_count++] = value;
  }
  if (parallel_count > 0)
    put_numbers(t, "standard_parallel", parallels, parallel_count);
  if (row != NULL && row->epsg == 9829 && parallel_count > 0) {
    const double pole = parallels[0] < 0 ? -90 : 90;
    put_numbers(t, "latitude_of_projection_origin", &pole, 1);
  }
  if (row != NULL)
    put_text(t, "grid_mapping_name", row->grid_mapping_name);
  proj_destroy(operation);
}

static void put_figure(struct target *t, PJ_CONTEXT *context, const PJ *crs)
{
  double a, b, inverse, longitude = 0;
  PJ *ellipsoid = proj_get_ellipsoid(context, crs);
  PJ *meridian = proj_get_prime_meridian(context, crs);
  if (ellipsoid != NULL && proj_ellipsoid_get_parameters(context, ellipsoid, &a, &b, NULL, &inverse)) {
    put_numbers(t, "semi_major_axis", &a, 1);
    put_numbers(t, "semi_minor_axis", &b, 1);
    if (inverse > 0)
      put_numbers(t, "inverse_flattening", &inverse, 1);
  }
  if (meridian != NULL && proj_prime_meridian_get_parameters(context, meridian, &longitude, NULL, NULL))
    put_numbers(t, "longitude_of_prime_meridian", &longitude, 1);
  proj_destroy(ellipsoid);
  proj_destroy(meridian);
}

int netcdf_put_mapping(struct arena *arena, int file, int variable, const char *crs)
{
  struct target target = {.file = file, .variable = variable};
  struct error ignored = {0};
  const char *wkt = NULL;
  if (crs_wkt(arena, crs, &wkt, &ignored) != 0)
    wkt = crs;
  PJ_CONTEXT *context = proj_context_confined();
  PJ *object = proj_create(context, wkt);
  if (object != NULL) {
    const PJ_TYPE type = proj_get_type(object);
    if (type == PJ_TYPE_PROJECTED_CRS)
      put_projection(&target, context, object);
    else if (type == PJ_TYPE_GEOGRAPHIC_2D_CRS)
      put_text(&target, "grid_mapping_name", "latitude_longitude");
    put_figure(&target, context, object);
  }
  proj_destroy(object);
  proj_context_destroy(context);
  put_text(&target, "crs_wkt", wkt);
  put_text(&target, "spatial_ref", wkt);
  return target.failed ? -1 : 0;
}
