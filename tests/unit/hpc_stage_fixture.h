/* For tests of what plans read and of threads: a source that counts, and nodes in few words.
 *
 * The counting source makes its elements from their index. It counts elements, and where it is told how many readers to
 * meet, each reader's first read waits for the others: a run with fewer threads is noticed, not passed. */
#ifndef TWINCUBE_TESTS_UNIT_HPC_STAGE_FIXTURE_H
#define TWINCUBE_TESTS_UNIT_HPC_STAGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hpc_plan_sink.h"

#include "hpc/plan/plan_internal.h"

#include <math.h>
#include <time.h>

struct counting {
  struct source source;
  atomic_size_t elements; /* read */
  atomic_uint arrived;    /* readers that have read */
  unsigned meet;          /* readers to wait for at the first read; 0: none */
  atomic_bool alone;      /* one waited in vain */
};

struct counting_reader {
  struct counting *counting;
  bool has_read;
};

/* Eighths from 0 to 124, every 61st missing. */
static double counted_value(size_t i)
{
  uint64_t x = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
  x ^= x >> 29;
  x *= UINT64_C(0xBF58476D1CE4E5B9);
  x ^= x >> 32;
  return x % 61 == 0 ? NAN : (double)(x % 1000) / 8;
}

static void meet_others(struct counting *c)
{
  atomic_fetch_add(&c->arrived, 1);
  for (unsigned ms = 0; atomic_load(&c->arrived) < c->meet; ms++) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (ms < 60000)
      continue;
    atomic_store(&c->alone, true);
    return;
  }
}

static int counting_open(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  struct counting_reader *reader = calloc(1, sizeof *reader);
  (void)threads;
  if (!reader)
    return error_memory(error);
  reader->counting = source->state;
  *out = (struct source_reader *)(void *)reader;
  return 0;
}

static int counting_read(struct source_reader *of, const struct box *box, void *data, struct error *error)
{
  struct counting_reader *reader = (struct counting_reader *)(void *)of;
  const struct cube *cube = &reader->counting->source.cube;
  size_t position[CUBE_MAX_DIMENSIONS] = {0}, n = 0;
  (void)error;
  do {
    size_t at = 0;
    for (size_t d = 0; d < cube->dimensions; d++)
      at = at * cube->dimension[d].size + box->start[d] + position[d];
    ((float *)data)[n++] = (float)counted_value(at);
  } while (next_position(box->count, position, cube->dimensions));
  atomic_fetch_add(&reader->counting->elements, n);
  if (!reader->has_read)
    meet_others(reader->counting);
  reader->has_read = true;
  return 0;
}

static void counting_close(struct source_reader *reader)
{
  free(reader);
}

static const struct source_ops counting_ops = {
    .name = "counted", .open = counting_open, .read = counting_read, .close = counting_close};

struct case_maker { /* a test's arena and its source */
  struct arena *arena;
  struct counting *counting;
};

static const struct node_origin from_test = {"test", "test"};

/* A source of (t, y, x) with pixels of 10 m. */
static const struct node *make_counted(struct case_maker *c, size_t t, size_t y, size_t x)
{
  c->arena = arena_new(0);
  c->counting = ARENA_NEW(c->arena, struct counting);
  struct cube *cube = &c->counting->source.cube;
  *cube = (struct cube){.dimensions = 3, .type = ELEMENT_F32, .has_nodata = true, .nodata = NAN, .crs = "EPSG:32632"};
  cube->dimension[0] = dimension_enumerated("t", DIMENSION_OTHER, t);
  cube->dimension[1] = dimension_steps("y", 'y', 5e6 + 10 * (double)y - 5, -10, y);
  cube->dimension[2] = dimension_steps("x", 'x', 5e5 + 5, 10, x);
  c->counting->source.ops = &counting_ops;
  c->counting->source.state = c->counting;
  c->counting->source.block[1] = c->counting->source.block[2] = 128;
  return node_source(c->arena, from_test, &c->counting->source);
}

static struct cube *copied_cube(const struct case_maker *c, const struct node *like)
{
  struct cube *cube = arena_copy(c->arena, like->cube, sizeof *cube);
  cube->type = ELEMENT_F32;
  cube->has_nodata = true;
  cube->nodata = NAN;
  return cube;
}

