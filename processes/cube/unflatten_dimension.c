/* unflatten_dimension: a dimension as several, one for each part of its labels. A view first puts the labels where
 * their parts meet, with holes where no label stands; the dimension is then split. */
#include "processes/cube/regrouping.h"

#include "datacube/base/checked.h"
#include "datacube/label_match.h"

#include <string.h>

static const size_t most_places = (size_t)1 << 22;

struct splitting {
  struct call *call;
  const struct dimension *dimension;
  const struct value *names; /* of the new dimensions */
  const char *separator;
  size_t count;                                  /* parts */
  struct dimension parts[CUBE_MAX_DIMENSIONS];   /* their distinct labels, in the order in which they appear */
  const size_t *part_index[CUBE_MAX_DIMENSIONS]; /* of each label: its part's index in parts */
};

static int check_names(struct splitting *s, const struct cube *cube)
{
  struct error *error = s->call->error;
  s->count = s->names->count;
  if (s->count < 2 || s->count > CUBE_MAX_DIMENSIONS)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "target_dimensions",
                           "%zu dimensions are named, not 2 to %d", s->count, (int)CUBE_MAX_DIMENSIONS);
  for (size_t i = 0; i < s->count; i++) {
    const char *name = s->names->items[i].text;
    if (cube_find_dimension(cube, name) != SIZE_MAX)
      return error_parameter(error, ERROR_TargetDimensionExists, "target_dimensions",
                             "a dimension named '%s' exists already", name);
    for (size_t k = 0; k < i; k++)
      if (strcmp(name, s->names->items[k].text) == 0)
        return error_parameter(error, ERROR_ProcessParameterInvalid, "target_dimensions",
                               "the dimension '%s' is named twice", name);
  }
  return 0;
}

/* Cuts label i into its parts. */
static int cut_label(struct splitting *s, size_t i, const char **texts[])
{
  char room[LABEL_TEXT_ROOM];
  const char *label = dimension_label_text(s->dimension, i, room), *rest = label;
  for (size_t k = 0; k < s->count; k++) {
    const char *end = strstr(rest, s->separator);
    if ((k + 1 < s->count) != (end != NULL))
      return error_parameter(s->call->error, ERROR_ProcessParameterInvalid, "data",
                             "the label '%s' of dimension '%s' has not %zu parts between '%s'", label,
                             s->dimension->name, s->count, s->separator);
    texts[k][i] = end ? arena_strndup(s->call->arena, rest, (size_t)(end - rest)) : arena_strdup(s->call->arena, rest);
    if (!texts[k][i])
      return error_memory(s->call->error);
    rest = end ? end + strlen(s->separator) : rest;
  }
  return 0;
}

/* The distinct texts of a part, and which of them each label has. */
static int find_distinct(struct splitting *s, size_t k, const char *const *texts)
{
  size_t size = s->dimension->size, count = 0;
  const struct dimension all = dimension_texts(s->names->items[k].text, DIMENSION_OTHER, texts, size);
  size_t *index = ARENA_ARRAY(s->call->arena, size_t, size);
  const char **distinct = ARENA_ARRAY(s->call->arena, const char *, size);
  if (!index || !distinct)
    return error_memory(s->call->error);
  if (labels_match(&all, &all, index, s->call->error) != 0)
    return -1;
  for (size_t i = 0; i < size; i++) /* the first of equal ones lies before i and has its index already */
    if (index[i] == i) {
      distinct[count] = texts[i];
      index[i] = count++;
    } else
      index[i] = index[index[i]];
  s->part_index[k] = index;
  s->parts[k] = dimension_texts(all.name, DIMENSION_OTHER, distinct, count);
  return 0;
}

static int split_labels(struct splitting *s)
{
  const char **texts[CUBE_MAX_DIMENSIONS];
  for (size_t k = 0; k < s->count; k++) {
    texts[k] = ARENA_ARRAY(s->call->arena, const char *, s->dimension->size);
    if (!texts[k])
      return error_memory(s->call->error);
  }
  for (size_t i = 0; i < s->dimension->size; i++)
    if (cut_label(s, i, texts) != 0)
      return -1;
  for (size_t k = 0; k < s->count; k++)
    if (find_distinct(s, k, texts[k]) != 0)
      return -1;
  return 0;
}

/* The data with a label for each place where parts may meet, the last part varying fastest. */
static int place_labels(struct splitting *s, const struct node *data, size_t d, const struct node **out)
{
  struct call *call = s->call;
  size_t places = 1, *index;
  bool same = true, holes = false;
  for (size_t k = 0; k < s->count; k++)
    places = saturated_mul(places, s->parts[k].size);
  if (places > most_places)
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "data",
                           "the parts of the labels could meet in more than %zu places", most_places);
  index = ARENA_ARRAY(call->arena, size_t, places);
  if (!index)
    return error_memory(call->error);
  for (size_t p = 0; p < places; p++)
    index[p] = NO_INDEX;
  for (size_t i = 0; i < s->dimension->size; i++) {
    size_t place = 0;
    for (size_t k = 0; k < s->count; k++)
      place = place * s->parts[k].size + s->part_index[k][i];
    if (index[place] != NO_INDEX)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                             "labels %zu and %zu of dimension '%s' are the same", index[place], i, s->dimension->name);
    index[place] = i;
  }
  for (size_t p = 0; p < places; p++) {
    same = same && index[p] == p;
    holes = holes || index[p] == NO_INDEX;
  }
  *out = data;
  if (same)
    return 0;
  const struct dimension labels = dimension_enumerated(s->dimension->name, DIMENSION_OTHER, places);
  if (holes && node_admit_missing(call, data, &data) != 0)
    return -1;
  return view_spread(call, data, d, &labels, index, out);
}

static int split_dimension(const struct splitting *s, const struct node *placed, size_t d, const struct node **out)
{
  struct regrouping r;
  if (regrouping_begin(s->call, placed, &r) != 0)
    return -1;
  for (size_t k = 0; k < s->count; k++) {
    if (regrouping_add(&r, &s->parts[k]) != 0)
      return -1;
    regrouping_axis(&r, d, s->parts[k].size);
  }
  for (size_t k = 0; k < placed->cube->dimensions; k++)
    if (k != d && regrouping_keep(&r, k) != 0)
      return -1;
  return regrouping_end(&r, out);
}

static int unflatten_dimension_call(struct call *call, struct value *result)
{
  struct splitting *s = ARENA_NEW(call->arena, struct splitting);
  const struct node *data, *node;
  size_t d;
  if (!s)
    return error_memory(call->error);
  s->call = call;
  s->names = call_argument(call, "target_dimensions");
  if (call_cube(call, "data", &data) != 0 || call_dimension(call, "dimension", data, &d) != 0 ||
      call_text(call, "label_separator", &s->separator) != 0)
    return -1;
  s->dimension = &data->cube->dimension[d];
  if (s->separator[0] == '\0')
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "label_separator",
                           "the text between the parts is empty");
  if (check_names(s, data->cube) != 0 || split_labels(s) != 0 || place_labels(s, data, d, &node) != 0 ||
      split_dimension(s, node, d, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_unflatten_dimension = {
    .id = "unflatten_dimension", .shape = PROCESS_CUBE, .call = unflatten_dimension_call};
