/* Where the data files of all collections lie. Of each folder the first and the last file by name are looked at, so
 * that a folder of links, too, leads to where its files really are. */
#include "stac/index.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "rtrim(path, replace(path, '/', ''))" /* takes from the end what is no slash */
static const char question[] =
    "SELECT min(path), max(path) FROM"
    " (SELECT path FROM assets UNION ALL SELECT netcdf FROM collections WHERE netcdf NOT NULL)"
    " GROUP BY " FOLDER;

static int report_folder(const char *path, int (*report)(void *data, const char *folder, size_t length), void *data)
{
  const char *slash = path != NULL ? strrchr(path, '/') : NULL;
  return slash != NULL && slash > path ? report(data, path, (size_t)(slash - path)) : 0;
}

int catalogue_folders(const struct catalogue *catalogue, int (*report)(void *data, const char *folder, size_t length),
                      void *data, struct error *error)
{
  sqlite3_stmt *statement = NULL;
  char real[PATH_MAX];
  int status = 0, step = SQLITE_DONE;
  if (index_open(catalogue->index, error) != 0)
    return -1;
  if (catalogue->index->db == NULL)
    return 0;
  if (sqlite3_prepare_v2(catalogue->index->db, question, -1, &statement, NULL) != SQLITE_OK)
    return index_error(catalogue->index, error);
  while (status == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
    const char *first = (const char *)sqlite3_column_text(statement, 0);
    const char *last = (const char *)sqlite3_column_text(statement, 1);
    status = report_folder(first, report, data);
    if (status == 0 && first != NULL && realpath(first, real) != NULL)
      status = report_folder(real, report, data);
    if (status == 0 && last != NULL && realpath(last, real) != NULL)
      status = report_folder(real, report, data);
  }
  if (status != 0)
    error_memory(error);
  else if (step != SQLITE_DONE)
    status = index_error(catalogue->index, error);
  sqlite3_finalize(statement);
  return status;
}
