#include "processes/udf/udf_result.h"

#include "datacube/base/checked.h"
#include "hpc/run/run.h"
#include "hpc/udf/udf_view.h"
#include "processes/cube/shape.h"
#include "processes/graph/lower.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PART_SIDE = 32, LABELS_MOST = 1000000 };
static const size_t whole_bytes = (size_t)16 << 20; /* data that a first call is given whole */

/* ---- the part that is tried ------------------------------------------------------------------------------------- */

struct part_sink { /* elements of a box, dense */
  struct sink sink;
  size_t element;
  struct box box;
  unsigned char *data;
};

static int put_part(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  const struct part_sink *to = (const struct part_sink *)sink;
  size_t n = box->dimensions, position[CUBE_MAX_DIMENSIONS] = {0}, row = (n ? box->count[n - 1] : 1) * to->element;
  const unsigned char *from = data;
  (void)error;
  do {
    size_t at = 0;
    for (size_t d = 0; d < n; d++)
      at = at * to->box.count[d] + box->start[d] + (d + 1 < n ? position[d] : 0);
    memcpy(to->data + at * to->element, from, row);
    from += row;
  } while (n > 0 && next_position(box->count, position, n - 1));
  return 0;
}

static struct box part_box(const struct udf_use *use, bool cuts_plane)
{
  const struct cube *cube = use->input->cube;
  struct box box = cube_box(cube);
  for (size_t d = 0; d < cube->dimensions; d++) {
    const char axis = cube->dimension[d].axis;
    const bool cuts = use->udf->follows[d] || (cuts_plane && (axis == 'x' || axis == 'y'));
    if (!cuts || box.count[d] <= PART_SIDE)
      continue;
    box.start[d] = (box.count[d] - PART_SIDE) / 2;
    box.count[d] = PART_SIDE;
  }
  return box;
}

/* The elements of the box, which the caller frees; NULL: error. */
static void *read_part(struct call *call, const struct node *node, const struct box *box)
{
  static const struct sink_ops ops = {.put = put_part};
  const struct graph_options *options = call->lowering->options;
  const struct plan_options planning = {
      .memory = options->memory, .threads = options->threads, .cancel = options->cancel, .devices = options->devices};
  const struct run_limits limits = {.cancel = options->cancel, .beside = options->beside};
  const size_t element = element_info(node->cube->type)->size;
  struct part_sink sink = {.sink = {.ops = &ops}, .element = element, .box = *box};
  const struct plan *plan;
  struct run *run = NULL;
  const size_t bytes = saturated_mul(box_elements(box), element);
  if (bytes > interpreters_room() / 2) {
    error_set(call->error, ERROR_ProcessGraphComplexity,
              "a user-defined function would be given %zu bytes at once, at most %zu are possible", bytes,
              interpreters_room() / 2);
    return NULL;
  }
  sink.data = malloc(bytes + 1);
  int status = sink.data ? plan_make(call->arena, node, &planning, &plan, call->error) : error_memory(call->error);
  if (status == 0)
    status = run_open(plan, &limits, NULL, &run, call->error);
  if (status == 0)
    status = run_box(run, 0, box, &sink.sink, call->error);
  run_close(run);
  if (status == 0)
    return sink.data;
  free(sink.data);
  return NULL;
}

/* ---- the first call --------------------------------------------------------------------------------------------- */

struct texts { /* of a reply */
  const char *at, *end;
};

static const char *next_text(struct texts *texts)
{
  const char *text = texts->at;
  if (text >= texts->end)
    return "";
  texts->at = text + strlen(text) + 1;
  return text;
}

static int ask(struct call *call, const struct udf_use *use, const struct box *box, bool declares, struct buffer *reply)
{
  struct buffer view = {0};
  struct json_writer w = {.out = &view};
  void *data = declares ? NULL : read_part(call, use->input, box);
  if (!declares && !data)
    return -1;
  const size_t bytes = declares ? 0 : box_elements(box) * element_info(use->input->cube->type)->size;
  json_write_object(&w);
  json_key(&w, "input");
  udf_view_cube(&w, use->input->cube, box);
  json_key(&w, "want");
  json_write_null(&w);
  json_kv_bool(&w, "declares", declares);
  json_end_object(&w);
  const struct udf_call asked = {.script = &use->udf->script, .view = view.data, .input = data, .input_size = bytes};
  const int status =
      view.failed ? error_memory(call->error) : interpreters_call(use->udf->interpreters, &asked, reply, call->error);
  buffer_free(&view);
  free(data);
  return status;
}

/* ---- its description -------------------------------------------------------------------------------------------- */

static int nonsense(struct call *call)
{
  return error_set(call->error, ERROR_Internal, "an interpreter describes its result in a way that makes no sense");
}

