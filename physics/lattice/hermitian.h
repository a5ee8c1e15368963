/* Eigenvalues and eigenvectors of a small dense Hermitian matrix, by Jacobi's rotations in cyclic order: slow beside
 * Householder's way where the matrix is large, but exact to rounding for each vector, and fast where it is nearly
 * diagonal already. Thread rule: pure function. */
#ifndef TWINCUBE_PHYSICS_LATTICE_HERMITIAN_H
#define TWINCUBE_PHYSICS_LATTICE_HERMITIAN_H

#include <complex.h>
#include <stddef.h>

/* matrix[n][n], Hermitian, is destroyed. value[n] ascending; vector[i][k]: component i of eigenvector k, normalised. */
void hermitian_eigen(size_t n, double complex *matrix, double *value, double complex *vector);

#endif
