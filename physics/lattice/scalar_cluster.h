/* Cluster update of the signs of the scalar field.
 *
 * With the sizes |phi_x| held, the signs are an Ising model with couplings 2 |phi_x phi_y| on each link: a discrete
 * embedding as Wolff's. A link between equal signs is a bond with probability 1 - exp(-4 phi_x phi_y). Sites that hang
 * together by bonds are a cluster; each gets its sign anew, changed or not with probability 1/2, as Swendsen and Wang
 * do. (One cluster at a time, always flipped, would alternate where nearly all sites are in one, and every second
 * configuration would have the same sign.) The weight is even, so it works for any M2; where M2 is strongly negative it
 * carries the field over the wall between the two minima. It leaves the sizes, so it needs another update beside it.
 *
 * Randomness: update t uses stream 2 t + 1; the link forward from site x in dimension k has number x d + k, the sign of
 * the cluster whose first site is x has number V d + x. Clusters are a function of the bonds, whatever the order in
 * which they are found.
 * Sources: R. C. Brower, P. Tamayo, Phys. Rev. Lett. 62 (1989) 1087; U. Wolff, Phys. Rev. Lett. 62 (1989) 361; R. H.
 * Swendsen, J.-S. Wang, Phys. Rev. Lett. 58 (1987) 86. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SCALAR_CLUSTER_H
#define TWINCUBE_PHYSICS_LATTICE_SCALAR_CLUSTER_H

#include "physics/lattice/scalar_field.h"

/* Update t of phi with its halo; current_action is not renewed, `trial` and `other` are overwritten. Returns the
 * largest cluster's share of the sites. */
double scalar_cluster_flip(struct scalar_field *field, uint64_t seed, uint64_t t);

#endif