/* x and y have regular labels. */
static int regular(struct call *call, const struct dimension *old, const double *numbers, size_t size,
                   struct dimension *out)
{
  const double step = size > 1 ? (numbers[size - 1] - numbers[0]) / (double)(size - 1) : old->step;
  for (size_t i = 0; i < size; i++)
    if (!(fabs(numbers[i] - (numbers[0] + (double)i * step)) <= 1e-6 * fabs(step)))
      return error_parameter(call->error, ERROR_FeatureUnsupported, "udf",
                             "the user-defined function gives '%s' labels that are not at equal distances", old->name);
  *out = dimension_steps(old->name, old->axis, size ? numbers[0] : 0, step, size);
  return 0;
}

static int read_numbers(struct call *call, struct texts *texts, size_t size, struct dimension *out)
{
  double *numbers = ARENA_ARRAY(call->arena, double, size + 1);
  if (!numbers)
    return error_memory(call->error);
  for (size_t i = 0; i < size; i++)
    numbers[i] = strtod(next_text(texts), NULL);
  if (out->axis == 'x' || out->axis == 'y')
    return regular(call, out, numbers, size, out);
  *out = (struct dimension){.name = out->name,
                            .type = out->type,
                            .axis = out->axis,
                            .size = size,
                            .labels = LABEL_NUMBER,
                            .numbers = numbers};
  return 0;
}

static int read_dates(struct call *call, struct texts *texts, size_t size, struct dimension *out)
{
  int64_t *times = ARENA_ARRAY(call->arena, int64_t, size + 1);
  if (!times)
    return error_memory(call->error);
  for (size_t i = 0; i < size; i++)
    if (instant_parse(next_text(texts), CALENDAR_GREGORIAN, &times[i]) != 0)
      return nonsense(call);
  *out = dimension_times(out->name, times, size, CALENDAR_GREGORIAN);
  return 0;
}

static int read_labels(struct call *call, struct texts *texts, size_t size, struct dimension *out)
{
  const char **labels = ARENA_ARRAY(call->arena, const char *, size + 1);
  const enum dimension_type type = out->type;
  if (!labels)
    return error_memory(call->error);
  for (size_t i = 0; i < size; i++)
    if (!(labels[i] = arena_printf(call->arena, "%s", next_text(texts))))
      return error_memory(call->error);
  *out = dimension_texts(out->name, type, labels, size);
  return 0;
}

/* A dimension of the result; one of the input's name keeps its type. */
static int read_dimension(struct call *call, const struct udf_use *use, struct texts *texts, struct dimension *out)
{
  const struct cube *from = use->input->cube;
  const char *name = next_text(texts), *kind = next_text(texts);
  const size_t size = strtoul(next_text(texts), NULL, 10), old = cube_find_dimension(from, name);
  if (size > LABELS_MOST || !name[0])
    return nonsense(call);
  if (old != SIZE_MAX && strcmp(kind, "same") == 0) {
    *out = from->dimension[old];
    return 0;
  }
  *out = dimension_enumerated(arena_printf(call->arena, "%s", name), DIMENSION_OTHER, size);
  if (!out->name)
    return error_memory(call->error);
  if (old != SIZE_MAX) {
    out->type = from->dimension[old].type == DIMENSION_TEMPORAL ? DIMENSION_OTHER : from->dimension[old].type;
    out->axis = from->dimension[old].axis;
    out->step = from->dimension[old].step;
  }
  if (strcmp(kind, "number") == 0)
    return read_numbers(call, texts, size, out);
  if (strcmp(kind, "time") == 0)
    return read_dates(call, texts, size, out);
  return strcmp(kind, "text") == 0 ? read_labels(call, texts, size, out) : 0;
}

/* ---- what it may be --------------------------------------------------------------------------------------------- */

static int changed(struct call *call, const char *expected, const struct cube *given)
{
  struct buffer text = {0};
  for (size_t d = 0; d < given->dimensions; d++)
    buffer_printf(&text, "%s%s (%zu)", d ? ", " : "", given->dimension[d].name, given->dimension[d].size);
  error_parameter(call->error, ERROR_DataCubePropertiesImmutable, "udf",
                  "the user-defined function must keep the dimensions with their labels, %s, and gives %s", expected,
                  text.length ? text.data : "none");
  buffer_free(&text);
  return -1;
}

/* Inside a callback all dimensions stay but the one that it is about. */
static int check_kept(struct call *call, const struct udf_use *use, struct cube *cube)
{
  const struct cube *from = use->input->cube;
  const char *names = cube_dimension_names(call->arena, from);
  struct cube ordered = *cube;
  size_t found = 0;
  for (size_t d = 0; d < from->dimensions; d++) {
    const size_t at = cube_find_dimension(cube, from->dimension[d].name);
    if (d == use->array && at == SIZE_MAX)
      continue;
    if (at == SIZE_MAX || (d != use->array && !dimension_labels_equal(&cube->dimension[at], &from->dimension[d])))
      return changed(call, names ? names : "", cube);
    ordered.dimension[found++] = cube->dimension[at];
  }
  if (found != cube->dimensions)
    return changed(call, names ? names : "", cube);
  *cube = ordered;
  return 0;
}

