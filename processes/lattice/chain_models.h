/* The models whose chains may lie on several ranks, by number. */
#ifndef TWINCUBE_PROCESSES_LATTICE_CHAIN_MODELS_H
#define TWINCUBE_PROCESSES_LATTICE_CHAIN_MODELS_H

#include "processes/lattice/markov_chain.h"

extern const struct chain_model_ops gauge_model_ops, gauge_replica_ops, scalar_model_ops;

extern const struct chain_model_ops *const chain_models[]; /* ends with NULL */

/* Its place there; that of the NULL where it is not. */
size_t chain_model_number(const struct chain_model_ops *ops);

#endif
