#include "server/sources/source_tables.h"

#include "server/config/config_members.h"
#include "server/sources/source_kind.h"
#include "server/sources/source_load.h"
#include "stac/source_book.h"

#include "datacube/base/logger.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "table" /* member of a record that a table made */

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bool is_id(const char *id)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~/";
  return id && id[0] && strlen(id) <= 255 && strspn(id, plain) == strlen(id);
}

/* A member of the record; nothing where there is no value. */
static void set(struct source_table *out, const char *name, json_t *value)
{
  if (value)
    json_object_set_new(out->record, name, value);
}

static void set_text(struct source_table *out, const char *name, const char *text)
{
  set(out, name, text ? json_string(text) : NULL);
}

/* A number, "nan", "inf" or "-inf" as the record has it: NaN is no value. */
static bool take_number(const json_t *value, json_t *row)
{
  const char *text = json_string_value(value);
  if (text && strcmp(text, "nan") == 0)
    return true;
  if (!json_is_number(value) && !(text && (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0)))
    return false;
  return json_object_set_new(row, "value", text ? json_string(text) : json_real(json_number_value(value))) == 0;
}

/* One of `nodata`: a value for all bands, or {band, value}. */
static int add_nodata(const json_t *value, json_t *rows, const char *place, struct error *error)
{
  const char *band = NULL;
  const json_t *number = value;
  const struct config_member members[] = {
      {"band", MEMBER_TEXT, &band, NULL}, {"value", MEMBER_VALUE, &number, NULL}, {NULL, MEMBER_VALUE, NULL, NULL}};
  json_t *row = json_object();
  char at[64];
  snprintf(at, sizeof at, "%s.nodata[%zu]", place, json_array_size(rows));
  json_array_append_new(rows, row);
  if (json_is_object(value) && config_read_object(value, members, at, error) != 0)
    return -1;
  if (!row || !take_number(number, row))
    return config_wrong(error, place, "nodata", "wants values (numbers, \"nan\") or tables of band and value");
  return band && json_object_set_new(row, "band", json_string(band)) != 0 ? error_memory(error) : 0;
}

static int take_nodata(struct source_table *out, const json_t *values, const char *place, struct error *error)
{
  json_t *rows = json_array();
  set(out, "nodata", rows);
  if (!json_is_array(values))
    return values ? add_nodata(values, rows, place, error) : 0;
  for (size_t i = 0; i < json_array_size(values); i++)
    if (add_nodata(json_array_get(values, i), rows, place, error) != 0)
      return -1;
  return 0;
}

/* "NAME", or {name, url}. */
static int take_providers(struct source_table *out, const json_t *values, const char *place, struct error *error)
{
  json_t *rows = json_array();
  set(out, "providers", rows);
  if (values && !json_is_array(values))
    return config_wrong(error, place, "providers", "wants an array of names, or of tables of name and url");
  for (size_t i = 0; i < json_array_size(values); i++) {
    const json_t *value = json_array_get(values, i);
    const char *name = json_string_value(value), *url = NULL;
    char at[64];
    snprintf(at, sizeof at, "%s.providers[%zu]", place, i);
    const struct config_member members[] = {
        {"name", MEMBER_TEXT, &name, NULL}, {"url", MEMBER_URL, &url, NULL}, {NULL, MEMBER_VALUE, NULL, NULL}};
    if (!name && config_read_object(value, members, at, error) != 0)
      return -1;
    if (!name || !name[0])
      return config_wrong(error, place, "providers", "wants an array of names, or of tables of name and url");
    json_array_append_new(rows, url ? json_pack("{ss,ss}", "name", name, "url", url) : json_pack("{ss}", "name", name));
  }
  return 0;
}

static int take_resolution(struct source_table *out, const json_t *value, const char *place, struct error *error)
{
  const double resolution = json_number_value(value);
  if (value && !(isfinite(resolution) && resolution > 0))
    return config_wrong(error, place, "resolution", "wants a positive number");
  set(out, "resolution", json_real(resolution));
  return 0;
}

