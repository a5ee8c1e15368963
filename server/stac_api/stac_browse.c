/* Every item by links from the root: collections are children of the catalogue, and below each a tree of catalogues
 * (stac/search/item_tree.h) leads to its items. The same of the openEO API's collections. */
#include "server/stac_api/stac_api.h"

#include "stac/search/item_tree.h"

/* 1: there; 0: not; -1: too long for one of ours. */
static int read_place(const struct exchange *exchange, const char *name, char text[ITEM_TREE_PLACE], const char **out,
                      struct error *error)
{
  const int given = http_query(exchange->http, name, text, ITEM_TREE_PLACE);
  *out = given > 0 ? text : NULL;
  return given < 0 ? error_parameter(error, ERROR_QueryParameterInvalid, name, "is of no link of this catalogue") : 0;
}

/* The path may have a period behind the collection. */
void get_browse(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  char from[ITEM_TREE_PLACE], to[ITEM_TREE_PLACE];
  struct item_tree_node node = {.collection = exchange->parameters[0]};
  if (exchange->parameters[1][0] != '\0')
    node.period = exchange->parameters[1];
  int status = read_place(exchange, "from", from, &node.from, &error);
  if (status == 0)
    status = read_place(exchange, "to", to, &node.to, &error);
  if (status == 0)
    status = item_tree_json(exchange->catalogue, exchange->base, &node, &json, &error);
  stac_reply(exchange, status, "application/json", &json, &error);
}
