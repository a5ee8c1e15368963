/* The table is made when the first source is kept: a catalogue without it is one without sources. */
#include "stac/source_book.h"

#include "stac/index.h"

#include <time.h>

static const char table[] =
    "CREATE TABLE IF NOT EXISTS sources (name TEXT PRIMARY KEY, kind TEXT NOT NULL, address TEXT NOT NULL,"
    " options TEXT NOT NULL, every INTEGER NOT NULL, digest TEXT NOT NULL, refreshed INTEGER NOT NULL,"
    " failure TEXT NOT NULL) WITHOUT ROWID";

/* 1, 0, or -1 with an error. */
static int has_table(struct index *index, struct error *error)
{
  sqlite3_stmt *row = index_query(index, "SELECT 1 FROM sqlite_schema WHERE name = 'sources'", error);
  const int found = row ? index_step(index, row, error) : -1;
  index_done(row);
  return found;
}

static void bind(sqlite3_stmt *row, int column, const char *text)
{
  sqlite3_bind_text(row, column, text ? text : "", -1, SQLITE_STATIC);
}

int source_book_make(struct index *index, struct error *error)
{
  return sqlite3_exec(index->db, table, NULL, NULL, NULL) == SQLITE_OK ? 0 : index_error(index, error);
}

static int put(struct index *index, const struct kept_source *source, struct error *error)
{
  if (source_book_make(index, error) != 0)
    return -1;
  sqlite3_stmt *row =
      index_query(index, "INSERT OR REPLACE INTO sources VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", error);
  if (!row)
    return -1;
  bind(row, 1, source->name);
  bind(row, 2, source->kind);
  bind(row, 3, source->address);
  bind(row, 4, source->options);
  sqlite3_bind_int64(row, 5, source->every);
  bind(row, 6, source->digest);
  sqlite3_bind_int64(row, 7, source->failure ? source->refreshed : (int64_t)time(NULL));
  bind(row, 8, source->failure);
  return index_run(index, row, error);
}

int source_book_put(struct catalogue *catalogue, const struct kept_source *source, struct error *error)
{
  struct index *index = catalogue->index;
  if (index_begin_change(index, error) != 0)
    return -1;
  return index_end_change(index, put(index, source, error), error);
}

static int note(struct index *index, const struct kept_source *source, const char *digest, const char *failure,
                struct error *error)
{
  sqlite3_stmt *row = index_query(
      index, "UPDATE sources SET digest = coalesce(?2, digest), failure = ?3, refreshed = ?4 WHERE name = ?1", error);
  if (!row)
    return -1;
  bind(row, 1, source->name);
  if (digest)
    bind(row, 2, digest);
  bind(row, 3, failure);
  sqlite3_bind_int64(row, 4, time(NULL));
  return index_run(index, row, error);
}

int source_book_note(struct catalogue *catalogue, const struct kept_source *source, const char *digest,
                     const char *failure, struct error *error)
{
  struct index *index = catalogue->index;
  if (index_begin_change(index, error) != 0)
    return -1;
  return index_end_change(index, note(index, source, digest, failure, error), error);
}

static const char *column(struct arena *arena, sqlite3_stmt *row, int i)
{
  const char *text = (const char *)sqlite3_column_text(row, i);
  return text ? arena_strdup(arena, text) : NULL;
}

static int read_row(struct arena *arena, sqlite3_stmt *row, struct kept_source *out, struct error *error)
{
  *out = (struct kept_source){.name = column(arena, row, 0),
                              .kind = column(arena, row, 1),
                              .address = column(arena, row, 2),
                              .options = column(arena, row, 3),
                              .every = sqlite3_column_int64(row, 4),
                              .digest = column(arena, row, 5),
                              .refreshed = sqlite3_column_int64(row, 6),
                              .failure = column(arena, row, 7)};
  return out->name && out->kind && out->address && out->options && out->digest && out->failure ? 0
                                                                                               : error_memory(error);
}

int source_book_read(struct catalogue *catalogue, struct arena *arena, const struct kept_source **out, size_t *count,
                     struct error *error)
{
  struct index *index = catalogue->index;
  struct kept_source *rows = NULL;
  size_t room = 0;
  *count = 0;
  *out = NULL;
  if (index_open(index, error) != 0)
    return -1;
  const int there = index->db ? has_table(index, error) : 0;
  sqlite3_stmt *row = there == 1 ? index_query(index,
                                               "SELECT name, kind, address, options, every, digest, refreshed, failure"
                                               " FROM sources ORDER BY name",
                                               error)
                                 : NULL;
  int more = there == 1 ? (row ? 1 : -1) : there;
  while (more == 1 && (more = index_step(index, row, error)) == 1) {
    struct kept_source *grown = arena_grow(arena, rows, *count, &room, sizeof *rows);
    rows = grown ? grown : rows;
    if (!grown)
      error_memory(error);
    if (!grown || read_row(arena, row, &rows[(*count)++], error) != 0)
      more = -1;
  }
  index_done(row);
  *out = rows;
  return more;
}

int source_book_forget(struct catalogue *catalogue, const char *name, struct error *error)
{
  struct index *index = catalogue->index;
  const int there = has_table(index, error);
  if (there != 1)
    return there;
  sqlite3_stmt *row = index_query(index, "DELETE FROM sources WHERE name = ?1", error);
  if (!row)
    return -1;
  bind(row, 1, name);
  return index_run(index, row, error);
}
