/* Slices to the neighbours, sums to rank 0 and back. See gauge_slab.h. */
#include "physics/lattice/gauge_slab.h"

#include "datacube/base/checked.h"

enum { LANE_BITS = 3, LANE_MASK = LATTICE_LANES - 1, SPINOR_NUMBERS = 2 * 4 /* most, times the colours */ };

/* Slices are dealt in pairs. */
static size_t begin_of(const struct gauge_split *split, size_t slices, size_t rank)
{
  return 2 * ranks_share(slices / 2, rank, split->parts);
}

struct lattice_slab gauge_split_slab(const struct gauge_split *split, size_t slices)
{
  if (split->ranks == NULL) {
    return (struct lattice_slab){.count = slices};
  }
  size_t begin = begin_of(split, slices, split->ranks->rank);
  return (struct lattice_slab){begin, begin_of(split, slices, split->ranks->rank + 1) - begin, split->width};
}

size_t gauge_split_pieces(size_t dimensions, const size_t *extent, size_t width)
{
  for (size_t k = 0; k < dimensions; k++) {
    if (extent[k] % 2 != 0) {
      return 1;
    }
  }
  return extent[0] >= 4 * width ? extent[0] / 2 : 1;
}

static size_t rounded(size_t bytes)
{
  return saturated_add(bytes, 63) / 64 * 64;
}

static size_t slice_sites(size_t dimensions, const size_t *extent)
{
  size_t sites = 1;
  for (size_t k = 1; k < dimensions; k++) {
    sites = saturated_mul(sites, extent[k]);
  }
  return sites;
}

/* Doubles of a site that may be sent. */
static size_t site_numbers(size_t dimensions, size_t colours)
{
  size_t links = dimensions * 2 * colours * colours, spinor = SPINOR_NUMBERS * colours;
  return links > spinor ? links : spinor;
}

size_t gauge_slab_bytes(size_t dimensions, const size_t *extent, size_t width, size_t colours)
{
  size_t sites = saturated_mul(width, slice_sites(dimensions, extent));
  size_t lists = saturated_mul(SLAB_SLICES, rounded(saturated_mul(sites, sizeof(uint32_t))));
  size_t links = rounded(saturated_mul(sites, site_numbers(dimensions, colours) * sizeof(double)));
  return saturated_add(lists, saturated_mul(2, links));
}

/* Sites of some slices, row-major. */
static void list_slices(const struct lattice *lattice, size_t x0, size_t count, uint32_t *to)
{
  size_t at[LATTICE_MAX_DIMENSIONS], block, lane;
  for (size_t i = 0; i < count * slice_sites(lattice->dimensions, lattice->extent); i++) {
    size_t rest = i;
    for (size_t k = lattice->dimensions; k-- > 1;) {
      at[k] = rest % lattice->extent[k];
      rest /= lattice->extent[k];
    }
    at[0] = x0 + rest;
    lattice_locate(lattice, at, &block, &lane);
    to[i] = (uint32_t)(block << LANE_BITS | lane);
  }
}

void gauge_slab_open(struct gauge_slab *slab, const struct gauge_split *split, const struct lattice *lattice,
                     size_t colours, void *memory)
{
  const size_t width = split->width, count = lattice->extent[0] - 2 * width;
  const size_t where[] = {
      [SLAB_FIRST] = 0, [SLAB_LAST] = count - width, [SLAB_ABOVE] = count, [SLAB_BELOW] = count + width};
  unsigned char *at = memory;
  slab->ranks = split->ranks;
  slab->parts = split->parts;
  slab->above = (split->ranks->rank + 1) % split->parts;
  slab->below = (split->ranks->rank + split->parts - 1) % split->parts;
  slab->sites = width * slice_sites(lattice->dimensions, lattice->extent);
  for (size_t s = 0; s < SLAB_SLICES; s++) {
    slab->slice[s] = (uint32_t *)at;
    at += rounded(slab->sites * sizeof(uint32_t));
    list_slices(lattice, where[s], width, slab->slice[s]);
  }
  slab->out = (double *)at;
  slab->in = (double *)(at + rounded(slab->sites * site_numbers(lattice->dimensions, colours) * sizeof(double)));
}

/* ---- halo -------------------------------------------------------------------------------------------------------- */

struct slab_links { /* some of those of a site */
  struct gauge_field *field;
  size_t mu, count; /* directions */
  bool colour[2];   /* from even sites, from odd ones */
};

/* Where the links of a site in the list begin, lane and all; SIZE_MAX where the site has another colour. */
static size_t find_links(const struct slab_links *links, uint32_t site)
{
  const struct gauge_field *field = links->field;
  size_t block = site >> LANE_BITS;
  bool odd = block >= field->lattice->blocks / 2;
  size_t at = block * gauge_block_stride(field) + links->mu * gauge_matrix_stride(field) + (site & LANE_MASK);
  return links->colour[odd] ? at : SIZE_MAX;
}

/* Returns the numbers that were packed. */
static size_t pack_slice(const struct slab_links *links, enum slab_slice slice)
{
  const struct gauge_slab *slab = links->field->slab;
  const double *wide = links->field->links;
  const float *narrow = links->field->narrow;
  const size_t numbers = links->count * gauge_matrix_stride(links->field) / LATTICE_LANES;
  size_t count = 0;
  for (size_t s = 0; s < slab->sites; s++) {
    const size_t at = find_links(links, slab->slice[slice][s]);
    for (size_t i = 0; i < numbers && at != SIZE_MAX; i++) {
      slab->out[count++] = narrow != NULL ? (double)narrow[at + i * LATTICE_LANES] : wide[at + i * LATTICE_LANES];
    }
  }
  return count;
}

