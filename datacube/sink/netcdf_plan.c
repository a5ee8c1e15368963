/* How a cube becomes a netCDF file.
 *
 * Text labels of a bands dimension become variables; without such a dimension there is one variable, "var". A chunk is
 * 512 x 512 pixels of one plane; where planes are smaller, or there are none, trailing dimensions fill it up to as many
 * elements. */
#include "datacube/sink/netcdf_plan.h"

#include "datacube/sink/options.h"
#include "datacube/sink/values.h"

#include <ctype.h>
#include <math.h>
#include <netcdf.h>
#include <string.h>

enum { TILE = 512, CHUNK_ELEMENTS = TILE * TILE, MAX_VARIABLES = 8192 };

static const char *const compressions[] = {"deflate", "none", NULL};

static int read_options(struct sink_options options, struct netcdf_plan *plan, struct error *error)
{
  int compress = 0, level = 0;
  if (sink_options_choice(options, "compress", compressions, &compress, error) != 0 ||
      sink_options_integer(options, "zlevel", 1, 9, &level, error) != 0)
    return -1;
  plan->adaptive = level == 0;
  plan->level = compress == 1 ? 0 : level > 0 ? level : 1;
  return 0;
}

static int check_cube(const struct cube *cube, struct error *error)
{
  for (size_t d = 0; d < cube->dimensions; d++)
    if (cube->dimension[d].size == 0)
      return error_set(error, ERROR_FormatUnsuitable, "the dimension %s has no labels, there is nothing to write",
                       cube->dimension[d].name);
  return 0;
}

/* A name that netCDF accepts: no slash, no control characters, a letter, digit or underscore in front. */
static char *legal_name(struct arena *arena, const char *text)
{
  const unsigned char first = (unsigned char)text[0];
  const bool needs_front = !(isalnum(first) || first == '_' || first >= 0x80);
  char *name = arena_printf(arena, "%s%.200s", needs_front ? "_" : "", text);
  if (name == NULL)
    return NULL;
  for (char *p = name; *p != '\0'; p++)
    if (*p == '/' || (unsigned char)*p < 0x20 || *p == 0x7F)
      *p = '_';
  for (size_t n = strlen(name); n > 0 && name[n - 1] == ' '; n--)
    name[n - 1] = '_';
  return name;
}

static bool is_taken(const struct netcdf_plan *plan, const char *const *variables, size_t count, const char *name)
{
  for (size_t d = 0; d < plan->cube.dimensions; d++)
    if (plan->dimension_names[d] != NULL && strcmp(plan->dimension_names[d], name) == 0)
      return true;
  for (size_t i = 0; i < count; i++)
    if (strcmp(variables[i], name) == 0)
      return true;
  return plan->mapping != NULL && strcmp(plan->mapping, name) == 0;
}

static const char *new_name(struct arena *arena, const struct netcdf_plan *plan, const char *const *variables,
                            size_t count, const char *text)
{
  const char *name = legal_name(arena, text);
  while (name != NULL && is_taken(plan, variables, count, name))
    name = arena_printf(arena, "%s_", name);
  return name;
}

static int set_names(struct arena *arena, struct netcdf_plan *plan, struct error *error)
{
  const struct cube *cube = &plan->cube;
  for (size_t d = 0; d < cube->dimensions; d++)
    if ((plan->dimension_names[d] = new_name(arena, plan, NULL, 0, cube->dimension[d].name)) == NULL)
      return error_memory(error);
  if (cube->crs != NULL && (plan->mapping = new_name(arena, plan, NULL, 0, "crs")) == NULL)
    return error_memory(error);
  plan->variable_count = plan->bands != SIZE_MAX ? cube->dimension[plan->bands].size : 1;
  if (plan->variable_count > MAX_VARIABLES)
    return error_set(error, ERROR_FormatUnsuitable,
                     "netCDF gets one variable a band, at most %d; the cube has %zu bands", MAX_VARIABLES,
                     plan->variable_count);
  const char **names = ARENA_ARRAY(arena, const char *, plan->variable_count);
  for (size_t i = 0; names != NULL && i < plan->variable_count; i++) {
    const char *label = plan->bands != SIZE_MAX ? cube->dimension[plan->bands].texts[i] : "var";
    if ((names[i] = new_name(arena, plan, names, i, label)) == NULL)
      return error_memory(error);
  }
  plan->variables = names;
  return names != NULL ? 0 : error_memory(error);
}

