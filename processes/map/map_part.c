/* Labels first, then pixels, then their grid. */
#include "processes/map/map_part.h"

#include "datacube/turn.h"
#include "processes/cube/axis_span.h"
#include "processes/map/map_choice.h"
#include "processes/map/map_node.h"
#include "processes/map/map_result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double most_side = 1e9; /* pixels */

struct taking {     /* one part on its way */
  struct call call; /* arena, origin and error, for views */
  const struct map_part *part;
  const volatile int *cancel;
};

/* ---- labels ------------------------------------------------------------------------------------------------------ */

struct label_span { /* of dates or numbers */
  double low, high;
  int64_t start, end;
};

static int no_labels(struct taking *t, const struct map_interval *interval)
{
  return error_parameter(t->call.error, ERROR_QueryParameterInvalid, interval->dimension,
                         "no label of dimension '%s' lies in '%.60s'%s%.60s", interval->dimension, interval->from,
                         interval->to ? " to " : "", interval->to ? interval->to : "");
}

static bool is_open(const char *end)
{
  return end[0] == '\0' || strcmp(end, "..") == 0 || strcmp(end, "*") == 0;
}

static int read_span(const struct dimension *dimension, const struct map_interval *interval, struct label_span *out)
{
  const char *last = interval->to ? interval->to : interval->from;
  char *end;
  if (dimension->labels == LABEL_TIME)
    return map_read_date(interval->from, strlen(interval->from), dimension->calendar, false, &out->start) != 0
               ? -1
               : map_read_date(last, strlen(last), dimension->calendar, true, &out->end);
  out->low = is_open(interval->from) ? -HUGE_VAL : strtod(interval->from, &end);
  if (!is_open(interval->from) && (end == interval->from || *end != '\0'))
    return -1;
  out->high = is_open(last) ? HUGE_VAL : strtod(last, &end);
  return is_open(last) || (end != last && *end == '\0') ? 0 : -1;
}

/* The labels of a dimension within an interval. -1: the interval's ends are no such labels. */
static int find_labels(const struct dimension *dimension, const struct map_interval *interval, size_t *indexes,
                       size_t *count)
{
  const char *last = interval->to ? interval->to : interval->from;
  struct label_span span = {0};
  *count = 0;
  if (dimension->labels == LABEL_TEXT || dimension->labels == LABEL_GEOMETRY) {
    size_t from = is_open(interval->from) ? 0 : dimension_find_text(dimension, interval->from);
    size_t to = is_open(last) ? dimension->size - 1 : dimension_find_text(dimension, last);
    for (size_t i = from; from != SIZE_MAX && to != SIZE_MAX && i <= to && i < dimension->size; i++)
      indexes[(*count)++] = i;
    return 0;
  }
  size_t same = interval->to ? SIZE_MAX : dimension_find_text(dimension, interval->from);
  if (same != SIZE_MAX)
    indexes[(*count)++] = same;
  if (same != SIZE_MAX || read_span(dimension, interval, &span) != 0)
    return same != SIZE_MAX ? 0 : -1;
  for (size_t i = 0; i < dimension->size; i++) {
    const double number = dimension_label_number(dimension, i);
    if (dimension->labels == LABEL_TIME ? dimension->times[i] >= span.start && dimension->times[i] <= span.end
                                        : number >= span.low && number <= span.high)
      indexes[(*count)++] = i;
  }
  return 0;
}

static int take_interval(struct taking *t, const struct map_interval *interval, const struct node **node)
{
  const size_t d = cube_find_dimension((*node)->cube, interval->dimension);
  struct value picked;
  size_t count;
  if (d == SIZE_MAX)
    return error_parameter(t->call.error, ERROR_QueryParameterInvalid, interval->dimension,
                           "the result has no such dimension, or it is cut twice");
  const struct dimension *dimension = &(*node)->cube->dimension[d];
  size_t *indexes = ARENA_ARRAY(t->call.arena, size_t, dimension->size + 1);
  if (!indexes)
    return error_memory(t->call.error);
  if (find_labels(dimension, interval, indexes, &count) != 0)
    return error_parameter(t->call.error, ERROR_QueryParameterInvalid, interval->dimension, "wants %s, not '%.60s'",
                           dimension->labels == LABEL_TIME ? "dates" : "numbers", interval->from);
  if (count == 0)
    return no_labels(t, interval);
  if (!interval->to)
    return view_drop(&t->call, *node, d, indexes[count - 1], node);
  if (view_pick(&t->call, *node, d, indexes, count, &picked) != 0)
    return -1;
  *node = picked.cube;
  return 0;
}

/* "B02", or "B02:B04" which stands for all from one to the other. */
static int add_bands(struct taking *t, const struct dimension *bands, const char *name, size_t *indexes, size_t *count)
{
  const char *colon = strchr(name, ':');
  size_t from = dimension_find_text(bands, name), to = from;
  if (from == SIZE_MAX && colon) {
    const char *first = arena_strndup(t->call.arena, name, (size_t)(colon - name));
    from = first ? dimension_find_text(bands, first) : SIZE_MAX;
    to = dimension_find_text(bands, colon + 1);
  }
  if (from == SIZE_MAX || to == SIZE_MAX || from > to || *count + to - from >= GRAPH_MAX_NODES)
    return error_parameter(t->call.error, ERROR_QueryParameterInvalid, "properties", "the result has no band '%.60s'",
                           name);
  for (size_t i = from; i <= to; i++)
    indexes[(*count)++] = i;
  return 0;
}

