/* Selections on the dimensions of a netCDF file.
 *
 * Pixels are taken by their centres, half-open like every extent. Longitudes are a circle: where a geographic file runs
 * from 0 to 360 and the extent from -180 to 180 (or the other way), pixels are found one turn away and get the labels
 * of the extent's turn, in ascending order of the file's direction. Times of other calendars are compared by their
 * civil date with the instants of the selection. */
#include "datacube/source/netcdf_select.h"

#include <math.h>
#include <string.h>

static bool is_run(const size_t *indexes, size_t count)
{
  for (size_t i = 1; i < count; i++)
    if (indexes[i] != indexes[0] + i)
      return false;
  return true;
}

static int set_pick(struct dimension *dimension, struct arena *arena, const size_t *indexes, size_t count,
                    struct netcdf_pick *pick, struct error *error)
{
  *pick = (struct netcdf_pick){.start = indexes[0], .indexes = is_run(indexes, count) ? NULL : indexes};
  return dimension_pick(arena, dimension, indexes, count, dimension) == 0 ? 0 : error_memory(error);
}

/* label, or label one turn away, or NaN: whichever lies in [low, high). */
static double into_range(double label, double low, double high, double slack, bool circle)
{
  for (int turn = 0; turn < (circle ? 3 : 1); turn++) {
    const double moved = turn == 0 ? label : turn == 1 ? label - 360 : label + 360;
    if (moved >= low - slack && moved < high - slack)
      return moved;
  }
  return NAN;
}

/* Rotates indexes and labels so that the labels run in one direction. */
static void rotate(size_t *indexes, double *labels, size_t count, bool ascending, struct arena *arena)
{
  size_t seam = 0;
  for (size_t i = 1; i < count; i++)
    if ((labels[i] > labels[i - 1]) != ascending)
      seam = i;
  size_t *old_indexes = arena_copy(arena, indexes, count * sizeof *indexes);
  double *old_labels = arena_copy(arena, labels, count * sizeof *labels);
  for (size_t i = 0; seam > 0 && old_indexes != NULL && old_labels != NULL && i < count; i++) {
    indexes[i] = old_indexes[(i + seam) % count];
    labels[i] = old_labels[(i + seam) % count];
  }
}

static void relabel(struct dimension *dimension, const double *labels, double step)
{
  dimension->labels = LABEL_NUMBER;
  dimension->numbers = labels;
  for (size_t i = 0; i < dimension->size; i++)
    if (step == 0 || !(fabs(labels[i] - (labels[0] + (double)i * step)) <= 1e-3 * fabs(step)))
      return;
  dimension->labels = LABEL_STEP;
  dimension->numbers = NULL;
  dimension->start = labels[0];
  dimension->step = step;
}

static int select_range(struct arena *arena, struct dimension *dimension, double low, double high, bool circle,
                        struct netcdf_pick *pick, struct error *error)
{
  size_t *indexes = ARENA_ARRAY(arena, size_t, dimension->size);
  double *labels = ARENA_ARRAY(arena, double, dimension->size);
  size_t count = 0;
  bool turned = false;
  const double step = dimension->labels == LABEL_STEP ? dimension->step : 0;
  if (indexes == NULL || labels == NULL)
    return error_memory(error);
  for (size_t i = 0; i < dimension->size; i++) {
    const double label = dimension_label_number(dimension, i);
    const double found = into_range(label, low, high, 1e-9 * fabs(step), circle);
    if (isnan(found))
      continue;
    turned = turned || found != label;
    indexes[count] = i;
    labels[count++] = found;
  }
  if (count == 0)
    return error_set(error, "NoDataAvailable", "no pixel centre lies in the spatial extent");
  const bool ascending = dimension_label_number(dimension, dimension->size - 1) >= dimension_label_number(dimension, 0);
  if (turned)
    rotate(indexes, labels, count, ascending, arena);
  if (set_pick(dimension, arena, indexes, count, pick, error) != 0)
    return -1;
  if (turned)
    relabel(dimension, labels, step);
  return 0;
}

