/* predict_curve: values of a function for the parameters along a dimension of a data cube. */
#include "processes/cube/given_labels.h"
#include "processes/cube/shape.h"
#include "processes/math/curve.h"

static const size_t most_labels = (size_t)1 << 20;

struct prediction {
  struct call *call;
  const struct node *data; /* the parameters */
  size_t parameters;       /* their dimension */
  struct dimension labels; /* of the values */
};

/* The dimension of the parameters: that of the predictions, or else the only one whose labels nobody gave. */
static int find_parameters(struct prediction *p, const char *name)
{
  const struct cube *cube = p->data->cube;
  size_t found = 0;
  p->parameters = cube_find_dimension(cube, name);
  if (p->parameters != SIZE_MAX)
    return 0;
  for (size_t d = 0; d < cube->dimensions; d++)
    if (cube->dimension[d].type == DIMENSION_OTHER && cube->dimension[d].enumerated) {
      p->parameters = d;
      found++;
    }
  return found == 1 ? 0
                    : error_parameter(p->call->error, ERROR_ProcessParameterInvalid, "dimension",
                                      "which dimension holds the parameters is not clear: neither '%s' is there, nor "
                                      "exactly one of type other with labels 0, 1, … (the dimensions: %s)",
                                      name, cube_dimension_names(p->call->arena, cube));
}

static int read_labels(struct prediction *p, const char *name)
{
  struct call *call = p->call;
  const struct value *labels = call_argument(call, "labels");
  const struct dimension *before = &p->data->cube->dimension[p->parameters];
  size_t repeated;
  bool dates = true;
  if (!labels || labels->kind != VALUE_ARRAY)
    return error_parameter(call->error, ERROR_FeatureUnsupported, "labels",
                           "without labels there is nothing to predict: the cube holds parameters, not values");
  if (labels->count > most_labels)
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "labels", "more than %zu labels are given",
                           most_labels);
  for (size_t i = 0; i < labels->count; i++)
    dates = dates && labels->items[i].kind == VALUE_TEXT;
  enum dimension_type own = before->type == DIMENSION_TEMPORAL || dates ? DIMENSION_TEMPORAL : DIMENSION_OTHER;
  p->labels = (struct dimension){.name = name, .type = own, .calendar = before->calendar};
  if (dimension_give_labels(call->arena, labels->items, labels->count, &p->labels, call->error) != 0 ||
      dimension_find_repeated(&p->labels, &repeated, call->error) != 0)
    return error_at_parameter(call->error, "labels");
  return repeated == SIZE_MAX ? 0
                              : error_parameter(call->error, ERROR_ProcessParameterInvalid, "labels",
                                                "label %zu is given twice", repeated);
}

static int predict(struct prediction *p, const struct callback *function, const struct node **out)
{
  struct call *call = p->call;
  const struct cube *from = p->data->cube;
  const struct dimension *parameters = &from->dimension[p->parameters];
  struct program *program = program_new(call->arena), *once = program_new(call->arena);
  struct cube *cube = cube_copy(call->arena, from);
  struct kernel_input *input = ARENA_NEW(call->arena, struct kernel_input);
  const double *x = curve_positions(call, &p->labels, "labels");
  struct curve curve;
  struct lanes values;
  if (!program || !once || !cube || !input)
    return error_memory(call->error);
  if (!x || curve_make(call, function, once, parameters->size, &curve) != 0)
    return -1;
  struct lanes array = program_input(program, 0, true, parameters->size, from->type, parameters);
  if (curve_values(&curve, program, array, x, p->labels.size, &values) != 0)
    return -1;
  cube->dimension[p->parameters] = p->labels;
  if (parameters->type == DIMENSION_BANDS)
    cube->bands = NULL;
  *input = (struct kernel_input){.node = p->data, .array_dimension = (int)p->parameters};
  for (size_t d = 0; d < from->dimensions; d++)
    input->to_output[d] = d == p->parameters ? NO_DIMENSION : (int)d;
  cube_set_result_type(cube, &values, input, 1);
  if (cube_settle_packing(call, cube, program, &values) != 0)
    return -1;
  *out = node_kernel(call->arena, call_origin(call), cube, input, 1, program, values, (int)p->parameters);
  return *out ? 0 : error_memory(call->error);
}

static int predict_curve_call(struct call *call, struct value *result)
{
  struct prediction p = {.call = call};
  const struct callback *function;
  const struct node *node;
  const char *name;
  if (call_cube(call, "parameters", &p.data) != 0 || call_callback_argument(call, "function", &function) != 0 ||
      call_text(call, "dimension", &name) != 0 || find_parameters(&p, name) != 0 || read_labels(&p, name) != 0 ||
      predict(&p, function, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_predict_curve = {.id = "predict_curve", .shape = PROCESS_CUBE, .call = predict_curve_call};