static int take_bands(struct taking *t, const struct node **node)
{
  const struct map_part *part = t->part;
  const size_t d = cube_find_type((*node)->cube, DIMENSION_BANDS);
  struct value picked;
  size_t count = 0;
  if (part->band_count == 0)
    return 0;
  if (d == SIZE_MAX) /* the one field of a cube without bands */
    return part->band_count == 1 && strcmp(part->bands[0], MAP_PART_VALUE) == 0
               ? 0
               : error_parameter(t->call.error, ERROR_QueryParameterInvalid, "properties",
                                 "the result has no bands; its one field is '%s'", MAP_PART_VALUE);
  size_t *indexes = ARENA_ARRAY(t->call.arena, size_t, GRAPH_MAX_NODES);
  if (!indexes)
    return error_memory(t->call.error);
  for (size_t i = 0; i < part->band_count; i++)
    if (add_bands(t, &(*node)->cube->dimension[d], part->bands[i], indexes, &count) != 0)
      return -1;
  if (view_pick(&t->call, *node, d, indexes, count, &picked) != 0)
    return -1;
  *node = picked.cube;
  return 0;
}

/* ---- pixels ------------------------------------------------------------------------------------------------------ */

static int no_pixels(struct taking *t)
{
  return error_parameter(t->call.error, ERROR_QueryParameterInvalid, "bbox", "no pixel of the result lies in it");
}

/* The cube's edges in a CRS. */
static int bounds_in(const struct cube *cube, const char *crs, struct extent *out, struct error *error)
{
  struct extent own = {.crs = cube->crs};
  if (!cube_bounds(cube, &own.west, &own.south, &own.east, &own.north))
    return error_set(error, ERROR_NoDataAvailable, "the result has no pixels");
  *out = own;
  out->crs = crs;
  return crs && crs_equal(cube->crs, crs) ? 0 : extent_transform_in_use(&own, crs, out, error);
}

/* The part's box, its open edges closed by the cube's. */
static int closed_box(const struct map_part *part, const struct cube *cube, struct extent *out, struct error *error)
{
  struct extent edges;
  *out = part->box;
  if (isfinite(out->west + out->east) && isfinite(out->south + out->north))
    return 0;
  if (bounds_in(cube, part->box.crs, &edges, error) != 0)
    return -1;
  out->west = isfinite(out->west) ? out->west : fmin(edges.west, out->east);
  out->south = isfinite(out->south) ? out->south : fmin(edges.south, out->north);
  out->east = isfinite(out->east) ? out->east : fmax(edges.east, out->west);
  out->north = isfinite(out->north) ? out->north : fmax(edges.north, out->south);
  return 0;
}

static bool same_crs(const char *a, const char *b)
{
  return crs_equal(a ? a : "EPSG:4326", b ? b : "EPSG:4326");
}

static int crop(struct taking *t, const struct node **node)
{
  const char *crs = (*node)->cube->crs;
  struct extent box, inside;
  if (closed_box(t->part, (*node)->cube, &box, t->call.error) != 0)
    return -1;
  inside = box;
  if (!same_crs(box.crs, crs) && extent_transform(&box, crs, &inside, t->call.error) != 0)
    return error_at_parameter(t->call.error, "bbox");
  const struct axis_span across = {inside.west, inside.east, crs_turn(crs)}, down = {inside.south, inside.north, 0};
  if (axis_span_crop(&t->call, cube_find_axis((*node)->cube, 'x'), &across, node) != 0 ||
      axis_span_crop(&t->call, cube_find_axis((*node)->cube, 'y'), &down, node) != 0)
    return -1;
  return cube_elements((*node)->cube) > 0 ? 0 : no_pixels(t);
}

/* ---- the grid ---------------------------------------------------------------------------------------------------- */

/* The box itself, as far as the cube reaches. */
static int exact_region(struct taking *t, const struct node *node, const char *crs, struct extent *out)
{
  struct extent image;
  if (closed_box(t->part, node->cube, out, t->call.error) != 0 ||
      bounds_in(node->cube, crs, &image, t->call.error) != 0)
    return -1;
  const double turn = crs_turn(crs);
  if (turn > 0 && (out->east <= image.west || out->west >= image.east)) { /* the same place, a turn further */
    const double turns = turn * rint((image.west + image.east - out->west - out->east) / 2 / turn);
    out->west += turns;
    out->east += turns;
  }
  out->west = fmax(out->west, image.west);
  out->south = fmax(out->south, image.south);
  out->east = fmin(out->east, image.east);
  out->north = fmin(out->north, image.north);
  return out->east > out->west && out->north > out->south ? 0 : no_pixels(t);
}

