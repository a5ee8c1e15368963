/* What a request may say beyond what the API defines: the processing-parameters extension. A row that is here is
 * honoured; others are kept and shown, and the log of a job says that they have no effect. */
#include "server/endpoints/endpoints.h"

#include <string.h>

struct processing_parameter {
  const char *name, *description;
  const char *schema, *value; /* JSON; the value is the default */
};

static const struct processing_parameter job_parameters[] = {
    {"priority", "Order among one's own waiting jobs: those with larger numbers start first.",
     "{\"type\":\"integer\",\"minimum\":-10,\"maximum\":10}", "0"},
    {"publish",
     "Collection of this service that the results become when the job has finished: its id, or an object. Results are "
     "added to a collection that the user has published before. Without `public` a new one is the user's own.",
     "[{\"type\":\"null\"},{\"type\":\"string\",\"subtype\":\"collection-id\"},{\"type\":\"object\",\"required\":"
     "[\"collection\"],\"properties\":{\"collection\":{\"type\":\"string\"},\"public\":{\"type\":\"boolean\"},"
     "\"title\":{\"type\":\"string\"},\"description\":{\"type\":\"string\"},\"license\":{\"type\":\"string\"}},"
     "\"additionalProperties\":false}]",
     "null"},
};

static void write_parameters(struct json_writer *w, const char *key, const struct processing_parameter *rows,
                             size_t count)
{
  json_key(w, key);
  json_write_array(w);
  for (size_t i = 0; i < count; i++) {
    json_write_object(w);
    json_kv_string(w, "name", rows[i].name);
    json_kv_string(w, "description", rows[i].description);
    json_key(w, "schema");
    json_write_raw(w, rows[i].schema, strlen(rows[i].schema));
    json_kv_bool(w, "optional", true);
    json_key(w, "default");
    json_write_raw(w, rows[i].value, strlen(rows[i].value));
    json_end_object(w);
  }
  json_end_array(w);
}

void get_processing_parameters(struct exchange *exchange)
{
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  write_parameters(&w, "create_job_parameters", job_parameters, sizeof job_parameters / sizeof job_parameters[0]);
  write_parameters(&w, "create_service_parameters", NULL, 0);
  write_parameters(&w, "create_synchronous_parameters", NULL, 0);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}