static int select_extent(struct arena *arena, const struct extent *extent, struct cube *cube, struct netcdf_pick *pick,
                         struct error *error)
{
  const size_t x = cube_find_axis(cube, 'x'), y = cube_find_axis(cube, 'y');
  struct extent in_crs;
  if (x == SIZE_MAX && y == SIZE_MAX)
    return 0; /* nothing horizontal to limit */
  if (cube->crs == NULL)
    return error_set(error, "CRSInvalid", "the file has no CRS, so a spatial extent has no meaning in it");
  if (extent_transform(extent, cube->crs, &in_crs, error) != 0)
    return -1;
  const bool circle = crs_is_geographic(cube->crs);
  if (x != SIZE_MAX && select_range(arena, &cube->dimension[x], in_crs.west, in_crs.east, circle, &pick[x], error) != 0)
    return -1;
  if (y != SIZE_MAX &&
      select_range(arena, &cube->dimension[y], in_crs.south, in_crs.north, false, &pick[y], error) != 0)
    return -1;
  return 0;
}

static int64_t in_calendar(int64_t instant, enum calendar calendar)
{
  return calendar == CALENDAR_GREGORIAN ? instant
                                        : instant_from_civil(instant_civil(instant, CALENDAR_GREGORIAN), calendar);
}

static int select_times(struct arena *arena, const struct netcdf_selection *selection, struct cube *cube,
                        struct netcdf_pick *pick, struct error *error)
{
  if (selection->has_start && selection->has_end && selection->start >= selection->end)
    return error_set(error, "TemporalExtentEmpty", "the temporal extent ends before it starts");
  const size_t t = cube_find_type(cube, DIMENSION_TEMPORAL);
  if (t == SIZE_MAX || cube->dimension[t].labels != LABEL_TIME)
    return 0;
  struct dimension *dimension = &cube->dimension[t];
  const int64_t start = in_calendar(selection->start, dimension->calendar);
  const int64_t end = in_calendar(selection->end, dimension->calendar);
  size_t *indexes = ARENA_ARRAY(arena, size_t, dimension->size);
  size_t count = 0;
  if (indexes == NULL)
    return error_memory(error);
  for (size_t i = 0; i < dimension->size; i++)
    if ((!selection->has_start || dimension->times[i] >= start) && (!selection->has_end || dimension->times[i] < end))
      indexes[count++] = i;
  if (count == 0)
    return error_set(error, "NoDataAvailable", "no date lies in the temporal extent");
  return set_pick(dimension, arena, indexes, count, &pick[t], error);
}

static int select_bands(struct arena *arena, const struct netcdf_selection *selection, struct cube *cube,
                        struct netcdf_pick *pick, struct error *error)
{
  const size_t b = cube_find_type(cube, DIMENSION_BANDS);
  size_t *indexes = ARENA_ARRAY(arena, size_t, selection->band_count);
  struct band_info *info = ARENA_ARRAY(arena, struct band_info, selection->band_count);
  if (indexes == NULL || info == NULL)
    return error_memory(error);
  for (size_t i = 0; i < selection->band_count; i++) {
    indexes[i] = dimension_find_text(&cube->dimension[b], selection->bands[i]);
    if (indexes[i] == SIZE_MAX)
      return error_set(error, "BandNotAvailable", "the file has no band \"%.80s\"", selection->bands[i]);
    info[i] = cube->bands[indexes[i]];
  }
  cube->bands = info;
  return set_pick(&cube->dimension[b], arena, indexes, selection->band_count, &pick[b], error);
}

int netcdf_select(struct arena *arena, const struct netcdf_selection *selection, bool own_bands, struct cube *cube,
                  struct netcdf_pick *pick, struct error *error)
{
  memset(pick, 0, cube->dimensions * sizeof *pick);
  if (selection == NULL)
    return 0;
  if (selection->extent != NULL && select_extent(arena, selection->extent, cube, pick, error) != 0)
    return -1;
  if ((selection->has_start || selection->has_end) && select_times(arena, selection, cube, pick, error) != 0)
    return -1;
  return own_bands && selection->bands != NULL && selection->band_count > 0
             ? select_bands(arena, selection, cube, pick, error)
             : 0;
}
