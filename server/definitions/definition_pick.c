/* The text is checked once and then looked through, without a tree of it: a list may hold hundreds of processes. */
#include "server/definitions/definition_pick.h"

#include "server/http/json_check.h"
#include "server/http/json_text.h"

#include <string.h>

static bool member(const struct definition_piece *object, const char *name, struct definition_piece *out)
{
  out->json = json_text_member(object->json, object->length, name, &out->length);
  return out->json != NULL;
}

/* Whether an object's id is this one. Ids that need escapes are nobody's. */
static bool has_id(const struct definition_piece *process, const char *id)
{
  struct definition_piece found;
  return member(process, "id", &found) && found.length == strlen(id) + 2 && found.json[0] == '"' &&
         memcmp(found.json + 1, id, found.length - 2) == 0;
}

static bool pick_listed(const struct definition_piece *list, const char *id, struct definition_piece *out)
{
  size_t at = 0;
  while ((out->json = json_text_element(list->json, list->length, &at, &out->length)) != NULL)
    if (out->json[0] == '{' && has_id(out, id))
      return true;
  return false;
}

static bool pick(const struct definition_piece *whole, const char *id, struct definition_piece *out,
                 struct buffer *reason)
{
  struct definition_piece graph, list;
  *out = *whole;
  if (member(whole, "processes", &list) && list.json[0] == '[') {
    if (!pick_listed(&list, id, out))
      buffer_printf(reason, "the list there has no process '%s'", id);
    else if (!member(out, "process_graph", &graph))
      buffer_printf(reason, "process '%s' is listed there without its process_graph", id);
  } else if (!member(whole, "process_graph", &graph)) {
    buffer_text(reason, "what is there is neither a process with a process_graph nor a list of processes");
  } else if (!has_id(whole, id)) {
    buffer_text(reason, "the process there has another id");
  }
  return reason->length == 0 && !reason->failed;
}

bool definition_pick(const struct buffer *document, const char *id, struct definition_piece *out,
                     struct buffer *reason)
{
  size_t line = 0;
  struct definition_piece whole = {document->data, document->length};
  const char *wrong = document->length > 0 ? json_check(document->data, document->length, &line) : "it is empty";
  if (wrong != NULL) {
    buffer_printf(reason, "what is there is no JSON: %s", wrong);
    return false;
  }
  while (whole.length > 0 && strchr(" \t\r\n", *whole.json) != NULL) {
    whole.json++;
    whole.length--;
  }
  if (whole.json[0] == '{')
    return pick(&whole, id, out, reason);
  buffer_text(reason, "what is there is no JSON object");
  return false;
}
