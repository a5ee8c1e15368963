/* anomaly: each value minus the normal of its part of the year. The normals are seen under the dates of the data (a
 * view along time, with a hole where there is no normal), and one kernel subtracts. */
#include "processes/aggregate/periods.h"
#include "processes/cube/shape.h"

#include "datacube/label_match.h"

#include <stdio.h>
#include <string.h>

static int find_time(struct call *call, const struct node *cube, const char *parameter, size_t *out)
{
  size_t count = cube_count_type(cube->cube, DIMENSION_TEMPORAL);
  *out = cube_find_type(cube->cube, DIMENSION_TEMPORAL);
  if (count != 1)
    return error_parameter(call->error, "ProcessParameterInvalid", parameter,
                           "the cube must have exactly one temporal dimension, it has %zu", count);
  return 0;
}

/* Label i without its years. Labels that are no instants are taken as they are written: "2018-djf", "djf", 3. */
static void cycle_label(const struct dimension *d, size_t i, enum period period, char out[LABEL_TEXT_ROOM])
{
  static const int digits[PERIOD_COUNT] = {
      [PERIOD_HOUR] = 2,  [PERIOD_DAY] = 3,  [PERIOD_WEEK] = 2,   [PERIOD_DEKAD] = 2,
      [PERIOD_MONTH] = 2, [PERIOD_YEAR] = 4, [PERIOD_DECADE] = 4, [PERIOD_DECADE_AD] = 4};
  char room[LABEL_TEXT_ROOM];
  if (d->labels == LABEL_TIME) {
    period_cycle_label(period, period_of(period, d->times[i], d->calendar), d->calendar, out);
    return;
  }
  if (d->labels == LABEL_NUMBER || d->labels == LABEL_STEP) {
    snprintf(out, LABEL_TEXT_ROOM, "%0*.0f", digits[period], dimension_label_number(d, i));
    return;
  }
  const char *text = dimension_label_text(d, i, room), *last = period < PERIOD_YEAR ? strrchr(text, '-') : NULL;
  snprintf(out, LABEL_TEXT_ROOM, "%s", last ? last + 1 : text);
}

static int cycle_labels(struct call *call, const struct dimension *d, enum period period, struct dimension *out)
{
  const char **texts = ARENA_ARRAY(call->arena, const char *, d->size);
  if (!texts)
    return error_memory(call->error);
  for (size_t i = 0; i < d->size; i++) {
    char label[LABEL_TEXT_ROOM];
    cycle_label(d, i, period, label);
    texts[i] = arena_strdup(call->arena, label);
    if (!texts[i])
      return error_memory(call->error);
  }
  *out = dimension_texts(d->name, d->type, texts, d->size);
  return 0;
}

/* Index of the normal of each date, or NO_INDEX. */
static int match_normals(struct call *call, const struct dimension *dates, const struct dimension *normals,
                         const char *name, size_t *out)
{
  enum period period = period_from_name(name);
  struct dimension wanted, known;
  if (period != PERIOD_COUNT) {
    if (cycle_labels(call, dates, period, &wanted) != 0 || cycle_labels(call, normals, period, &known) != 0)
      return -1;
    return labels_match(&known, &wanted, out, call->error);
  }
  if (normals->size != 1)
    return error_parameter(call->error, "ProcessParameterInvalid", "normals",
                           "the normals of a single period have one label, not %zu", normals->size);
  for (size_t i = 0; i < dates->size; i++)
    out[i] = 0;
  return 0;
}

/* Beside time, the normals have the data's dimensions, or fewer. */
static int check_dimensions(struct call *call, const struct node *data, const struct node *normals, size_t time)
{
  for (size_t d = 0; d < normals->cube->dimensions; d++) {
    const struct dimension *own = &normals->cube->dimension[d];
    size_t there = cube_find_dimension(data->cube, own->name);
    if (d != time && (there == SIZE_MAX || !dimension_labels_equal(own, &data->cube->dimension[there])))
      return error_parameter(call->error, "ProcessParameterInvalid", "normals",
                             "the data have no dimension '%s' with the same labels", own->name);
  }
  return 0;
}

static int anomaly_call(struct call *call, struct value *result)
{
  const struct node *data, *normals, *spread, *node;
  const char *period;
  size_t time, normals_time;
  struct program *program = program_new(call->arena);
  if (!program)
    return error_memory(call->error);
  if (call_cube(call, "data", &data) != 0 || call_cube(call, "normals", &normals) != 0 ||
      call_text(call, "period", &period) != 0 || find_time(call, data, "data", &time) != 0 ||
      find_time(call, normals, "normals", &normals_time) != 0 ||
      check_dimensions(call, data, normals, normals_time) != 0)
    return -1;
  const struct dimension *dates = &data->cube->dimension[time];
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, dates->size);
  if (!indexes)
    return error_memory(call->error);
  if (match_normals(call, dates, &normals->cube->dimension[normals_time], period, indexes) != 0 ||
      view_spread(call, normals, normals_time, dates, indexes, &spread) != 0)
    return -1;
  const struct node *const inputs[] = {data, spread};
  struct lanes value = program_input(program, 0, false, 1, data->cube->type, NULL);
  struct lanes normal = program_input(program, 1, false, 1, normals->cube->type, NULL);
  if (kernel_by_names(call, data->cube, inputs, 2, program, program_binary(program, KOP_SUB, value, normal), &node) !=
      0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_anomaly = {.id = "anomaly", .shape = PROCESS_CUBE, .call = anomaly_call};
