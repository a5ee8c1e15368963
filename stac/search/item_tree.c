/* Every catalogue is an interval of the index of dates: of places (instant, id), the end excluded. */
#include "stac/search/item_tree.h"

#include "stac/href.h"
#include "stac/index.h"

#include "datacube/base/instant.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item_place {
  int64_t instant;
  const char *id; /* "": before all of the instant */
};

/* What the tree is divided into from the top: all, years, months, days. */
enum level { LEVEL_ALL, LEVEL_YEAR, LEVEL_MONTH, LEVEL_DAY };

struct tree_writing {
  struct index *index;
  struct json_writer *writer;
  const char *base;
  const struct item_tree_node *node;
  enum level level;
  bool is_stretch; /* the node has `from` or `to` */
  int64_t key;     /* of the collection */
  bool is_dated;
  char title[256]; /* of the collection */
  struct item_place from, to;
};

/* ---- periods ----------------------------------------------------------------------------------------------------- */

/* The period of the level in which the instant lies, and where the next one begins. 32 bytes of room. */
static void period_of(int64_t instant, enum level level, char out[32], int64_t *end)
{
  struct civil civil = instant_civil(instant, CALENDAR_GREGORIAN);
  char year[16];
  year_format(civil.year, year);
  if (level == LEVEL_YEAR)
    snprintf(out, 32, "%s", year);
  else if (level == LEVEL_MONTH)
    snprintf(out, 32, "%s-%02d", year, civil.month);
  else
    snprintf(out, 32, "%s-%02d-%02d", year, civil.month, civil.day);
  struct civil next = {.year = civil.year, .month = 1, .day = 1};
  next.year += level == LEVEL_YEAR;
  next.month = level == LEVEL_YEAR ? 1 : civil.month + (level == LEVEL_MONTH);
  next.day = level == LEVEL_DAY ? civil.day + 1 : 1;
  *end = instant_from_civil(next, CALENDAR_GREGORIAN);
}

/* A period is good in the one way that we write it. */
static int read_period(struct tree_writing *t, struct error *error)
{
  const char *period = t->node->period;
  t->from = (struct item_place){INT64_MIN, ""};
  t->to = (struct item_place){INT64_MAX, ""};
  t->level = LEVEL_ALL;
  if (!period)
    return 0;
  if (t->is_dated && period[0] != '\0' && instant_parse(period, CALENDAR_GREGORIAN, &t->from.instant) == 0)
    for (enum level level = LEVEL_YEAR; level <= LEVEL_DAY; level++) {
      char own[32];
      period_of(t->from.instant, level, own, &t->to.instant);
      if (strcmp(own, period) == 0) {
        t->level = level;
        return 0;
      }
    }
  return error_set(error, ERROR_NotFound, "collection '%.200s' has no items of '%.40s'", t->node->collection, period);
}

/* "INSTANT,ID"; the id is the text's own. */
static int read_place(const char *text, const char *name, struct item_place *place, struct error *error)
{
  char *end;
  if (!text)
    return 0;
  const long long instant = strtoll(text, &end, 10);
  if (end == text || *end != ',')
    return error_parameter(error, ERROR_QueryParameterInvalid, name, "is of no link of this catalogue");
  *place = (struct item_place){instant, end + 1};
  return 0;
}

static int place_order(const struct item_place *a, const struct item_place *b)
{
  return a->instant != b->instant ? (a->instant > b->instant) - (a->instant < b->instant) : strcmp(a->id, b->id);
}

/* What a stretch says is cut to its period: nothing is listed where it does not belong. */
static int read_stretch(struct tree_writing *t, struct error *error)
{
  const struct item_place first = t->from, last = t->to;
  t->is_stretch = t->node->from || t->node->to;
  if (read_place(t->node->from, "from", &t->from, error) != 0 || read_place(t->node->to, "to", &t->to, error) != 0)
    return -1;
  if (place_order(&t->from, &first) < 0)
    t->from = first;
  if (place_order(&t->to, &last) > 0)
    t->to = last;
  return 0;
}