static int take_remotes(struct source_table *out, const json_t *prefixes, const char *place, struct error *error)
{
  struct error reason = {0};
  for (size_t i = 0; i < json_array_size(prefixes); i++)
    if (fetch_prefix_check(json_string_value(json_array_get(prefixes, i)), &reason) != 0)
      return config_wrong(error, place, "remote", reason.message);
  set(out, "remotes", json_array_size(prefixes) > 0 ? json_pack("[O]", prefixes) : json_array());
  return 0;
}

static int take_place(struct source_table *out, const char *place, struct error *error)
{
  const bool is_address = out->place && strstr(out->place, "://") != NULL;
  if (!is_id(out->id))
    return config_wrong(error, place, "id", "wants letters, digits and _ - . ~ /, at most 255");
  if (!out->place || (!is_address && out->place[0] != '/'))
    return config_wrong(error, place, "place", "wants an address, or a path that begins with /");
  if (out->kind[0] && strcmp(out->kind, SOURCE_ITEMS) != 0 && !source_kind_named(out->kind))
    return config_wrong(error, place, "kind", "is none of the sources that `twincube catalogue add --help` lists");
  if (strcmp(out->kind, SOURCE_ITEMS) == 0 && !is_address)
    return config_wrong(error, place, "kind", "items wants an address: files are loaded by `twincube catalogue load`");
  return 0;
}

static int read_table(const json_t *table, struct source_table *out, const char *place, struct error *error)
{
  const char *kind = NULL, *title = NULL, *license = NULL, *datetime = NULL, *band = NULL, *crs = NULL;
  const json_t *nodata = NULL, *providers = NULL, *keywords = NULL, *remotes = NULL, *resolution = NULL, *every = NULL;
  bool follows = false, unpacks = false;
  const struct config_member members[] = {{"id", MEMBER_TEXT, &out->id, NULL},
                                          {"place", MEMBER_TEXT, &out->place, NULL},
                                          {"kind", MEMBER_TEXT, &kind, NULL},
                                          {"refresh", MEMBER_VALUE, &every, NULL},
                                          {"title", MEMBER_TEXT, &title, NULL},
                                          {"license", MEMBER_TEXT, &license, NULL},
                                          {"providers", MEMBER_VALUE, &providers, NULL},
                                          {"keywords", MEMBER_TEXTS, &keywords, NULL},
                                          {"datetime", MEMBER_TEXT, &datetime, NULL},
                                          {"band", MEMBER_TEXT, &band, NULL},
                                          {"nodata", MEMBER_VALUE, &nodata, NULL},
                                          {"crs", MEMBER_TEXT, &crs, NULL},
                                          {"resolution", MEMBER_VALUE, &resolution, NULL},
                                          {"follow", MEMBER_FLAG, &follows, NULL},
                                          {"unpack", MEMBER_FLAG, &unpacks, NULL},
                                          {"remote", MEMBER_TEXTS, &remotes, NULL},
                                          {NULL, MEMBER_VALUE, NULL, NULL}};
  if (config_read_object(table, members, place, error) != 0)
    return -1;
  out->kind = kind ? kind : "";
  out->every = json_integer_value(every);
  if (every && (!json_is_integer(every) || out->every < 1 || out->every > 1000000000))
    return config_wrong(error, place, "refresh", "wants seconds, at least 1");
  set_text(out, "id", out->id);
  set_text(out, "title", title);
  set_text(out, "licence", license);
  set_text(out, "datetime", datetime);
  set_text(out, "band", band);
  set_text(out, "crs", crs);
  set(out, "follow", json_boolean(follows));
  set(out, "unpack", json_boolean(unpacks));
  set(out, "keywords", keywords ? json_deep_copy(keywords) : json_array());
  return take_place(out, place, error) == 0 && take_nodata(out, nodata, place, error) == 0 &&
                 take_providers(out, providers, place, error) == 0 &&
                 take_resolution(out, resolution, place, error) == 0
             ? take_remotes(out, remotes, place, error)
             : -1;
}