static void put_number(struct gauge_field *field, size_t at, double value)
{
  if (field->narrow != NULL) {
    field->narrow[at] = (float)value;
  } else {
    field->links[at] = value;
  }
}

/* To the site's own lane and to those that repeat it. */
static void unpack_slice(const struct slab_links *links, enum slab_slice slice)
{
  const struct gauge_slab *slab = links->field->slab;
  const size_t lanes = links->field->lattice->lanes;
  const size_t numbers = links->count * gauge_matrix_stride(links->field) / LATTICE_LANES;
  size_t count = 0;
  for (size_t s = 0; s < slab->sites; s++) {
    const size_t at = find_links(links, slab->slice[slice][s]);
    for (size_t i = 0; i < numbers && at != SIZE_MAX; i++, count++) {
      for (size_t lane = slab->slice[slice][s] & LANE_MASK, to = 0; lane + to < LATTICE_LANES; to += lanes) {
        put_number(links->field, at + i * LATTICE_LANES + to, slab->in[count]);
      }
    }
  }
}

/* Half of a slice's sites have each colour: as many links come as go. */
static void shift(const struct slab_links *links, enum slab_slice from, size_t to, enum slab_slice into, size_t source)
{
  struct gauge_slab *slab = links->field->slab;
  struct error ignored = {0}; /* ranks->broken stays */
  size_t bytes = pack_slice(links, from) * sizeof(double);
  const struct ranks_message out = {to, slab->out, bytes}, in = {source, slab->in, bytes};
  if (ranks_exchange(slab->ranks, &out, &in, &ignored) == 0) {
    unpack_slice(links, into);
  }
}

static void shift_both(const struct slab_links *links)
{
  const struct gauge_slab *slab = links->field->slab;
  shift(links, SLAB_LAST, slab->above, SLAB_BELOW, slab->below);
  shift(links, SLAB_FIRST, slab->below, SLAB_ABOVE, slab->above);
}

void gauge_slab_exchange(struct gauge_field *field, size_t mu, bool odd)
{
  if (field->slab != NULL) {
    shift_both(&(struct slab_links){field, mu, 1, {!odd, odd}});
  }
}

void gauge_slab_exchange_all(struct gauge_field *field)
{
  if (field->slab != NULL) {
    shift_both(&(struct slab_links){field, 0, field->lattice->dimensions, {true, true}});
  }
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static int gather_sums(const struct gauge_split *split, struct exact_sum *sums, size_t count, struct error *error)
{
  struct exact_sum part;
  for (size_t r = 1; r < split->parts; r++) {
    for (size_t i = 0; i < count; i++) {
      if (ranks_receive(split->ranks, r, &part, sizeof part, error) != 0) {
        return -1;
      }
      exact_sum_merge(&sums[i], &part);
    }
  }
  for (size_t r = 1; r < split->parts; r++) {
    if (ranks_send(split->ranks, r, sums, count * sizeof *sums, error) != 0) {
      return -1;
    }
  }
  return 0;
}

void gauge_split_total(const struct gauge_split *split, struct exact_sum *sums, size_t count)
{
  struct error ignored = {0};
  if (split->ranks == NULL) {
    return;
  }
  if (split->ranks->rank == 0) {
    gather_sums(split, sums, count, &ignored);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    ranks_send(split->ranks, 0, &sums[i], sizeof *sums, &ignored);
  }
  ranks_receive(split->ranks, 0, sums, count * sizeof *sums, &ignored);
}

void gauge_slab_total(const struct gauge_slab *slab, struct exact_sum *sums, size_t count)
{
  if (slab != NULL) {
    gauge_split_total(&(struct gauge_split){.ranks = slab->ranks, .parts = slab->parts}, sums, count);
  }
}

void gauge_slab_largest(const struct gauge_slab *slab, double *value)
{
  struct error ignored = {0};
  double other;
  if (slab == NULL) {
    return;
  }
  if (slab->ranks->rank > 0) {
    ranks_send(slab->ranks, 0, value, sizeof *value, &ignored);
    ranks_receive(slab->ranks, 0, value, sizeof *value, &ignored);
    return;
  }
  for (size_t r = 1; r < slab->parts && ranks_receive(slab->ranks, r, &other, sizeof other, &ignored) == 0; r++) {
    *value = other > *value ? other : *value;
  }
  for (size_t r = 1; r < slab->parts; r++) {
    ranks_send(slab->ranks, r, value, sizeof *value, &ignored);
  }
}

enum { COLLECTED = 512 };

void gauge_slab_collect(const struct gauge_slab *slab, double *values, size_t count)
{
  struct error ignored = {0};
  double others[COLLECTED];
  for (size_t first = 0; slab != NULL && first < count; first += COLLECTED) {
    const size_t some = count - first < COLLECTED ? count - first : COLLECTED;
    if (slab->ranks->rank > 0) {
      ranks_send(slab->ranks, 0, values + first, some * sizeof *values, &ignored);
    }
    for (size_t r = 1; slab->ranks->rank == 0 && r < slab->parts; r++) {
      if (ranks_receive(slab->ranks, r, others, some * sizeof *values, &ignored) != 0) {
        return;
      }
      for (size_t i = 0; i < some; i++) {
        values[first + i] += others[i];
      }
    }
  }
}
