/* Runtimes of user-defined functions. */
#include "server/endpoints/endpoints.h"

#include <string.h>

void get_udf_runtimes(struct exchange *exchange)
{
  const char *python = exchange->server->settings.udf_python;
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  if (python != NULL) {
    json_key(&w, "Python");
    json_write_raw(&w, python, strlen(python));
  }
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}
