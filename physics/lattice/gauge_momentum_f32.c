/* Momenta of narrow fields. See gauge_momentum.inc. */
#define SU_SINGLE
#include "physics/lattice/gauge_momentum.inc"
