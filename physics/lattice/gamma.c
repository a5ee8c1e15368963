/* Products of gamma matrices. See gamma.h. */
#include "physics/lattice/gamma.h"

static struct gamma_product one_gamma(size_t spins, size_t mu)
{
  struct gamma_product gamma = {.spins = spins};
  const size_t half = spins / 2;
  for (size_t row = 0; row < half; row++) {
    struct gamma_entry upper = gamma_upper(spins, mu, row);
    struct gamma_entry across = gamma_upper(spins, mu, upper.column);
    gamma.column[row] = half + upper.column;
    gamma.power[row] = upper.power;
    gamma.column[half + row] = upper.column;
    gamma.power[half + row] = -across.power;
  }
  return gamma;
}

struct gamma_product gamma_times(const struct gamma_product *a, const struct gamma_product *b)
{
  struct gamma_product product = {.spins = a->spins};
  for (size_t row = 0; row < a->spins; row++) {
    product.column[row] = b->column[a->column[row]];
    product.power[row] = (a->power[row] + b->power[a->column[row]]) & 3;
  }
  return product;
}

struct gamma_product gamma_product(size_t spins, unsigned set)
{
  struct gamma_product product = {.spins = spins}, chiral = {.spins = spins};
  for (size_t row = 0; row < spins; row++) {
    product.column[row] = chiral.column[row] = row;
    chiral.power[row] = row < spins / 2 ? 0 : 2;
  }
  for (size_t mu = 0; mu < 4; mu++) {
    if (set & 1U << mu) {
      struct gamma_product next = one_gamma(spins, mu);
      product = gamma_times(&product, &next);
    }
  }
  return set & 16 ? gamma_times(&product, &chiral) : product;
}

struct gamma_product gamma_bar(const struct gamma_product *gamma)
{
  struct gamma_product adjoint = {.spins = gamma->spins}, time = one_gamma(gamma->spins, 0);
  for (size_t row = 0; row < gamma->spins; row++) {
    adjoint.column[gamma->column[row]] = row;
    adjoint.power[gamma->column[row]] = -gamma->power[row] & 3;
  }
  struct gamma_product left = gamma_times(&time, &adjoint);
  return gamma_times(&left, &time);
}
