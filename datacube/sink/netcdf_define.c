/* The frame of a netCDF file: dimensions, coordinates, attributes (CF conventions 1.8).
 *
 * x and y keep the cube's order. Times count whole days from 1970-01-01 where all are midnights, else seconds, else
 * milliseconds, in 64-bit integers. Where a time's label is a period's name ("2018-01"), the coordinate is its start
 * and the names go to a text variable beside it. Labels that nobody gave (enumerated) get no coordinate. */
#include "datacube/sink/netcdf_plan.h"

#include "datacube/geometry.h"
#include "datacube/grid.h"
#include "datacube/source/netcdf_lock.h"

#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct frame { /* of one file while it is defined; the first failure sticks */
  const struct netcdf_plan *plan;
  struct arena *arena;
  int file;
  int status; /* of NetCDF-C */
  bool out_of_memory;
  int dimension_ids[CUBE_MAX_DIMENSIONS]; /* of the cube's dimensions; the bands' is not defined */
  int coordinates[CUBE_MAX_DIMENSIONS];   /* coordinate variables, -1: none */
  int beside[CUBE_MAX_DIMENSIONS];        /* text variables beside times and geometries, -1: none */
  const char *auxiliary;                  /* names for the attribute coordinates, "" none */
  nc_type pair;                           /* compound type of complex elements, where the cube has them */
};

static void keep(struct frame *f, int status)
{
  f->status = f->status == NC_NOERR ? status : f->status;
}

static void put_text(struct frame *f, int variable, const char *name, const char *text)
{
  if (text != NULL && f->status == NC_NOERR)
    keep(f, nc_put_att_text(f->file, variable, name, strlen(text), text));
}

static void put_number(struct frame *f, int variable, const char *name, double number)
{
  keep(f, nc_put_att_double(f->file, variable, name, NC_DOUBLE, 1, &number));
}

static int define_variable(struct frame *f, const char *name, nc_type type, size_t rank, const int *ids)
{
  int variable = -1;
  if (f->status == NC_NOERR && f->file >= 0)
    keep(f, nc_def_var(f->file, name, type, (int)rank, ids, &variable));
  return variable;
}

static const struct time_unit {
  int64_t milliseconds;
  const char *units;
} time_units[] = {
    {MS_PER_DAY, "days since 1970-01-01"},
    {MS_PER_SECOND, "seconds since 1970-01-01"},
    {1, "milliseconds since 1970-01-01"},
};

static const struct time_unit *choose_time_unit(const struct dimension *d)
{
  const struct time_unit *unit = time_units;
  for (size_t i = 0; i < d->size; i++)
    while (d->times[i] % unit->milliseconds != 0)
      unit++;
  return unit;
}

/* A text variable along dimension d, named after it; an auxiliary coordinate of the data. Returns its name, or NULL. */
static const char *define_beside(struct frame *f, size_t d, const char *suffix, const char *long_name)
{
  const char *labels = arena_printf(f->arena, "%s_%s", f->plan->dimension_names[d], suffix);
  f->auxiliary =
      labels != NULL ? arena_printf(f->arena, "%s%s%s", f->auxiliary, *f->auxiliary ? " " : "", labels) : NULL;
  if (f->auxiliary == NULL) {
    f->out_of_memory = true;
    f->auxiliary = "";
    return NULL;
  }
  f->beside[d] = define_variable(f, labels, NC_STRING, 1, &f->dimension_ids[d]);
  put_text(f, f->beside[d], "long_name", long_name);
  return labels;
}

static void define_time(struct frame *f, size_t d)
{
  const struct dimension *dimension = &f->plan->cube.dimension[d];
  const char *name = f->plan->dimension_names[d];
  const int variable = define_variable(f, name, NC_INT64, 1, &f->dimension_ids[d]);
  f->coordinates[d] = variable;
  put_text(f, variable, "standard_name", "time");
  put_text(f, variable, "axis", "T");
  put_text(f, variable, "units", choose_time_unit(dimension)->units);
  put_text(f, variable, "calendar", calendar_name(dimension->calendar));
  if (dimension->texts == NULL)
    return;
  const char *labels = define_beside(f, d, "label", "name of the period");
  if (labels != NULL)
    put_text(f, variable, "period_labels", labels);
}

