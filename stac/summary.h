/* What the properties of a collection's items have in common: for summaries and queryables. */
#ifndef TWINCUBE_STAC_SUMMARY_H
#define TWINCUBE_STAC_SUMMARY_H

#include "stac/scan.h"

enum { SUMMARY_MAX_PROPERTIES = 256, SUMMARY_MAX_VALUES = 32 };

struct property_summary {
  const char *name;
  bool numbers, texts, booleans;          /* kinds of values met */
  bool in_arrays;                         /* texts came in arrays (instruments) */
  double minimum, maximum;                /* of numbers */
  const char *values[SUMMARY_MAX_VALUES]; /* distinct texts, in order of appearance */
  size_t value_count;                     /* SUMMARY_MAX_VALUES + 1: too many to list */
};

struct item_summary {
  struct property_summary *properties;
  size_t count;
  bool is_partial; /* there are items that were not looked at: bounds and lists of values are not known */
};

/* Takes the properties of one item, whose tree stays until the summary is not needed any more. There is room for
 * SUMMARY_MAX_PROPERTIES. */
void summary_add(struct item_summary *summary, json_t *properties);

/* Scalars and arrays of texts of all items; at most SUMMARY_MAX_PROPERTIES names, the first ones. Names and texts are
 * the items'. */
int summary_make(struct arena *arena, const struct scan *scan, struct item_summary *out, struct error *error);

/* Members of a "summaries" object; keys that `taken` has already are left out (NULL: none). */
void summary_write_summaries(const struct item_summary *summary, const json_t *taken, struct json_writer *writer);
/* Members of the "properties" of a JSON Schema. */
void summary_write_queryables(const struct item_summary *summary, struct json_writer *writer);

#endif
