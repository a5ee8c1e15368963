#include "stac/search/stored_prune.h"

#include "stac/index.h"
#include "stac/search/stored_items.h"

#include <string.h>

struct unwanted {
  struct arena *arena;
  const char **ids;
  size_t count, room;
};

static int note(struct unwanted *list, const char *id, struct error *error)
{
  const char **grown = arena_grow(list->arena, list->ids, list->count, &list->room, sizeof *list->ids);
  if (!grown)
    return error_memory(error);
  list->ids = grown;
  grown[list->count] = arena_strdup(list->arena, id);
  return grown[list->count++] ? 0 : error_memory(error);
}

static int find_unwanted(struct index *index, const char *collection, bool (*is_wanted)(void *data, const char *id),
                         void *data, struct unwanted *out, struct error *error)
{
  sqlite3_stmt *row =
      index_query(index, "SELECT id FROM items WHERE collection = (SELECT key FROM collections WHERE id = ?1)", error);
  int more = row ? 1 : -1;
  if (row)
    sqlite3_bind_text(row, 1, collection, -1, SQLITE_STATIC);
  while (more == 1 && (more = index_step(index, row, error)) == 1) {
    const char *id = (const char *)sqlite3_column_text(row, 0);
    if (id && !is_wanted(data, id) && note(out, id, error) != 0)
      more = -1;
  }
  index_done(row);
  return more;
}

int catalogue_prune_items(struct catalogue *catalogue, const char *collection,
                          bool (*is_wanted)(void *data, const char *id), void *data, size_t *removed,
                          struct error *error)
{
  struct unwanted list = {.arena = arena_new(0)};
  struct item_writer *writer = NULL;
  *removed = 0;
  int status = list.arena ? item_writer_new(catalogue, &writer, error) : error_memory(error);
  if (status == 0)
    status = find_unwanted(catalogue->index, collection, is_wanted, data, &list, error);
  for (size_t i = 0; i < list.count && status == 0; i++)
    status = item_writer_remove(writer, collection, list.ids[i], error);
  if (writer && status == 0)
    status = item_writer_commit(writer, error);
  else if (writer)
    item_writer_abort(writer);
  if (status == 0)
    *removed = list.count;
  arena_free(list.arena);
  return status;
}