/* Attributes of x and y in the frame of the CRS. */
static void describe_horizontal(struct frame *f, int variable, char axis)
{
  const char *crs = f->plan->cube.crs;
  const bool x = axis == 'x';
  put_text(f, variable, "axis", x ? "X" : "Y");
  if (crs == NULL)
    return;
  if (crs_is_geographic(crs)) {
    put_text(f, variable, "standard_name", x ? "longitude" : "latitude");
    put_text(f, variable, "long_name", x ? "longitude" : "latitude");
    put_text(f, variable, "units", x ? "degrees_east" : "degrees_north");
    return;
  }
  const double metres = crs_unit_metres(crs);
  put_text(f, variable, "standard_name", x ? "projection_x_coordinate" : "projection_y_coordinate");
  put_text(f, variable, "long_name", x ? "x coordinate of projection" : "y coordinate of projection");
  char unit[32];
  snprintf(unit, sizeof unit, "%.12g m", metres);
  put_text(f, variable, "units", metres == 1 ? "m" : metres == 1000 ? "km" : unit);
}

static void define_coordinate(struct frame *f, size_t d)
{
  const struct dimension *dimension = &f->plan->cube.dimension[d];
  f->coordinates[d] = f->beside[d] = -1;
  if (d == f->plan->bands)
    return;
  keep(f, nc_def_dim(f->file, f->plan->dimension_names[d], dimension->size, &f->dimension_ids[d]));
  if (dimension->enumerated)
    return;
  if (dimension->labels == LABEL_TIME) {
    define_time(f, d);
    return;
  }
  const bool is_text = dimension->labels == LABEL_TEXT || dimension->labels == LABEL_GEOMETRY;
  const nc_type type = is_text ? NC_STRING : NC_DOUBLE;
  const int variable = define_variable(f, f->plan->dimension_names[d], type, 1, &f->dimension_ids[d]);
  f->coordinates[d] = variable;
  if (dimension->type == DIMENSION_SPATIAL && (dimension->axis == 'x' || dimension->axis == 'y'))
    describe_horizontal(f, variable, dimension->axis);
  else
    put_text(f, variable, "units", dimension->unit);
  if (dimension->type == DIMENSION_SPATIAL && dimension->axis == 'z')
    put_text(f, variable, "axis", "Z");
  if (dimension->labels == LABEL_GEOMETRY && define_beside(f, d, "wkt", "well-known text of the geometry") != NULL)
    put_text(f, f->beside[d], "crs", dimension->geometries->crs);
}

/* GDAL's GeoTransform, for north-up grids. */
static void put_transform(struct frame *f, int variable)
{
  struct grid grid;
  const struct cube *cube = &f->plan->cube;
  const size_t x = cube_find_axis(cube, 'x'), y = cube_find_axis(cube, 'y');
  char text[256];
  if (x == SIZE_MAX || y == SIZE_MAX || cube->dimension[x].labels != LABEL_STEP ||
      cube->dimension[y].labels != LABEL_STEP || !(cube->dimension[x].step > 0) || !(cube->dimension[y].step < 0) ||
      grid_of_cube(cube, &grid) != 0)
    return;
  snprintf(text, sizeof text, "%.17g %.17g 0 %.17g 0 %.17g", grid.west, grid.res_x, grid.north, -grid.res_y);
  put_text(f, variable, "GeoTransform", text);
}

static void define_mapping(struct frame *f)
{
  if (f->plan->mapping == NULL)
    return;
  const int variable = define_variable(f, f->plan->mapping, NC_INT, 0, NULL);
  if (f->status == NC_NOERR && netcdf_put_mapping(f->arena, f->file, variable, f->plan->cube.crs) != 0)
    keep(f, NC_EATTMETA);
  put_transform(f, variable);
}

