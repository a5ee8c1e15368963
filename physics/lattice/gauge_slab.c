/* Slices to the neighbours, slabs to rank 0. See gauge_slab.h. */
#include "physics/lattice/gauge_slab.h"

#include "datacube/base/checked.h"

enum { LANE_BITS = 3, LANE_MASK = LATTICE_LANES - 1 };

/* Slices are dealt in pairs. */
static size_t begin_of(const struct gauge_split *split, size_t slices, size_t rank)
{
  return 2 * ranks_share(slices / 2, rank, split->parts);
}

void gauge_split_slices(const struct gauge_split *split, size_t slices, size_t *begin, size_t *count)
{
  *begin = split->ranks != NULL ? begin_of(split, slices, split->ranks->rank) : 0;
  *count = split->ranks != NULL ? begin_of(split, slices, split->ranks->rank + 1) - *begin : slices;
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

size_t gauge_slab_bytes(size_t dimensions, const size_t *extent, size_t colours)
{
  size_t sites = slice_sites(dimensions, extent);
  size_t lists = saturated_mul(SLAB_SLICES, rounded(saturated_mul(sites, sizeof(uint32_t))));
  size_t links = rounded(saturated_mul(sites, 2 * colours * colours * sizeof(double)));
  return saturated_add(lists, saturated_mul(2, links));
}

/* The slice's sites, row-major. */
static void list_slice(const struct lattice *lattice, size_t x0, uint32_t *to)
{
  size_t at[LATTICE_MAX_DIMENSIONS] = {x0}, block, lane;
  for (size_t i = 0; i < slice_sites(lattice->dimensions, lattice->extent); i++) {
    size_t rest = i;
    for (size_t k = lattice->dimensions; k-- > 1;) {
      at[k] = rest % lattice->extent[k];
      rest /= lattice->extent[k];
    }
    lattice_locate(lattice, at, &block, &lane);
    to[i] = (uint32_t)(block << LANE_BITS | lane);
  }
}

void gauge_slab_open(struct gauge_slab *slab, const struct gauge_split *split, const struct lattice *lattice,
                     size_t colours, void *memory)
{
  const size_t count = lattice->extent[0] - lattice->halo;
  const size_t where[] = {[SLAB_FIRST] = 0, [SLAB_LAST] = count - 1, [SLAB_ABOVE] = count, [SLAB_BELOW] = count + 1};
  unsigned char *at = memory;
  slab->ranks = split->ranks;
  slab->above = (split->ranks->rank + 1) % split->parts;
  slab->below = (split->ranks->rank + split->parts - 1) % split->parts;
  slab->sites = slice_sites(lattice->dimensions, lattice->extent);
  for (size_t s = 0; s < SLAB_SLICES; s++) {
    slab->slice[s] = (uint32_t *)at;
    at += rounded(slab->sites * sizeof(uint32_t));
    list_slice(lattice, where[s], slab->slice[s]);
  }
  slab->out = (double *)at;
  slab->in = (double *)(at + rounded(slab->sites * 2 * colours * colours * sizeof(double)));
}

/* ---- halo -------------------------------------------------------------------------------------------------------- */

struct slab_links { /* those of one direction, from sites of one colour */
  struct gauge_field *field;
  size_t mu;
  bool odd;
};

/* Where the link of a site in the list is, lane and all; NULL where the site has the other colour. */
static double *find_link(const struct slab_links *links, uint32_t site)
{
  size_t block = site >> LANE_BITS;
  bool odd = block >= links->field->lattice->blocks / 2;
  return odd == links->odd ? gauge_link(links->field, block, links->mu) + (site & LANE_MASK) : NULL;
}

/* Returns the numbers that were packed. */
static size_t pack_slice(const struct slab_links *links, enum slab_slice slice)
{
  const struct gauge_slab *slab = links->field->slab;
  size_t numbers = gauge_matrix_stride(links->field) / LATTICE_LANES, count = 0;
  for (size_t s = 0; s < slab->sites; s++) {
    const double *link = find_link(links, slab->slice[slice][s]);
    for (size_t i = 0; i < numbers && link != NULL; i++) {
      slab->out[count++] = link[i * LATTICE_LANES];
    }
  }
  return count;
}

/* To the site's own lane and to those that repeat it. */
static void unpack_slice(const struct slab_links *links, enum slab_slice slice)
{
  const struct gauge_slab *slab = links->field->slab;
  const size_t lanes = links->field->lattice->lanes;
  size_t numbers = gauge_matrix_stride(links->field) / LATTICE_LANES, count = 0;
  for (size_t s = 0; s < slab->sites; s++) {
    double *link = find_link(links, slab->slice[slice][s]);
    for (size_t i = 0; i < numbers && link != NULL; i++, count++) {
      for (size_t lane = slab->slice[slice][s] & LANE_MASK, to = 0; lane + to < LATTICE_LANES; to += lanes) {
        link[i * LATTICE_LANES + to] = slab->in[count];
      }
    }
  }
}

/* First slices are all even, last ones odd: as many links of the colour come as go. */
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

void gauge_slab_exchange(struct gauge_field *field, size_t mu, bool odd)
{
  struct gauge_slab *slab = field->slab;
  const struct slab_links links = {field, mu, odd};
  if (slab != NULL) {
    shift(&links, SLAB_LAST, slab->above, SLAB_BELOW, slab->below);
    shift(&links, SLAB_FIRST, slab->below, SLAB_ABOVE, slab->above);
  }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

struct placed_slab { /* values of slices from `begin` on, as gauge_field_get gives them */
  struct gauge_field *whole;
  const double *values;
  size_t begin, sites; /* of a slice */
};

/* As unpack_slice. */
static void place_site(struct gauge_field *field, const size_t *at, const double *values)
{
  const size_t lanes = field->lattice->lanes, numbers = gauge_block_stride(field) / LATTICE_LANES;
  size_t block, lane;
  lattice_locate(field->lattice, at, &block, &lane);
  double *links = gauge_link(field, block, 0);
  for (size_t i = 0; i < numbers; i++) {
    for (size_t to = lane; to < LATTICE_LANES; to += lanes) {
      links[i * LATTICE_LANES + to] = values[i];
    }
  }
}

static void place_slices(void *context, size_t first, size_t last)
{
  const struct placed_slab *slab = context;
  const struct lattice *lattice = slab->whole->lattice;
  const size_t numbers = gauge_block_stride(slab->whole) / LATTICE_LANES;
  const double *values = slab->values + (first - slab->begin) * slab->sites * numbers;
  for (size_t i = first * slab->sites; i < last * slab->sites; i++, values += numbers) {
    size_t at[LATTICE_MAX_DIMENSIONS], rest = i;
    for (size_t k = lattice->dimensions; k-- > 0;) {
      at[k] = rest % lattice->extent[k];
      rest /= lattice->extent[k];
    }
    place_site(slab->whole, at, values);
  }
}

void gauge_slab_gather(const struct gauge_field *field, const struct gauge_split *split, unsigned threads,
                       double *values, struct gauge_field *whole)
{
  struct error ignored = {0};
  const size_t slices = field->lattice->whole;
  const size_t bytes = field->slab->sites * gauge_block_stride(field) / LATTICE_LANES * sizeof(double);
  gauge_field_get(field, threads, values);
  if (split->ranks->rank > 0) {
    ranks_send(split->ranks, 0, values, bytes * (field->lattice->extent[0] - field->lattice->halo), &ignored);
    return;
  }
  for (size_t r = 0; r < split->parts; r++) {
    size_t begin = begin_of(split, slices, r), end = begin_of(split, slices, r + 1);
    if (r > 0 && ranks_receive(split->ranks, r, values, bytes * (end - begin), &ignored) != 0) {
      return;
    }
    lattice_run(threads, begin, end, place_slices, &(struct placed_slab){whole, values, begin, field->slab->sites});
  }
}
