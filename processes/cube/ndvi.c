/* ndvi: (nir - red) / (nir + red) from the bands with these common names, or from named ones. */
#include "processes/cube/shape.h"

#include <string.h>

static size_t find_band(const struct cube *cube, const struct dimension *bands, const char *name)
{
  size_t i = dimension_find_text(bands, name), found = SIZE_MAX;
  if (i != SIZE_MAX)
    return i;
  for (i = 0; cube->bands && i < bands->size; i++)
    if (cube->bands[i].common_name && strcmp(cube->bands[i].common_name, name) == 0) {
      if (found != SIZE_MAX)
        return SIZE_MAX; /* ambiguous */
      found = i;
    }
  return found;
}

/* The bands of the input followed by the new one. */
static int append_band(struct call *call, const struct node *data, size_t d, const char *name, struct cube *cube)
{
  const struct dimension *bands = &data->cube->dimension[d];
  const char **labels = ARENA_ARRAY(call->arena, const char *, bands->size + 1);
  struct band_info *info = data->cube->bands ? ARENA_ARRAY(call->arena, struct band_info, bands->size + 1) : NULL;
  if (!labels || (data->cube->bands && !info))
    return error_memory(call->error);
  for (size_t i = 0; i < bands->size; i++) {
    char room[LABEL_TEXT_ROOM];
    labels[i] = arena_strdup(call->arena, dimension_label_text(bands, i, room));
    if (info)
      info[i] = data->cube->bands[i];
  }
  labels[bands->size] = name;
  if (info)
    info[bands->size] = (struct band_info){.scale = 1};
  cube->dimension[d] = dimension_texts(bands->name, DIMENSION_BANDS, labels, bands->size + 1);
  cube->bands = info;
  return 0;
}

static struct lanes index_of(struct program *program, struct lanes array, size_t nir, size_t red)
{
  struct lanes n = program_element(program, array, nir), r = program_element(program, array, red);
  return program_binary(program, KOP_DIV, program_binary(program, KOP_SUB, n, r),
                        program_binary(program, KOP_ADD, n, r));
}

static int ndvi_call(struct call *call, struct value *result)
{
  const struct node *data;
  const char *nir_name, *red_name, *target = NULL;
  if (call_cube(call, "data", &data) != 0 || call_text(call, "nir", &nir_name) != 0 ||
      call_text(call, "red", &red_name) != 0 ||
      (call_has(call, "target_band") && call_text(call, "target_band", &target) != 0))
    return -1;
  if (cube_count_type(data->cube, DIMENSION_BANDS) != 1)
    return error_parameter(call->error, ERROR_DimensionAmbiguous, "data",
                           "the cube needs exactly one dimension of type bands");
  size_t d = cube_find_type(data->cube, DIMENSION_BANDS);
  const struct dimension *bands = &data->cube->dimension[d];
  size_t nir = find_band(data->cube, bands, nir_name), red = find_band(data->cube, bands, red_name);
  if (nir == SIZE_MAX)
    return error_parameter(call->error, ERROR_NirBandAmbiguous, "nir",
                           "there is not exactly one band '%s'; name the near-infrared band", nir_name);
  if (red == SIZE_MAX)
    return error_parameter(call->error, ERROR_RedBandAmbiguous, "red",
                           "there is not exactly one band '%s'; name the red band", red_name);
  if (target && dimension_find_text(bands, target) != SIZE_MAX)
    return error_parameter(call->error, ERROR_BandExists, "target_band", "a band '%s' exists already", target);
  struct program *program = program_new(call->arena);
  struct cube *cube = cube_copy(call->arena, data->cube);
  struct kernel_input *input = ARENA_NEW(call->arena, struct kernel_input);
  if (!program || !cube || !input)
    return error_memory(call->error);
  struct lanes array = program_input(program, 0, true, bands->size, data->cube->type, bands);
  struct lanes lanes = index_of(program, array, nir, red);
  *input = (struct kernel_input){.node = data, .array_dimension = (int)d};
  for (size_t i = 0; i < data->cube->dimensions; i++)
    input->to_output[i] = i == d ? NO_DIMENSION : (int)(target || i < d ? i : i - 1);
  if (target) {
    struct lanes parts[] = {array, lanes};
    lanes = program_concat(program, parts, 2);
    if (append_band(call, data, d, target, cube) != 0)
      return -1;
  } else
    cube_remove_dimension(cube, d);
  cube_set_result_type(cube, &lanes, input, 1);
  if (!target && cube_settle_packing(call, cube, program, &lanes) != 0)
    return -1;
  *result = value_cube(
      node_kernel(call->arena, call_origin(call), cube, input, 1, program, lanes, target ? (int)d : NO_DIMENSION));
  return result->cube ? 0 : error_memory(call->error);
}

const struct process process_ndvi = {.id = "ndvi", .shape = PROCESS_CUBE, .call = ndvi_call};
