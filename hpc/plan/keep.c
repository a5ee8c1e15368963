/* Deciding what is kept and what is cut, from the nodes alone.
 *
 * From the outputs down, every node gets its demand: how many of its elements would be computed if everything were
 * fused. A reduction whose elements are asked for again and again becomes a stage of its own, computed once a tile (CUT),
 * or, where even that repeats too often, a phase of its own (KEEP). Warps and other costly stages are kept where more
 * than one phase reads them; and a reduction that feeds a result of few elements is kept so that all threads can work
 * on it. */
#include "hpc/plan/keep.h"

#include "datacube/base/checked.h"

#include <string.h>

enum { TABLE_LISTS = 4096, CUT_REPEATS = 64, FEW_ELEMENTS = 4096, MANY_TIMES = 16 };
static const double hold_cost = 6;            /* of writing an element and reading it again, in copies of an element */
static const double parallel_work = 1 << 20;  /* elements read that are worth a phase of their own */
static const double largest_kept = 64e9;      /* bytes of a costly stage that are worth keeping */

struct decided {
  struct decided *next; /* in its list of the table */
  const struct node *node;
  enum node_decision decision;
  const char *why;
  size_t keep;          /* KEEP: number */
  double demand;        /* elements asked for */
  const struct decided *root; /* of the phase that asks; itself if it is a root */
  bool many_roots, is_output;
};

struct node_table {
  struct arena *arena;
  struct decided *lists[TABLE_LISTS];
  struct decided **order; /* every node before those that it reads */
  size_t count, capacity, keeps;
  const struct node_table *forced;
  unsigned depth;
};

static struct decided *find(const struct node_table *table, const struct node *node)
{
  struct decided *d = table ? table->lists[(uintptr_t)node / 64 % TABLE_LISTS] : NULL;
  while (d && d->node != node)
    d = d->next;
  return d;
}

static struct decided *add(struct node_table *table, const struct node *node)
{
  struct decided **list = &table->lists[(uintptr_t)node / 64 % TABLE_LISTS];
  struct decided *d = ARENA_NEW(table->arena, struct decided);
  if (!d)
    return NULL;
  *d = (struct decided){.next = *list, .node = node, .keep = SIZE_MAX};
  *list = d;
  return d;
}

enum node_decision keep_decision(const struct node_table *table, const struct node *node)
{
  const struct decided *d = find(table, node);
  return d ? d->decision : DECIDE_FUSE;
}

size_t keep_index(const struct node_table *table, const struct node *node)
{
  const struct decided *d = find(table, node);
  return d ? d->keep : SIZE_MAX;
}

size_t keep_count(const struct node_table *table)
{
  return table->keeps;
}

/* The order is from readers to read ones; kept results are numbered the other way. */
const struct node *keep_node(const struct node_table *table, size_t i, const char **why)
{
  for (size_t k = 0; k < table->count; k++)
    if (table->order[k]->keep == i) {
      *why = table->order[k]->why;
      return table->order[k]->node;
    }
  return NULL;
}

const struct node_table *keep_force(struct arena *arena, const struct node_table *forced, const struct node *node)
{
  struct node_table *table = ARENA_NEW(arena, struct node_table);
  if (!table)
    return NULL;
  table->arena = arena;
  table->forced = forced;
  return add(table, node) ? table : NULL;
}

static bool is_forced(const struct node_table *table, const struct node *node)
{
  for (const struct node_table *t = table->forced; t; t = t->forced)
    if (find(t, node))
      return true;
  return false;
}

/* ---- order -------------------------------------------------------------------------------------------------------- */

/* Depth first; each node after those it reads. */
static int visit(struct node_table *table, const struct node *node, struct error *error)
{
  if (find(table, node))
    return 0;
  if (table->depth >= MAX_DEPTH) {
    error_set(error, "ProcessGraphComplexity", "more than %d cube processes follow one another", (int)MAX_DEPTH);
    return error_at_node(error, node->id);
  }
  struct decided *d = add(table, node);
  if (!d)
    return error_memory(error);
  table->depth++;
  for (size_t i = 0; i < node_input_count(node); i++)
    if (visit(table, node_input(node, i), error) != 0)
      return -1;
  table->depth--;
  table->order = arena_grow(table->arena, table->order, table->count, &table->capacity, sizeof *table->order);
  if (!table->order)
    return error_memory(error);
  table->order[table->count++] = d;
  return 0;
}

