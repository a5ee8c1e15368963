/* Parts of a filter at work, for those who compile others of its parts. */
#ifndef TWINCUBE_STAC_CQL2_TESTER_H
#define TWINCUBE_STAC_CQL2_TESTER_H

#include "stac/cql2/cql2_tree.h"

#include "datacube/geometry_operations.h"

/* A node of the tester's filter that says true or false. Error: out of memory. */
int cql2_test_node(struct cql2_tester *tester, const struct cql2_node *node, const json_t *item, enum cql2_truth *out,
                   struct error *error);

/* A property of an item; NULL: it has none of that name. */
const json_t *cql2_property_of(const json_t *item, const char *name);

#endif
