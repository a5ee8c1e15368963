/* Quarks on gauge cubes: what the processes that solve Dirac equations have in common. */
#ifndef TWINCUBE_PROCESSES_LATTICE_QUARK_ARGUMENTS_H
#define TWINCUBE_PROCESSES_LATTICE_QUARK_ARGUMENTS_H

#include "processes/lattice/gauge_cube.h"

#include "physics/lattice/dirac_solve.h"
#include "physics/lattice/propagator.h"

/* Numbers alone, as gauge_measure wants its parameters. */
struct quark_arguments {
  size_t staggered, boundary; /* boundary: enum fermion_boundary, along x0 */
  double kappa, clover, mass; /* kappa of Wilson quarks, mass of staggered ones */
  size_t method, mixed;       /* enum solver_method */
  double tolerance;
  size_t most_iterations;
  size_t deflation; /* number of modes */
};

/* Arguments operator, kappa, mass, clover, boundary. */
int call_quark(struct call *call, const struct gauge_cube *cube, struct quark_arguments *out);
/* Arguments solver, precision, tolerance, max_iterations, deflation; the cube's extents must be even. */
int call_solver(struct call *call, const struct gauge_cube *cube, struct quark_arguments *out);

struct fermion_shape quark_shape(const struct quark_arguments *arguments, const struct lattice *lattice,
                                 size_t colours);

/* Bytes that quark_open wants, a multiple of 64; saturated. */
size_t quark_bytes(const struct quark_arguments *arguments, const struct lattice *lattice, size_t colours);
/* The operator of the job's field, in `memory`. */
int quark_open(const struct quark_arguments *arguments, const struct gauge_job *job, void *memory, struct dirac *out,
               struct error *error);

/* Bytes that quark_deflate wants, a multiple of 64; saturated. */
size_t quark_modes_bytes(const struct quark_arguments *arguments, const struct fermion_shape *shape);
/* The lowest modes in `memory`, for the solver; nothing where `deflation` is 0. */
int quark_deflate(const struct quark_arguments *arguments, const struct gauge_job *job, const struct dirac *dirac,
                  void *memory, struct dirac_modes *out, struct error *error);
/* modes: of quark_deflate, borrowed. */
struct solver quark_solver(const struct quark_arguments *arguments, const struct gauge_job *job,
                           const struct dirac_modes *modes);

/* The error of a solver that did not converge; its history goes to the log. Returns -1. */
int quark_failed(const struct quark_arguments *arguments, const struct gauge_job *job,
                 const struct solver_report *report, struct error *error);

/* The reach of all ops with quarks (gauge_cube.h). */
size_t quark_reach(const void *parameters);

#endif
