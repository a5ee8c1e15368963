/* A chain for tests: a sequential source that fails when dimension 0 is not read in ascending order, the others not
 * whole, or a read is repeated. */
#ifndef TWINCUBE_TESTS_UNIT_HPC_STAGE_CHAIN_H
#define TWINCUBE_TESTS_UNIT_HPC_STAGE_CHAIN_H

#include "hpc_plan_reference.h"

#include "hpc_plan_random.h"

static void define(struct maker *m, const struct node *node,
                   void (*evaluate)(struct evaluation *, const void *, struct numbers), const void *data)
{
  struct definition *d = ARENA_NEW(m->arena, struct definition);
  *d = (struct definition){m->definitions, node, evaluate, data};
  m->definitions = d;
}

struct test_chain {
  struct test_chain *next;
  const struct source *elements; /* in memory */
  bool strict;
  size_t made; /* indexes of dimension 0 that were read or passed */
};

static int open_chain(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  (void)threads;
  (void)error;
  *out = source->state;
  return 0;
}

static int read_chain(struct source_reader *reader, const struct box *box, void *data, struct error *error)
{
  struct test_chain *chain = (struct test_chain *)(void *)reader;
  const struct cube *cube = &chain->elements->cube;
  if (chain->strict && box->start[0] < chain->made)
    return error_set(error, "Internal", "the chain is read at %zu after %zu", box->start[0], chain->made);
  for (size_t d = 1; chain->strict && d < cube->dimensions; d++)
    if (box->count[d] != cube->dimension[d].size)
      return error_set(error, "Internal", "a part of the chain's dimension %zu is read", d);
  chain->made = box->start[0] + box->count[0];
  return chain->elements->ops->read((struct source_reader *)(uintptr_t)chain->elements, box, data, error);
}

static void close_chain(struct source_reader *reader)
{
  (void)reader;
}

static const struct source_ops chain_ops = {
    .name = "test chain", .open = open_chain, .read = read_chain, .close = close_chain};

static void evaluate_chain(struct evaluation *e, const void *data, struct numbers out)
{
  memcpy(out.v, reference(e, data).v, out.n * sizeof *out.v);
}

static const struct node *make_chain(struct maker *m)
{
  struct test_chain *chain = ARENA_NEW(m->arena, struct test_chain);
  const struct node *elements = make_source(m);
  struct source *source = arena_copy(m->arena, node_source_of(elements), sizeof *source);
  *chain = (struct test_chain){.next = m->chains, .elements = node_source_of(elements)};
  source->ops = &chain_ops;
  source->sequential = true;
  source->state = chain;
  m->chains = chain;
  const struct node *node = node_source(m->arena, random_origin(m), source);
  define(m, node, evaluate_chain, elements);
  return node;
}

/* Before each run. */
static void start_chains(const struct maker *m, bool strict)
{
  for (struct test_chain *chain = m->chains; chain; chain = chain->next) {
    chain->strict = strict;
    chain->made = 0;
  }
}

#endif
