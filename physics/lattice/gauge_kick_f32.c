/* Kicks of molecular dynamics for narrow fields. See gauge_kick.inc. */
#define SU_SINGLE
#include "physics/lattice/gauge_kick.inc"
