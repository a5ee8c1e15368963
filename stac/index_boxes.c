/* The search tree of the items: boxes one by one, or the whole tree packed anew.
 *
 * Where a writer adds more items than there were, the nodes are written as such: boxes are sorted into tiles
 * (Leutenegger, Edgington and Lopez, "STR: a simple and efficient algorithm for R-tree packing", 1997) of as many as
 * fit a node, tiles into tiles of tiles, up to the root. That takes a tenth of the time of inserting them, and searches
 * meet fewer nodes, since these are full. Otherwise boxes are inserted, in the order of tiles. */
#include "stac/index.h"
#include "stac/index_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  LEAST = 1000,   /* boxes for which packing is worth while */
  MOST = 1 << 22, /* boxes that are held at a time */
  OWN_TILES = 512 /* items for which a collection has tiles of its own */
};

enum { COLLECTION_AXIS = 2 };

struct tree_box {
  int64_t number;             /* the key of the item, or the number of the node */
  float edges[2 * TREE_AXES]; /* lower and upper one of each axis, as in the columns of item_boxes */
};

static float below(double number)
{
  const float rounded = (float)number;
  return (double)rounded > number ? nextafterf(rounded, -HUGE_VALF) : rounded;
}

static float above(double number)
{
  return -below(-number);
}

static struct tree_box tree_box_of(const struct index_item *item)
{
  const struct extent searched = index_search_box(item->box);
  const double edge = 1e-4, hours = 0.05; /* how far the box is widened: degrees, and units of time */
  const double collection = (double)item->collection;
  return (struct tree_box){item->key,
                           {below(searched.west - edge), above(searched.east + edge), below(searched.south - edge),
                            above(searched.north + edge), below(collection - 0.25), above(collection + 0.25),
                            below((double)item->times.first / INDEX_TIME_UNIT - hours),
                            above((double)item->times.last / INDEX_TIME_UNIT + hours)}};
}

static int insert_box(struct index *index, const struct tree_box *box, struct error *error)
{
  sqlite3_stmt *row = index_statement(index, STATEMENT_INSERT_BOX, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, box->number);
  for (int i = 0; i < 2 * TREE_AXES; i++)
    sqlite3_bind_double(row, 2 + i, (double)box->edges[i]);
  return index_run(index, row, error);
}

int index_insert_box(struct index *index, const struct index_item *item, struct error *error)
{
  const struct tree_box box = tree_box_of(item);
  return insert_box(index, &box, error);
}

/* ---- tiles ------------------------------------------------------------------------------------------------------- */

static int compare(const struct tree_box *a, const struct tree_box *b, int axis)
{
  const float left = a->edges[2 * axis] + a->edges[2 * axis + 1], right = b->edges[2 * axis] + b->edges[2 * axis + 1];
  return left != right ? (left < right ? -1 : 1) : (a->number > b->number) - (a->number < b->number);
}

static int compare_longitudes(const void *a, const void *b)
{
  return compare(a, b, 0);
}

static int compare_latitudes(const void *a, const void *b)
{
  return compare(a, b, 1);
}

static int compare_collections(const void *a, const void *b)
{
  return compare(a, b, COLLECTION_AXIS);
}

static int compare_times(const void *a, const void *b)
{
  return compare(a, b, 3);
}

typedef int comparison(const void *, const void *);
static comparison *const orders[] = {compare_longitudes, compare_latitudes, compare_times};
enum { ORDERS = sizeof orders / sizeof orders[0] };

/* Sorts so that each `fan` boxes one after the other lie close together: slabs of longitude, in these slabs of
 * latitude, in these the order of time. */
static void sort_tiles(struct tree_box *boxes, size_t count, size_t fan, int order)
{
  qsort(boxes, count, sizeof *boxes, orders[order]);
  if (order == ORDERS - 1 || count <= fan)
    return;
  const size_t nodes = (count + fan - 1) / fan;
  const double slabs = ceil(pow((double)nodes, 1.0 / (ORDERS - order)));
  const size_t slab = fan * (size_t)ceil((double)nodes / slabs);
  for (size_t from = 0; from < count; from += slab)
    sort_tiles(boxes + from, count - from < slab ? count - from : slab, fan, order + 1);
}

