/* Clusters one after the other, each grown from its first site by a stack. See scalar_cluster.h. */
#include "physics/lattice/scalar_cluster.h"

#include "physics/random/philox.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

struct growth {
  struct scalar_field *field;
  struct philox_stream stream;
  uint64_t *stack; /* sites of the cluster whose links have not been looked at */
  bool *found;     /* of each site: it belongs to a cluster */
  size_t waiting, size;
  double sign; /* 1 or -1: what the cluster's values are multiplied by */
};

static double *value_of(const struct growth *g, size_t site)
{
  return g->field->phi + site / g->field->length * g->field->stride + site % g->field->length;
}

static void join(struct growth *g, size_t site)
{
  *value_of(g, site) *= g->sign;
  g->found[site] = true;
  g->stack[g->waiting++] = site;
  g->size++;
}

/* The link from a site of the cluster to another, which has the given number: looked at once, from the first end. */
static void follow(struct growth *g, size_t from, size_t to, uint64_t link)
{
  if (g->found[to]) {
    return;
  }
  double product = g->sign * *value_of(g, from) * *value_of(g, to); /* as it was before */
  if (product > 0 && philox_uniform(g->stream, link) < -expm1(-4 * product)) {
    join(g, to);
  }
}

/* Site one step along dimension k, row-major. */
static size_t step_to(const struct growth *g, size_t site, size_t k, size_t backward)
{
  const struct scalar_field *field = g->field;
  size_t outer = field->action.dimensions - 1, row = site / field->length, at = site % field->length;
  if (k < outer) {
    return field->neighbour[row * 2 * outer + 2 * k + backward] * field->length + at;
  }
  return row * field->length + (at + (backward ? field->length - 1 : 1)) % field->length;
}

static void look_around(struct growth *g, size_t site)
{
  size_t d = g->field->action.dimensions;
  for (size_t k = 0; k < d; k++) {
    size_t ahead = step_to(g, site, k, 0), behind = step_to(g, site, k, 1);
    follow(g, site, ahead, site * d + k);
    follow(g, site, behind, behind * d + k);
  }
}

static void fill_halo(const struct scalar_field *field)
{
  for (size_t row = 0; row < field->rows; row++) {
    double *x = field->phi + row * field->stride;
    x[-1] = x[field->length - 1];
    x[field->length] = x[0];
  }
}

double scalar_cluster_flip(struct scalar_field *field, uint64_t seed, uint64_t t)
{
  struct growth g = {.field = field,
                     .stream = {.seed = seed, .stream = 2 * t + 1},
                     .stack = (uint64_t *)(void *)field->trial,
                     .found = (bool *)(void *)field->other};
  size_t largest = 0;
  memset(g.found, 0, field->sites * sizeof *g.found);
  for (size_t site = 0; site < field->sites; site++) {
    if (g.found[site]) {
      continue;
    }
    g.size = 0;
    g.sign = philox_uniform(g.stream, field->sites * field->action.dimensions + site) < 0.5 ? -1 : 1;
    join(&g, site);
    while (g.waiting > 0) {
      look_around(&g, (size_t)g.stack[--g.waiting]);
    }
    largest = g.size > largest ? g.size : largest;
  }
  fill_halo(field);
  return (double)largest / (double)field->sites;
}
