/* Small pictures: of collections, which everybody may see, and of a job's results, for who has the signed link. They
 * are maps of a graph that loads, made when somebody looks, and kept with the tiles of maps made lately. */
#include "server/endpoints/endpoints.h"

#include "server/services/map_exchange.h"

#include <stdio.h>

static const double thumbnail_seconds = 10;

/* Of the cube that a process loads by its one argument; seen with the rights of `owner`. */
static void reply_thumbnail(struct exchange *exchange, const char *owner, int64_t version, struct buffer *process)
{
  struct service service = {.version = version, .process = process->data};
  json_t *choice = json_object();
  const struct map_question question = {.service = &service,
                                        .task = {.operation = MAP_THUMBNAIL, .format = TILE_PNG},
                                        .choice = choice,
                                        .seconds = thumbnail_seconds};
  snprintf(service.owner, sizeof service.owner, "%s", owner);
  if (choice == NULL || process->failed)
    reply(exchange, NULL);
  else
    map_reply_picture(exchange, &question);
  json_decref(choice);
  buffer_free(process);
}

static void write_process(struct buffer *out, const char *process, const char *argument, const char *value)
{
  struct json_writer w = {.out = out};
  json_write_object(&w);
  json_key(&w, "process_graph");
  json_write_object(&w);
  json_key(&w, "load");
  json_write_object(&w);
  json_kv_string(&w, "process_id", process);
  json_key(&w, "arguments");
  json_write_object(&w);
  json_kv_string(&w, argument, value);
  json_key(&w, "spatial_extent");
  json_write_null(&w);
  json_key(&w, "temporal_extent");
  json_write_null(&w);
  json_end_object(&w);
  json_kv_bool(&w, "result", true);
  json_end_object(&w);
  json_end_object(&w);
  json_end_object(&w);
}

void get_collection_thumbnail(struct exchange *exchange)
{
  struct buffer process = {0};
  write_process(&process, "load_collection", "id", exchange->parameters[0]);
  reply_thumbnail(exchange, "", 0, &process);
}

void reply_result_thumbnail(struct exchange *exchange, const struct job *job)
{
  struct buffer process = {0};
  char url[2 * BASE_URL_SIZE];
  snprintf(url, sizeof url, "%s/jobs/%s/results", exchange->base, job->id);
  write_process(&process, "load_stac", "url", url);
  reply_thumbnail(exchange, job->owner, job->run, &process);
}