/* "ID=PLACE" is a table of these two. */
static json_t *table_of(json_t *value)
{
  const char *text = json_string_value(value), *equals = text ? strchr(text, '=') : NULL;
  if (!text)
    return json_incref(value);
  return equals ? json_pack("{ss#,ss}", "id", text, (int)(equals - text), "place", equals + 1) : json_object();
}

static int read_one(json_t *table, struct source_tables *out, struct error *error)
{
  char place[32];
  struct source_table *row = &out->rows[out->count];
  snprintf(place, sizeof place, "source[%zu]", out->count);
  row->record = json_pack("{sb}", MARK, 1);
  if (!row->record)
    return error_memory(error);
  out->count++;
  if (read_table(table, row, place, error) != 0)
    return -1;
  for (size_t i = 0; i + 1 < out->count; i++)
    if (strcmp(out->rows[i].id, row->id) == 0)
      return config_wrong(error, place, "id", "is another one's, too");
  return 0;
}

int source_tables_read(json_t *document, struct source_tables *out, struct error *error)
{
  const size_t count = json_is_array(document) ? json_array_size(document) : 1;
  *out = (struct source_tables){.document = json_array(), .rows = calloc(count + 1, sizeof *out->rows)};
  if (!out->document || !out->rows)
    return error_memory(error);
  if (count > SOURCE_TABLES_MOST)
    return error_set(error, ERROR_ServerConfigInvalid, "source wants at most %d tables", (int)SOURCE_TABLES_MOST);
  for (size_t i = 0; i < count; i++) {
    json_t *table = table_of(json_is_array(document) ? json_array_get(document, i) : document);
    if (!table || json_array_append_new(out->document, table) != 0)
      return error_memory(error);
    if (read_one(table, out, error) != 0)
      return -1;
  }
  return json_dumpb(out->document, NULL, 0, JSON_COMPACT) < SOURCE_TABLES_BYTES / 2
             ? 0
             : error_set(error, ERROR_ServerConfigInvalid, "source says too much: 64 KiB in all");
}

void source_tables_free(struct source_tables *tables)
{
  for (size_t i = 0; i < tables->count; i++)
    json_decref(tables->rows[i].record);
  free(tables->rows);
  json_decref(tables->document);
  *tables = (struct source_tables){0};
}

/* ---- on the way to the process that refreshes -------------------------------------------------------------------- */

char *source_tables_write(const struct source_tables *tables, const json_t *remotes)
{
  if (tables->count == 0)
    return NULL;
  json_t *whole = json_pack("{sOsO*}", "tables", tables->document, "remotes", remotes);
  char *text = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
  json_decref(whole);
  return text;
}

/* ---- keeping ----------------------------------------------------------------------------------------------------- */

struct applying {
  const struct source_tables *tables;
  const json_t *remotes; /* array of documents, or NULL */
  const struct kept_source *rows;
  size_t row_count;
  const char **wanted; /* names of what is to be read, owned; as many as tables at most */
  size_t wanted_count;
};

static const struct kept_source *find_row(const struct applying *a, const char *id)
{
  for (size_t i = 0; i < a->row_count; i++)
    if (strcmp(a->rows[i].name, id) == 0)
      return &a->rows[i];
  return NULL;
}

static bool has_table(const struct applying *a, const char *id)
{
  for (size_t i = 0; i < a->tables->count; i++)
    if (strcmp(a->tables->rows[i].id, id) == 0)
      return true;
  return false;
}

