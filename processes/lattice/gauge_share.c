/* One slab's workspace. See gauge_share.h. */
#include "processes/lattice/gauge_share.h"

#include "datacube/base/checked.h"

#include <stdlib.h>

const struct gauge_op *const gauge_shared_ops[] = {&gauge_flow_op,
                                                   &gauge_smear_op,
                                                   &gauge_propagator_op,
                                                   &gauge_mesons_op,
                                                   &gauge_condensate_op,
                                                   &gauge_plaquette_op,
                                                   &gauge_rectangle_op,
                                                   &gauge_polyakov_op,
                                                   &gauge_action_op,
                                                   &gauge_charge_op,
                                                   NULL};

size_t gauge_reach_next(const void *parameters)
{
  (void)parameters;
  return 1;
}

static const struct gauge_op *op_of(const struct gauge_parcel *parcel)
{
  return gauge_shared_ops[parcel->op];
}

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

static size_t rounded(size_t bytes)
{
  return saturated_add(bytes, 63) / 64 * 64;
}

/* Only the rank's number is looked at. */
static struct lattice_slab slab_of(const struct gauge_parcel *parcel, struct ranks *ranks)
{
  const struct gauge_split split = {ranks, parcel->parts, parcel->width};
  return gauge_split_slab(&split, parcel->extent[0]);
}

static size_t slices_of(const struct gauge_parcel *parcel, size_t rank)
{
  struct ranks one = {.rank = rank};
  return slab_of(parcel, &one).count;
}

/* Numbers (re or im) of the links from one slice. */
static size_t slice_numbers(const struct gauge_parcel *parcel)
{
  size_t numbers = parcel->dimensions * parcel->colours * parcel->colours * 2;
  for (size_t k = 1; k < parcel->dimensions; k++) {
    numbers = saturated_mul(numbers, parcel->extent[k]);
  }
  return numbers;
}

size_t gauge_share_elements(const struct gauge_parcel *parcel, size_t rank)
{
  return saturated_mul(saturated_mul(slice_numbers(parcel), slices_of(parcel, rank)),
                       parcel->narrow ? sizeof(float) : sizeof(double));
}

static size_t own_numbers(const struct gauge_parcel *parcel, size_t rank)
{
  return op_of(parcel)->by_site ? parcel->numbers / parcel->extent[0] * slices_of(parcel, rank) : parcel->numbers;
}

size_t gauge_share_result(const struct gauge_parcel *parcel, size_t rank)
{
  if (parcel->gives_field) {
    return gauge_share_elements(parcel, rank);
  }
  return op_of(parcel)->by_site || rank == 0 ? saturated_mul(own_numbers(parcel, rank), sizeof(double)) : 0;
}

struct share_sizes { /* bytes, multiples of 64; saturated */
  size_t tables, links, slab, elements, wide, numbers, scratch;
};

static struct share_sizes sizes_of(const struct gauge_parcel *parcel, const void *parameters, const struct ranks *ranks)
{
  struct gauge_cube cube = {.dimensions = parcel->dimensions, .colours = parcel->colours};
  struct ranks one = {.rank = ranks->rank};
  const struct lattice_slab slab = slab_of(parcel, &one);
  size_t extent[LATTICE_MAX_DIMENSIONS];
  for (size_t k = 0; k < LATTICE_MAX_DIMENSIONS; k++) {
    extent[k] = parcel->extent[k];
  }
  lattice_slab_extent(parcel->dimensions, extent, &slab, cube.extent);
  const struct lattice lattice = gauge_cube_lattice(&cube);
  const size_t elements = rounded(gauge_share_elements(parcel, ranks->rank));
  return (struct share_sizes){
      .tables = rounded(lattice_bytes(cube.dimensions, cube.extent)),
      .links = gauge_field_bytes(&lattice, cube.colours),
      .slab = gauge_slab_bytes(cube.dimensions, extent, slab.width, cube.colours),
      .elements = elements,
      .wide = parcel->narrow ? saturated_mul(elements, sizeof(double) / sizeof(float)) : 0,
      .numbers = parcel->gives_field ? 0 : rounded(saturated_mul(own_numbers(parcel, ranks->rank), sizeof(double))),
      .scratch = op_of(parcel)->scratch != NULL ? rounded(op_of(parcel)->scratch(&cube, parameters)) : 0};
}

static size_t sum_of(const struct share_sizes *sizes)
{
  const size_t *size = &sizes->tables;
  size_t sum = 0;
  for (size_t i = 0; i < sizeof *sizes / sizeof *size; i++) {
    sum = saturated_add(sum, size[i]);
  }
  return sizes->links == 0 ? SIZE_MAX : sum;
}