static nc_type stored_type(enum element_type type)
{
  static const nc_type types[ELEMENT_TYPE_COUNT] = {
      [ELEMENT_U8] = NC_UBYTE,  [ELEMENT_I8] = NC_BYTE,    [ELEMENT_U16] = NC_USHORT,   [ELEMENT_I16] = NC_SHORT,
      [ELEMENT_U32] = NC_UINT,  [ELEMENT_I32] = NC_INT,    [ELEMENT_U64] = NC_UINT64,   [ELEMENT_I64] = NC_INT64,
      [ELEMENT_F32] = NC_FLOAT, [ELEMENT_F64] = NC_DOUBLE, [ELEMENT_BOOLEAN] = NC_UBYTE};
  return types[type];
}

/* Complex elements are compounds of a real part "r" and an imaginary part "i", as h5py and h5netcdf have them. */
static void define_pair(struct frame *f)
{
  const enum element_type type = f->plan->cube.type;
  const size_t half = element_info(type)->size / 2;
  const nc_type part = type == ELEMENT_C64 ? NC_FLOAT : NC_DOUBLE;
  if (!element_info(type)->is_complex || f->status != NC_NOERR)
    return;
  keep(f, nc_def_compound(f->file, 2 * half, element_info(type)->name, &f->pair));
  if (f->status == NC_NOERR)
    keep(f, nc_insert_compound(f->file, f->pair, "r", 0, part));
  if (f->status == NC_NOERR)
    keep(f, nc_insert_compound(f->file, f->pair, "i", half, part));
}

static void put_meaning(struct frame *f, int variable, const struct band_info *info, const char *label)
{
  put_text(f, variable, "long_name", info != NULL && info->long_name != NULL ? info->long_name : label);
  if (info == NULL)
    return;
  put_text(f, variable, "standard_name", info->standard_name);
  put_text(f, variable, "units", info->unit);
  if (info->scale != 0 && (info->scale != 1 || info->offset != 0)) { /* an all-zero row says nothing */
    put_number(f, variable, "scale_factor", info->scale);
    put_number(f, variable, "add_offset", info->offset);
  }
}

static void put_missing(struct frame *f, int variable)
{
  static const unsigned char truth[2] = {0, 1};
  const struct cube *cube = &f->plan->cube;
  unsigned char fill[16];
  netcdf_plan_fill(f->plan, fill);
  if (cube->has_nodata || cube->type == ELEMENT_BOOLEAN || element_info(cube->type)->is_float)
    keep(f, nc_def_var_fill(f->file, variable, NC_FILL, fill));
  if (cube->type != ELEMENT_BOOLEAN)
    return;
  keep(f, nc_put_att_uchar(f->file, variable, "flag_values", NC_UBYTE, 2, truth));
  put_text(f, variable, "flag_meanings", "false true");
}

static void define_data(struct frame *f, size_t i)
{
  const struct netcdf_plan *plan = f->plan;
  int ids[CUBE_MAX_DIMENSIONS];
  for (size_t v = 0; v < plan->rank; v++)
    ids[v] = f->dimension_ids[plan->dimension[v]];
  const nc_type type = element_info(plan->cube.type)->is_complex ? f->pair : stored_type(plan->cube.type);
  const int variable = define_variable(f, plan->variables[i], type, plan->rank, ids);
  if (variable < 0)
    return;
  if (plan->rank > 0)
    keep(f, nc_def_var_chunking(f->file, variable, NC_CHUNKED, plan->chunk));
  if (plan->rank > 0 && plan->level > 0)
    keep(f, nc_def_var_deflate(f->file, variable, element_info(plan->cube.type)->size > 1, 1, plan->level));
  put_missing(f, variable);
  const char *label = plan->bands != SIZE_MAX ? plan->cube.dimension[plan->bands].texts[i] : NULL;
  const bool known =
      plan->cube.bands != NULL && (plan->bands != SIZE_MAX || cube_find_type(&plan->cube, DIMENSION_BANDS) == SIZE_MAX);
  put_meaning(f, variable, known ? &plan->cube.bands[i] : NULL, label);
  put_text(f, variable, "grid_mapping", plan->mapping);
  put_text(f, variable, "coordinates", *f->auxiliary ? f->auxiliary : NULL);
}

