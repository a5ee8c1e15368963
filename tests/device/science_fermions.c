/* Dirac operators on the device: physics/lattice/fermion_device.h against the CPU's kernels, in doubles and floats. */
#include "physics/lattice/dirac.h"
#include "physics/lattice/fermion_device.h"
#include "physics/random/philox.h"
#include "tests/device/science_check.h"

#include <stdlib.h>
#include <string.h>

struct quark {
  struct check_shape shape;
  struct dirac_rule rule;
  enum fermion_type type;
};

#define AXES(...) .hopping.boundary = {__VA_ARGS__}
#define WILSON .kappa = 0.13, .clover = 1.2
static const struct quark quarks[] = {
    {{1, 2, {8, 6}, false}, {WILSON, AXES(BOUNDARY_ANTIPERIODIC)}, FERMION_F32},
    {{3, 4, {4, 4, 2, 4}, false}, {WILSON, AXES(BOUNDARY_ANTIPERIODIC)}, FERMION_F64},
    {{3, 4, {4, 4, 2, 4}, false}, {WILSON, AXES(BOUNDARY_ANTIPERIODIC)}, FERMION_F32},
    {{2, 3, {4, 6, 2}, true}, {WILSON, AXES(BOUNDARY_PERIODIC, BOUNDARY_OPEN)}, FERMION_F64},
    {{3, 4, {2, 4, 2, 6}, false}, {.mass = 0.3, .hopping.staggered = true, AXES(BOUNDARY_ANTIPERIODIC)}, FERMION_F64},
};

/* Fields of one quark: `host` of the CPU's, in its type. */
struct quark_fields {
  struct check_field gauge;
  struct dirac dirac;
  enum fermion_type type;
  size_t bytes; /* of a field on all blocks */
  void *memory, *host[3];
  struct fermion_device device;
  struct science_array arrays[3], sites;
};

/* Normal numbers, of the type. */
static void fill(const struct quark_fields *q, void *field, uint64_t stream)
{
  const size_t count = q->bytes / fermion_real_bytes(q->type);
  double *const numbers = room_new(count * sizeof *numbers);
  if (!numbers)
    return;
  philox_normals((struct philox_stream){3, stream}, 0, count, numbers);
  for (size_t i = 0; i < count; i++) /* lanes that repeat others have their numbers */
    numbers[i] = numbers[i - i % LATTICE_LANES + i % LATTICE_LANES % q->gauge.lattice.lanes];
  if (q->type == FERMION_F32)
    fermion_narrow(numbers, count, field);
  else
    memcpy(field, numbers, q->bytes);
  free(numbers);
}

static int make_quark(struct quark_fields *q, const struct quark *quark, struct error *error)
{
  *q = (struct quark_fields){.type = quark->type};
  if (field_make(&q->gauge, &quark->shape, error) != 0)
    return -1;
  q->memory = room_new(dirac_bytes(&q->gauge.field, &quark->rule, true));
  if (!q->memory)
    return error_memory(error);
  if (dirac_init(&q->dirac, &q->gauge.field, &quark->rule, true, 1, q->memory) != 0)
    return error_set(error, ERROR_Internal, "the clover term has no inverse");
  q->bytes = fermion_bytes(&q->dirac.shape, q->type, q->gauge.lattice.blocks);
  for (size_t i = 0; i < 3; i++) {
    q->host[i] = room_new(q->bytes);
    if (!q->host[i])
      return error_memory(error);
    fill(q, q->host[i], i);
  }
  return 0;
}

static size_t site_bytes(const struct quark_fields *q)
{
  const size_t rows = q->dirac.shape.spins / 2 * q->dirac.shape.colours;
  return q->gauge.lattice.blocks * 2 * rows * rows * 2 * LATTICE_LANES * fermion_real_bytes(q->type);
}

static int put_quark(struct science *science, struct quark_fields *q, struct error *error)
{
  if (fermion_device_init(&q->device, science, &q->dirac.shape, q->type, q->dirac.links[q->type], error) != 0)
    return -1;
  for (size_t i = 0; i < 3; i++)
    if (lattice_device_array(&q->device.at, q->host[i], q->bytes, &q->arrays[i], error) != 0)
      return -1;
  return q->dirac.staggered
             ? 0
             : lattice_device_array(&q->device.at, q->dirac.site[q->type], site_bytes(q), &q->sites, error);
}