size_t gauge_share_bytes(const struct gauge_parcel *parcel, const void *parameters, const struct ranks *ranks)
{
  const struct share_sizes sizes = sizes_of(parcel, parameters, ranks);
  return sum_of(&sizes);
}

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

int gauge_share_open(struct gauge_share *share, const struct gauge_parcel *parcel, const void *parameters,
                     struct ranks *ranks, struct error *error)
{
  const struct share_sizes sizes = sizes_of(parcel, parameters, ranks);
  const struct gauge_split split = {ranks, parcel->parts, parcel->width};
  const struct lattice_slab slab = slab_of(parcel, ranks);
  const size_t bytes = sum_of(&sizes);
  size_t extent[LATTICE_MAX_DIMENSIONS];
  unsigned char *at = bytes == SIZE_MAX ? NULL : aligned_alloc(64, bytes);
  if (at == NULL) {
    return error_memory(error);
  }
  for (size_t k = 0; k < LATTICE_MAX_DIMENSIONS; k++) {
    extent[k] = parcel->extent[k];
  }
  *share = (struct gauge_share){.parcel = parcel, .parameters = parameters, .memory = at};
  lattice_init_slab(&share->lattice, parcel->dimensions, extent, &slab, at);
  at += sizes.tables;
  share->field = gauge_field_over(&share->lattice, parcel->colours, at);
  at += sizes.links;
  gauge_slab_open(&share->slab, &split, &share->lattice, parcel->colours, at);
  share->field.slab = &share->slab;
  at += sizes.slab;
  share->elements = at;
  at += sizes.elements;
  share->wide = sizes.wide > 0 ? (double *)(void *)at : share->elements;
  at += sizes.wide;
  share->numbers = (double *)(void *)at;
  share->scratch = at + sizes.numbers;
  return 0;
}

void gauge_share_close(struct gauge_share *share)
{
  free(share->memory);
  share->memory = NULL;
}

/* ---- computing --------------------------------------------------------------------------------------------------- */

static size_t element_numbers(const struct gauge_share *share)
{
  const struct gauge_parcel *parcel = share->parcel;
  return slice_numbers(parcel) * slices_of(parcel, share->slab.ranks->rank);
}

static void take_elements(struct gauge_share *share, unsigned threads)
{
  const float *narrow = share->elements;
  for (size_t i = 0; share->parcel->narrow && i < element_numbers(share); i++) {
    share->wide[i] = (double)narrow[i];
  }
  gauge_field_put(&share->field, threads, share->wide);
  gauge_slab_exchange_all(&share->field);
}

static void give_elements(struct gauge_share *share, unsigned threads)
{
  float *narrow = share->elements;
  gauge_field_get(&share->field, threads, share->wide);
  for (size_t i = 0; share->parcel->narrow && i < element_numbers(share); i++) {
    narrow[i] = (float)share->wide[i];
  }
}

/* Whether there is a gauge field: on all ranks, or what is wrong. */
static void judge(const struct gauge_share *share, unsigned threads, struct gauge_verdict *verdict)
{
  enum { FAULTY, MISSING, WORDS };
  struct exact_sum found[WORDS] = {0};
  verdict->faulty = !gauge_links_of_group(&share->field, threads, &verdict->fault);
  exact_sum_add(&found[FAULTY], verdict->faulty ? 1 : 0);
  exact_sum_add(&found[MISSING], verdict->faulty && gauge_links_missing(&share->field) ? 1 : 0);
  gauge_slab_total(&share->slab, found, WORDS);
  verdict->well = exact_sum_value(&found[FAULTY]) == 0;
  verdict->missing = exact_sum_value(&found[MISSING]) == (double)share->slab.parts;
}

int gauge_share_compute(struct gauge_share *share, const struct gauge_turn *turn, struct gauge_verdict *verdict,
                        struct error *error)
{
  const struct gauge_parcel *parcel = share->parcel;
  const struct gauge_job job = {.field = share->field,
                                .scratch = share->scratch,
                                .out = parcel->gives_field ? NULL : share->numbers,
                                .threads = turn->threads,
                                .cancel = turn->cancel};
  *verdict = (struct gauge_verdict){0};
  take_elements(share, turn->threads);
  judge(share, turn->threads, verdict);
  if (!verdict->well || share->slab.ranks->broken) {
    return 0;
  }
  if (op_of(parcel)->compute(share->parameters, &job, error) != 0) {
    return -1;
  }
  if (parcel->gives_field) {
    give_elements(share, turn->threads);
  }
  return 0;
}
