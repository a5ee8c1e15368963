/* Tiles and legends of web services. Their URLs are public: who knows the id, which cannot be guessed, may look. */
#include "server/endpoints/endpoints.h"

#include "server/services/map_look.h"

void get_service_tile(struct exchange *exchange)
{
  struct looking at;
  struct error error = {0};
  struct map_task task = {.zero = 0};
  if (looking_begin(exchange, "XYZ", &at) != 0)
    return;
  const struct map_place place = {
      .zoom = exchange->parameters[1], .column = exchange->parameters[2], .row = exchange->parameters[3]};
  if (map_tile_read(&at.view, &place, &task, &error) != 0)
    reply_error(exchange, &error);
  else
    map_look(exchange, &at, &task);
  looking_end(&at);
}

void get_service_legend(struct exchange *exchange)
{
  struct looking at;
  struct error error = {0};
  struct buffer picture = {0};
  if (looking_begin(exchange, NULL, &at) != 0)
    return;
  if (style_legend(&at.view.style, TILE_PNG, &picture, &error) != 0) {
    buffer_free(&picture);
    reply_error(exchange, &error);
  } else {
    struct hash tag = {0, 0};
    hash_bytes(&tag, picture.data, picture.length);
    map_reply_bytes(exchange, "image/png", &picture, tag);
  }
  looking_end(&at);
}
