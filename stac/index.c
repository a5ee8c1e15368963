/* Opening the index, its schema and statements. */
#include "stac/index.h"
#include "stac/cql2/cql2_condition.h"
#include "stac/shared/shared_catalogue.h"
#include "stac/search/search.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 20000 };

/* Documents are long: they lie apart, so that what is searched lies close together. */
const char index_searches[] =
    "CREATE TABLE documents (key INTEGER PRIMARY KEY, json TEXT NOT NULL, properties TEXT);"
    "CREATE INDEX items_date ON items (collection, instant, id);"
    "CREATE INDEX items_id ON items (id, collection);"
    "CREATE INDEX collections_extent ON collections (key, items, span);"
    "CREATE VIRTUAL TABLE item_boxes USING rtree (item, west, east, south, north, collection_low, collection_high,"
    " first, last);" INDEX_OWNERS;

static const char schema[] =
    "CREATE TABLE collections ("
    " key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT, crs TEXT, explicit_crs INTEGER NOT NULL,"
    " resolution REAL NOT NULL, sub_daily INTEGER NOT NULL, netcdf TEXT, nodata_given INTEGER NOT NULL, nodata REAL,"
    " items INTEGER NOT NULL, bands INTEGER NOT NULL, dates INTEGER NOT NULL, document TEXT NOT NULL,"
    " links TEXT NOT NULL, queryables TEXT NOT NULL, west REAL, south REAL, east REAL, north REAL,"
    " stored INTEGER NOT NULL DEFAULT 0, span INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE bands ("
    " collection INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, common_name TEXT, wavelength REAL,"
    " scale REAL, offset REAL, unit TEXT, long_name TEXT, standard_name TEXT, res_x REAL, res_y REAL,"
    " PRIMARY KEY (collection, position)) WITHOUT ROWID;"
    "CREATE TABLE grids ("
    " key INTEGER PRIMARY KEY, collection INTEGER NOT NULL, crs TEXT NOT NULL, west REAL, north REAL, res_x REAL,"
    " res_y REAL, width INTEGER, height INTEGER);"
    "CREATE INDEX grids_collection ON grids (collection);"
    "CREATE TABLE items ("
    " key INTEGER PRIMARY KEY, collection INTEGER NOT NULL, id TEXT NOT NULL, instant INTEGER NOT NULL,"
    " west REAL, south REAL, east REAL, north REAL, first INTEGER, last INTEGER);"
    "CREATE TABLE assets ("
    " item INTEGER NOT NULL, band INTEGER NOT NULL, grid INTEGER NOT NULL, path TEXT NOT NULL,"
    " raster_band INTEGER NOT NULL, type TEXT NOT NULL, nodata_given INTEGER NOT NULL, nodata REAL,"
    " masked INTEGER NOT NULL, unpacks INTEGER NOT NULL, scale REAL NOT NULL, offset REAL NOT NULL,"
    " PRIMARY KEY (item, band)) WITHOUT ROWID;";

#define COLUMNS_WITH(document)                                                                                         \
  "SELECT key, id, title, crs, explicit_crs, resolution, sub_daily, netcdf, nodata_given, nodata, items, bands, "      \
  "dates, " document ", links, queryables, west, south, east, north, " UNSEEN ", stored FROM collections "
/* Whether it has a plane that can be shown, and no pictures of its own. */
#define UNSEEN "NOT stored AND document LIKE '%\"axis\":\"x\"%' AND json_type(document, '$.assets') IS NULL"
#define COLLECTION_COLUMNS COLUMNS_WITH("document")
/* In a list a document is without what is long, and without the extension that would ask for it. */
#define SHORT_DOCUMENT                                                                                                 \
  "json_replace(json_remove(document, '$.\"cube:dimensions\"', '$.summaries'), '$.stac_extensions', json("             \
  "(SELECT json_group_array(value) FROM json_each(document, '$.stac_extensions') WHERE value NOT LIKE "                \
  "'%/datacube/%')))"
#define OF_ITEMS " IN (SELECT key FROM items WHERE collection = ?1)"