/* As many pixels as one axis gets: told, or a part of those that there are. */
static double side_of(size_t told, double pixels, double part)
{
  return told > 0 ? (double)told : fmax(1, rint(pixels * (part > 0 ? part : 1)));
}

/* Lengths of a pixel in the new CRS, from the diagonals of the two extents, rounded to three digits. */
static double projected_resolution(const struct grid *from, const struct extent *there)
{
  const double ratio = hypot(there->east - there->west, there->north - there->south) /
                       hypot((double)from->width * from->res_x, (double)from->height * from->res_y);
  const double res = sqrt(from->res_x * from->res_y) * ratio, unit = pow(10, floor(log10(res)) - 2);
  return rint(res / unit) * unit;
}

static int set_grid(struct taking *t, const struct node *node, const struct extent *region, struct grid *out)
{
  const struct map_part *part = t->part;
  struct grid from;
  grid_under_cube(node->cube, &from);
  const bool is_other = !crs_equal(region->crs, from.crs);
  const double res_x = is_other ? projected_resolution(&from, region) : from.res_x,
               res_y = is_other ? res_x : from.res_y;
  const double across = region->east - region->west, down = region->north - region->south;
  const double width = side_of(part->width, across / res_x, part->across);
  const double height = side_of(part->height, down / res_y, part->down);
  if (!(res_x > 0) || !(width <= most_side && height <= most_side))
    return error_parameter(t->call.error, ERROR_ContentTooLarge, "scale-size",
                           "the result would be %.0f pixels wide or high; at most %.0f", fmax(width, height),
                           most_side);
  *out = (struct grid){.west = region->west,
                       .north = region->north,
                       .res_x = across / width,
                       .res_y = down / height,
                       .width = (size_t)width,
                       .height = (size_t)height,
                       .crs = region->crs};
  if (is_other && part->width == 0 && part->height == 0 && part->across == 0 && part->down == 0)
    return grid_anchored(region, res_x, res_y, out, t->call.error);
  return 0;
}

static int put_on_grid(struct taking *t, const struct extent *region, const struct node **node)
{
  struct map_target *target = ARENA_NEW(t->call.arena, struct map_target);
  if (!target)
    return error_memory(t->call.error);
  *target = (struct map_target){.method = t->part->method, .cancel = t->cancel};
  if (set_grid(t, *node, region, &target->grid) != 0)
    return -1;
  return map_node(t->call.arena, *node, target, node, t->call.error);
}

static int take_pixels(struct taking *t, const struct node **node)
{
  const struct map_part *part = t->part;
  const char *crs = arena_strdup(t->call.arena, part->crs ? part->crs : (*node)->cube->crs);
  const bool is_told = part->width > 0 && part->height > 0;
  const bool is_exact = part->has_box && is_told && same_crs(part->box.crs, crs);
  struct extent region = {.crs = crs};
  if (!crs)
    return error_memory(t->call.error);
  if (part->has_box && !is_exact && crop(t, node) != 0)
    return -1;
  if (crs_equal(crs, (*node)->cube->crs) && part->width == 0 && part->height == 0 && part->across == 0 &&
      part->down == 0)
    return 0;
  if ((is_exact ? exact_region(t, *node, crs, &region) : bounds_in((*node)->cube, crs, &region, t->call.error)) != 0)
    return -1;
  region.crs = crs;
  return put_on_grid(t, &region, node);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static int check_format(struct taking *t, const struct node *node)
{
  const struct map_part *part = t->part;
  const size_t bytes = cube_bytes(node->cube);
  if (cube_elements(node->cube) == 0)
    return error_set(t->call.error, ERROR_NoDataAvailable, "the result has no pixels");
  if (part->most > 0 && bytes > part->most)
    return error_set(t->call.error, ERROR_ContentTooLarge,
                     "the coverage would take %zu bytes; one request may take %zu: ask for a part of it, or scale it",
                     bytes, part->most);
  return sink_format_find(part->format)->check(node->cube, part->options, part->option_count, t->call.error);
}

int map_part_take(struct arena *arena, const struct map_part *part, const volatile int *cancel,
                  struct outcome_output *output, struct error *error)
{
  const struct process process = {.id = "coverage"};
  struct taking t = {.call = {.process = &process, .node = output->name, .arena = arena, .error = error},
                     .part = part,
                     .cancel = cancel};
  const struct node *node = output->node;
  if (!node)
    return error_set(error, ERROR_FormatUnsuitable, "the result is no data cube");
  if (map_cube_check(arena, node->cube, error) != 0 || take_bands(&t, &node) != 0)
    return -1;
  for (size_t i = 0; i < part->interval_count; i++)
    if (take_interval(&t, &part->intervals[i], &node) != 0)
      return -1;
  if (take_pixels(&t, &node) != 0 || check_format(&t, node) != 0)
    return -1;
  *output = (struct outcome_output){.node = node,
                                    .name = output->name,
                                    .is_result = true,
                                    .format = part->format,
                                    .options = part->options,
                                    .option_count = part->option_count};
  return 0;
}
