/* See gauge_model.h. A chain's memory: the chain's description; room for what is here of a configuration as doubles,
 * where frames are complex64; the chain's own memory. */
#include "processes/lattice/gauge_model.h"

#include "datacube/base/checked.h"
#include "physics/lattice/gauge_observables.h"
#include "physics/random/philox.h"
#include "processes/lattice/chain_models.h"

#include <math.h>
#include <string.h>

enum {
  HEADER_BYTES = (sizeof(struct gauge_chain) + 63) / 64 * 64,
  ITERATION_WORK = 90, /* nanoseconds a site, of the fermions' solver */
  LINK_WORK = 60,      /* nanoseconds a link of U(1), times N^2 */
  GRAIN = 64 * 1024    /* sites of one direction of U(1) that are worth a thread */
};

static const char *const axis_names[LATTICE_MAX_DIMENSIONS] = {"x0", "x1", "x2", "x3"};

enum { ACTION, PLAQUETTE, DH, ACCEPTED, ACCEPTANCE, EXPONENTIAL, PLAIN_DIAGNOSTICS, CHARGE_DIAGNOSTICS = 3 };

static const struct chain_diagnostic plain[] = {{"action", false},   {"plaquette", false}, {"dH", false},
                                                {"accepted", false}, {"acceptance", true}, {"exp_minus_dH", true}};
static const struct chain_diagnostic charges[] = {{"charge", false}, {"theta_real", false}, {"theta_imaginary", false}};
static const struct chain_diagnostic exchange = {"exchange", true}, iterations = {"iterations", true};

static bool has_charge(const struct gauge_chain_parameters *p)
{
  return p->dimensions == 2 && p->colours == 1;
}

static size_t sites_of(const struct gauge_chain_parameters *p)
{
  size_t sites = 1;
  for (size_t k = 0; k < p->dimensions; k++) {
    sites = saturated_mul(sites, p->extent[k]);
  }
  return sites;
}

/* Numbers of a configuration. */
static size_t doubles_of(const struct gauge_chain_parameters *p)
{
  return saturated_mul(sites_of(p), p->dimensions * p->colours * p->colours * 2);
}

/* Of those that are here. */
static size_t own_doubles(const struct gauge_chain_parameters *p)
{
  return saturated_mul(doubles_of(p) / p->extent[0], gauge_split_slab(&p->split, p->extent[0]).count);
}

static size_t wide_bytes(const struct gauge_model *m)
{
  return m->chain.single ? saturated_mul(own_doubles(&m->chain), sizeof(double)) / 64 * 64 + 64 : 0;
}

static size_t model_bytes(const void *model)
{
  const struct gauge_model *m = model;
  return saturated_add(HEADER_BYTES + wide_bytes(m), gauge_chain_bytes(&m->chain));
}

static void model_start(const void *model, const struct chain_step *step, void *memory)
{
  const struct gauge_model *m = model;
  const double *links = m->first != NULL ? m->first + (step->chain - m->first_chain) * doubles_of(&m->chain) : NULL;
  struct gauge_chain *chain = memory;
  gauge_chain_open(chain, &m->chain, step->chain, links, step->threads,
                   (unsigned char *)memory + HEADER_BYTES + wide_bytes(m));
  chain->beta = m->betas != NULL ? m->betas[step->chain] : m->chain.action.beta;
}

static const char *model_advance(const void *model, const struct chain_step *step, void *memory, double *values)
{
  const struct gauge_model *m = model;
  struct gauge_chain *chain = memory;
  struct gauge_outcome outcome = gauge_chain_advance(chain, step->trajectory, step->threads, step->cancel);
  if (outcome.failed) {
    return "the solver of the fermions' equation does not converge: 'kappa' is too near a critical value";
  }
  values[DH] = outcome.dh;
  values[ACCEPTED] = values[ACCEPTANCE] = outcome.accepted;
  values[EXPONENTIAL] = exp(-outcome.dh);
  if (!m->measures) {
    return NULL;
  }
  struct gauge_action action = gauge_chain_action(chain);
  struct gauge_loop_means plaquette;
  const struct gauge_field *field = gauge_chain_field(chain, step->threads);
  values[ACTION] = gauge_action_value(field, &action, step->threads);
  gauge_plaquette(field, step->threads, &plaquette);
  values[PLAQUETTE] = plaquette.all;
  if (has_charge(&m->chain)) {
    double charge = gauge_geometric_charge(field, step->threads);
    values[PLAIN_DIAGNOSTICS] = charge;
    values[PLAIN_DIAGNOSTICS + 1] = cos(m->theta * charge);
    values[PLAIN_DIAGNOSTICS + 2] = sin(m->theta * charge);
  }
  if (m->chain.kappa != 0) {
    values[PLAIN_DIAGNOSTICS + CHARGE_DIAGNOSTICS] = (double)outcome.iterations;
  }
  return NULL;
}

