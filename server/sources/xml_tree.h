/* XML of other hosts as a tree: names without their prefixes, attributes, text. What could grow beyond what came
 * (document types, entities of the document's own) is refused. */
#ifndef TWINCUBE_SERVER_SOURCES_XML_TREE_H
#define TWINCUBE_SERVER_SOURCES_XML_TREE_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"

enum { XML_DEPTH_MOST = 64, XML_ELEMENTS_MOST = 4000000 };

struct xml_attribute {
  const char *name, *value;
  struct xml_attribute *next;
};

struct xml_element {
  const char *name;
  const char *text; /* of an element without children, without blanks around it; else "" */
  struct xml_attribute *attributes;
  struct xml_element *parent, *first, *last, *next; /* children are [first, last] */
};

/* The root, in the arena. NULL with an error FileContentInvalid, or Internal (out of memory). */
const struct xml_element *xml_parse(struct arena *arena, const char *text, size_t length, struct error *error);

/* The first child of that name; the next one behind `element` among its siblings; NULL: none. */
const struct xml_element *xml_child(const struct xml_element *parent, const char *name);
const struct xml_element *xml_further(const struct xml_element *element, const char *name);
/* Text of such a child, or the value of an attribute; NULL: none. `parent`, `element` may be NULL. */
const char *xml_child_text(const struct xml_element *parent, const char *name);
const char *xml_value(const struct xml_element *element, const char *name);

#endif