static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN_READ] = "BEGIN",
    [STATEMENT_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_COLLECTION] = COLLECTION_COLUMNS "WHERE id = ?1",
    [STATEMENT_LIST] = COLLECTION_COLUMNS "ORDER BY id",
    [STATEMENT_PAGE] = COLUMNS_WITH(SHORT_DOCUMENT) "WHERE id > ?1 ORDER BY id",
    [STATEMENT_NAMES] = "SELECT id, title FROM collections ORDER BY id",
    [STATEMENT_DELETE_BOXES] = "DELETE FROM item_boxes WHERE item" OF_ITEMS,
    [STATEMENT_DELETE_ASSETS] = "DELETE FROM assets WHERE item" OF_ITEMS,
    [STATEMENT_DELETE_DOCUMENTS] = "DELETE FROM documents WHERE key" OF_ITEMS,
    [STATEMENT_DELETE_ITEMS] = "DELETE FROM items WHERE collection = ?1",
    [STATEMENT_DELETE_GRIDS] = "DELETE FROM grids WHERE collection = ?1",
    [STATEMENT_DELETE_BANDS] = "DELETE FROM bands WHERE collection = ?1",
    [STATEMENT_DELETE_OWNER] = "DELETE FROM private_collections WHERE key = ?1",
    [STATEMENT_DELETE_COLLECTION] = "DELETE FROM collections WHERE key = ?1",
    [STATEMENT_INSERT_COLLECTION] =
        "INSERT INTO collections (id, title, crs, explicit_crs, resolution, sub_daily, netcdf, nodata_given, nodata,"
        " items, bands, dates, document, links, queryables, west, south, east, north, key)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
    [STATEMENT_INSERT_BAND] = "INSERT INTO bands VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [STATEMENT_INSERT_GRID] = "INSERT INTO grids (collection, crs, west, north, res_x, res_y, width, height)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [STATEMENT_INSERT_ITEM] = "INSERT INTO items (collection, id, instant, first, last, west, south, east, north)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STATEMENT_UPDATE_ITEM] = "UPDATE items SET instant = ?3, first = ?4, last = ?5, west = ?6, south = ?7, east = ?8,"
                              " north = ?9 WHERE key = ?10",
    [STATEMENT_INSERT_DOCUMENT] = "INSERT OR REPLACE INTO documents VALUES (?1, ?2, ?3)",
    [STATEMENT_INSERT_BOX] = "INSERT OR REPLACE INTO item_boxes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STATEMENT_INSERT_ASSET] = "INSERT INTO assets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [STATEMENT_BANDS] = "SELECT name, common_name, wavelength, scale, offset, unit, long_name, standard_name, res_x,"
                        " res_y FROM bands WHERE collection = ?1 ORDER BY position",
    [STATEMENT_ITEMS] =
        "SELECT items.key, id, instant, properties FROM items JOIN documents ON documents.key = items.key"
        " WHERE collection = ?1 AND instant >= ?2 AND instant < ?3 ORDER BY items.key",
    [STATEMENT_ITEMS_IN_BOX] =
        "SELECT items.key, id, instant, properties FROM item_boxes AS box JOIN items ON items.key = box.item"
        " JOIN documents ON documents.key = items.key"
        " WHERE box.west <= ?5 AND box.east >= ?4 AND box.south <= ?7 AND box.north >= ?6 AND collection_low <= ?1"
        " AND collection_high >= ?1 AND box.first <= ?3 / 864e6 AND box.last >= ?2 / 864e6"
        " AND collection = ?1 AND instant >= ?2 AND instant < ?3 ORDER BY items.key",
    [STATEMENT_FIRST_INSTANT] = "SELECT min(instant) FROM items WHERE collection = ?1 AND instant >= ?2",
    [STATEMENT_ASSETS] = "SELECT band, path, raster_band, type, nodata_given, nodata, crs, west, north, res_x, res_y,"
                         " width, height, masked, unpacks, scale, offset"
                         " FROM assets JOIN grids ON grids.key = assets.grid WHERE item = ?1 ORDER BY band",
    [STATEMENT_ITEMS_OF] = "SELECT key, items, dates FROM collections WHERE id = ?1",
    [STATEMENT_ITEM] = "SELECT items.key, id, instant, json FROM items JOIN documents ON documents.key = items.key"
                       " WHERE collection = ?1 AND id = ?2 LIMIT 1",
    [STATEMENT_DOCUMENT] = "SELECT json FROM documents WHERE key = ?1",
    [STATEMENT_EXTENTS] = "SELECT key, items, span FROM collections",
    [STATEMENT_EXTENT] = "SELECT key, items, span FROM collections WHERE id = ?1",
    [STATEMENT_NAME] = "SELECT id, stored FROM collections WHERE key = ?1",
    [STATEMENT_SPAN] = "UPDATE collections SET span = max(span, ?2) WHERE key = ?1",
    [STATEMENT_KIND] = "SELECT key, stored FROM collections WHERE id = ?1",
    [STATEMENT_ITEM_KEY] = "SELECT key FROM items WHERE id = ?1 AND collection = ?2 LIMIT 1",
    [STATEMENT_REMOVE_ITEM] = "DELETE FROM items WHERE key = ?1",
    [STATEMENT_REMOVE_DOCUMENT] = "DELETE FROM documents WHERE key = ?1",
    [STATEMENT_TREE_NODE] = "SELECT data FROM item_boxes_node WHERE nodeno = ?1",
    [STATEMENT_REMOVE_BOX] = "DELETE FROM item_boxes WHERE item = ?1",
    [STATEMENT_PUT_COLLECTION] =
        "INSERT INTO collections (id, title, explicit_crs, resolution, sub_daily, nodata_given, items, bands, dates,"
        " document, links, queryables, west, south, east, north, stored)"
        " VALUES (?1, ?2, 0, 0, 1, 0, 0, 0, 0, ?3, ?4, '{}', ?5, ?6, ?7, ?8, 1)"
        " ON CONFLICT (id) DO UPDATE SET title = ?2, document = ?3, links = ?4, west = ?5, south = ?6, east = ?7,"
        " north = ?8",
    [STATEMENT_OWNER] = "SELECT owner FROM private_collections WHERE key = (SELECT key FROM collections WHERE id = ?1)",
    [STATEMENT_SET_OWNER] = "INSERT OR REPLACE INTO private_collections SELECT key, ?2 FROM collections WHERE id = ?1",
    [STATEMENT_ANY_HIDDEN] = "SELECT EXISTS (SELECT 1 FROM private_collections WHERE NOT owner_is_shown(owner))",
    [STATEMENT_COUNT_ITEMS] = "UPDATE collections SET items = items + ?2, dates = items + ?2, span = max(span, ?3)"
                              " WHERE key = ?1",
};

