/* Kicks of molecular dynamics for fields of doubles. See gauge_kick.inc. */
#include "physics/lattice/gauge_kick.inc"