/* Where the run ends that begins at `from` of boxes in the order of collections: these have runs apart, but for those
 * of fewer than `least` boxes, which share one. */
static size_t end_of_run(const struct tree_box *boxes, size_t count, size_t from, size_t least)
{
  size_t to = from + 1;
  for (; to < count; to++) {
    const float *before = boxes[to - 1].edges + 2 * COLLECTION_AXIS, *next = boxes[to].edges + 2 * COLLECTION_AXIS;
    if (to - from >= least && next[0] > before[0])
      break;
  }
  return to;
}

static void sort_boxes(struct tree_box *boxes, size_t count, size_t fan)
{
  qsort(boxes, count, sizeof *boxes, compare_collections);
  for (size_t from = 0, to; from < count; from = to) {
    to = end_of_run(boxes, count, from, OWN_TILES);
    sort_tiles(boxes + from, to - from, fan, 0);
  }
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

struct node_place {
  int64_t number, node; /* of an item or a node: where it lies */
};

struct packing {
  struct index *index;
  struct tree_box *boxes; /* of the level at hand; they become those of the nodes above */
  size_t count;
  struct node_place *places; /* of the boxes of the level */
  size_t fan, node_size;     /* cells of a node; bytes */
  int64_t last;              /* the latest number of a node */
  unsigned char *node;
};

static unsigned char *put_bytes(unsigned char *at, uint64_t value, int bytes)
{
  for (int i = bytes - 1; i >= 0; i--)
    *at++ = (unsigned char)(value >> (8 * i));
  return at;
}

static int run_text(struct index *index, const char *text, struct error *error)
{
  return index_run(index, index_query(index, text, error), error);
}

static int write_node(struct packing *packing, int64_t number, unsigned depth, const struct tree_box *boxes,
                      size_t count, struct error *error)
{
  sqlite3_stmt *row = index_query(packing->index, "INSERT INTO item_boxes_node VALUES (?1, ?2)", error);
  unsigned char *at = put_bytes(packing->node, depth, 2);
  if (!row)
    return -1;
  at = put_bytes(at, count, 2);
  for (size_t i = 0; i < count; i++) {
    at = put_bytes(at, (uint64_t)boxes[i].number, 8);
    for (int k = 0; k < 2 * TREE_AXES; k++) {
      uint32_t bits;
      memcpy(&bits, &boxes[i].edges[k], sizeof bits);
      at = put_bytes(at, bits, 4);
    }
  }
  memset(at, 0, packing->node_size - (size_t)(at - packing->node));
  sqlite3_bind_int64(row, 1, number);
  sqlite3_bind_blob(row, 2, packing->node, (int)packing->node_size, SQLITE_STATIC);
  return index_run(packing->index, row, error);
}

static struct tree_box box_of_all(int64_t number, const struct tree_box *boxes, size_t count)
{
  struct tree_box all = boxes[0];
  all.number = number;
  for (size_t i = 1; i < count; i++)
    for (int axis = 0; axis < TREE_AXES; axis++) {
      all.edges[2 * axis] = fminf(all.edges[2 * axis], boxes[i].edges[2 * axis]);
      all.edges[2 * axis + 1] = fmaxf(all.edges[2 * axis + 1], boxes[i].edges[2 * axis + 1]);
    }
  return all;
}

static int compare_numbers(const void *left, const void *right)
{
  const struct node_place *a = left, *b = right;
  return (a->number > b->number) - (a->number < b->number);
}

static int write_places(struct packing *packing, size_t count, const char *text, struct error *error)
{
  qsort(packing->places, count, sizeof *packing->places, compare_numbers);
  for (size_t i = 0; i < count; i++) {
    sqlite3_stmt *row = index_query(packing->index, text, error);
    if (!row)
      return -1;
    sqlite3_bind_int64(row, 1, packing->places[i].number);
    sqlite3_bind_int64(row, 2, packing->places[i].node);
    if (index_run(packing->index, row, error) != 0)
      return -1;
  }
  return 0;
}

/* The nodes of the boxes [from, to), whose boxes take their places from `nodes` on. */
static int write_run(struct packing *packing, size_t from, size_t to, unsigned level, size_t *nodes,
                     struct error *error)
{
  const bool is_top = packing->count <= packing->fan;
  sort_tiles(packing->boxes + from, to - from, packing->fan, 0);
  for (; from < to; from += packing->fan) {
    const size_t own = to - from < packing->fan ? to - from : packing->fan;
    const int64_t number = is_top ? TREE_ROOT : ++packing->last;
    for (size_t i = from; i < from + own; i++)
      packing->places[i] = (struct node_place){packing->boxes[i].number, number};
    if (write_node(packing, number, is_top ? level : 0, packing->boxes + from, own, error) != 0)
      return -1;
    packing->boxes[(*nodes)++] = box_of_all(number, packing->boxes + from, own);
  }
  return 0;
}

/* The nodes of a level, 0 that of the items; what is left are their boxes. */
static int write_level(struct packing *packing, unsigned level, struct error *error)
{
  const size_t count = packing->count, least = level == 0 ? OWN_TILES : packing->fan;
  const bool is_top = count <= packing->fan;
  size_t nodes = 0;
  qsort(packing->boxes, count, sizeof *packing->boxes, compare_collections);
  for (size_t from = 0, to; from < count; from = to) {
    to = is_top ? count : end_of_run(packing->boxes, count, from, least);
    if (write_run(packing, from, to, level, &nodes, error) != 0)
      return -1;
  }
  packing->count = nodes;
  return write_places(packing, count,
                      level == 0 ? "INSERT INTO item_boxes_rowid VALUES (?1, ?2)"
                                 : "INSERT INTO item_boxes_parent VALUES (?1, ?2)",
                      error);
}

/* Bytes of a node, which the first one tells. */
static int read_node_size(struct index *index, size_t *size, struct error *error)
{
  sqlite3_stmt *row = index_query(index, "SELECT length(data) FROM item_boxes_node WHERE nodeno = 1", error);
  const int found = row ? index_step(index, row, error) : -1;
  *size = found == 1 ? (size_t)sqlite3_column_int64(row, 0) : 0;
  index_done(row);
  if (found >= 0 && *size < TREE_HEAD + 2 * TREE_CELL)
    return error_set(error, ERROR_StorageFailure, "%s: the search tree has no root", index->path);
  return found < 0 ? -1 : 0;
}

static int write_levels(struct packing *packing, struct error *error)
{
  bool is_top = false;
  if (run_text(packing->index, "DELETE FROM item_boxes_node", error) ||
      run_text(packing->index, "DELETE FROM item_boxes_rowid", error) ||
      run_text(packing->index, "DELETE FROM item_boxes_parent", error))
    return -1;
  for (unsigned level = 0; !is_top && level < TREE_DEEPEST; level++) {
    is_top = packing->count <= packing->fan;
    if (write_level(packing, level, error) != 0)
      return -1;
  }
  return 0;
}

static int pack(struct index *index, struct tree_box *boxes, size_t count, struct error *error)
{
  struct packing packing = {.index = index, .boxes = boxes, .count = count, .last = TREE_ROOT};
  if (read_node_size(index, &packing.node_size, error) != 0)
    return -1;
  packing.fan = (packing.node_size - TREE_HEAD) / TREE_CELL;
  packing.places = calloc(count, sizeof *packing.places);
  packing.node = calloc(1, packing.node_size);
  const int result = packing.places && packing.node ? write_levels(&packing, error) : error_memory(error);
  free(packing.places);
  free(packing.node);
  return result;
}

/* ---- from the rows ----------------------------------------------------------------------------------------------- */

struct box_list {
  struct tree_box *all; /* owned */
  size_t count, room;
};

static int add_row(struct box_list *list, sqlite3_stmt *row, struct error *error)
{
  const struct index_item item = {
      .key = sqlite3_column_int64(row, 0),
      .collection = sqlite3_column_int64(row, 1),
      .times = {.first = sqlite3_column_int64(row, 2), .last = sqlite3_column_int64(row, 3)},
      .box = {sqlite3_column_double(row, 4), sqlite3_column_double(row, 5), sqlite3_column_double(row, 6),
              sqlite3_column_double(row, 7), NULL}};
  if (list->count == list->room) {
    const size_t room = list->room ? 2 * list->room : 256;
    struct tree_box *grown = realloc(list->all, room * sizeof *grown);
    if (!grown)
      return error_memory(error);
    list->all = grown;
    list->room = room;
  }
  list->all[list->count++] = tree_box_of(&item);
  return 0;
}

/* The boxes of at most MOST items with keys beyond `after`, up to `last`. */
static int read_boxes_to(struct index *index, int64_t after, int64_t last, struct box_list *list, struct error *error)
{
  static const char text[] = "SELECT key, collection, first, last, west, south, east, north FROM items WHERE key > ?1"
                             " AND key <= ?3 ORDER BY key LIMIT ?2";
  sqlite3_stmt *row = index_query(index, text, error);
  int more = row ? 1 : -1;
  list->count = 0;
  if (row) {
    sqlite3_bind_int64(row, 1, after);
    sqlite3_bind_int64(row, 2, MOST);
    sqlite3_bind_int64(row, 3, last);
  }
  while (more == 1 && (more = index_step(index, row, error)) == 1)
    if (add_row(list, row, error) != 0)
      more = -1;
  index_done(row);
  return more;
}

static int read_boxes(struct index *index, int64_t after, struct box_list *list, struct error *error)
{
  return read_boxes_to(index, after, INT64_MAX, list, error);
}

static int insert_all(struct index *index, struct box_list *list, struct error *error)
{
  sort_boxes(list->all, list->count, 32);
  for (size_t i = 0; i < list->count; i++)
    if (insert_box(index, &list->all[i], error) != 0)
      return -1;
  return 0;
}

static int add_boxes(struct index *index, int64_t before, struct box_list *list, struct error *error)
{
  if (read_boxes(index, before, list, error) != 0)
    return -1;
  /* keys count from 1, so that there were no more items than the greatest one */
  if (list->count >= LEAST && list->count < MOST && (int64_t)list->count >= before) {
    if (before > 0 && read_boxes(index, 0, list, error) != 0)
      return -1;
    if (list->count < MOST)
      return pack(index, list->all, list->count, error);
    if (read_boxes(index, before, list, error) != 0)
      return -1;
  }
  while (list->count > 0) {
    const int64_t last = list->all[list->count - 1].number;
    if (insert_all(index, list, error) != 0 || read_boxes(index, last, list, error) != 0)
      return -1;
  }
  return 0;
}

int index_add_boxes(struct index *index, int64_t before, struct error *error)
{
  struct box_list list = {0};
  const int result = add_boxes(index, before, &list, error);
  free(list.all);
  return result;
}

int index_add_boxes_between(struct index *index, int64_t first, int64_t last, struct error *error)
{
  struct box_list list = {0};
  int status = 0;
  for (int64_t after = first - 1; status == 0 && after < last;) {
    status = read_boxes_to(index, after, last, &list, error);
    if (status == 0 && list.count == 0)
      break;
    after = status == 0 ? list.all[list.count - 1].number : last; /* they are sorted next */
    if (status == 0)
      status = insert_all(index, &list, error);
  }
  free(list.all);
  return status;
}
