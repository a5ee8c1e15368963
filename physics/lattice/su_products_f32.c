/* Products of matrices of floats. See su_products.inc. */
#define SU_SINGLE
#include "physics/lattice/su_products.inc"
