/* Where a test of the store has it: in a folder of its own, or, where TWINCUBE_TEST_STORE is the URI of a PostgreSQL
 * database, in the schema that this URI names, made anew. */
#ifndef TWINCUBE_TESTS_UNIT_STORE_PLACE_H
#define TWINCUBE_TESTS_UNIT_STORE_PLACE_H

#include "server/store/folder.h"
#include "server/store/store_sql.h"

#include <stdio.h>
#include <stdlib.h>

struct store_place {
  char folder[64];
  const char *place; /* for store_open */
};

static inline int store_place_make(struct store_place *out, struct error *error)
{
  const char *uri = getenv("TWINCUBE_TEST_STORE");
  struct store raw = {.engine = &store_engine_postgres};
  snprintf(out->folder, sizeof out->folder, "store-test-XXXXXX");
  if (mkdtemp(out->folder) == NULL)
    return -1;
  out->place = uri != NULL ? uri : out->folder;
  if (uri == NULL)
    return 0;
  int status = raw.engine->open(&raw, uri, error);
  if (status == 0)
    status = raw.engine->execute(&raw, "DROP SCHEMA IF EXISTS unit CASCADE; CREATE SCHEMA unit", error);
  raw.engine->close(&raw);
  return status;
}

static inline void store_place_remove(struct store_place *place)
{
  folder_remove(place->folder);
}

/* A statement without parameters. */
static inline int store_execute(struct store *store, const char *sql, struct error *error)
{
  return store->engine->execute(store, sql, error);
}

#endif