static void reverse(struct node_table *table)
{
  for (size_t i = 0; i < table->count / 2; i++) {
    struct decided *other = table->order[table->count - 1 - i];
    table->order[table->count - 1 - i] = table->order[i];
    table->order[i] = other;
  }
}

/* ---- demand ------------------------------------------------------------------------------------------------------- */

/* Elements of input i that one position of a kernel asks for. */
static double kernel_reads(const struct node *node, size_t i, const bool *needed)
{
  const struct program *p = node->program;
  double elements = 0, whole = 1;
  for (size_t w = 0; w < node->inputs[i].window_count; w++)
    whole *= (double)node->inputs[i].window[w].length;
  if (node->inputs[i].window_count)
    return whole;
  for (size_t s = 0; s < p->count; s++) {
    const struct program_step *step = &p->steps[s];
    if (!needed[s] || step->kind != PROGRAM_INPUT || step->input != i)
      continue;
    double picked = 0;
    bool all = !step->is_array || node->result.value == (int)s;
    for (size_t k = s + 1; k < p->count && !all; k++) {
      bool uses = p->steps[k].operand[0] == (int)s || p->steps[k].operand[1] == (int)s || p->steps[k].operand[2] == (int)s;
      for (size_t c = 0; c < p->steps[k].part_count; c++)
        uses = uses || p->steps[k].parts[c] == (int)s;
      if (needed[k] && uses && p->steps[k].kind == PROGRAM_PICK)
        picked += (double)p->steps[k].length;
      else if (needed[k] && uses)
        all = true;
    }
    double length = (double)step->length;
    elements += all || picked > length ? length : picked;
  }
  return elements;
}

struct kernel_facts {
  double reads;   /* elements of the inputs for one position */
  bool reduces;   /* arrays become scalars */
  bool shortens;  /* arrays become shorter ones: all of the axis at once, whichever of its elements are asked for */
};

static void ask(struct decided *reader, struct decided *read, double elements)
{
  const struct decided *root = reader->decision == DECIDE_KEEP || reader->is_output ? reader : reader->root;
  read->demand += elements;
  read->many_roots =
      read->many_roots || (reader->decision != DECIDE_KEEP && reader->many_roots) || (read->root && read->root != root);
  if (!read->root)
    read->root = root;
}

/* Elements of input i that the node asks for, for `positions` elements of its own. */
static double asks_for(const struct node *node, size_t i, double positions, const bool *needed)
{
  double own = (double)cube_elements(node->cube), share = own > 0 ? positions / own : 1;
  if (node->kind == NODE_VIEW)
    return positions;
  if (node->kind != NODE_KERNEL)
    return share * (double)cube_elements(node_input(node, i)->cube);
  if (node->array_out != NO_DIMENSION && node->cube->dimension[node->array_out].size > 0) /* all of the array at once */
    positions /= (double)node->cube->dimension[node->array_out].size;
  return positions * kernel_reads(node, i, needed);
}

static void ask_inputs(struct node_table *table, struct decided *d, const bool *needed)
{
  double positions = d->decision == DECIDE_KEEP ? (double)cube_elements(d->node->cube) : d->demand;
  for (size_t i = 0; i < node_input_count(d->node); i++)
    ask(d, find(table, node_input(d->node, i)), asks_for(d->node, i, positions, needed));
}