/* 1 = 0.7 H 0 on all sites; then even 2 = even 0 - 0.4 H odd 1; then 0 = A 2. */
static int hop_device(struct science *science, struct quark_fields *q, void *have[3], struct error *error)
{
  const size_t blocks = q->gauge.lattice.blocks, half = blocks / 2;
  struct science_array odd = q->arrays[1];
  odd.address += q->bytes / 2;
  const struct device_hop all = {.in = &q->arrays[0], .out = &q->arrays[1], .range = {0, blocks}, .factor = 0.7};
  const struct device_hop to_even = {
      .in = &odd, .base = &q->arrays[0], .out = &q->arrays[2], .in_first = half, .range = {0, half}, .factor = -0.4};
  const struct device_site site = {&q->sites, &q->arrays[2], &q->arrays[0], blocks};
  if (fermion_device_hop(&q->device, &all, error) != 0 || fermion_device_hop(&q->device, &to_even, error) != 0 ||
      (!q->dirac.staggered && fermion_device_site(&q->device, &site, error) != 0))
    return -1;
  for (size_t i = 0; i < 3; i++)
    if (science_take(science, &q->arrays[i], have[i], q->bytes, error) != 0)
      return -1;
  return 0;
}

static void hop_cpu(struct quark_fields *q)
{
  const struct fermion_kernels *kernels = fermion_kernels(q->type);
  const size_t blocks = q->gauge.lattice.blocks, half = blocks / 2;
  struct hop_task hop = {
      .shape = q->dirac.shape, .links = q->dirac.links[q->type], .in = q->host[0], .out = q->host[1], .factor = 0.7};
  kernels->hop(&hop, 0, blocks);
  hop.in = (unsigned char *)q->host[1] + q->bytes / 2, hop.base = q->host[0], hop.out = q->host[2];
  hop.in_first = half, hop.factor = -0.4;
  kernels->hop(&hop, 0, half);
  struct site_task site = {.halves = 2,
                           .rows = q->dirac.shape.spins / 2 * q->dirac.shape.colours,
                           .matrix = q->dirac.site[q->type],
                           .x = q->host[2],
                           .out = q->host[0]};
  if (!q->dirac.staggered)
    kernels->site(&site, 0, blocks);
}

static double number_of(const struct quark_fields *q, const void *field, size_t i)
{
  return q->type == FERMION_F32 ? (double)((const float *)field)[i] : ((const double *)field)[i];
}

static int compare_hops(struct science *science, struct quark_fields *q, struct outcome *out, struct error *error)
{
  void *have[3] = {room_new(q->bytes), room_new(q->bytes), room_new(q->bytes)};
  int status = have[0] && have[1] && have[2] ? 0 : error_memory(error);
  double begin = now();
  if (status == 0)
    status = hop_device(science, q, have, error);
  out->on_device = now() - begin, begin = now();
  if (status == 0) {
    hop_cpu(q);
    out->on_cpu = now() - begin;
    for (size_t i = 0; i < 3 * q->bytes / fermion_real_bytes(q->type); i++) {
      const size_t count = q->bytes / fermion_real_bytes(q->type);
      note(out, number_of(q, have[i / count], i % count), number_of(q, q->host[i / count], i % count));
    }
  }
  for (size_t i = 0; i < 3; i++)
    free(have[i]);
  return status;
}

static int check_hops(struct science *science, const struct check *check, struct outcome *out, struct error *error)
{
  struct quark_fields q;
  int status = make_quark(&q, check->what, error);
  if (status == 0)
    status = put_quark(science, &q, error);
  if (status == 0)
    status = compare_hops(science, &q, out, error);
  for (size_t i = 0; i < 3; i++) {
    science_array_free(science, &q.arrays[i]);
    free(q.host[i]);
  }
  science_array_free(science, &q.sites);
  fermion_device_free(&q.device);
  free(q.memory);
  field_free(&q.gauge);
  return status;
}

static const struct check checks[] = {
    {"wilson_u1_f32", check_hops, &quarks[0]},  {"wilson_su3_f64", check_hops, &quarks[1]},
    {"wilson_su3_f32", check_hops, &quarks[2]}, {"wilson_su2_f64", check_hops, &quarks[3]},
    {"staggered_su3", check_hops, &quarks[4]},
};
const struct check_table fermion_checks = {checks, sizeof checks / sizeof checks[0]};