static void set_type(struct cube *cube, enum element_type type)
{
  const struct element_info *info = element_info(type);
  cube->type = type;
  cube->bands = NULL;
  cube->has_nodata = info->is_float || info->is_complex || type == ELEMENT_BOOLEAN;
  cube->nodata = type == ELEMENT_BOOLEAN ? 255 : NAN;
}

/* Nobody has seen a result: what holds any number that a script may give. */
static void set_widest(struct cube *cube)
{
  set_type(cube, element_info(cube->type)->is_complex ? ELEMENT_C128 : ELEMENT_F64);
}

static int read_description(struct call *call, const struct udf_use *use, struct texts *texts, struct cube *cube)
{
  const char *type = next_text(texts);
  cube->dimensions = strtoul(next_text(texts), NULL, 10);
  if (cube->dimensions > CUBE_MAX_DIMENSIONS)
    return error_parameter(call->error, ERROR_FeatureUnsupported, "udf",
                           "the user-defined function gives %zu dimensions, at most %d are possible", cube->dimensions,
                           CUBE_MAX_DIMENSIONS);
  for (size_t d = 0; d < cube->dimensions; d++)
    if (read_dimension(call, use, texts, &cube->dimension[d]) != 0)
      return -1;
  const enum element_type known = udf_type_from_name(type);
  if (known == ELEMENT_TYPE_COUNT && type[0])
    return nonsense(call);
  if (type[0])
    set_type(cube, known);
  else
    set_widest(cube);
  return use->is_whole ? 0 : check_kept(call, use, cube);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

/* Nothing is tried: the data's dimensions. */
static void assume(const struct udf_use *use, struct cube *cube)
{
  set_widest(cube);
  if (use->drops)
    cube_remove_dimension(cube, use->array);
}

/* The model's type, and its labels in place of the array where these are not the array's. */
static void liken(const struct udf_use *use, struct cube *cube)
{
  const struct cube *from = use->model->children[0]->cube, *to = use->model->cube;
  set_type(cube, to->type);
  if (use->array == SIZE_MAX)
    return;
  const size_t at = cube_find_dimension(to, from->dimension[use->array].name);
  if (at == SIZE_MAX)
    cube_remove_dimension(cube, use->array);
  else if (!dimension_labels_equal(&to->dimension[at], &from->dimension[use->array]))
    cube->dimension[use->array] = to->dimension[at];
}

static int read_value(struct call *call, const struct udf_use *use, bool is_part, const char *text, const char **value)
{
  struct buffer reply = {0};
  const struct box all = cube_box(use->input->cube);
  if (!use->is_whole)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "udf",
                           "the user-defined function must give a data cube here, not a value");
  int status = is_part ? ask(call, use, &all, false, &reply) : 0;
  struct texts texts = {reply.data, reply.data + reply.length};
  if (status == 0 && is_part && strcmp(next_text(&texts), "value") != 0)
    status = error_parameter(call->error, ERROR_ProcessParameterInvalid, "udf",
                             "the user-defined function gives a value for a part of the data, and a data cube for all");
  else if (status == 0 && is_part)
    text = next_text(&texts);
  *value = status == 0 ? arena_printf(call->arena, "%s", text) : NULL;
  buffer_free(&reply);
  return status != 0 ? -1 : *value ? 0 : error_memory(call->error);
}

static int find(struct call *call, const struct udf_use *use, struct cube *cube, struct buffer *reply,
                const char **value)
{
  const bool is_small = cube_bytes(use->input->cube) <= whole_bytes;
  const struct box box = part_box(use, use->is_whole && !is_small);
  if (strstr(use->udf->script.message, "apply_metadata") && ask(call, use, &box, true, reply) != 0)
    return -1;
  struct texts texts = {reply->data, reply->data + reply->length};
  if (reply->length > 0 && strcmp(reply->data, "nothing") != 0)
    return read_description(call, use, &texts, cube);
  reply->length = 0;
  if (ask(call, use, &box, false, reply) != 0)
    return -1;
  texts = (struct texts){reply->data, reply->data + reply->length};
  if (reply->length > 0 && strcmp(reply->data, "value") == 0) {
    next_text(&texts);
    return read_value(call, use, box_elements(&box) < cube_elements(use->input->cube), next_text(&texts), value);
  }
  return read_description(call, use, &texts, cube);
}

int udf_result_find(struct call *call, const struct udf_use *use, const struct cube **out, const char **value)
{
  const struct lowering *lowering = call->lowering;
  struct cube *cube = cube_copy(call->arena, use->input->cube);
  struct buffer reply = {.limit = 64 << 20};
  if (!cube)
    return error_memory(call->error);
  *value = NULL;
  int status = 0;
  if (lowering->options->describes_only)
    *lowering->options->has_guessed = true;
  if (lowering->options->describes_only || lowering->is_block || cube_elements(cube) == 0)
    assume(use, cube);
  else if (use->model)
    liken(use, cube);
  else
    status = find(call, use, cube, &reply, value);
  buffer_free(&reply);
  *out = *value ? NULL : cube;
  return status;
}