static int read_collection(struct tree_writing *t, struct error *error)
{
  sqlite3_stmt *row = index_collection(t->index, t->node->collection, error);
  if (!row)
    return -1;
  const char *title = (const char *)sqlite3_column_text(row, COLLECTION_TITLE);
  t->key = sqlite3_column_int64(row, COLLECTION_KEY);
  t->is_dated = sqlite3_column_int64(row, COLLECTION_DATES) > 0;
  snprintf(t->title, sizeof t->title, "%s", title ? title : t->node->collection);
  index_done(row);
  return 0;
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

static void write_href(struct tree_writing *t, const char *rel, const char *type, const struct buffer *href,
                       const char *title)
{
  json_write_object(t->writer);
  json_kv_string(t->writer, "rel", rel);
  json_kv_string(t->writer, "type", type);
  json_kv_string(t->writer, "href", href->failed ? t->base : href->data);
  if (title)
    json_kv_string(t->writer, "title", title);
  json_end_object(t->writer);
  t->writer->out->failed = t->writer->out->failed || href->failed;
}

static void add_collection(const struct tree_writing *t, struct buffer *href)
{
  buffer_printf(href, "%s/collections/", t->base);
  href_encode(t->node->collection, href);
}

static void add_place(char mark, const char *name, const char *place, struct buffer *href)
{
  buffer_printf(href, "%c%s=", mark, name);
  href_encode(place, href);
}

/* A node's address. */
static void write_node_link(struct tree_writing *t, const char *rel, const struct item_tree_node *node,
                            const char *title)
{
  struct buffer href = {0};
  add_collection(t, &href);
  buffer_text(&href, "/browse");
  if (node->period)
    buffer_printf(&href, "/%s", node->period);
  if (node->from)
    add_place('?', "from", node->from, &href);
  if (node->to)
    add_place(node->from ? '&' : '?', "to", node->to, &href);
  write_href(t, rel, "application/json", &href, title);
  buffer_free(&href);
}

static void write_parent_link(struct tree_writing *t)
{
  struct item_tree_node parent = {.collection = t->node->collection, .period = t->node->period};
  char period[32] = "";
  int64_t end;
  if (!t->is_stretch && t->level == LEVEL_ALL) {
    struct buffer href = {0};
    add_collection(t, &href);
    write_href(t, "parent", "application/json", &href, t->title);
    buffer_free(&href);
    return;
  }
  if (!t->is_stretch) {
    parent.period = NULL;
    if (t->level > LEVEL_YEAR) {
      period_of(t->from.instant, t->level - 1, period, &end);
      parent.period = period;
    }
  }
  write_node_link(t, "parent", &parent, NULL);
}

static void write_item_link(struct tree_writing *t, const char *id)
{
  struct buffer href = {0};
  add_collection(t, &href);
  buffer_text(&href, "/items/");
  href_encode(id, &href);
  write_href(t, "item", "application/geo+json", &href, id);
  buffer_free(&href);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

#define OF_NODE " FROM items WHERE collection = ?1 AND (instant, id) >= (?2, ?3) AND (instant, id) < (?4, ?5)"

/* The statement over the node's items; ?6 is the limit. NULL with an error. */
static sqlite3_stmt *ask(struct tree_writing *t, const char *text, int64_t limit, struct error *error)
{
  sqlite3_stmt *row = index_query(t->index, text, error);
  if (!row)
    return NULL;
  sqlite3_bind_int64(row, 1, t->key);
  sqlite3_bind_int64(row, 2, t->from.instant);
  sqlite3_bind_text(row, 3, t->from.id, -1, SQLITE_STATIC);
  sqlite3_bind_int64(row, 4, t->to.instant);
  sqlite3_bind_text(row, 5, t->to.id, -1, SQLITE_STATIC);
  sqlite3_bind_int64(row, 6, limit);
  return row;
}

/* Up to `most`; negative: all. */
static int count_items(struct tree_writing *t, int64_t most, int64_t *out, struct error *error)
{
  sqlite3_stmt *row = ask(t, "SELECT count(*) FROM (SELECT 1" OF_NODE " LIMIT ?6)", most, error);
  const int more = row ? index_step(t->index, row, error) : -1;
  *out = more == 1 ? sqlite3_column_int64(row, 0) : 0;
  index_done(row);
  return more == 1 ? 0 : -1;
}

static int write_items(struct tree_writing *t, struct error *error)
{
  sqlite3_stmt *row = ask(t, "SELECT id" OF_NODE " ORDER BY instant, id LIMIT ?6", -1, error);
  int more = row ? 1 : -1;
  while (more == 1 && (more = index_step(t->index, row, error)) == 1)
    write_item_link(t, (const char *)sqlite3_column_text(row, 0));
  index_done(row);
  return more;
}

/* Part after part, each from the place where the one before it ends. */
static int write_stretches(struct tree_writing *t, struct error *error)
{
  int64_t count, at = 0;
  if (count_items(t, -1, &count, error) != 0)
    return -1;
  const int64_t even = (count + ITEM_TREE_PARTS - 1) / ITEM_TREE_PARTS;
  const int64_t step = even > ITEM_TREE_FEW ? even : ITEM_TREE_FEW;
  struct item_tree_node part = *t->node;
  struct buffer begin = {0}, end = {0}, title = {0};
  sqlite3_stmt *row = ask(t, "SELECT id, instant" OF_NODE " ORDER BY instant, id LIMIT ?6", -1, error);
  int more = row ? 1 : -1;
  while (more == 1 && (more = index_step(t->index, row, error)) == 1) {
    if (at++ % step != 0)
      continue;
    const char *id = (const char *)sqlite3_column_text(row, 0);
    if (at > 1) {
      buffer_free(&end);
      buffer_printf(&end, "%" PRId64 ",%s", (int64_t)sqlite3_column_int64(row, 1), id);
      part.to = end.data;
      write_node_link(t, "child", &part, title.data);
      buffer_free(&begin);
      buffer_add(&begin, end.data ? end.data : "", end.length + 1);
      part.from = begin.data;
    }
    buffer_free(&title);
    buffer_printf(&title, "%s …", id);
    if (title.failed || begin.failed || end.failed)
      more = error_memory(error);
  }
  index_done(row);
  part.to = t->node->to;
  if (more == 0)
    write_node_link(t, "child", &part, title.data);
  buffer_free(&begin);
  buffer_free(&end);
  buffer_free(&title);
  return more;
}

/* The first instant from there on; false: none, or an error. */
static int next_instant(struct tree_writing *t, int64_t from, int64_t *out, struct error *error)
{
  sqlite3_stmt *row = index_statement(t->index, STATEMENT_FIRST_INSTANT, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, t->key);
  sqlite3_bind_int64(row, 2, from);
  int more = index_step(t->index, row, error);
  if (more == 1 && sqlite3_column_type(row, 0) == SQLITE_NULL)
    more = 0;
  if (more == 1)
    *out = sqlite3_column_int64(row, 0);
  index_done(row);
  return more;
}

/* The periods of the next level that have items; nothing is written where there are more than the catalogue may have,
 * which is told by `out`. */
static int write_periods(struct tree_writing *t, bool *is_written, struct error *error)
{
  struct buffer links = {0};
  struct json_writer own = {.out = &links, .depth = t->writer->depth, .need_comma = t->writer->need_comma};
  struct tree_writing inner = *t;
  int64_t instant, cursor = t->from.instant;
  size_t count = 0;
  int more = 1;
  inner.writer = &own;
  while (count <= ITEM_TREE_PARTS && cursor < t->to.instant && (more = next_instant(t, cursor, &instant, error)) == 1 &&
         instant < t->to.instant) {
    char period[32];
    period_of(instant, t->level + 1, period, &cursor);
    write_node_link(&inner, "child", &(struct item_tree_node){.collection = t->node->collection, .period = period},
                    period);
    count++;
  }
  *is_written = more >= 0 && count <= ITEM_TREE_PARTS;
  if (*is_written && count > 0) {
    buffer_add(t->writer->out, links.data, links.length);
    t->writer->need_comma = true;
  }
  t->writer->out->failed = t->writer->out->failed || links.failed;
  buffer_free(&links);
  return more < 0 ? -1 : 0;
}

/* ---- the catalogue ----------------------------------------------------------------------------------------------- */

static int write_parts(struct tree_writing *t, struct error *error)
{
  const int64_t few = t->is_stretch ? ITEM_TREE_MOST : ITEM_TREE_FEW;
  int64_t count;
  bool is_written = false;
  if (count_items(t, few + 1, &count, error) != 0)
    return -1;
  if (count <= few)
    return write_items(t, error);
  if (t->is_dated && !t->is_stretch && t->level < LEVEL_DAY && write_periods(t, &is_written, error) != 0)
    return -1;
  return is_written ? 0 : write_stretches(t, error);
}

static void write_head(struct tree_writing *t)
{
  const struct item_tree_node *node = t->node;
  const char *of = node->period ? node->period : "all";
  struct buffer id = {0}, title = {0};
  buffer_printf(&id, "%s/%s", node->collection, of);
  buffer_printf(&title, "%s: %s", t->title, node->period ? node->period : "items");
  if (t->is_stretch) {
    buffer_printf(&id, "/%s..%s", node->from ? node->from : "", node->to ? node->to : "");
    buffer_text(&title, ", a part");
  }
  json_kv_string(t->writer, "type", "Catalog");
  json_kv_string(t->writer, "stac_version", "1.0.0");
  json_kv_string(t->writer, "id", id.failed ? of : id.data);
  json_kv_string(t->writer, "title", title.failed ? of : title.data);
  json_kv_string(t->writer, "description",
                 node->period ? "Items of a collection that begin in this period (UTC)."
                              : "The items of a collection, to be gone through by links.");
  buffer_free(&id);
  buffer_free(&title);
}

static int write_catalogue(struct tree_writing *t, struct error *error)
{
  struct buffer root = {0};
  json_write_object(t->writer);
  write_head(t);
  json_key(t->writer, "links");
  json_write_array(t->writer);
  write_node_link(t, "self", t->node, NULL);
  buffer_printf(&root, "%s/", t->base);
  write_href(t, "root", "application/json", &root, NULL);
  buffer_free(&root);
  write_parent_link(t);
  const int status = write_parts(t, error);
  json_end_array(t->writer);
  json_end_object(t->writer);
  return status != 0 ? -1 : t->writer->out->failed ? error_memory(error) : 0;
}

/* In one transaction: what is counted is what is written. */
int item_tree_json(const struct catalogue *catalogue, const char *base_url, const struct item_tree_node *node,
                   struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  struct tree_writing t = {.index = catalogue->index, .writer = &writer, .base = base_url, .node = node};
  struct error ignored = {0};
  if (index_open(t.index, error) != 0)
    return -1;
  if (t.index->db && index_execute(t.index, STATEMENT_BEGIN_READ, error) != 0)
    return -1;
  int status = read_collection(&t, error);
  if (status == 0)
    status = read_period(&t, error);
  if (status == 0)
    status = read_stretch(&t, error);
  if (status == 0)
    status = write_catalogue(&t, error);
  if (t.index->db)
    index_execute(t.index, STATEMENT_COMMIT, &ignored);
  return status;
}
