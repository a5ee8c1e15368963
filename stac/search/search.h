/* Searching the items of all collections: by id, collection, place, time, shape and a condition; sorted, in pages.
 *
 * Items of scanned collections and items that are stored as they came are found alike. A page goes on behind the place
 * in the order that its token tells: whatever is added or removed meanwhile, an item that stays as it is comes once,
 * and the page 2 000 costs what the first one does. A token may also tell to go back: what lies before the place.
 *
 * Of n items m of which lie in the box, two ways lead to a page of k: the search tree gives all m, which are sorted;
 * going through a collection in the order of its dates sees k n / m. The shorter one is taken. An index of a property
 * (property_index.h) is a way like these two: to the m items in a range of its values, or through a collection in the
 * order of them.
 *
 * One catalogue handle is one thread's. */
#ifndef TWINCUBE_STAC_SEARCH_SEARCH_H
#define TWINCUBE_STAC_SEARCH_SEARCH_H

#include "stac/catalogue.h"

struct item_value { /* bound to a parameter of SQL */
  enum { ITEM_VALUE_NULL, ITEM_VALUE_INTEGER, ITEM_VALUE_REAL, ITEM_VALUE_TEXT } kind;
  int64_t integer;
  double real;
  const char *text; /* UTF-8 */
};

/* What holds only where a property lies in a range: a hint, for an index of it (property_index.h). */
struct item_range {
  const char *property;
  struct item_value low, high; /* both included, of one type; null: as far as that goes */
};

/* What else is asked of an item.
 *
 * The SQL is one expression in parentheses that holds for whatever is wanted. Its parameters are all "?". It may use
 *   item.key item.collection (a number: SELECT id FROM collections WHERE key = item.collection) item.id
 *   item.instant item.first item.last   milliseconds since 1970: the datetime, else the start_datetime; the interval,
 *                                       both ends included, 9e15 off where the item has no date
 *   item.west item.south item.east item.north   lonlat box, east above 180 where it crosses the antimeridian
 *   document.json                       the item's document, an object */
struct item_condition {
  const char *sql; /* NULL: any item may be wanted */
  const struct item_value *values;
  size_t value_count;
  /* Decides on the document of an item that the SQL holds for: 1, 0, or -1 with an error. NULL: the SQL decides. */
  int (*accept)(void *data, const char *document, size_t length, struct error *error);
  void *data;
  const char *identity;            /* text that tells it from every other condition, for tokens; or NULL */
  bool has_box;                    /* nothing outside of the box is wanted */
  struct extent box;               /* normal */
  const struct item_range *ranges; /* nothing outside of any of them is wanted */
  size_t range_count;
  bool is_range; /* it asks for nothing else than the one range */
};

struct item_sort {
  const char *property; /* "datetime", "id", "collection", or a name in "properties" with or without that before it */
  bool is_descending;
};

struct item_search {
  const char *const *ids, *const *collections; /* any of them; none: all */
  size_t id_count, collection_count;
  bool has_box, has_heights;
  struct extent box;       /* normal (datacube/lonlat.h) */
  double lowest, highest;  /* of heights: items whose bbox tells none meet all */
  bool has_start, has_end; /* instants, both included; an item's interval meets them */
  int64_t start, end;
  const char *intersects;                 /* a GeoJSON geometry as text, or NULL */
  const struct item_condition *condition; /* or NULL */
  const struct item_sort *sort;           /* none: datetime descending. Ties: id, collection, as the first key goes */
  size_t sort_count;
  long limit;                 /* most items, at least 1 */
  const char *token;          /* of the page before, or NULL: the first page */
  const volatile int *cancel; /* becomes nonzero: RequestTimeout; or NULL */
  unsigned milliseconds;      /* most time of the statements, then RequestTimeout; 0: no end */
};

enum { ITEM_SEARCH_MAX_LIMIT = 100000, ITEM_SEARCH_MAX_SORT = 8 };

struct found_item { /* good until the next one */
  const char *collection, *id;
  bool is_stored; /* its document has the links and assets that it came with; else there are no links, and no assets */
  int64_t instant;
  const char *document; /* an object */
  size_t length;
};

struct item_page {
  void *data;
  /* Hears each item. 1: it was the last of the page; -1: an error ends the search. */
  int (*take)(void *data, const struct found_item *item, struct error *error);
  long count;          /* items that were taken */
  struct buffer token; /* of the next page, letters, digits, - and _ only; empty where this is the last. The caller's */
  struct buffer *back; /* gets that of the page before, nothing where this is the first; NULL: not wanted */
  int64_t count_most;  /* where this is the first page, the items on all of them are counted; 0: not wanted … */
  int64_t matched;     /* … how many these are; -1: more than are counted, or counting takes long */
};

/* Errors: QueryParameterInvalid (token, sortby, intersects: what is wrong with it), RequestTimeout. */
int item_search_page(const struct catalogue *catalogue, const struct item_search *search, struct item_page *page,
                     struct error *error);
/* How many items there are on all pages, counted as far as `most`. */
int item_search_count(const struct catalogue *catalogue, const struct item_search *search, int64_t most, int64_t *count,
                      struct error *error);
struct item_month {
  const char *collection;
  int64_t first, last, count; /* instants of the earliest item of the month and of the latest one; how many there are */
};

struct item_months {
  void *data;
  int (*take)(void *data, const struct item_month *month, struct error *error); /* hears each month that has items */
  bool are_told; /* else nothing was heard: more is asked for than collections, or items of one instant each in an
                    interval; or items have no dates */
};

/* The months (UTC) of the items on all pages, collection by collection, as far as the index of dates alone tells. */
int item_search_months(const struct catalogue *catalogue, const struct item_search *search, struct item_months *months,
                       struct error *error);
/* Where a member of a JSON object lies in its text: from its key's quote to the end of its value. False: it has none,
 * or the text is no object. */
bool item_text_member(const char *text, size_t length, const char *key, size_t *from, size_t *to);
/* Adds the members of the object but the one of that key, for json_write_members. */
void item_text_without(const char *text, size_t length, const char *key, struct buffer *out);
/* Behind the value that begins at `at` in sound JSON. */
size_t item_text_skip(const char *text, size_t length, size_t at);

#endif