/* Replicas c and c + 1 exchange configurations, and what has been measured on them. */
static void exchange_replicas(const struct gauge_model *m, size_t c, void **memory,
                              double (*values)[CHAIN_MAX_DIAGNOSTICS])
{
  struct gauge_chain *a = memory[c], *b = memory[c + 1];
  double *lower = values[c], *upper = values[c + 1];
  gauge_chain_exchange(a, b);
  lower[ACTION] /= m->betas[c];
  upper[ACTION] /= m->betas[c + 1];
  size_t end = PLAIN_DIAGNOSTICS + (has_charge(&m->chain) ? CHARGE_DIAGNOSTICS : 0);
  for (size_t i = 0; i < end; i++) {
    if (i == ACTION || i == PLAQUETTE || i >= PLAIN_DIAGNOSTICS) {
      double swap = lower[i];
      lower[i] = upper[i];
      upper[i] = swap;
    }
  }
  lower[ACTION] *= m->betas[c];
  upper[ACTION] *= m->betas[c + 1];
  lower[end] = 1;
}

/* Neighbours, first those behind even numbers, then the others, exchange with probability min(1, exp((beta - beta')
 * (s - s'))), s = S / beta. */
static void model_couple(const void *model, size_t chains, uint64_t trajectory, void **memory,
                         double (*values)[CHAIN_MAX_DIAGNOSTICS])
{
  const struct gauge_model *m = model;
  size_t exchanged = PLAIN_DIAGNOSTICS + (has_charge(&m->chain) ? CHARGE_DIAGNOSTICS : 0);
  struct philox_stream stream = {m->chain.seed, GAUGE_STREAMS * trajectory + GAUGE_STREAM_EXCHANGE};
  for (size_t c = 0; c < chains; c++) {
    values[c][exchanged] = 0;
  }
  for (size_t first = 0; first < 2; first++) {
    for (size_t c = first; c + 1 < chains; c += 2) {
      double s = values[c][ACTION] / m->betas[c], other = values[c + 1][ACTION] / m->betas[c + 1];
      double exponent = (m->betas[c] - m->betas[c + 1]) * (s - other);
      if (exponent >= 0 || philox_uniform(stream, c) < exp(exponent)) {
        exchange_replicas(m, c, memory, values);
      }
    }
  }
}

static void model_frame(const void *model, void *memory, unsigned threads, void *out)
{
  const struct gauge_model *m = model;
  const struct gauge_field *field = gauge_chain_field(memory, threads);
  if (!m->chain.single) {
    gauge_field_get(field, threads, out);
    return;
  }
  double *wide = (double *)((unsigned char *)memory + HEADER_BYTES);
  float *narrow = out;
  gauge_field_get(field, threads, wide);
  for (size_t i = 0; i < own_doubles(&m->chain); i++) {
    narrow[i] = (float)wide[i];
  }
}

static void model_identity(const void *model, struct buffer *out)
{
  const struct gauge_model *m = model;
  const struct gauge_chain_parameters *p = &m->chain;
  buffer_printf(out, "%zu %zu ", p->colours, p->dimensions);
  for (size_t k = 0; k < p->dimensions; k++) {
    buffer_printf(out, "%zu %d ", p->extent[k], p->action.open[k]);
  }
  buffer_printf(out, "%a %a %a %d %zu %d %zu %a %llu %d %d %a ", p->action.beta, p->action.c1, p->action.anisotropy,
                (int)p->method, p->overrelaxation, (int)p->order, p->steps, p->step_size, (unsigned long long)p->seed,
                (int)p->start, p->instanton.charge, p->instanton.radius);
  buffer_printf(out, "%a %d %zu ", p->kappa, p->antiperiodic, p->gauge_steps);
  buffer_printf(out, "%a %d %s ", m->theta, p->single, m->first_text != NULL ? m->first_text : "-");
}

static void replica_identity(const void *model, struct buffer *out)
{
  const struct gauge_model *m = model;
  model_identity(model, out);
  for (size_t k = 0; k < m->replicas; k++) {
    buffer_printf(out, "%a ", m->betas[k]);
  }
}

/* ---- for other ranks --------------------------------------------------------------------------------------------- */

/* The model, its replicas' couplings, the chains' first configurations. */
static void model_pack(const void *model, size_t first, size_t count, struct buffer *out)
{
  const struct gauge_model *m = model;
  struct gauge_model copy = *m;
  copy.first_chain = first;
  buffer_add(out, &copy, sizeof copy);
  if (m->betas != NULL) {
    buffer_add(out, m->betas, m->replicas * sizeof *m->betas);
  }
  if (m->first != NULL) {
    size_t each = doubles_of(&m->chain);
    buffer_add(out, m->first + (first - m->first_chain) * each, count * each * sizeof *m->first);
  }
}

static const void *model_unpack(struct arena *arena, const void *bytes, const volatile int *cancel)
{
  struct gauge_model *m = arena_copy(arena, bytes, sizeof *m);
  const double *numbers = (const double *)((const unsigned char *)bytes + sizeof *m);
  (void)cancel;
  if (m != NULL) {
    m->betas = m->betas != NULL ? numbers : NULL;
    m->first = m->first != NULL ? numbers + m->replicas : NULL;
    m->first_text = NULL;
    m->chain.split = (struct gauge_split){0};
  }
  return m;
}

