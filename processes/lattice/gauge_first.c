/* A view of the last configurations, run into memory. See gauge_first.h. */
#include "processes/lattice/gauge_first.h"

#include "datacube/base/checked.h"
#include "hpc/run/run.h"
#include "processes/cube/shape.h"
#include "processes/lattice/chain_arguments.h"
#include "processes/graph/lower.h"

#include <math.h>
#include <string.h>

#define UNITARY_TOLERANCE 1e-5 /* files may be of single precision */

struct first_sink {
  struct sink sink;
  const struct cube *cube;
  double *values; /* complex, row-major */
};

static void copy_run(struct first_sink *to, size_t offset, const void *from, size_t count)
{
  if (to->cube->type == ELEMENT_C128) {
    memcpy(to->values + 2 * offset, from, count * 2 * sizeof *to->values);
    return;
  }
  const float *narrow = from;
  for (size_t i = 0; i < 2 * count; i++) {
    to->values[2 * offset + i] = narrow[i];
  }
}

static int put_box(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  struct first_sink *to = (struct first_sink *)sink;
  size_t last = box->dimensions - 1, position[CUBE_MAX_DIMENSIONS] = {0};
  const unsigned char *from = data;
  (void)error;
  do {
    size_t offset = 0;
    for (size_t d = 0; d <= last; d++) {
      offset = offset * to->cube->dimension[d].size + box->start[d] + (d < last ? position[d] : 0);
    }
    copy_run(to, offset, from, box->count[last]);
    from += box->count[last] * element_info(to->cube->type)->size;
  } while (next_position(box->count, position, last));
  return 0;
}

static int invalid(struct call *call, const char *expected, const char *given)
{
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "first",
                         "parameter 'first' of process '%s' must be a cube of gauge fields %s; %s", call->process->id,
                         expected, given);
}

static int check_lattice(struct call *call, const struct gauge_cube *cube, const struct gauge_chain_parameters *p)
{
  bool same = cube->dimensions == p->dimensions && cube->colours == p->colours;
  for (size_t k = 0; same && k < p->dimensions; k++) {
    same = cube->extent[k] == p->extent[k];
  }
  if (same) {
    return 0;
  }
  const char *want = chain_shape_text(call->arena, p->dimensions, p->extent);
  const char *is = chain_shape_text(call->arena, cube->dimensions, cube->extent);
  const char *expected = arena_printf(call->arena, "on %s sites with %zu colours", want ? want : "?", p->colours);
  const char *given = arena_printf(call->arena, "it is on %s sites with %zu", is ? is : "?", cube->colours);
  return invalid(call, expected ? expected : "?", given ? given : "?");
}

/* The last label of every frames' dimension but the one named. */
static int pick_last(struct call *call, const struct gauge_cube *cube, const char *apart, const struct node **out,
                     size_t *chains)
{
  *out = cube->node;
  *chains = 1;
  for (size_t d = 0; d < cube->frames; d++) {
    const struct dimension *dimension = &cube->node->cube->dimension[d];
    if (dimension->size == 0) {
      return invalid(call, "with at least one configuration", "a dimension has no labels");
    }
    if (strcmp(dimension->name, apart) == 0) {
      *chains = dimension->size;
      continue;
    }
    struct value picked;
    size_t *last = ARENA_NEW(call->arena, size_t);
    if (last == NULL) {
      return error_memory(call->error);
    }
    *last = dimension->size - 1;
    if (view_pick(call, *out, d, last, 1, &picked) != 0) {
      return -1;
    }
    *out = picked.cube;
  }
  return 0;
}

static int compute(struct call *call, const struct node *node, double *values)
{
  static const struct sink_ops ops = {.put = put_box};
  const struct graph_options *options = call->lowering->options;
  const struct plan_options planning = {
      .memory = options->memory, .threads = options->threads, .cancel = options->cancel, .devices = options->devices};
  const struct run_limits limits = {.cancel = options->cancel, .beside = options->beside};
  struct first_sink sink = {.sink = {.ops = &ops}, .cube = node->cube, .values = values};
  const struct plan *plan;
  if (plan_make(call->arena, node, &planning, &plan, call->error) != 0) {
    return -1;
  }
  return plan_run(plan, &sink.sink, &limits, NULL, call->error);
}

