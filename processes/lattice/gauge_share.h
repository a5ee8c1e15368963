/* A rank's share of what an op (gauge_cube.h) computes on one gauge field: its slab of the field, and the op's
 * workspace there. All ranks that take part open their share, compute at the same time and end in the same way: an op
 * fails on all of them or on none, as it decides by numbers that are the same everywhere (gauge_slab.h). Thread rule:
 * one caller at a time a share. */
#ifndef TWINCUBE_PROCESSES_LATTICE_GAUGE_SHARE_H
#define TWINCUBE_PROCESSES_LATTICE_GAUGE_SHARE_H

#include "physics/lattice/gauge_slab.h"
#include "physics/lattice/gauge_unitarity.h"
#include "processes/lattice/gauge_cube.h"

/* The ops that slabs can be given to: those with a reach. */
extern const struct gauge_op gauge_flow_op, gauge_smear_op, gauge_propagator_op, gauge_mesons_op, gauge_condensate_op,
    gauge_plaquette_op, gauge_rectangle_op, gauge_polyakov_op, gauge_action_op, gauge_charge_op;
extern const struct gauge_op *const gauge_shared_ops[]; /* NULL behind the last */

/* gauge_op.reach of what looks at the links of neighbours alone: 1. */
size_t gauge_reach_next(const void *parameters);

/* What is computed, the same for all ranks. It is sent as it lies in memory; the op's parameters follow. */
struct gauge_parcel {
  uint64_t op; /* its place in gauge_shared_ops */
  uint64_t dimensions, extent[LATTICE_MAX_DIMENSIONS], colours;
  uint64_t narrow;       /* the field's elements are complex64 */
  uint64_t gives_field;  /* as the op leaves it */
  uint64_t numbers;      /* reals of what it gives, on the whole lattice */
  uint64_t parts, width; /* as in struct gauge_split */
};

struct gauge_share {
  const struct gauge_parcel *parcel; /* borrowed */
  const void *parameters;            /* borrowed */
  struct lattice lattice;
  struct gauge_slab slab;
  struct gauge_field field;
  void *elements;  /* of its own slices, in the field's type */
  double *wide;    /* those as doubles: the same place where they are */
  double *numbers; /* what the op gives here */
  void *scratch;
  void *memory; /* of all of them */
};

/* Bytes of a rank's share; saturated. */
size_t gauge_share_bytes(const struct gauge_parcel *parcel, const void *parameters, const struct ranks *ranks);
/* parcel and parameters stay where they are. Error Internal. */
int gauge_share_open(struct gauge_share *share, const struct gauge_parcel *parcel, const void *parameters,
                     struct ranks *ranks, struct error *error);
void gauge_share_close(struct gauge_share *share);

/* Bytes of the field's elements that are a rank's; those of ranks before it lie before them. */
size_t gauge_share_elements(const struct gauge_parcel *parcel, size_t rank);
/* The same of what a rank gives: all of it where all ranks have the same, and rank 0 alone gives it. */
size_t gauge_share_result(const struct gauge_parcel *parcel, size_t rank);

struct gauge_verdict {
  bool well;    /* the op has computed; else all ranks have the same reason for not */
  bool missing; /* the whole field is no-data */
  bool faulty;  /* a link of this rank's is not of the group: */
  struct gauge_fault fault;
};

struct gauge_turn {
  unsigned threads;
  const volatile int *cancel;
};

/* Of the field's own elements, in share->elements; what the op gives is in share->numbers, or in share->elements, then.
 * Errors of the op. */
int gauge_share_compute(struct gauge_share *share, const struct gauge_turn *turn, struct gauge_verdict *verdict,
                        struct error *error);

#endif
