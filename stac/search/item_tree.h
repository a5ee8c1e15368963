/* The items of a collection as a tree of small catalogues, for who follows links: years, months and days, and where a
 * day has many items, or they have no dates, stretches of them in the order of dates and ids.
 *
 * A catalogue has its items as links where these are few, else catalogues of parts. All of it is told by the index of
 * dates: nothing is kept for it, and an item lies in one catalogue, whatever is added or removed meanwhile. */
#ifndef TWINCUBE_STAC_SEARCH_ITEM_TREE_H
#define TWINCUBE_STAC_SEARCH_ITEM_TREE_H

#include "stac/catalogue.h"

enum {
  ITEM_TREE_FEW = 500,    /* items that a catalogue links to at once */
  ITEM_TREE_PARTS = 1000, /* most stretches, and most years, of a catalogue */
  ITEM_TREE_MOST = 10000, /* items of a stretch before it is divided again */
  ITEM_TREE_PLACE = 1100  /* bytes of a place as text */
};

struct item_tree_node {
  const char *collection;
  const char *period;    /* "2018", "2018-01", "2018-01-06"; NULL: all */
  const char *from, *to; /* a stretch: places of its first item and behind its last one, "INSTANT,ID"; NULL: open */
};

/* The node as a STAC catalogue; base_url as in catalogue.h. Errors: CollectionNotFound, NotFound (no such period),
 * QueryParameterInvalid (from, to). */
int item_tree_json(const struct catalogue *catalogue, const char *base_url, const struct item_tree_node *node,
                   struct buffer *out, struct error *error);

#endif
