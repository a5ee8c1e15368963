/* Gauge fields to go on from, checked. See gauge_first.h. */
#include "processes/lattice/gauge_first.h"

#include "datacube/source/gauge_sums.h"
#include "processes/lattice/chain_first.h"

#include <math.h>

/* Of a chain's own links, in double and in single precision, at most. */
#define ROUNDING 1e-13
#define ROUNDING_SINGLE 1e-5

static int check_lattice(struct call *call, const struct chain_first *first, const struct gauge_cube *cube,
                         const struct gauge_chain_parameters *p)
{
  bool same = cube->dimensions == p->dimensions && cube->colours == p->colours;
  for (size_t k = 0; same && k < p->dimensions; k++) {
    same = cube->extent[k] == p->extent[k];
  }
  if (same) {
    return 0;
  }
  const char *want = chain_shape_text(call->arena, p->dimensions, p->extent);
  const char *is = chain_shape_text(call->arena, cube->dimensions, cube->extent);
  const char *expected = arena_printf(call->arena, "on %s sites with %zu colours", want ? want : "?", p->colours);
  const char *given = arena_printf(call->arena, "it is on %s sites with %zu", is ? is : "?", cube->colours);
  return chain_first_invalid(call, first, expected, given);
}

/* How far the link is from being unitary, or from zero where there has to be none. */
static double off_group(const double *link, size_t colours, bool absent)
{
  double largest = 0;
  if (!absent) {
    return gauge_link_off(colours, link);
  }
  for (size_t i = 0; i < 2 * colours * colours; i++) {
    largest = fabs(link[i]) > largest || isnan(link[i]) ? fabs(link[i]) : largest;
  }
  return largest;
}

/* Whether that link leaves the last slice of an open axis. */
static bool is_absent(const struct gauge_chain_parameters *p, size_t site, size_t mu)
{
  for (size_t k = p->dimensions - 1; k > mu; k--) {
    site /= p->extent[k];
  }
  return p->action.open[mu] && (site + 1) % p->extent[mu] == 0;
}

/* Notes in p whether the links are rougher than a chain's. */
static int check_links(struct call *call, const struct chain_first *first, struct gauge_chain_parameters *p,
                       const double *values, size_t links)
{
  size_t each = p->colours * p->colours * 2;
  for (size_t i = 0; i < links; i++) {
    size_t site = i / p->dimensions, mu = i % p->dimensions;
    double off = off_group(values + i * each, p->colours, is_absent(p, site, mu));
    p->rough = p->rough || off > (p->single ? ROUNDING_SINGLE : ROUNDING);
    if (!(off < GAUGE_UNITARITY)) {
      const char *given =
          arena_printf(call->arena, "the link of direction x%zu at site %zu is not, by %.3g", mu, site, off);
      return chain_first_invalid(call, first, "whose links are unitary, and zero where they leave an open axis", given);
    }
    double turned = is_absent(p, site, mu) ? 0 : gauge_link_turned(p->colours, values + i * each);
    if (!(turned < GAUGE_UNITARITY)) {
      const char *given = arena_printf(call->arena, "|det U - 1| of the link of direction x%zu at site %zu is %.3g", mu,
                                       site, turned * (double)p->colours);
      return chain_first_invalid(call, first, "whose links have the determinant 1", given);
    }
  }
  return 0;
}

int gauge_first_read(struct call *call, const char *apart, struct gauge_model *model, size_t *chains)
{
  struct gauge_cube cube;
  struct chain_first first = {.what = "gauge fields", .apart = apart};
  double *values;
  bool computed;
  if (!call_has(call, "first")) {
    return 0;
  }
  if (call_gauge_cube(call, "first", &cube) != 0 || check_lattice(call, &first, &cube, &model->chain) != 0) {
    return -1;
  }
  first.node = cube.node;
  first.frames = cube.frames;
  if (chain_first_pick(call, &first, chains) != 0 ||
      chain_first_values(call, &first, &values, &model->first_text, &computed) != 0) {
    return -1;
  }
  model->first = values;
  size_t count = cube_elements(first.node->cube) / *chains; /* a configuration's */
  size_t links = count / (model->chain.colours * model->chain.colours);
  for (size_t c = 0; computed && c < *chains; c++) {
    if (check_links(call, &first, &model->chain, values + c * count * 2, links) != 0) {
      return -1;
    }
  }
  return 0;
}

int gauge_read_chains(struct call *call, struct gauge_model *model, struct markov_chain *chain)
{
  return chain_read_chains(call, chain) != 0 ? -1 : gauge_first_read(call, "chain", model, &chain->chains);
}
