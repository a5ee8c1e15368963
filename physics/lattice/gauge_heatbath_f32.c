/* Sweeps over the links of narrow fields. See gauge_heatbath.inc. */
#define SU_SINGLE
#include "physics/lattice/gauge_heatbath.inc"
