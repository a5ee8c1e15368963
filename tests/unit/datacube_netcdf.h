/* What the netCDF tests share: a folder and a file of their own, readers, a generator. */
#ifndef TWINCUBE_TESTS_UNIT_DATACUBE_NETCDF_H
#define TWINCUBE_TESTS_UNIT_DATACUBE_NETCDF_H

#include "datacube/source/netcdf_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t three_days[] = {1514764800000, 1517443200000, 1519862400000}; /* 2018-01-01, 02-01, 03-01 */

struct world {
  struct arena *arena;
  char folder[256];
  char path[512]; /* of the one file of a test */
};

static inline int set_up(void **state)
{
  struct world *w = calloc(1, sizeof *w);
  const char *base = getenv("TMPDIR");
  snprintf(w->folder, sizeof w->folder, "%s/twincube-netcdf-XXXXXX", base != NULL ? base : P_tmpdir);
  assert_non_null(mkdtemp(w->folder));
  snprintf(w->path, sizeof w->path, "%s/file.nc", w->folder);
  w->arena = arena_new(0);
  *state = w;
  return 0;
}

static inline int tear_down(void **state)
{
  struct world *w = *state;
  unlink(w->path);
  assert_int_equal(rmdir(w->folder), 0); /* nothing else was left behind */
  arena_free(w->arena);
  free(w);
  return 0;
}

static inline void ok(int status, const struct error *error)
{
  if (status != 0)
    fail_msg("%s: %s", error->code, error->message);
}

static inline void nc(int status)
{
  if (status != NC_NOERR)
    fail_msg("netCDF: %s", nc_strerror(status));
}

/* A cheap generator; only variety matters here. */
static inline uint32_t next_random(uint32_t *state)
{
  *state = *state * 1664525U + 1013904223U;
  return *state >> 8;
}

static inline const struct source *open_source(struct world *w, const struct netcdf_selection *selection)
{
  struct error error = {0};
  const struct source *source = NULL;
  ok(netcdf_source(w->arena, &(struct netcdf_file){.path = w->path}, selection, &source, &error), &error);
  return source;
}

static inline void *read_box(const struct source *source, const struct box *box)
{
  struct error error = {0};
  struct source_reader *reader = NULL;
  void *data = malloc(box_elements(box) * element_info(source->cube.type)->size + 1);
  ok(source->ops->open(source, 1, &reader, &error), &error);
  ok(source->ops->read(reader, box, data, &error), &error);
  source->ops->close(reader);
  return data;
}

static inline void *read_all(const struct source *source)
{
  const struct box box = cube_box(&source->cube);
  return read_box(source, &box);
}

#endif
