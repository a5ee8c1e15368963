/* See gauge_arguments.h. */
#include "processes/lattice/gauge_arguments.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SITES ((size_t)1 << 24)
#define MAX_STEPS 10000
#define MAX_STEP_SIZE 100.0
#define MAX_OVERRELAXATION 1000
#define MAX_CHARGE 1000000
#define MAX_RADIUS 1e6

int gauge_invalid_argument(struct call *call, const char *name, const char *what)
{
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, name, "parameter '%s' of process '%s' must be %s",
                         name, call->process->id, what);
}

static int read_group(struct call *call, size_t *colours)
{
  static const char *const groups[] = {"U(1)", "SU(2)", "SU(3)", "SU(4)", "SU(5)", "SU(6)", "SU(7)", "SU(8)", NULL};
  if (lattice_choice(call, "group", groups, colours) != 0) {
    return -1;
  }
  ++*colours;
  return 0;
}

/* One text for all axes, or an array of a text for each. */
static int read_boundary(struct call *call, struct gauge_chain_parameters *chain)
{
  const struct value *boundary = call_argument(call, "boundary");
  const char *expected = "'periodic', 'antiperiodic' or 'open', or an array of one of these for each axis";
  bool is_array = boundary != NULL && boundary->kind == VALUE_ARRAY;
  if (boundary == NULL || (is_array && boundary->count != chain->dimensions)) {
    return gauge_invalid_argument(call, "boundary", expected);
  }
  for (size_t k = 0; k < chain->dimensions; k++) {
    const struct value *item = is_array ? &boundary->items[k] : boundary;
    if (item->kind != VALUE_TEXT || (strcmp(item->text, "periodic") != 0 && strcmp(item->text, "antiperiodic") != 0 &&
                                     strcmp(item->text, "open") != 0)) {
      return gauge_invalid_argument(call, "boundary", expected);
    }
    chain->action.open[k] = strcmp(item->text, "open") == 0;
  }
  return 0;
}

int gauge_read_c1(struct call *call, double *c1)
{
  static const char *const actions[] = {"wilson", "symanzik", "iwasaki", "dbw2", NULL};
  static const double coefficients[] = {GAUGE_C1_WILSON, GAUGE_C1_SYMANZIK, GAUGE_C1_IWASAKI, GAUGE_C1_DBW2};
  size_t action;
  if (lattice_choice(call, "action", actions, &action) != 0) {
    return -1;
  }
  *c1 = coefficients[action];
  return 0;
}

static int read_action(struct call *call, struct gauge_chain_parameters *chain)
{
  const struct shape_limits limits = {2, LATTICE_MAX_DIMENSIONS, MAX_SITES};
  if (chain_read_shape(call, &limits, &chain->dimensions, chain->extent) != 0 ||
      read_group(call, &chain->colours) != 0 || gauge_read_c1(call, &chain->action.c1) != 0 ||
      chain_read_positive(call, "anisotropy", 1e3, &chain->action.anisotropy) != 0 || read_boundary(call, chain) != 0) {
    return -1;
  }
  if (chain->action.c1 != 0 && chain->action.anisotropy != 1) {
    return gauge_invalid_argument(call, "anisotropy",
                                  "1 for actions with rectangles: which of them lie along x0 would matter");
  }
  return 0;
}

static int read_update(struct call *call, struct gauge_chain_parameters *chain)
{
  static const char *const updates[] = {"heatbath", "hmc", NULL};
  static const char *const integrators[] = {"leapfrog", "omelyan2", "omelyan4", NULL};
  size_t update, integrator;
  if (lattice_choice(call, "update", updates, &update) != 0 ||
      lattice_choice(call, "integrator", integrators, &integrator) != 0 ||
      lattice_count(call, "overrelaxation", 0, MAX_OVERRELAXATION, &chain->overrelaxation) != 0 ||
      lattice_count(call, "steps", 1, MAX_STEPS, &chain->steps) != 0 ||
      chain_read_positive(call, "step_size", MAX_STEP_SIZE, &chain->step_size) != 0) {
    return -1;
  }
  chain->method = update == 0 ? GAUGE_HEATBATH : GAUGE_HMC;
  chain->order = (enum md_order)integrator;
  if (chain->method == GAUGE_HMC) {
    return 0;
  }
  if (chain->action.c1 != 0) {
    return gauge_invalid_argument(
        call, "update",
        "'hmc' for actions with rectangles: links of one colour of the checkerboard would feel each other");
  }
  for (size_t k = 0; k < chain->dimensions; k++) {
    if (chain->extent[k] % 2 != 0) {
      return gauge_invalid_argument(
          call, "shape", "of even extents for the update 'heatbath', which needs two colours; 'hmc' takes any");
    }
  }
  return 0;
}

static int read_start(struct call *call, struct gauge_chain_parameters *chain)
{
  static const char *const starts[] = {"cold", "hot", "instanton", NULL};
  size_t start;
  int64_t charge;
  if (lattice_choice(call, "start", starts, &start) != 0 ||
      call_integer(call, "charge", -MAX_CHARGE, MAX_CHARGE, &charge) != 0 ||
      chain_read_positive(call, "radius", MAX_RADIUS, &chain->instanton.radius) != 0) {
    return -1;
  }
  chain->start = (enum gauge_start)start;
  chain->instanton.charge = (int)charge;
  if (chain->start != GAUGE_INSTANTON) {
    return 0;
  }
  if (chain->dimensions != (chain->colours == 1 ? 2 : 4)) {
    return gauge_invalid_argument(
        call, "start", "'cold' or 'hot' here: there are instantons of U(1) in two dimensions and of SU(N) in four");
  }
  if (chain->colours > 1 && charge != 1 && charge != -1) {
    return gauge_invalid_argument(call, "charge", "1 or -1 for an instanton of SU(N)");
  }
  return 0;
}

int gauge_read_model(struct call *call, struct gauge_model *model)
{
  static const char *const precisions[] = {"double", "single", NULL};
  size_t precision;
  if (read_action(call, &model->chain) != 0 || read_update(call, &model->chain) != 0 ||
      read_start(call, &model->chain) != 0 || lattice_choice(call, "precision", precisions, &precision) != 0) {
    return -1;
  }
  model->chain.single = precision == 1;
  return 0;
}

const char *gauge_model_title(struct call *call, const struct gauge_model *model, const char *beta)
{
  const char *shape = chain_shape_text(call->arena, model->chain.dimensions, model->chain.extent);
  if (shape == NULL || beta == NULL) {
    return NULL;
  }
  return arena_printf(call->arena, "%s(%zu), %s, beta %s, seed %llu", model->chain.colours == 1 ? "U" : "SU",
                      model->chain.colours, shape, beta, (unsigned long long)model->chain.seed);
}
