#include "stac/search/property_index.h"

#include <stdio.h>
#include <string.h>

#define INDEX_NAME "documents by "

bool property_name_is_plain(const char *name)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:.- /";
  return *name && name[strspn(name, plain)] == '\0';
}

static int check_name(const char *name, struct error *error)
{
  if (property_name_is_plain(name) && strlen(name) <= 250)
    return 0;
  return error_parameter(error, ERROR_QueryParameterInvalid, "property",
                         "'%.250s': a name of letters, digits and _ : . - / is expected, at most 250", name);
}

int property_index_find(struct index *index, const char *name, bool *there, struct error *error)
{
  static const char text[] = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = '" INDEX_NAME "' || ?1";
  sqlite3_stmt *row = index_query(index, text, error);
  if (!row)
    return -1;
  sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
  const int found = index_step(index, row, error);
  index_done(row);
  *there = found == 1;
  return found < 0 ? -1 : 0;
}

/* To the database, names of indexes that differ in capital letters alone are the same. */
static int check_letters(struct index *index, const char *name, struct error *error)
{
  static const char text[] =
      "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = '" INDEX_NAME "' || ?1 COLLATE NOCASE";
  sqlite3_stmt *row = index_query(index, text, error);
  if (!row)
    return -1;
  sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
  const int found = index_step(index, row, error);
  index_done(row);
  return found == 1
             ? error_parameter(error, ERROR_QueryParameterInvalid, "property",
                               "there is an index of a name that differs from '%s' in capital letters alone", name)
             : found;
}

static int read_count(struct index *index, int *count, struct error *error)
{
  static const char text[] = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name LIKE '" INDEX_NAME "%'";
  sqlite3_stmt *row = index_query(index, text, error);
  const int found = row ? index_step(index, row, error) : -1;
  if (found == 1)
    *count = sqlite3_column_int(row, 0);
  index_done(row);
  return found == 1 ? 0 : -1;
}

static int execute(struct index *index, const char *text, const char *name, struct error *error)
{
  struct buffer sql = {0};
  buffer_printf(&sql, "%s \"" INDEX_NAME "%s\"", text, name);
  if (strstr(text, "CREATE"))
    buffer_printf(&sql,
                  " ON documents (json_extract(json, '$.collection'), json_extract(json, '$.properties.\"%s\"'),"
                  " json_extract(json, '$.id'))",
                  name);
  int result = sql.failed ? error_memory(error) : 0;
  if (result == 0 && sqlite3_exec(index->db, sql.data, NULL, NULL, NULL) != SQLITE_OK)
    result = index_error(index, error);
  buffer_free(&sql);
  return result;
}

static int make_one(struct index *index, const char *name, struct error *error)
{
  bool there = false;
  int count = 0;
  if (check_name(name, error) != 0 || property_index_find(index, name, &there, error) != 0 ||
      read_count(index, &count, error) != 0)
    return -1;
  if (!there && count >= PROPERTY_INDEX_MOST)
    return error_parameter(error, ERROR_QueryParameterInvalid, "property",
                           "there are %d such indexes, and each makes writing slower: remove one first", count);
  if (there)
    return 0;
  return check_letters(index, name, error) == 0 ? execute(index, "CREATE INDEX", name, error) : -1;
}

static int remove_one(struct index *index, const char *name, struct error *error)
{
  bool there = false;
  if (check_name(name, error) != 0 || property_index_find(index, name, &there, error) != 0)
    return -1;
  return there ? execute(index, "DROP INDEX", name, error)
               : error_parameter(error, ERROR_NotFound, "property", "there is no index of '%s'", name);
}

static int in_transaction(struct catalogue *catalogue, const char *name,
                          int (*change)(struct index *, const char *, struct error *), struct error *error)
{
  struct index *index = catalogue->index;
  if (index_begin_change(index, error) != 0)
    return -1;
  return index_end_change(index, change(index, name, error), error);
}

int catalogue_index_property(struct catalogue *catalogue, const char *name, struct error *error)
{
  return in_transaction(catalogue, name, make_one, error);
}