/* Pairs of slices; the fermions' equation is solved on the whole lattice, and so are instantons made. */
static size_t model_pieces(const void *model, const char **why)
{
  const struct gauge_chain_parameters *p = &((const struct gauge_model *)model)->chain;
  size_t pieces = gauge_split_pieces(p->dimensions, p->extent, gauge_action_reach(&p->action));
  if (p->kappa != 0) {
    *why = "the fermions' equation is solved on the whole lattice";
  } else if (p->start == GAUGE_INSTANTON) {
    *why = "an instanton is laid on the whole lattice";
  } else {
    *why = "an extent is odd, or x0 too short for slabs and their copies";
    return pieces;
  }
  return 1;
}

static const void *model_split(struct arena *arena, const void *model, struct ranks *ranks, size_t parts)
{
  struct gauge_model *m = arena_copy(arena, model, sizeof *m);
  if (m != NULL) {
    m->chain.split = (struct gauge_split){ranks, parts, gauge_action_reach(&m->chain.action)};
  }
  return m;
}

const struct chain_model_ops gauge_model_ops = {.name = "gauge field",
                                                .bytes = model_bytes,
                                                .start = model_start,
                                                .advance = model_advance,
                                                .frame = model_frame,
                                                .identity = model_identity,
                                                .pack = model_pack,
                                                .unpack = model_unpack,
                                                .pieces = model_pieces,
                                                .split = model_split};
const struct chain_model_ops gauge_replica_ops = {.name = "gauge field replicas",
                                                  .bytes = model_bytes,
                                                  .start = model_start,
                                                  .advance = model_advance,
                                                  .couple = model_couple,
                                                  .frame = model_frame,
                                                  .identity = replica_identity,
                                                  .pack = model_pack,
                                                  .unpack = model_unpack};

size_t gauge_model_work(const struct gauge_chain_parameters *p)
{
  static const size_t forces[] = {[MD_LEAPFROG] = 1, [MD_OMELYAN2] = 2, [MD_OMELYAN4] = 5};
  size_t sweeps = p->method == GAUGE_HMC ? saturated_mul(p->steps, forces[p->order]) : 1 + p->overrelaxation;
  if (p->kappa != 0) {
    double solutions = (double)sweeps + 2; /* the last step's kick, and the action */
    double site = solutions * schwinger_iterations(p->extent, p->kappa) * ITERATION_WORK;
    return saturated_mul(sites_of(p), (size_t)site);
  }
  size_t link = LINK_WORK * p->colours * p->colours * (p->action.c1 != 0 ? 6 : 1);
  return saturated_mul(saturated_mul(sites_of(p), p->dimensions * link), sweeps);
}

static void describe_frame(const struct gauge_model *m, struct cube *frame)
{
  size_t d = m->chain.dimensions;
  frame->type = m->chain.single ? ELEMENT_C64 : ELEMENT_C128;
  frame->dimensions = d + 3;
  for (size_t k = 0; k < d; k++) {
    frame->dimension[k] = dimension_enumerated(axis_names[k], DIMENSION_OTHER, m->chain.extent[k]);
  }
  frame->dimension[d] = dimension_texts("direction", DIMENSION_BANDS, axis_names, d);
  frame->dimension[d + 1] = dimension_enumerated("row", DIMENSION_OTHER, m->chain.colours);
  frame->dimension[d + 2] = dimension_enumerated("column", DIMENSION_OTHER, m->chain.colours);
}

int gauge_model_describe(struct arena *arena, const struct gauge_model *model, struct markov_chain *chain,
                         struct error *error)
{
  struct gauge_model *copy = ARENA_NEW(arena, struct gauge_model);
  struct cube *frame = ARENA_NEW(arena, struct cube);
  struct chain_diagnostic *rows = ARENA_ARRAY(arena, struct chain_diagnostic, CHAIN_MAX_DIAGNOSTICS);
  if (copy == NULL || frame == NULL || rows == NULL) {
    return error_memory(error);
  }
  *copy = *model;
  copy->replicas = model->betas != NULL ? chain->chains : 0;
  describe_frame(model, frame);
  size_t count = PLAIN_DIAGNOSTICS;
  memcpy(rows, plain, sizeof plain);
  if (has_charge(&model->chain)) {
    memcpy(rows + count, charges, sizeof charges);
    count += CHARGE_DIAGNOSTICS;
  }
  if (model->betas != NULL) {
    rows[count++] = exchange;
  }
  if (model->chain.kappa != 0) {
    rows[count++] = iterations;
  }
  chain->ops = model->betas != NULL ? &gauge_replica_ops : &gauge_model_ops;
  chain->model = copy;
  chain->frame = frame;
  chain->diagnostics = rows;
  chain->diagnostic_count = count;
  chain->held =
      model->first_text != NULL ? saturated_mul(chain->chains, doubles_of(&model->chain) * sizeof(double)) : 0;
  chain->work = gauge_model_work(&model->chain);
  chain->sites = sites_of(&model->chain);
  chain->grain = GRAIN / (model->chain.colours * model->chain.colours * model->chain.dimensions) + 1;
  return 0;
}
