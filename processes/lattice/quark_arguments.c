/* Operators and solvers of processes. See quark_arguments.h. */
#include "processes/lattice/quark_arguments.h"

#include "processes/lattice/lattice_arguments.h"

#include "datacube/base/buffer.h"
#include "datacube/base/checked.h"
#include "datacube/base/logger.h"
#include "physics/lattice/gauge_slab.h"

#define MAX_MASS 1e6
#define MIN_TOLERANCE 1e-15
#define MAX_ITERATIONS 1000000

enum { THREAD_BLOCKS = 128 /* fewest blocks worth a thread */ };

/* ---- arguments --------------------------------------------------------------------------------------------------- */

/* The mass as kappa or as itself: one of both. */
static int read_mass(struct call *call, const struct gauge_cube *cube, struct quark_arguments *out)
{
  bool has_mass = call_has(call, "mass"), has_kappa = call_has(call, "kappa");
  const char *needed = out->staggered ? "mass" : "kappa";
  if (has_mass == has_kappa || (out->staggered && has_kappa)) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, needed,
                           "parameter '%s' of process '%s' must be given %s", needed, call->process->id,
                           out->staggered ? "for staggered quarks, and 'kappa' must not" : "or 'mass', and not both");
  }
  if (has_kappa) {
    return lattice_number(call, "kappa", 1e-6, 1e3, &out->kappa);
  }
  if (out->staggered) {
    return lattice_number(call, "mass", 1e-9, MAX_MASS, &out->mass);
  }
  double mass, d = (double)cube->dimensions;
  if (lattice_number(call, "mass", -d + 1e-3, MAX_MASS, &mass) != 0) {
    return -1;
  }
  out->kappa = 1 / (2 * (mass + d));
  return 0;
}

int call_quark(struct call *call, const struct gauge_cube *cube, struct quark_arguments *out)
{
  static const char *const operators[] = {"wilson", "staggered", NULL};
  static const char *const boundaries[] = {"periodic", "antiperiodic", "open", NULL};
  if (lattice_choice(call, "operator", operators, &out->staggered) != 0 ||
      lattice_choice(call, "boundary", boundaries, &out->boundary) != 0 ||
      lattice_number(call, "clover", -100, 100, &out->clover) != 0) {
    return -1;
  }
  if (out->staggered && out->clover != 0) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "clover",
                           "parameter 'clover' of process '%s' must be 0 for staggered quarks; it is %g",
                           call->process->id, out->clover);
  }
  return read_mass(call, cube, out);
}

static int check_even(struct call *call, const struct gauge_cube *cube)
{
  for (size_t k = 0; k < cube->dimensions; k++) {
    if (cube->extent[k] % 2 != 0) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                             "parameter 'data' of process '%s' must have even extents, as sites are solved by colour "
                             "of a checkerboard; x%zu has %zu",
                             call->process->id, k, cube->extent[k]);
    }
  }
  return 0;
}

/* Modes of a small lattice. */
static int check_modes(struct call *call, const struct gauge_cube *cube, const struct quark_arguments *out)
{
  const struct lattice lattice = gauge_cube_lattice(cube);
  const struct fermion_shape shape = quark_shape(out, &lattice, cube->colours);
  const size_t most = dirac_modes_most(&shape);
  return out->deflation <= most
             ? 0
             : error_parameter(
                   call->error, ERROR_ProcessParameterInvalid, "deflation",
                   "parameter 'deflation' of process '%s' must be at most %zu on this lattice, an eighth of "
                   "the numbers on its even sites; it is %zu",
                   call->process->id, most, out->deflation);
}

int call_solver(struct call *call, const struct gauge_cube *cube, struct quark_arguments *out)
{
  static const char *const methods[] = {"cg", "bicgstab", NULL}, *const precisions[] = {"double", "mixed", NULL};
  if (check_even(call, cube) != 0 || lattice_choice(call, "solver", methods, &out->method) != 0 ||
      lattice_choice(call, "precision", precisions, &out->mixed) != 0 ||
      lattice_number(call, "tolerance", MIN_TOLERANCE, 0.1, &out->tolerance) != 0) {
    return -1;
  }
  return lattice_count(call, "max_iterations", 1, MAX_ITERATIONS, &out->most_iterations) != 0 ||
                 lattice_count(call, "deflation", 0, DIRAC_MOST_MODES, &out->deflation) != 0
             ? -1
             : check_modes(call, cube, out);
}

/* ---- operators --------------------------------------------------------------------------------------------------- */