int catalogue_unindex_property(struct catalogue *catalogue, const char *name, struct error *error)
{
  return in_transaction(catalogue, name, remove_one, error);
}

int property_index_names(struct index *index, struct buffer *out, struct error *error)
{
  static const char text[] = "SELECT substr(name, length('" INDEX_NAME "') + 1) FROM sqlite_schema"
                             " WHERE type = 'index' AND name LIKE '" INDEX_NAME "%' ORDER BY 1";
  sqlite3_stmt *row = index_query(index, text, error);
  int more = row ? 1 : -1;
  while (more == 1 && (more = index_step(index, row, error)) == 1)
    buffer_printf(out, "%s\n", (const char *)sqlite3_column_text(row, 0));
  index_done(row);
  return more < 0 ? -1 : out->failed ? error_memory(error) : 0;
}

int catalogue_list_property_indexes(struct catalogue *catalogue, struct buffer *out, struct error *error)
{
  if (index_open(catalogue->index, error) != 0)
    return -1;
  return catalogue->index->db ? property_index_names(catalogue->index, out, error) : 0;
}

/* Whether a list of lines has the name. */
static bool has_line(const char *lines, const char *name)
{
  const size_t length = strlen(name);
  for (; *lines; lines += strcspn(lines, "\n") + 1)
    if (strncmp(lines, name, length) == 0 && lines[length] == '\n')
      return true;
  return false;
}

/* Changes those of one list that the other one lacks. */
static int change_others(struct index *index, const char *lines, const char *others, const char *change,
                         struct error *error)
{
  char name[256];
  for (; *lines; lines += strcspn(lines, "\n") + 1) {
    snprintf(name, sizeof name, "%.*s", (int)strcspn(lines, "\n"), lines);
    if (!has_line(others, name) && (check_name(name, error) != 0 || execute(index, change, name, error) != 0))
      return -1;
  }
  return 0;
}

int property_index_set(struct index *index, const char *names, struct error *error)
{
  struct buffer own = {0};
  int status = property_index_names(index, &own, error);
  const char *present = own.length ? own.data : "";
  if (status == 0)
    status = change_others(index, present, names, "DROP INDEX", error);
  if (status == 0)
    status = change_others(index, names, present, "CREATE INDEX", error);
  buffer_free(&own);
  return status;
}

/* ---- of themselves ----------------------------------------------------------------------------------------------- */

/* Clouds are what users ask for, the date of change what harvesters do. */
static const char *const usual[] = {"eo:cloud_cover", "updated"};
enum { LOOKED_AT = 200 };

/* Whether at least half of the first items have a number or a text there. */
static int is_common(struct index *index, int64_t collection, const char *name, bool *out, struct error *error)
{
  static const char text[] =
      "SELECT 2 * sum(coalesce(json_type(json, '$.properties.\"' || ?2 || '\"') IN ('integer', 'real', 'text'), 0))"
      " >= count(*) AND count(*) > 0 FROM (SELECT json FROM items JOIN documents ON documents.key = items.key"
      " WHERE collection = ?1 LIMIT ?3)";
  sqlite3_stmt *row = index_query(index, text, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, collection);
  sqlite3_bind_text(row, 2, name, -1, SQLITE_STATIC);
  sqlite3_bind_int(row, 3, LOOKED_AT);
  const int found = index_step(index, row, error);
  *out = found == 1 && sqlite3_column_int(row, 0) != 0;
  index_done(row);
  return found == 1 ? 0 : -1;
}

int property_index_usual(struct index *index, int64_t collection, struct error *error)
{
  for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
    bool there = false, is_wanted = false;
    int count = 0;
    if (property_index_find(index, usual[i], &there, error) != 0 || read_count(index, &count, error) != 0)
      return -1;
    if (there || count >= PROPERTY_INDEX_MOST)
      continue;
    if (is_common(index, collection, usual[i], &is_wanted, error) != 0 ||
        (is_wanted && execute(index, "CREATE INDEX", usual[i], error) != 0))
      return -1;
  }
  return 0;
}
