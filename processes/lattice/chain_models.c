/* See chain_models.h. */
#include "processes/lattice/chain_models.h"

const struct chain_model_ops *const chain_models[] = {&gauge_model_ops, &gauge_replica_ops, &scalar_model_ops, NULL};

size_t chain_model_number(const struct chain_model_ops *ops)
{
  size_t number = 0;
  while (chain_models[number] != NULL && chain_models[number] != ops) {
    number++;
  }
  return number;
}
