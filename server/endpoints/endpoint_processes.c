/* Processes: the specs of the table, byte for byte. */
#include "server/endpoints/endpoints.h"

#include "processes/graph/table.h"

#include <stdio.h>
#include <stdlib.h>

/* The first process of the page: a number in the table. */
static int read_from(const struct exchange *exchange, size_t *out, struct error *error)
{
  char text[24] = "", *end = text;
  int given = http_query(exchange->http, "from", text, sizeof text);
  long number = given > 0 ? strtol(text, &end, 10) : 0;
  if (given < 0 || *end != '\0' || number < 0)
    return error_parameter(error, ERROR_QueryParameterInvalid, "from", "is no position in the list");
  *out = (size_t)number;
  return 0;
}

static void write_page(struct json_writer *w, const struct exchange *exchange, size_t from, size_t limit)
{
  const size_t left = from < process_table_size() ? process_table_size() - from : 0;
  const size_t count = limit == 0 || limit > left ? left : limit;
  json_key(w, "processes");
  json_write_array(w);
  for (size_t i = from; i < from + count; i++) {
    const struct process_entry *entry = process_table_at(i);
    json_write_raw(w, entry->spec, entry->spec_length);
  }
  json_end_array(w);
  json_key(w, "links");
  json_write_array(w);
  write_link(w, "self", exchange->base, "/processes", "application/json", NULL);
  if (count < left) {
    char path[64];
    snprintf(path, sizeof path, "/processes?limit=%zu&from=%zu", limit, from + count);
    write_link(w, "next", exchange->base, path, "application/json", NULL);
  }
  json_end_array(w);
}

/* All of them, whatever limit is asked for: there are some hundred, and clients that ask for fifty at a time build
 * their graphs from the first page alone. */
void get_processes(struct exchange *exchange)
{
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  struct error error = {0};
  long limit = 0;
  size_t from = 0;
  if (read_limit(exchange, &limit, &error) != 0 || read_from(exchange, &from, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  json_write_object(&w);
  write_page(&w, exchange, from, 0);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}
