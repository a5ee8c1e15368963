/* Processes: the specs of the table, byte for byte. */
#include "server/endpoints/endpoints.h"
#include "server/federation/federation.h"

#include "processes/graph/table.h"

/* All of them, whatever limit is asked for: there are some hundred, and clients that ask for fifty at a time build
 * their graphs from the first page alone. */
void get_processes(struct exchange *exchange)
{
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  struct error error = {0};
  struct federation *federation = asked_federation(exchange);
  long limit = 0;
  if (read_limit(exchange, &limit, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  json_write_object(&w);
  if (api_version_reaches(exchange->api, 1, 3))
    json_kv_string(&w, "version", process_table_version);
  json_key(&w, "processes");
  json_write_array(&w);
  for (size_t i = 0; i < process_table_size(); i++) {
    const struct process_entry *entry = process_table_at(i);
    if (federation != NULL)
      write_supported(federation, entry->id, entry->spec, entry->spec_length, &w);
    else
      json_write_raw(&w, entry->spec, entry->spec_length);
  }
  json_end_array(&w);
  if (federation != NULL)
    federation_write_missing(federation, SURVEY_PROCESSES, &w);
  json_key(&w, "links");
  json_write_array(&w);
  write_link(&w, "self", exchange->base, "/processes", "application/json", NULL);
  json_end_array(&w);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}