static struct kernel_facts kernel_facts(const struct node *node, const bool *needed)
{
  struct kernel_facts facts = {0};
  for (size_t i = 0; node->kind == NODE_KERNEL && i < node->input_count; i++) {
    bool array = node->inputs[i].array_dimension != NO_DIMENSION || node->inputs[i].window_count;
    facts.reads += kernel_reads(node, i, needed);
    facts.reduces = facts.reduces || (array && node->array_out == NO_DIMENSION);
    int along = node->inputs[i].array_dimension;
    facts.shortens = facts.shortens || (along != NO_DIMENSION && node->array_out != NO_DIMENSION &&
                                        node->inputs[i].node->cube->dimension[along].size >
                                            node->cube->dimension[node->array_out].size);
  }
  if (facts.shortens && node->cube->dimension[node->array_out].size > 0)
    facts.reads /= (double)node->cube->dimension[node->array_out].size;
  return facts;
}

/* ---- decisions ---------------------------------------------------------------------------------------------------- */

static void keep(struct decided *d, const char *why)
{
  d->decision = DECIDE_KEEP;
  d->why = why;
}

static void decide_reduction(struct decided *d, const struct kernel_facts *facts)
{
  double own = (double)cube_elements(d->node->cube), repeats = own > 0 ? d->demand / own : 0;
  double root = d->root ? (double)cube_elements(d->root->node->cube) : 0;
  bool repeated = repeats > 1.5 && (repeats - 1) * facts->reads > hold_cost;
  if (repeated && (d->many_roots || repeats > CUT_REPEATS || facts->shortens))
    keep(d, "it is read again and again");
  else if (repeated)
    d->decision = DECIDE_CUT;
  else if (root <= FEW_ELEMENTS && own > MANY_TIMES * root && own * facts->reads > parallel_work)
    keep(d, "all threads work on it");
}

static void decide_stage(struct decided *d)
{
  double own = (double)cube_elements(d->node->cube);
  if (d->node->ops->is_kept) {
    keep(d, "parts of it are read in any order");
    return;
  }
  if (d->node->ops->reduces) {
    struct kernel_facts facts = {
        .reads = (double)cube_elements(d->node->children[0]->cube) / (own > 0 ? own : 1), .reduces = true};
    decide_reduction(d, &facts);
    return;
  }
  bool costly = d->node->child_count > 0 && d->node->ops->cost > hold_cost;
  if (costly && d->many_roots && (double)cube_bytes(d->node->cube) < largest_kept)
    keep(d, "more than one phase reads it");
}

static int decide(struct node_table *table, struct decided *d, struct error *error)
{
  size_t steps = d->node->kind == NODE_KERNEL ? d->node->program->count : 0;
  bool *needed = ARENA_ARRAY(table->arena, bool, steps);
  if (!needed)
    return error_memory(error);
  if (steps)
    node_mark_needed(d->node, needed);
  struct kernel_facts facts = kernel_facts(d->node, needed);
  d->many_roots = d->many_roots || (d->is_output && d->root);
  if (is_forced(table, d->node))
    keep(d, "it is made in order, once");
  else if (d->is_output && !d->root) /* read by nothing else: made once as it is */
    d->decision = DECIDE_FUSE;
  else if (d->node->kind == NODE_STAGE)
    decide_stage(d);
  else if (facts.reduces || facts.shortens)
    decide_reduction(d, &facts);
  ask_inputs(table, d, needed);
  return 0;
}

int keep_decide(struct arena *arena, const struct node *const *outputs, size_t count, const struct node_table *forced,
                struct node_table **out, struct error *error)
{
  struct node_table *table = ARENA_NEW(arena, struct node_table);
  if (!table)
    return error_memory(error);
  table->arena = arena;
  table->forced = forced;
  for (size_t i = 0; i < count; i++)
    if (visit(table, outputs[i], error) != 0)
      return -1;
  reverse(table);
  for (size_t i = 0; i < count; i++) {
    struct decided *d = find(table, outputs[i]);
    d->is_output = true;
    d->demand += (double)cube_elements(d->node->cube);
  }
  for (size_t i = 0; i < table->count; i++)
    if (decide(table, table->order[i], error) != 0)
      return -1;
  for (size_t i = table->count; i-- > 0;)
    if (table->order[i]->decision == DECIDE_KEEP)
      table->order[i]->keep = table->keeps++;
  *out = table;
  return 0;
}
