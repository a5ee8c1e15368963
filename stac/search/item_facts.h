/* What the index has of a document that is stored as it came. */
#ifndef TWINCUBE_STAC_SEARCH_ITEM_FACTS_H
#define TWINCUBE_STAC_SEARCH_ITEM_FACTS_H

#include "stac/item_document.h"
#include "stac/search/stored_items.h"

struct stored_facts {
  char id[STORED_MAX_ID + 1];
  char collection[STORED_MAX_ID + 1]; /* that it names; "": none */
  struct item_times times;
  struct extent box;      /* normal; nowhere where it has no place */
  struct buffer document; /* owned: its text without white space */
};

/* The box of what has no place: beyond the pole, where no search looks. */
struct extent box_nowhere(void);

/* Sound JSON within bounds (stored_items.h), without white space between its tokens. The caller frees the tree. */
int stored_text_read(const char *json, size_t length, json_t **tree, struct buffer *out, struct error *error);
/* A STAC item, read without making a tree of it. `out` is empty, or facts of another item, whose room is used again.
 * Any thread. Error StacInvalid says what is wrong with it. The caller frees the facts, also after an error. */
int stored_facts_read(const char *json, size_t length, struct stored_facts *out, struct error *error);
void stored_facts_free(struct stored_facts *facts);
/* The box of a "bbox" (4 or 6 numbers). */
bool stored_box_read(const json_t *bbox, struct extent *out);

#endif