int index_error(struct index *index, struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "%s: %s", index->path,
                   index->db ? sqlite3_errmsg(index->db) : "not open");
}

static int user_version(struct index *index, int *version, struct error *error)
{
  sqlite3_stmt *statement = NULL;
  int result = -1;
  if (sqlite3_prepare_v2(index->db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    *version = sqlite3_column_int(statement, 0);
    result = 0;
  } else
    index_error(index, error);
  sqlite3_finalize(statement);
  return result;
}

/* Two programs may make or upgrade the file at once: the version is looked at again under the lock. */
static int make_schema(struct index *index, struct error *error)
{
  int version = 0;
  if (sqlite3_exec(index->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
    return index_error(index, error);
  int result = user_version(index, &version, error);
  if (result == 0 && version == 0 &&
      (sqlite3_exec(index->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
       sqlite3_exec(index->db, index_searches, NULL, NULL, NULL) != SQLITE_OK))
    result = index_error(index, error);
  if (result == 0 && version >= INDEX_OLDEST && version < INDEX_VERSION)
    result = index_upgrade(index, version, error);
  if (sqlite3_exec(index->db, result == 0 ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK && result == 0)
    result = index_error(index, error);
  return result;
}

/* Readers cannot write, but whoever reads a catalogue may have the right to. */
static int upgrade_for_reader(const struct index *reader, struct error *error)
{
  struct index *writer = calloc(1, sizeof *writer);
  struct error reason = {0};
  if (writer)
    *writer = (struct index){.writable = true, .path = strdup(reader->path)};
  if (!writer || !writer->path) {
    free(writer);
    return error_memory(error);
  }
  int result = index_open(writer, &reason);
  index_close(writer);
  return result == 0 ? 0
                     : error_set(error, ERROR_StorageFailure,
                                 "%s is of an older version of this program; whoever may write there brings it up to "
                                 "date with 'twincube catalogue list' (%s)",
                                 reader->path, reason.message);
}

static int check_schema(struct index *index, struct error *error)
{
  int version = 0;
  if (user_version(index, &version, error) != 0)
    return -1;
  const bool is_old = version >= INDEX_OLDEST && version < INDEX_VERSION;
  if ((version == 0 || is_old) && index->writable)
    return make_schema(index, error);
  if (is_old)
    return upgrade_for_reader(index, error);
  if (version == INDEX_VERSION)
    return 0;
  if (version == 0)
    return 1; /* a reader came before the writer's first commit */
  return error_set(error, ERROR_StorageFailure, "%s was made by another version of this program (%d, not %d)",
                   index->path, version, INDEX_VERSION);
}

/* SQLite counts what it allocates, of all threads under one lock, unless it is told before it is first used. */
static void count_no_memory(void)
{
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* A folder that cannot be written holds a catalogue that nobody changes: no locks, no side files. */
static int open_database(struct index *index)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const int access_flags = index->writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int flags = access_flags | SQLITE_OPEN_NOMUTEX; /* a handle is one thread's */
  pthread_once(&once, count_no_memory);
  char *folder = strdup(index->path);
  char *slash = folder ? strrchr(folder, '/') : NULL;
  if (slash)
    *slash = '\0';
  bool frozen = !index->writable && slash && access(folder, W_OK) != 0;
  free(folder);
  if (!frozen)
    return sqlite3_open_v2(index->path, &index->db, flags, NULL);
  char *uri = sqlite3_mprintf("file:%s?immutable=1", index->path);
  int result = uri ? sqlite3_open_v2(uri, &index->db, flags | SQLITE_OPEN_URI, NULL) : SQLITE_NOMEM;
  sqlite3_free(uri);
  return result;
}

/* The SQL function item_accepted(document): what the judge of the running search says. */
static void item_accepted(sqlite3_context *context, int count, sqlite3_value **values)
{
  const struct index *index = sqlite3_user_data(context);
  const struct index_judge *judge = index->judge;
  const char *document = count == 1 ? (const char *)sqlite3_value_text(values[0]) : NULL;
  int accepted = 0;
  if (judge && document)
    accepted = judge->accept(judge->data, document, (size_t)sqlite3_value_bytes(values[0]), judge->error);
  if (accepted < 0)
    sqlite3_result_error(context, "an item cannot be judged", -1);
  else
    sqlite3_result_int(context, accepted);
}

/* The SQL function owner_is_shown(owner): whether the handle's user sees that owner's own collections. */
static void owner_is_shown(sqlite3_context *context, int count, sqlite3_value **values)
{
  const struct index *index = sqlite3_user_data(context);
  const char *owner = count == 1 ? (const char *)sqlite3_value_text(values[0]) : NULL;
  sqlite3_result_int(context, !index->is_shown_to_one || (owner && strcmp(owner, index->user) == 0));
}

/* Readers ask a view of the table's name: no question can forget who asks. Each collection is looked up among the
 * private ones, by key: that takes less than a set of those that are hidden, which each statement would make anew. */
static int hide_private(struct index *index, struct error *error)
{
  static const char view[] =
      "PRAGMA temp_store = MEMORY; CREATE TEMP VIEW collections AS SELECT * FROM main.collections AS one WHERE NOT "
      "EXISTS"
      " (SELECT 1 FROM main.private_collections AS own WHERE own.key = one.key AND NOT owner_is_shown(own.owner))";
  return sqlite3_exec(index->db, view, NULL, NULL, NULL) == SQLITE_OK ? 0 : index_error(index, error);
}

int index_open(struct index *index, struct error *error)
{
  struct stat unused;
  if (index->db)
    return 0;
  if (!index->writable && stat(index->path, &unused) != 0)
    return 0;
  int result = open_database(index) == SQLITE_OK ? 0 : index_error(index, error);
  if (index->db)
    sqlite3_busy_timeout(index->db, BUSY_MS);
  if (result == 0 && index->writable &&
      sqlite3_exec(index->db, "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL,
                   NULL, NULL) != SQLITE_OK)
    result = index_error(index, error);
  /* pages are read where they lie in memory, which threads and processes share; what lies beyond the 2 GiB that SQLite
   * maps at most (the search tree, say, which is written last) is kept by each reader */
  if (result == 0 && !index->writable &&
      sqlite3_exec(index->db, "PRAGMA mmap_size = 2147418112; PRAGMA cache_size = -32768", NULL, NULL, NULL) !=
          SQLITE_OK)
    result = index_error(index, error);
  if (result == 0 && sqlite3_create_function(index->db, "item_accepted", 1, SQLITE_UTF8, index, item_accepted, NULL,
                                             NULL) != SQLITE_OK)
    result = index_error(index, error);
  if (result == 0 && cql2_register(index->db) != SQLITE_OK)
    result = index_error(index, error);
  if (result == 0 && sqlite3_create_function(index->db, "owner_is_shown", 1, SQLITE_UTF8, index, owner_is_shown, NULL,
                                             NULL) != SQLITE_OK)
    result = index_error(index, error);
  if (result == 0)
    result = check_schema(index, error);
  if (result == 0 && !index->writable)
    result = hide_private(index, error);
  if (result != 0) {
    sqlite3_close(index->db);
    index->db = NULL;
  }
  return result < 0 ? -1 : 0;
}

int index_expect_much(struct index *index, struct error *error)
{
  return sqlite3_exec(index->db, "PRAGMA cache_size = -131072", NULL, NULL, NULL) == SQLITE_OK
             ? 0
             : index_error(index, error);
}

void index_close(struct index *index)
{
  for (size_t i = 0; i < STATEMENT_COUNT; i++)
    sqlite3_finalize(index->statements[i]);
  for (size_t i = 0; i < INDEX_QUERIES; i++) {
    sqlite3_finalize(index->queries[i].statement);
    free(index->queries[i].text);
  }
  shared_catalogue_close(index->shared);
  sqlite3_close(index->db);
  free(index->path);
  free(index);
}

sqlite3_stmt *index_statement(struct index *index, enum statement statement, struct error *error)
{
  sqlite3_stmt **slot = &index->statements[statement];
  if (!*slot &&
      sqlite3_prepare_v3(index->db, texts[statement], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK) {
    index_error(index, error);
    return NULL;
  }
  index_done(*slot);
  return *slot;
}

/* The slot of the text, else the one that has not been asked for longest. */
static struct index_query *find_query(struct index *index, const char *text)
{
  struct index_query *oldest = &index->queries[0];
  for (size_t i = 0; i < INDEX_QUERIES; i++) {
    struct index_query *query = &index->queries[i];
    if (query->text && strcmp(query->text, text) == 0)
      return query;
    if (query->used < oldest->used)
      oldest = query;
  }
  return oldest;
}

sqlite3_stmt *index_query(struct index *index, const char *text, struct error *error)
{
  struct index_query *query = find_query(index, text);
  query->used = ++index->question;
  if (!query->text || strcmp(query->text, text) != 0) {
    sqlite3_finalize(query->statement);
    free(query->text);
    *query = (struct index_query){.text = strdup(text), .used = index->question};
    if (!query->text) {
      error_memory(error);
      return NULL;
    }
    if (sqlite3_prepare_v3(index->db, text, -1, SQLITE_PREPARE_PERSISTENT, &query->statement, NULL) != SQLITE_OK) {
      index_error(index, error);
      free(query->text);
      *query = (struct index_query){0};
      return NULL;
    }
  }
  index_done(query->statement);
  return query->statement;
}

void index_done(sqlite3_stmt *statement)
{
  if (statement) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
}

int index_step(struct index *index, sqlite3_stmt *statement, struct error *error)
{
  int code = sqlite3_step(statement);
  if (code == SQLITE_ROW)
    return 1;
  if (code == SQLITE_INTERRUPT)
    return error_set(error, ERROR_RequestTimeout, "the search took too long, or was cancelled");
  return code == SQLITE_DONE ? 0 : index_error(index, error);
}

int index_run(struct index *index, sqlite3_stmt *statement, struct error *error)
{
  int result = statement ? index_step(index, statement, error) : -1;
  index_done(statement);
  return result < 0 ? -1 : 0;
}

int index_execute(struct index *index, enum statement statement, struct error *error)
{
  return index_run(index, index_statement(index, statement, error), error);
}

sqlite3_stmt *index_collection(struct index *index, const char *id, struct error *error)
{
  if (index_open(index, error) != 0)
    return NULL;
  sqlite3_stmt *row = index->db ? index_statement(index, STATEMENT_COLLECTION, error) : NULL;
  if (row) {
    sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
    int found = index_step(index, row, error);
    if (found == 1)
      return row;
    index_done(row);
  }
  error_parameter(error, ERROR_CollectionNotFound, "id", "collection '%s' does not exist", id);
  return NULL;
}
