/* Where the data files of all collections lie. Of each folder the first and the last file by name are looked at, so
 * that a folder of links, too, leads to where its files really are. Zarr hierarchies are themselves such folders. */
#include "datacube/remote/remote_file.h"
#include "datacube/source/zarr_store.h"
#include "stac/cube_files.h"
#include "stac/index.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "rtrim(path, replace(path, '/', ''))" /* takes from the end what is no slash */
static const char of_scenes[] = "SELECT min(path), max(path) FROM assets GROUP BY " FOLDER;
static const char of_cubes[] = "SELECT netcdf FROM collections WHERE netcdf NOT NULL";

struct folders {
  int (*report)(void *data, const char *folder, size_t length);
  void *data;
};

static int report_place(const struct folders *f, const char *path)
{
  const char *slash = path != NULL ? strrchr(path, '/') : NULL;
  if (slash == NULL || remote_is(path))
    return 0;
  const size_t length = zarr_is(path) && !zarr_references_is(path) ? strlen(path) : (size_t)(slash - path);
  return length > 0 ? f->report(f->data, path, length) : 0;
}

static int report_real(const struct folders *f, const char *path)
{
  char real[PATH_MAX];
  return path != NULL && realpath(path, real) != NULL ? report_place(f, real) : 0;
}

static int report_scenes(const struct folders *f, sqlite3_stmt *row)
{
  const char *first = (const char *)sqlite3_column_text(row, 0), *last = (const char *)sqlite3_column_text(row, 1);
  return report_place(f, first) != 0 || report_real(f, first) != 0 || report_real(f, last) != 0 ? -1 : 0;
}

/* Of several files (cube_files.h) the first and last. */
static int report_lines(const struct folders *f, const char *lines)
{
  char *copy = strdup(lines), *rest = copy, *line, *first = NULL, *last = NULL;
  while (copy != NULL && (line = strsep(&rest, "\n")) != NULL)
    if (*line != '\0') {
      last = strchr(line, '\t') + 1;
      first = first != NULL ? first : last;
      if (report_place(f, last) != 0)
        break;
    }
  const bool told = copy != NULL && rest == NULL && report_real(f, first) == 0 && report_real(f, last) == 0;
  free(copy);
  return told ? 0 : -1;
}

/* "path", or "path:variable" where there is no file of that name. */
static int report_cube(const struct folders *f, sqlite3_stmt *row)
{
  const char *stored = (const char *)sqlite3_column_text(row, 0);
  if (stored != NULL && cube_files_are_several(stored))
    return report_lines(f, stored);
  char *path = stored != NULL ? strdup(stored) : NULL, *colon = path != NULL ? strrchr(path, ':') : NULL;
  if (colon != NULL && access(path, F_OK) != 0)
    *colon = '\0';
  const bool told = path != NULL && report_place(f, path) == 0 && report_real(f, path) == 0;
  free(path);
  return told ? 0 : -1;
}

static int report_rows(const struct catalogue *catalogue, const char *question,
                       int (*report)(const struct folders *f, sqlite3_stmt *row), const struct folders *f,
                       struct error *error)
{
  sqlite3_stmt *statement = NULL;
  int status = 0, step = SQLITE_DONE;
  if (sqlite3_prepare_v2(catalogue->index->db, question, -1, &statement, NULL) != SQLITE_OK)
    return index_error(catalogue->index, error);
  while (status == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
    status = report(f, statement);
  if (status != 0)
    error_memory(error);
  else if (step != SQLITE_DONE)
    status = index_error(catalogue->index, error);
  sqlite3_finalize(statement);
  return status;
}

int catalogue_folders(const struct catalogue *catalogue, int (*report)(void *data, const char *folder, size_t length),
                      void *data, struct error *error)
{
  const struct folders f = {report, data};
  if (index_open(catalogue->index, error) != 0)
    return -1;
  if (catalogue->index->db == NULL)
    return 0;
  return report_rows(catalogue, of_scenes, report_scenes, &f, error) == 0
             ? report_rows(catalogue, of_cubes, report_cube, &f, error)
             : -1;
}