/* Whether a link is in the group, or zero where it has to be. */
static bool is_link(const double *u, size_t n, bool absent)
{
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j <= i; j++) {
      double re = i == j && !absent ? -1.0 : 0.0, im = 0;
      for (size_t k = 0; k < n; k++) {
        const double *a = u + 2 * (i * n + k), *b = u + 2 * (j * n + k);
        re += a[0] * b[0] + a[1] * b[1];
        im += a[1] * b[0] - a[0] * b[1];
      }
      if (!(fabs(re) < UNITARY_TOLERANCE && fabs(im) < UNITARY_TOLERANCE)) { /* written so that NaN fails */
        return false;
      }
    }
  }
  return true;
}

/* Whether that link leaves the last slice of an open axis. */
static bool is_absent(const struct gauge_chain_parameters *p, size_t site, size_t mu)
{
  for (size_t k = p->dimensions - 1; k > mu; k--) {
    site /= p->extent[k];
  }
  return p->action.open[mu] && (site + 1) % p->extent[mu] == 0;
}

static int check_links(struct call *call, const struct gauge_chain_parameters *p, const double *values, size_t links)
{
  size_t each = p->colours * p->colours * 2;
  for (size_t i = 0; i < links; i++) {
    size_t site = i / p->dimensions, mu = i % p->dimensions;
    if (!is_link(values + i * each, p->colours, is_absent(p, site, mu))) {
      const char *given = arena_printf(call->arena, "the link of direction x%zu at site %zu is not", mu, site);
      return invalid(call, "whose links are unitary, and zero where they leave an open axis",
                     given ? given : "one is not");
    }
  }
  return 0;
}

int gauge_first_read(struct call *call, const char *apart, struct gauge_model *model, size_t *chains)
{
  struct gauge_cube cube;
  const struct node *node;
  size_t given;
  if (!call_has(call, "first")) {
    return 0;
  }
  if (call_gauge_cube(call, "first", &cube) != 0 || check_lattice(call, &cube, &model->chain) != 0 ||
      pick_last(call, &cube, apart, &node, &given) != 0) {
    return -1;
  }
  if (*chains != 0 && given != *chains) {
    const char *expected = arena_printf(call->arena, "with %zu labels in '%s'", *chains, apart);
    const char *is = arena_printf(call->arena, "it has %zu", given);
    return invalid(call, expected ? expected : "?", is ? is : "?");
  }
  size_t count = cube_elements(node->cube);
  double *values = count > SIZE_MAX / 32 ? NULL : ARENA_ARRAY(call->arena, double, 2 * count);
  model->first_text =
      arena_printf(call->arena, "%016llx%016llx", (unsigned long long)node->hash.a, (unsigned long long)node->hash.b);
  if (values == NULL || model->first_text == NULL) {
    return error_memory(call->error);
  }
  *chains = given;
  model->first = values;
  if (call->lowering->options->describes_only) {
    return 0;
  }
  if (compute(call, node, values) != 0) {
    return -1;
  }
  size_t links = count / (model->chain.colours * model->chain.colours);
  size_t each = links / given; /* a configuration's */
  for (size_t c = 0; c < given; c++) {
    if (check_links(call, &model->chain, values + c * count / given * 2, each) != 0) {
      return -1;
    }
  }
  return 0;
}

/* chains and first: whether there is a dimension of chains, and where they begin. */
int gauge_read_chains(struct call *call, struct gauge_model *model, struct markov_chain *chain)
{
  size_t chains = 0;
  if (call_has(call, "chains") && lattice_count(call, "chains", 1, CHAIN_MAX_CHAINS, &chains) != 0) {
    return -1;
  }
  bool apart = chains != 0;
  size_t given = apart ? chains : 1, trajectories;
  if (gauge_first_read(call, "chain", model, &given) != 0 ||
      lattice_count(call, "first_trajectory", 0, CHAIN_MAX_SEED, &trajectories) != 0) {
    return -1;
  }
  chain->chains = given;
  chain->first_trajectory = trajectories;
  if (!apart) {
    return 0;
  }
  struct dimension *dimension = ARENA_NEW(call->arena, struct dimension);
  if (dimension == NULL) {
    return error_memory(call->error);
  }
  *dimension = dimension_enumerated("chain", DIMENSION_OTHER, chains);
  chain->apart = dimension;
  return 0;
}