static void define_global(struct frame *f, const char *history)
{
  put_text(f, NC_GLOBAL, "Conventions", "CF-1.8");
  put_text(f, NC_GLOBAL, "title", f->plan->cube.title);
  put_text(f, NC_GLOBAL, "history", history);
}

static void write_numbers(struct frame *f, size_t d)
{
  const struct dimension *dimension = &f->plan->cube.dimension[d];
  double *numbers = ARENA_ARRAY(f->arena, double, dimension->size);
  if (numbers == NULL) {
    f->out_of_memory = true;
    return;
  }
  for (size_t i = 0; i < dimension->size; i++)
    numbers[i] = dimension_label_number(dimension, i);
  keep(f, nc_put_var_double(f->file, f->coordinates[d], numbers));
}

static void write_times(struct frame *f, size_t d)
{
  const struct dimension *dimension = &f->plan->cube.dimension[d];
  const int64_t unit = choose_time_unit(dimension)->milliseconds;
  long long *counts = ARENA_ARRAY(f->arena, long long, dimension->size);
  if (counts == NULL) {
    f->out_of_memory = true;
    return;
  }
  for (size_t i = 0; i < dimension->size; i++)
    counts[i] = dimension->times[i] / unit;
  keep(f, nc_put_var_longlong(f->file, f->coordinates[d], counts));
}

static void write_texts(struct frame *f, int variable, const struct dimension *dimension)
{
  for (size_t i = 0; f->status == NC_NOERR && i < dimension->size; i++) {
    const char *text = dimension->texts[i];
    keep(f, nc_put_var1_string(f->file, variable, &i, &text));
  }
}

static void write_shapes(struct frame *f, int variable, const struct geometry_set *set)
{
  for (size_t i = 0; f->status == NC_NOERR && i < set->count; i++) {
    const char *text = geometry_wkt(f->arena, &set->items[i]);
    if (text == NULL)
      f->out_of_memory = true;
    else
      keep(f, nc_put_var1_string(f->file, variable, &i, &text));
  }
}

static void write_coordinates(struct frame *f)
{
  for (size_t d = 0; d < f->plan->cube.dimensions && f->status == NC_NOERR; d++) {
    const struct dimension *dimension = &f->plan->cube.dimension[d];
    if (f->coordinates[d] < 0)
      continue;
    if (dimension->labels == LABEL_TIME)
      write_times(f, d);
    else if (dimension->labels == LABEL_TEXT || dimension->labels == LABEL_GEOMETRY)
      write_texts(f, f->coordinates[d], dimension);
    else
      write_numbers(f, d);
    if (f->beside[d] >= 0 && dimension->labels == LABEL_GEOMETRY)
      write_shapes(f, f->beside[d], dimension->geometries);
    else if (f->beside[d] >= 0)
      write_texts(f, f->beside[d], dimension);
  }
}

static void define_all(struct frame *f, const char *history)
{
  for (size_t d = 0; d < f->plan->cube.dimensions; d++)
    define_coordinate(f, d);
  define_mapping(f);
  define_pair(f);
  for (size_t i = 0; i < f->plan->variable_count && f->status == NC_NOERR; i++)
    define_data(f, i);
  define_global(f, history);
  if (f->status == NC_NOERR)
    keep(f, nc_enddef(f->file));
  write_coordinates(f);
}

int netcdf_define(const char *path, const struct netcdf_plan *plan, const char *history, struct error *error)
{
  struct frame f = {.plan = plan, .arena = arena_new(0), .file = -1, .auxiliary = ""};
  if (f.arena == NULL)
    return error_memory(error);
  netcdf_lock();
  keep(&f, nc_create(path, NC_CLOBBER | NC_NETCDF4, &f.file));
  if (f.status == NC_NOERR) {
    define_all(&f, history);
    keep(&f, nc_close(f.file));
  }
  netcdf_unlock();
  arena_free(f.arena);
  if (f.out_of_memory)
    return error_memory(error);
  return f.status == NC_NOERR
             ? 0
             : error_set(error, ERROR_StorageFailure, "the netCDF result cannot be written: %s", nc_strerror(f.status));
}
