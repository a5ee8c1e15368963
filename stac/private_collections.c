/* Whose own collections are, and what others see. See catalogue.h and index.h. */
#include "stac/index.h"

#include <stdio.h>

void catalogue_show_to(const struct catalogue *catalogue, const char *user)
{
  struct index *index = catalogue->index;
  index->is_shown_to_one = true;
  snprintf(index->user, sizeof index->user, "%s", user);
}

int catalogue_has(const struct catalogue *catalogue, const char *id, bool *out, struct error *error)
{
  struct index *index = catalogue->index;
  *out = false;
  if (index_open(index, error) != 0)
    return -1;
  sqlite3_stmt *row = index->db ? index_statement(index, STATEMENT_EXTENT, error) : NULL;
  if (!row)
    return index->db ? -1 : 0;
  sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
  const int found = index_step(index, row, error);
  index_done(row);
  *out = found == 1;
  return found < 0 ? -1 : 0;
}

int catalogue_is_private(const struct catalogue *catalogue, const char *id, bool *out, struct error *error)
{
  struct index *index = catalogue->index;
  *out = false;
  if (index_open(index, error) != 0)
    return -1;
  sqlite3_stmt *row = index->db ? index_statement(index, STATEMENT_OWNER, error) : NULL;
  if (!row)
    return index->db ? -1 : 0;
  sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
  const int found = index_step(index, row, error);
  index_done(row);
  *out = found == 1;
  return found < 0 ? -1 : 0;
}