/* A reducer over dimension d, which goes. */
static const struct node *reduced(const struct case_maker *c, const struct node *node, size_t d,
                                  enum kernel_reducer reducer)
{
  struct kernel_input *input = ARENA_NEW(c->arena, struct kernel_input);
  struct program *p = program_new(c->arena);
  struct cube *cube = copied_cube(c, node);
  *input = (struct kernel_input){.node = node, .array_dimension = (int)d};
  for (size_t k = 0; k < node->cube->dimensions; k++)
    input->to_output[k] = k == d ? NO_DIMENSION : (int)(k < d ? k : k - 1);
  memmove(&cube->dimension[d], &cube->dimension[d + 1], (cube->dimensions - d - 1) * sizeof cube->dimension[0]);
  cube->dimensions--;
  struct lanes array = program_input(p, 0, true, node->cube->dimension[d].size, node->cube->type, NULL);
  struct lanes value = program_reduce(p, reducer, array, (const double[]){1}, 1);
  return node_kernel(c->arena, from_test, cube, input, 1, p, value, NO_DIMENSION);
}

/* op(a, b); b lacks the dimensions from `first` on that it has fewer. */
static const struct node *combined(const struct case_maker *c, enum kernel_op op, const struct node *a,
                                   const struct node *b, size_t first)
{
  struct kernel_input *inputs = ARENA_ARRAY(c->arena, struct kernel_input, 2);
  struct program *p = program_new(c->arena);
  size_t fewer = a->cube->dimensions - b->cube->dimensions;
  inputs[0] = (struct kernel_input){.node = a, .array_dimension = NO_DIMENSION};
  inputs[1] = (struct kernel_input){.node = b, .array_dimension = NO_DIMENSION};
  for (size_t k = 0; k < a->cube->dimensions; k++)
    inputs[0].to_output[k] = (int)k;
  for (size_t k = 0; k < b->cube->dimensions; k++)
    inputs[1].to_output[k] = (int)(k < first ? k : k + fewer);
  struct lanes value = program_binary(p, op, program_input(p, 0, false, 1, a->cube->type, NULL),
                                      program_input(p, 1, false, 1, b->cube->type, NULL));
  return node_kernel(c->arena, from_test, copied_cube(c, a), inputs, 2, p, value, NO_DIMENSION);
}

static const struct plan *planned(const struct case_maker *c, const struct node *const *nodes, size_t count,
                                  struct plan_options options)
{
  struct plan_output outputs[4] = {{0}};
  const struct plan *plan;
  struct error error = {0};
  for (size_t i = 0; i < count; i++)
    outputs[i].node = nodes[i];
  if (plan_make_outputs(c->arena, outputs, count, &options, &plan, &error) != 0)
    fail_msg("%s %s", error.code, error.message);
  return plan;
}

/* The elements of all outputs, one behind the other; the caller frees them. */
static unsigned char *run_counted(const struct case_maker *c, const struct plan *plan, unsigned meet)
{
  struct keeping_sink sinks[4];
  struct sink *outputs[4];
  struct error error = {0};
  size_t bytes = 0;
  atomic_store(&c->counting->elements, 0);
  atomic_store(&c->counting->arrived, 0);
  atomic_store(&c->counting->alone, false);
  c->counting->meet = meet;
  for (size_t i = 0; i < plan_outputs(plan); i++) {
    sinks[i] = keeping_sink(plan_output_cube(plan, i));
    outputs[i] = &sinks[i].sink;
    bytes += cube_bytes(sinks[i].cube);
  }
  if (plan_run_outputs(plan, outputs, NULL, NULL, &error) != 0)
    fail_msg("%s %s", error.code, error.message);
  unsigned char *all = malloc(bytes + 1), *at = all;
  for (size_t i = 0; i < plan_outputs(plan); i++) {
    memcpy(at, sinks[i].data, cube_bytes(sinks[i].cube));
    at += cube_bytes(sinks[i].cube);
    free(sinks[i].data);
    free(sinks[i].written);
  }
  return all;
}

#endif
