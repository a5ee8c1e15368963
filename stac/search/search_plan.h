/* A search on its way: what it says, read once, and the statements that it becomes. */
#ifndef TWINCUBE_STAC_SEARCH_SEARCH_PLAN_H
#define TWINCUBE_STAC_SEARCH_SEARCH_PLAN_H

#include "stac/index.h"
#include "stac/search/search.h"

struct geometry_probe;

enum sort_kind { SORT_INSTANT, SORT_ID, SORT_COLLECTION, SORT_PROPERTY };

struct sort_term {
  enum sort_kind kind;
  bool is_descending;
  const char *name; /* PROPERTY … */
  const char *path; /* … and its path of JSON, in the properties */
};

/* All keys of the order, the last two of which are those that decide ties. */
enum { MOST_TERMS = ITEM_SEARCH_MAX_SORT + 2 };

struct searched_collection {
  int64_t key, items, span; /* span: see index_note_span */
};

struct search_plan {
  const struct item_search *search;
  struct index *index;
  struct arena *arena; /* owned */
  struct sort_term terms[MOST_TERMS];
  size_t term_count;
  bool is_by_date;                         /* the order is that of items_date, forwards or backwards */
  const char *sorted_by;                   /* the order is that of this property's index, likewise; or NULL */
  const struct item_range *range;          /* of the condition, over a property that has an index: the way; or NULL */
  struct searched_collection *collections; /* those that are searched, by key */
  size_t collection_count;
  const char *collection_list;  /* their keys as a JSON array; NULL: all that there are */
  const char *id_list;          /* ids as a JSON array; NULL: any */
  int64_t items;                /* in them */
  int64_t first, last;          /* instants that are asked for */
  struct geometry_probe *probe; /* of `intersects`, owned; or NULL */
  bool has_box;
  struct extent box;              /* what the search tree is asked for */
  const char *met_list;           /* keys of all items that it gave, as a JSON array; NULL: of too many */
  int64_t met_count;              /* of these; of items in the range, where that is the way */
  int64_t matched;                /* items on all pages, where that is known; else -1 */
  bool needs_document;            /* conditions look into documents */
  bool sorts_document;            /* the order does */
  struct index_judge judge;       /* see index.h */
  int (*is_over)(void *patience); /* nobody wants it any more; or NULL */
  void *patience;
  bool goes_back;                      /* the terms have their directions turned round; see search_token_read */
  bool has_place;                      /* goes on behind … */
  struct item_value place[MOST_TERMS]; /* … these values of the terms */
};

/* Reads what is asked for. The caller frees the plan, also after an error. */
int search_plan_make(struct index *index, const struct item_search *search, struct search_plan *out,
                     struct error *error);
void search_plan_free(struct search_plan *plan);
/* What a search does, in one transaction: it sees the catalogue as it is at one moment. No catalogue, no work. */
int search_run(const struct catalogue *catalogue, const struct item_search *search,
               int (*work)(void *data, struct search_plan *plan, struct error *error), void *data, struct error *error);

/* An item in the order of the search. */
struct found_place {
  int64_t key;
  struct item_value values[MOST_TERMS]; /* of the terms; texts are the plan's */
};

/* The next places of the order behind the plan's, at most `most`. The plan's arena keeps them. */
int search_places(struct search_plan *plan, size_t most, struct found_place **out, size_t *count, struct error *error);
int search_count(struct search_plan *plan, int64_t most, int64_t *count, struct error *error);

/* A place as text, and back: only a token of a search that asks for the same is taken. Of one that goes back, what lies
 * before the place is looked for: the terms are turned round, and the first one is the nearest to the place. */
void search_token_write(const struct search_plan *plan, const struct found_place *place, bool goes_back,
                        struct buffer *out);
int search_token_read(struct search_plan *plan, const char *token, struct error *error);

/* ---- text of a statement with its values, in order --------------------------------------------------------------- */

struct statement_text {
  struct buffer text;
  struct item_value *values; /* owned */
  size_t count, room;
  bool failed;
};

void statement_text_free(struct statement_text *text);
void statement_bind(struct statement_text *text, struct item_value value);
static inline struct item_value value_of_integer(int64_t integer)
{
  return (struct item_value){.kind = ITEM_VALUE_INTEGER, .integer = integer};
}
static inline struct item_value value_of_real(double real)
{
  return (struct item_value){.kind = ITEM_VALUE_REAL, .real = real};
}
static inline struct item_value value_of_text(const char *text)
{
  return (struct item_value){.kind = ITEM_VALUE_TEXT, .text = text};
}
/* The prepared statement with its values bound; NULL with an error. */
sqlite3_stmt *statement_ready(struct index *index, const struct statement_text *text, struct error *error);

/* Where items are looked for. */
enum search_way {
  WAY_DATES,       /* one collection in the order of its dates; behind the instant of the place */
  WAY_TIED,        /* one collection: what has the instant of the place, and lies behind it */
  WAY_SORTED,      /* one collection in the order of a property, behind the value of the place */
  WAY_SORTED_TIED, /* one collection: what has the value of the place, and lies behind it */
  WAY_SORTED_NULL, /* one collection: what has no value, where that is behind the place */
  WAY_RANGE,       /* the plan's range of a property */
  WAY_TREE,        /* what the search tree gave */
  WAY_IDS,
  WAY_ALL
};
static inline bool way_is_sorted(enum search_way way)
{
  return way == WAY_SORTED || way == WAY_SORTED_TIED || way == WAY_SORTED_NULL;
}

/* The way to `most` items of the search's order; to a count of them where they need none. Sets the plan's range, or
 * what the search tree gave. */
int search_choose_way(struct search_plan *plan, int64_t most, bool in_order, enum search_way *out, struct error *error);
/* Whether what is asked for are collections and an interval alone, of items that have instants if there is one: their
 * index tells which items these are. */
bool search_is_told_by_dates(const struct search_plan *plan);
/* The first number that a statement answers with. */
int search_read_number(struct index *index, const struct statement_text *text, int64_t *out, struct error *error);

/* SELECT of at most `most` places behind the plan's; of all, in any order, where `most` is 0. DATES and SORTED: of that
 * collection; DATES: none older or newer than `bound`. */
void search_text_places(const struct search_plan *plan, enum search_way way, const struct searched_collection *of,
                        const int64_t *bound, size_t most, struct statement_text *out);
/* SELECT of a count, up to `most`. */
void search_text_count(const struct search_plan *plan, enum search_way way, int64_t most, struct statement_text *out);
/* The same of one collection, by its dates. */
void search_text_date_count(const struct search_plan *plan, const struct searched_collection *of, int64_t most,
                            struct statement_text *out);
/* How many items have a value in the range, up to `most`. */
void search_text_range_count(const struct search_plan *plan, const struct item_range *range, int64_t most,
                             struct statement_text *out);

#endif
