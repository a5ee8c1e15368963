#include "server/sources/xml_tree.h"

#include "datacube/base/buffer.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

static const char blanks[] = " \t\r\n";

struct xml_reading {
  struct arena *arena;
  XML_Parser parser;
  struct xml_element *root, *open; /* open: the innermost element that has not ended */
  struct buffer text;              /* since the latest tag */
  size_t elements;
  unsigned depth;
  const char *reason; /* why it is given up, or NULL */
};

static void stop(struct xml_reading *r, const char *reason)
{
  r->reason = r->reason ? r->reason : reason;
  XML_StopParser(r->parser, XML_FALSE);
}

static const char *without_prefix(const char *name)
{
  const char *colon = strrchr(name, ':');
  return colon ? colon + 1 : name;
}

static bool take_attributes(struct xml_reading *r, struct xml_element *element, const char **pairs)
{
  for (size_t i = 0; pairs[i]; i += 2) {
    struct xml_attribute *attribute = ARENA_NEW(r->arena, struct xml_attribute);
    if (!attribute)
      return false;
    attribute->name = arena_strdup(r->arena, without_prefix(pairs[i]));
    attribute->value = arena_strdup(r->arena, pairs[i + 1]);
    attribute->next = element->attributes;
    element->attributes = attribute;
    if (!attribute->name || !attribute->value)
      return false;
  }
  return true;
}

static void hang(struct xml_reading *r, struct xml_element *element)
{
  struct xml_element *parent = r->open;
  element->parent = parent;
  if (!parent)
    r->root = element;
  else if (parent->last)
    parent->last->next = element;
  else
    parent->first = element;
  if (parent)
    parent->last = element;
  r->open = element;
}

static void XMLCALL start_element(void *data, const char *name, const char **pairs)
{
  struct xml_reading *r = data;
  if (r->reason)
    return;
  if (++r->elements > XML_ELEMENTS_MOST || ++r->depth > XML_DEPTH_MOST) {
    stop(r, "it has too many elements, or too deep ones");
    return;
  }
  struct xml_element *element = ARENA_NEW(r->arena, struct xml_element);
  const char *own = arena_strdup(r->arena, without_prefix(name));
  if (!element || !own || !take_attributes(r, element, pairs)) {
    stop(r, "it is larger than what is read");
    return;
  }
  element->name = own;
  element->text = "";
  hang(r, element);
  r->text.length = 0;
}

static void XMLCALL end_element(void *data, const char *name)
{
  struct xml_reading *r = data;
  (void)name;
  if (r->reason || !r->open)
    return;
  struct xml_element *element = r->open;
  r->open = element->parent;
  r->depth--;
  const char *text = r->text.length ? r->text.data : "";
  size_t length = r->text.length, before = strspn(text, blanks);
  while (length > before && strchr(blanks, text[length - 1]))
    length--;
  if (!element->first && length > before)
    element->text = arena_strndup(r->arena, text + before, length - before);
  r->text.length = 0;
  if (!element->text || r->text.failed)
    stop(r, "it is larger than what is read");
}

static void XMLCALL take_text(void *data, const char *text, int length)
{
  struct xml_reading *r = data;
  buffer_add(&r->text, text, (size_t)length);
}

static void XMLCALL refuse_doctype(void *data, const char *name, const char *system, const char *public, int internal)
{
  (void)name, (void)system, (void)public, (void)internal;
  stop(data, "it has a document type");
}

static int read_all(struct xml_reading *r, const char *text, size_t length, struct error *error)
{
  XML_SetUserData(r->parser, r);
  XML_SetElementHandler(r->parser, start_element, end_element);
  XML_SetCharacterDataHandler(r->parser, take_text);
  XML_SetStartDoctypeDeclHandler(r->parser, refuse_doctype);
  const bool fits = length <= INT_MAX;
  const enum XML_Status status = fits ? XML_Parse(r->parser, text, (int)length, 1) : XML_STATUS_ERROR;
  if (status == XML_STATUS_OK && r->root && !r->text.failed)
    return 0;
  return error_set(error, ERROR_FileContentInvalid, "no XML that can be read: %s (line %lu)",
                   r->reason ? r->reason
                   : fits    ? XML_ErrorString(XML_GetErrorCode(r->parser))
                             : "it is too long",
                   (unsigned long)XML_GetCurrentLineNumber(r->parser));
}

const struct xml_element *xml_parse(struct arena *arena, const char *text, size_t length, struct error *error)
{
  struct xml_reading r = {.arena = arena, .parser = XML_ParserCreate(NULL)};
  if (!r.parser) {
    error_memory(error);
    return NULL;
  }
  const int status = read_all(&r, text, length, error);
  buffer_free(&r.text);
  XML_ParserFree(r.parser);
  return status == 0 ? r.root : NULL;
}

static const struct xml_element *named(const struct xml_element *element, const char *name)
{
  while (element && strcmp(element->name, name) != 0)
    element = element->next;
  return element;
}

const struct xml_element *xml_child(const struct xml_element *parent, const char *name)
{
  return parent ? named(parent->first, name) : NULL;
}

const struct xml_element *xml_further(const struct xml_element *element, const char *name)
{
  return named(element->next, name);
}

const char *xml_child_text(const struct xml_element *parent, const char *name)
{
  const struct xml_element *child = xml_child(parent, name);
  return child ? child->text : NULL;
}

const char *xml_value(const struct xml_element *element, const char *name)
{
  const struct xml_attribute *at = element ? element->attributes : NULL;
  while (at && strcmp(at->name, name) != 0)
    at = at->next;
  return at ? at->value : NULL;
}
