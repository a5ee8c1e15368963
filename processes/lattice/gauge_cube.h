/* A gauge cube: a cube of gauge fields, and what is computed of one configuration after the other.
 *
 * Its dimensions are x0, x1, … (two to four; x0 is the Euclidean time), whole axes with the labels 0, 1, …,
 * `direction` with the labels "x0", "x1", …, and `row` and `column` of the colours, complex elements; all others
 * (chain, configuration, …) number configurations. Dimensions are found by their names and directions by their
 * labels, in any order. */
#ifndef TWINCUBE_PROCESSES_LATTICE_GAUGE_CUBE_H
#define TWINCUBE_PROCESSES_LATTICE_GAUGE_CUBE_H

#include "hpc/stage/frame_stage.h"
#include "physics/lattice/gauge_device.h"
#include "physics/lattice/gauge_unitarity.h"
#include "processes/process.h"

struct gauge_cube {
  const struct node *node; /* frames' dimensions in their order, then x0 …, direction, row, column */
  size_t frames;           /* number of the frames' dimensions */
  size_t dimensions, extent[LATTICE_MAX_DIMENSIONS];
  size_t colours;
};

/* The cube of that parameter. Error ProcessParameterInvalid where it is no gauge cube: what was expected and given. */
int call_gauge_cube(struct call *call, const char *parameter, struct gauge_cube *out);

/* The lattice without its tables: for sizes. */
struct lattice gauge_cube_lattice(const struct gauge_cube *cube);

/* ---- one configuration ------------------------------------------------------------------------------------------- */

struct gauge_job {
  struct gauge_field field; /* may be changed */
  void *scratch;            /* gauge_op.scratch bytes, aligned to 64 */
  double *out;              /* elements of the result's frame (complex: re, im); NULL where that is the field */
  unsigned threads;
  struct gauge_device *device; /* that has the field, too, for ops that use devices; NULL: by the CPU */
  const volatile int *cancel;  /* or NULL; long work returns when it becomes nonzero, whatever is in out then */
};

struct gauge_op {
  const char *name; /* EXPLAIN */
  /* Bytes beside the field; NULL: none. */
  size_t (*scratch)(const struct gauge_cube *cube, const void *parameters);
  int (*compute)(const void *parameters, const struct gauge_job *job, struct error *error);
  bool is_complex; /* the result has elements of complex128 */
  bool by_site;    /* the result has the axes in front, and of a slab its own sites; else all slabs have the same */
  /* Slices that slabs must have copies of on each side, for a field that lies on several ranks (gauge_share.h); 0, or
   * NULL: it wants the whole field. */
  size_t (*reach)(const void *parameters);
  /* Steps of the flow that it takes, roughly: what a device does for it where that is faster. NULL: none. */
  double (*flow_steps)(const void *parameters);
};

struct gauge_measure {
  const struct gauge_op *op;
  const void *parameters; /* copied; numbers alone, without gaps between them */
  size_t size;            /* bytes of the parameters */
};

/* What op gives for each configuration, float64 or complex128: the frames' dimensions and then `count` others. Sets
 * *result. */
int gauge_cube_measure(struct call *call, const struct gauge_cube *cube, const struct gauge_measure *measure,
                       const struct dimension *others, size_t count, struct value *result);
/* The fields as op leaves them: a gauge cube of the same description. */
int gauge_cube_change(struct call *call, const struct gauge_cube *cube, const struct gauge_measure *measure,
                      struct value *result);

/* ---- for other frames of gauge cubes ----------------------------------------------------------------------------- */

/* How the frames of the cube are mapped to the leading dimensions of the output: for frames.to_output. */
void gauge_cube_map(const struct gauge_cube *cube, int *to_output);

struct gauge_work { /* a field and its lattice, made once a worker */
  struct lattice lattice;
  struct gauge_field field;
  double *wide; /* of a cube of complex64: its numbers as doubles; else NULL */
  void *scratch;
  void *memory; /* of all of them */
};

/* Bytes of a workspace with so much scratch; saturated. */
size_t gauge_work_bytes(const struct gauge_cube *cube, size_t scratch);
int gauge_work_open(const struct gauge_cube *cube, size_t scratch, struct gauge_work *out, struct error *error);
/* Puts the configuration of a frame, its first input in the cube's type, into work->field; *missing: all of it is
 * no-data. Error ProcessParameterInvalid, naming `data`, where a link is not unitary (see gauge_unitarity.h):
 * which of which configuration, and how far off. */
int gauge_work_set(const struct gauge_cube *cube, struct gauge_work *work, const struct frame_job *frame, bool *missing,
                   struct error *error);
/* Takes work->field out again. */
void gauge_work_get(struct gauge_work *work, unsigned threads, void *elements);
/* Of the configuration of that frame: the error that its link is not of the group. Returns -1. */
int gauge_cube_blame(const struct gauge_cube *cube, const size_t *at, const struct gauge_fault *fault,
                     struct error *error);
/* The frame that a configuration without data gives: so many floats or doubles. */
void gauge_missing(void *output, size_t numbers, bool narrow);
void gauge_work_close(struct gauge_work *work);

#endif