static void set_chunks(struct netcdf_plan *plan)
{
  const struct dimension *dimension = plan->cube.dimension;
  plan->chunk_elements = 1;
  for (size_t v = 0; v < plan->rank; v++) {
    const char axis = dimension[plan->dimension[v]].axis;
    const size_t size = plan->shape[v];
    plan->chunk[v] = axis != 'x' && axis != 'y' ? 1 : size < TILE ? size : TILE;
    plan->chunk_elements *= plan->chunk[v];
  }
  for (size_t v = plan->rank; v-- > 0;) {
    const size_t others = plan->chunk_elements / plan->chunk[v];
    const size_t room = CHUNK_ELEMENTS / others;
    if (plan->chunk[v] >= plan->shape[v] || room <= plan->chunk[v])
      continue;
    plan->chunk[v] = plan->shape[v] < room ? plan->shape[v] : room;
    plan->chunk_elements = others * plan->chunk[v];
  }
}

/* The largest length up to `most` that divides the tile. */
static size_t dividing(size_t tile, size_t most)
{
  size_t length = most < tile ? most : tile;
  while (tile % length != 0)
    length--;
  return length;
}

void netcdf_plan_fit(struct netcdf_plan *plan, const size_t *tile)
{
  plan->chunk_elements = 1;
  for (size_t v = 0; v < plan->rank; v++) {
    size_t along = tile[plan->dimension[v]];
    if (along > 0 && along < plan->shape[v])
      plan->chunk[v] = dividing(along, plan->chunk[v]);
    plan->chunk_elements *= plan->chunk[v];
  }
  for (size_t v = plan->rank; v-- > 0;) { /* what became shorter leaves room for others */
    size_t along = tile[plan->dimension[v]], others = plan->chunk_elements / plan->chunk[v];
    size_t room = CHUNK_ELEMENTS / others, most = along > 0 && along < plan->shape[v] ? along : plan->shape[v];
    if (along == 0 || room <= plan->chunk[v])
      continue;
    plan->chunk[v] = most == plan->shape[v] ? (room < most ? room : most) : dividing(most, room);
    plan->chunk_elements = others * plan->chunk[v];
  }
}

int netcdf_plan_make(struct arena *arena, const struct cube *cube, const struct sink_option *options, size_t count,
                     struct netcdf_plan *out, struct error *error)
{
  *out = (struct netcdf_plan){.cube = *cube, .bands = cube_find_type(cube, DIMENSION_BANDS)};
  if (read_options((struct sink_options){options, count}, out, error) != 0 || check_cube(cube, error) != 0)
    return -1;
  if (out->bands != SIZE_MAX && cube->dimension[out->bands].labels != LABEL_TEXT)
    out->bands = SIZE_MAX;
  for (size_t d = 0; d < cube->dimensions; d++)
    if (d != out->bands) {
      out->shape[out->rank] = cube->dimension[d].size;
      out->dimension[out->rank++] = d;
    }
  set_chunks(out);
  return set_names(arena, out, error);
}

void netcdf_plan_fill(const struct netcdf_plan *plan, unsigned char fill[16])
{
  const struct cube *cube = &plan->cube;
  const struct element_info *info = element_info(cube->type);
  const double value = cube->type == ELEMENT_BOOLEAN ? 255
                       : cube->has_nodata            ? cube->nodata
                       : info->is_float              ? (double)NAN
                                                     : 0;
  double aligned[2] = {0, 0};
  if (info->is_complex) { /* in both parts, as in rasters */
    const enum element_type part = cube->type == ELEMENT_C64 ? ELEMENT_F32 : ELEMENT_F64;
    value_store(part, value, aligned, 0);
    value_store(part, value, aligned, 1);
  } else {
    value_store(cube->type, value, aligned, 0);
  }
  memcpy(fill, aligned, sizeof aligned);
}
