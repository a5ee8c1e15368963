/* The lattice's tables. See lattice.h. */
#include "physics/lattice/lattice.h"

#include "datacube/base/checked.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static size_t round_up(size_t n)
{
  return (n + 63) / 64 * 64;
}

/* ---- sublattices ------------------------------------------------------------------------------------------------- */

/* Cuts the axis with the longest even-halved part again and again, the slowest first among equals. */
static void cut_axes(struct lattice *lattice)
{
  lattice->lanes = 1;
  while (lattice->lanes < LATTICE_LANES) {
    size_t best = LATTICE_MAX_DIMENSIONS;
    for (size_t k = 0; k < lattice->dimensions; k++) {
      bool halves = lattice->has_parity && lattice->inner[k] % 4 == 0;
      if (halves && (best == LATTICE_MAX_DIMENSIONS || lattice->inner[k] > lattice->inner[best])) {
        best = k;
      }
    }
    if (best == LATTICE_MAX_DIMENSIONS) {
      return;
    }
    lattice->inner[best] /= 2;
    lattice->parts[best] *= 2;
    lattice->lanes *= 2;
  }
}

int lattice_describe(struct lattice *lattice, size_t dimensions, const size_t *extent)
{
  *lattice = (struct lattice){.dimensions = dimensions, .sites = 1, .has_parity = true};
  if (dimensions < 1 || dimensions > LATTICE_MAX_DIMENSIONS) {
    return -1;
  }
  for (size_t k = 0; k < dimensions; k++) {
    if (extent[k] < 1 || checked_mul(lattice->sites, extent[k], &lattice->sites) != 0) {
      return -1;
    }
    lattice->extent[k] = lattice->inner[k] = extent[k];
    lattice->parts[k] = 1;
    lattice->has_parity = lattice->has_parity && extent[k] % 2 == 0;
  }
  lattice->whole = lattice->extent[0];
  cut_axes(lattice);
  lattice->blocks = lattice->sites / lattice->lanes;
  return lattice->blocks <= LATTICE_BLOCK ? 0 : -1;
}

size_t lattice_bytes(size_t dimensions, const size_t *extent)
{
  struct lattice lattice;
  if (lattice_describe(&lattice, dimensions, extent) != 0) {
    return 0;
  }
  size_t link = saturated_mul(lattice.blocks, 2 * dimensions * sizeof *lattice.link);
  size_t each = saturated_mul(lattice.blocks, sizeof *lattice.place);
  size_t bytes = saturated_add(saturated_add(link, saturated_mul(each, 2)), 3 * 64);
  return bytes == SIZE_MAX ? 0 : round_up(link) + 2 * round_up(each);
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* Row-major number of a position in a grid of that shape, and back. */
static size_t number_of(size_t dimensions, const size_t *shape, const size_t *position)
{
  size_t number = 0;
  for (size_t k = 0; k < dimensions; k++) {
    number = number * shape[k] + position[k];
  }
  return number;
}

static void position_of(size_t dimensions, const size_t *shape, size_t number, size_t *position)
{
  for (size_t k = dimensions; k-- > 0;) {
    position[k] = number % shape[k];
    number /= shape[k];
  }
}

void lattice_locate(const struct lattice *lattice, const size_t *coordinate, size_t *block, size_t *lane)
{
  size_t part[LATTICE_MAX_DIMENSIONS], within[LATTICE_MAX_DIMENSIONS];
  for (size_t k = 0; k < lattice->dimensions; k++) {
    part[k] = coordinate[k] / lattice->inner[k];
    within[k] = coordinate[k] % lattice->inner[k];
  }
  *lane = number_of(lattice->dimensions, lattice->parts, part);
  *block = lattice->block[number_of(lattice->dimensions, lattice->inner, within)];
}

void lattice_coordinates(const struct lattice *lattice, size_t block, size_t lane, size_t *coordinate)
{
  size_t part[LATTICE_MAX_DIMENSIONS];
  position_of(lattice->dimensions, lattice->parts, lane % lattice->lanes, part);
  position_of(lattice->dimensions, lattice->inner, lattice->place[block], coordinate);
  for (size_t k = 0; k < lattice->dimensions; k++) {
    coordinate[k] += part[k] * lattice->inner[k];
  }
}

size_t lattice_site(const struct lattice *lattice, size_t block, size_t lane)
{
  size_t coordinate[LATTICE_MAX_DIMENSIONS];
  lattice_coordinates(lattice, block, lane, coordinate);
  coordinate[0] = lattice_slice(lattice, coordinate[0]);
  return number_of(lattice->dimensions, lattice->extent, coordinate); /* in which extent[0] does not come in */
}

size_t lattice_own_site(const struct lattice *lattice, size_t block, size_t lane)
{
  size_t coordinate[LATTICE_MAX_DIMENSIONS];
  lattice_coordinates(lattice, block, lane, coordinate);
  return lattice_is_halo(lattice, coordinate[0]) ? SIZE_MAX
                                                 : number_of(lattice->dimensions, lattice->extent, coordinate);
}

void lattice_sites(const struct lattice *lattice, size_t block, uint32_t site[LATTICE_LANES])
{
  const uint32_t first = (uint32_t)lattice_site(lattice, block, 0);
  for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
    site[lane] = lattice->halo == 0 ? first + lattice->lane_site[lane] : (uint32_t)lattice_site(lattice, block, lane);
  }
}

