/* What is computed on gauge fields one by one, each dealt in slabs of x0 to the ranks: rank 0's side. It has the whole
 * field, sends each rank the elements of its slab, computes its own share (gauge_share.h) and puts together what the
 * ranks give; the bits are those of the field on one rank. */
#ifndef TWINCUBE_PROCESSES_LATTICE_GAUGE_CREW_H
#define TWINCUBE_PROCESSES_LATTICE_GAUGE_CREW_H

#include "processes/lattice/gauge_cube.h"

/* Where there are ranks to deal the fields to, sets frames->ops and data, and the log is told; frames->note tells what
 * ranks would have. An op without a reach stays whole. numbers: reals of a frame of the result. Error Internal. */
int gauge_crew_frames(struct call *call, const struct gauge_cube *cube, const struct gauge_measure *measure,
                      size_t numbers, struct frames *frames);
/* What is told of frames that stay whole: the log where there are ranks, and frames->note. */
void gauge_crew_none(struct call *call, const char *name, struct frames *frames);

#endif