static struct dirac_rule rule_of(const struct quark_arguments *arguments)
{
  return (struct dirac_rule){
      .hopping = {.boundary = {(enum fermion_boundary)arguments->boundary}, .staggered = arguments->staggered != 0},
      .kappa = arguments->kappa,
      .clover = arguments->clover,
      .mass = arguments->mass};
}

struct fermion_shape quark_shape(const struct quark_arguments *arguments, const struct lattice *lattice, size_t colours)
{
  return (struct fermion_shape){
      .lattice = lattice, .spins = dirac_spins(lattice->dimensions, arguments->staggered != 0), .colours = colours};
}

size_t quark_bytes(const struct quark_arguments *arguments, const struct lattice *lattice, size_t colours)
{
  const struct dirac_rule rule = rule_of(arguments);
  const struct gauge_field gauge = {.lattice = lattice, .colours = colours};
  size_t bytes = dirac_bytes(&gauge, &rule, arguments->mixed != 0);
  return bytes == 0 || bytes > SIZE_MAX - 63 ? SIZE_MAX : (bytes + 63) / 64 * 64;
}

int quark_open(const struct quark_arguments *arguments, const struct gauge_job *job, void *memory, struct dirac *out,
               struct error *error)
{
  const struct dirac_rule rule = rule_of(arguments);
  size_t most = job->field.lattice->blocks / THREAD_BLOCKS;
  unsigned threads = most < job->threads ? (unsigned)(most > 1 ? most : 1) : job->threads;
  if (dirac_init(out, &job->field, &rule, arguments->mixed != 0, threads, memory) != 0) {
    return error_parameter(error, ERROR_ProcessParameterInvalid, "clover",
                           "the clover term has no inverse on some site of this gauge field: with kappa %g, c_sw %g is "
                           "too large for it",
                           arguments->kappa, arguments->clover);
  }
  return 0;
}

static enum fermion_type type_of(const struct quark_arguments *arguments)
{
  return arguments->mixed != 0 ? FERMION_F32 : FERMION_F64;
}

size_t quark_modes_bytes(const struct quark_arguments *arguments, const struct fermion_shape *shape)
{
  return arguments->deflation == 0 ? 0 : dirac_modes_bytes(shape, type_of(arguments), arguments->deflation);
}

/* Of ranks that all do the same one speaks. */
static bool is_heard(const struct gauge_job *job)
{
  return job->field.slab == NULL || job->field.slab->ranks->rank == 0;
}

int quark_deflate(const struct quark_arguments *arguments, const struct gauge_job *job, const struct dirac *dirac,
                  void *memory, struct dirac_modes *out, struct error *error)
{
  *out = (struct dirac_modes){0};
  if (arguments->deflation == 0) {
    return 0;
  }
  if (dirac_modes_find(dirac, type_of(arguments), arguments->deflation, job->cancel, memory, out) != 0) {
    return error_set(error, ERROR_RequestTimeout, "the run was cancelled");
  }
  if (out->count > 0 && is_heard(job)) {
    log_message(LOG_INFO,
                "deflation: %zu modes, values from %.3g to %.3g of %.3g, relative residuals up to %.1e, after "
                "%zu applications of the operator",
                out->count, out->values[0], out->values[out->count - 1], out->top, out->off, out->applications);
  }
  return 0;
}

struct solver quark_solver(const struct quark_arguments *arguments, const struct gauge_job *job,
                           const struct dirac_modes *modes)
{
  return (struct solver){.method = (enum solver_method)arguments->method,
                         .mixed = arguments->mixed != 0,
                         .tolerance = arguments->tolerance,
                         .most_iterations = arguments->most_iterations,
                         .cancel = job->cancel,
                         .modes = modes->count > 0 ? modes : NULL};
}

int quark_failed(const struct quark_arguments *arguments, const struct gauge_job *job,
                 const struct solver_report *report, struct error *error)
{
  if (report->cancelled) {
    return error_set(error, ERROR_RequestTimeout, "the run was cancelled");
  }
  for (size_t i = 0; i < report->recorded && is_heard(job); i++) {
    log_message(LOG_WARNING, "solver: iteration %zu, relative residual %.3e", report->history[i].iteration,
                report->history[i].residual);
  }
  return error_set(error, ERROR_SolverNotConverged,
                   "the solver did not converge: the relative residual is %.3e after %zu iterations, %.3e was to be "
                   "reached within %zu; raise max_iterations or tolerance, or take heavier quarks (the history of "
                   "residuals is in the log)",
                   report->residual, report->iterations, arguments->tolerance, arguments->most_iterations);
}

size_t quark_reach(const void *parameters)
{
  (void)parameters;
  return 1;
}
