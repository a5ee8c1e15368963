/* Metropolis sweeps of the scalar field.
 *
 * Each site in turn is offered phi' = phi + width * (2 u - 1), taken with probability min(1, exp(-dS)). All that S has
 * of one site is
 *   phi^2 (2 d + M2) + lambda phi^4 - 2 phi sum_nn phi        d counts the dimensions of extent above 1.
 *
 * Order: rows are coloured so that none has a neighbour of its own colour; the colours follow each other, the rows of
 * one are shared among threads. Along an even extent the colours alternate, along an odd one the last index has one of
 * its own. A row goes by pieces of 512 columns: the even ones at once, in lanes, then the odd ones; the last column of
 * an odd number comes behind both. So every update sees the same neighbours for any number of threads and any width of
 * vectors.
 *
 * Randomness: sweep t uses stream 2 t. Columns 16 n + l and 16 n + 8 + l of a row, l below 8, share the counter (8 n +
 * l, row of the whole lattice): each has two of its words, as u of the proposal and u' of dS < -ln u', uniform to
 * 2^-32. The logarithm is a polynomial (philox_lanes.h): the same bits everywhere. Source: N. Metropolis et al., J.
 * Chem. Phys. 21 (1953) 1087. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SCALAR_METROPOLIS_H
#define TWINCUBE_PHYSICS_LATTICE_SCALAR_METROPOLIS_H

#include "physics/lattice/scalar_field.h"

/* Sweep t of phi with its halo; current_action is not renewed. Returns the share of proposals that were accepted. */
double scalar_metropolis(struct scalar_field *field, uint64_t seed, double width, uint64_t t);

#endif