static bool is_same(const struct kept_source *row, const struct source_table *table)
{
  json_t *options = row ? json_loads(row->options, 0, NULL) : NULL;
  const bool same = options && json_equal(options, table->record) && strcmp(row->kind, table->kind) == 0 &&
                    strcmp(row->address, table->place) == 0 && row->every == table->every;
  json_decref(options);
  return same;
}

/* What has failed, or was never read, is read again at each start. */
static int keep_one(struct catalogue *catalogue, struct applying *a, const struct source_table *table,
                    struct error *error)
{
  const struct kept_source *row = find_row(a, table->id);
  json_t *own = json_object_get(table->record, "remotes");
  if (a->remotes && json_array_extend(own, (json_t *)(uintptr_t)a->remotes) != 0)
    return error_memory(error);
  const bool same = is_same(row, table);
  if (!same || row->failure[0])
    a->wanted[a->wanted_count++] = table->id;
  if (same)
    return 0;
  char *options = json_dumps(table->record, JSON_COMPACT);
  const struct kept_source source = {.name = table->id,
                                     .kind = table->kind,
                                     .address = table->place,
                                     .options = options,
                                     .digest = "",
                                     .failure = "it has not been read yet",
                                     .every = table->every};
  const int status = options ? source_book_put(catalogue, &source, error) : error_memory(error);
  free(options);
  return status;
}

/* A source without its table is one like others. */
static int let_go(struct catalogue *catalogue, const struct kept_source *row, struct error *error)
{
  json_t *record = json_loads(row->options, 0, NULL);
  int status = 0;
  if (json_object_get(record, MARK)) {
    struct kept_source source = *row;
    json_object_del(record, MARK);
    char *options = json_dumps(record, JSON_COMPACT);
    source.options = options;
    status = options ? source_book_put(catalogue, &source, error) : error_memory(error);
    free(options);
    log_message(LOG_INFO,
                "the source '%s' has no table any more: its collection stays, and `catalogue remove` forgets it",
                row->name);
  }
  json_decref(record);
  return status;
}

static int keep_all(const struct refresh_options *options, struct arena *arena, struct applying *a, struct error *error)
{
  struct catalogue *catalogue = NULL;
  int status = catalogue_open_shared(options->data, options->shared, &catalogue, error);
  if (status == 0)
    status = source_book_read(catalogue, arena, &a->rows, &a->row_count, error);
  for (size_t i = 0; i < a->row_count && status == 0; i++)
    if (!has_table(a, a->rows[i].name))
      status = let_go(catalogue, &a->rows[i], error);
  for (size_t i = 0; i < a->tables->count && status == 0; i++)
    status = keep_one(catalogue, a, &a->tables->rows[i], error);
  catalogue_close(catalogue);
  return status;
}

static int apply(const struct refresh_options *options, struct arena *arena, const json_t *whole,
                 const struct source_tables *tables, struct error *error)
{
  struct applying a = {.tables = tables,
                       .remotes = json_object_get(whole, "remotes"),
                       .wanted = calloc(tables->count + 1, sizeof *a.wanted)};
  struct refresh_options wanted = *options;
  size_t failed;
  int status = a.wanted ? keep_all(options, arena, &a, error) : error_memory(error);
  wanted.names = a.wanted;
  wanted.name_count = a.wanted_count;
  if (status == 0 && a.wanted_count > 0)
    status = source_refresh(&wanted, &failed, error);
  free(a.wanted);
  return status;
}

int source_tables_apply(const struct refresh_options *options, const char *text, struct error *error)
{
  struct arena *arena = arena_new(0);
  struct source_tables tables = {0};
  json_t *whole = json_loads(*text ? text : "{\"tables\":[]}", 0, NULL), *list = json_object_get(whole, "tables");
  int status = arena && list ? source_tables_read(list, &tables, error) : error_memory(error);
  if (status == 0)
    status = apply(options, arena, whole, &tables, error);
  source_tables_free(&tables);
  json_decref(whole);
  arena_free(arena);
  return status;
}
