/* Searching the tree. Its own table of SQLite does the same in four times the time: it asks each cell for each
 * condition apart, and opens each node anew. */
#include "stac/index_tree.h"

#include <string.h>

struct tree_place { /* a node to be looked at */
  int64_t number;
  unsigned level; /* 0: its cells are items */
};

struct tree_walk {
  struct index *index;
  struct arena *arena;
  const struct tree_query *query;
  struct tree_place *places; /* a stack */
  size_t count, room;
};

static uint32_t word_at(const unsigned char *at)
{
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static double edge_at(const unsigned char *at)
{
  const uint32_t bits = word_at(at);
  float edge;
  memcpy(&edge, &bits, sizeof edge);
  return (double)edge;
}

static bool meets(const unsigned char *edges, const struct tree_query *query)
{
  for (int axis = 0; axis < TREE_AXES; axis++, edges += 8)
    if (edge_at(edges) > query->high[axis] || edge_at(edges + 4) < query->low[axis])
      return false;
  return true;
}

static int add_place(struct tree_walk *walk, int64_t number, unsigned level, struct error *error)
{
  struct tree_place *places = arena_grow(walk->arena, walk->places, walk->count, &walk->room, sizeof *places);
  if (!places)
    return error_memory(error);
  walk->places = places;
  places[walk->count++] = (struct tree_place){number, level};
  return 0;
}

static int add_key(struct arena *arena, struct tree_keys *keys, int64_t key, struct error *error)
{
  int64_t *all = arena_grow(arena, keys->all, keys->count, &keys->room, sizeof *all);
  if (!all)
    return error_memory(error);
  keys->all = all;
  all[keys->count++] = key;
  return 0;
}

static int damaged(const struct index *index, struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "%s: the search tree is damaged", index->path);
}

static int look_at_cells(struct tree_walk *walk, const unsigned char *node, unsigned level, size_t most,
                         struct tree_keys *out, struct error *error)
{
  const size_t cells = word_at(node) & 0xffff;
  const unsigned char *cell = node + TREE_HEAD;
  for (size_t i = 0; i < cells && out->count < most; i++, cell += TREE_CELL) {
    if (!meets(cell + 8, walk->query))
      continue;
    const int64_t number = (int64_t)((uint64_t)word_at(cell) << 32 | word_at(cell + 4));
    if ((level > 0 ? add_place(walk, number, level - 1, error) : add_key(walk->arena, out, number, error)) != 0)
      return -1;
  }
  return 0;
}

static int look_at(struct tree_walk *walk, const struct tree_place *place, size_t most, struct tree_keys *out,
                   struct error *error)
{
  sqlite3_stmt *row = index_statement(walk->index, STATEMENT_TREE_NODE, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, place->number);
  int found = index_step(walk->index, row, error);
  const unsigned char *node = found == 1 ? sqlite3_column_blob(row, 0) : NULL;
  const size_t size = found == 1 ? (size_t)sqlite3_column_bytes(row, 0) : 0;
  if (found >= 0 && (size < TREE_HEAD || size < TREE_HEAD + TREE_CELL * (size_t)(word_at(node) & 0xffff)))
    found = damaged(walk->index, error);
  const unsigned level = found == 1 && place->number == TREE_ROOT ? word_at(node) >> 16 : place->level;
  if (found == 1 && level > TREE_DEEPEST)
    found = damaged(walk->index, error);
  if (found == 1)
    found = look_at_cells(walk, node, level, most, out, error);
  index_done(row);
  return found < 0 ? -1 : 0;
}

int index_tree_find(struct index *index, struct arena *arena, const struct tree_query *query, size_t most,
                    struct tree_keys *out, struct error *error)
{
  struct tree_walk walk = {.index = index, .arena = arena, .query = query};
  if (add_place(&walk, TREE_ROOT, 0, error) != 0)
    return -1;
  while (walk.count > 0 && out->count < most) {
    const struct tree_place place = walk.places[--walk.count];
    if (look_at(&walk, &place, most, out, error) != 0)
      return -1;
  }
  return 0;
}
