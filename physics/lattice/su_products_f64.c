/* Products of matrices of doubles. See su_products.inc. */
#include "physics/lattice/su_products.inc"