size_t lattice_slice(const struct lattice *lattice, size_t at)
{
  bool before = lattice->halo > 0 && at + lattice->halo / 2 >= lattice->extent[0];
  return (lattice->begin + (before ? lattice->whole - (lattice->extent[0] - at) : at)) % lattice->whole;
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static bool is_odd(const struct lattice *lattice, size_t place)
{
  size_t position[LATTICE_MAX_DIMENSIONS], sum = 0;
  position_of(lattice->dimensions, lattice->inner, place, position);
  for (size_t k = 0; k < lattice->dimensions; k++) {
    sum += position[k];
  }
  return sum % 2 != 0;
}

static void order_blocks(struct lattice *lattice)
{
  size_t next[2] = {0, lattice->blocks / 2};
  for (size_t place = 0; place < lattice->blocks; place++) {
    size_t block = lattice->has_parity ? next[is_odd(lattice, place)]++ : place;
    lattice->block[place] = (uint32_t)block;
    lattice->place[block] = (uint32_t)place;
  }
}

/* One step from there along axis k; it may leave the sublattice. */
static size_t stepped(size_t extent, size_t at, bool backward)
{
  return backward ? (at + extent - 1) % extent : (at + 1) % extent;
}

static void link_block(struct lattice *lattice, size_t block)
{
  size_t position[LATTICE_MAX_DIMENSIONS];
  position_of(lattice->dimensions, lattice->inner, lattice->place[block], position);
  for (size_t direction = 0; direction < 2 * lattice->dimensions; direction++) {
    size_t k = direction / 2, here = position[k];
    bool backward = direction % 2 != 0, leaves = backward ? here == 0 : here + 1 == lattice->inner[k];
    position[k] = stepped(lattice->inner[k], here, backward);
    uint32_t to = lattice->block[number_of(lattice->dimensions, lattice->inner, position)];
    lattice->link[block * 2 * lattice->dimensions + direction] =
        to | (leaves && lattice->parts[k] > 1 ? LATTICE_CROSSES : 0);
    position[k] = here;
  }
}

static void permute_lanes(struct lattice *lattice, size_t direction)
{
  size_t k = direction / 2, part[LATTICE_MAX_DIMENSIONS];
  for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
    position_of(lattice->dimensions, lattice->parts, lane % lattice->lanes, part);
    part[k] = stepped(lattice->parts[k], part[k], direction % 2 != 0);
    size_t to = number_of(lattice->dimensions, lattice->parts, part);
    lattice->permutation[direction][lane] = (uint8_t)(to + lane / lattice->lanes * lattice->lanes);
  }
}

void lattice_init(struct lattice *lattice, size_t dimensions, const size_t *extent, void *memory)
{
  int status = lattice_describe(lattice, dimensions, extent);
  assert(status == 0);
  (void)status;
  unsigned char *bytes = memory;
  lattice->link = memory;
  lattice->place = (uint32_t *)(bytes + round_up(lattice->blocks * 2 * dimensions * sizeof *lattice->link));
  lattice->block = lattice->place + round_up(lattice->blocks * sizeof *lattice->place) / sizeof *lattice->place;
  order_blocks(lattice);
  for (size_t block = 0; block < lattice->blocks; block++) {
    link_block(lattice, block);
  }
  for (size_t direction = 0; direction < 2 * dimensions; direction++) {
    permute_lanes(lattice, direction);
  }
  for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
    lattice->lane_site[lane] = (uint32_t)(lattice_site(lattice, 0, lane) - lattice_site(lattice, 0, 0));
  }
}

void lattice_slab_extent(size_t dimensions, const size_t *extent, const struct lattice_slab *slab, size_t *out)
{
  memcpy(out, extent, dimensions * sizeof *out);
  out[0] = slab->count + 2 * slab->width;
}

void lattice_init_slab(struct lattice *lattice, size_t dimensions, const size_t *extent,
                       const struct lattice_slab *slab, void *memory)
{
  size_t own[LATTICE_MAX_DIMENSIONS];
  lattice_slab_extent(dimensions, extent, slab, own);
  lattice_init(lattice, dimensions, own, memory);
  lattice->begin = slab->begin;
  lattice->whole = extent[0];
  lattice->halo = 2 * slab->width;
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

void lattice_run(unsigned threads, size_t first, size_t last, lattice_task *task, void *context)
{
  size_t count = last - first, parts = threads < count ? threads : count;
  if (parts <= 1) {
    task(context, first, last);
    return;
  }
#pragma omp parallel for num_threads((int)parts) schedule(static, 1)
  for (size_t t = 0; t < parts; t++) {
    task(context, first + count * t / parts, first + count * (t + 1) / parts);
  }
}

double lattice_sum(const double *values, size_t count)
{
  double sum = 0, lost = 0;
  for (size_t i = 0; i < count; i++) {
    double next = sum + values[i];
    lost += fabs(sum) >= fabs(values[i]) ? (sum - next) + values[i] : (values[i] - next) + sum;
    sum = next;
  }
  return sum + lost;
}
