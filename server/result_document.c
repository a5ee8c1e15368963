/* STAC 1.0.0 collection: extent, cube:dimensions and projection from the worker's metadata, assets by signed links. */
#include "server/result_document.h"

#include "server/json_text.h"
#include "server/signed_url.h"

#include "datacube/base/instant.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

int result_file_read(const struct job *job, struct result_file *out)
{
  json_t *result = job->result != NULL ? json_loads(job->result, 0, NULL) : NULL;
  const char *name = json_string_value(json_object_get(result, "file"));
  const char *type = json_string_value(json_object_get(result, "type"));
  int status = name != NULL && strlen(name) < sizeof out->name ? 0 : -1;
  if (status == 0) {
    snprintf(out->name, sizeof out->name, "%s", name);
    snprintf(out->media_type, sizeof out->media_type, "%s", type != NULL ? type : "application/octet-stream");
  }
  json_decref(result);
  return status;
}

/* A piece of the stored text: copied as it is, so numbers keep their digits. `text` is NULL where there is none. */
struct piece {
  const char *text;
  size_t length;
};

static struct piece member(struct piece object, const char *name)
{
  struct piece found = {0};
  if (object.text != NULL)
    found.text = json_text_member(object.text, object.length, name, &found.length);
  if (found.text != NULL && found.length == 4 && memcmp(found.text, "null", 4) == 0)
    found.text = NULL;
  return found;
}

static struct piece stored_result(const struct job *job)
{
  return job->result != NULL ? (struct piece){job->result, strlen(job->result)} : (struct piece){0};
}

static void write_member(struct json_writer *w, const char *key, struct piece object)
{
  struct piece value = member(object, key);
  if (value.text == NULL)
    return;
  json_key(w, key);
  json_write_raw(w, value.text, value.length);
}

static void signed_href(const struct exchange *exchange, const struct job *job, const char *name, int64_t expires,
                        char out[2 * BASE_URL_SIZE])
{
  char signature[SIGNATURE_SIZE];
  signed_url_sign(exchange->server->secret, job->id, name, expires, signature);
  snprintf(out, 2 * BASE_URL_SIZE, "%s/download/%s/%" PRId64 "/%s/%s", exchange->base, job->id, expires, signature,
           name);
}

static void write_spatial(struct json_writer *w, struct piece metadata)
{
  struct piece bbox = member(metadata, "bbox");
  json_key(w, "spatial");
  json_write_object(w);
  json_key(w, "bbox");
  json_write_array(w);
  if (bbox.text != NULL)
    json_write_raw(w, bbox.text, bbox.length);
  else /* a result without a place: STAC wants a box all the same */
    json_write_raw(w, "[-180,-90,180,90]", 17);
  json_end_array(w);
  json_end_object(w);
}

static void write_temporal(struct json_writer *w, const struct job *job, struct piece metadata)
{
  char created[40], quoted[48];
  instant_format(job->created - job->created % MS_PER_SECOND, CALENDAR_GREGORIAN, created);
  snprintf(quoted, sizeof quoted, "\"%s\"", created);
  const struct piece now = {quoted, strlen(quoted)};
  const struct piece instant = member(metadata, "datetime");
  struct piece start = member(metadata, "start_datetime"), end = member(metadata, "end_datetime");
  if (start.text == NULL)
    start = instant.text != NULL ? instant : now;
  if (end.text == NULL)
    end = instant.text != NULL ? instant : start;
  json_key(w, "temporal");
  json_write_object(w);
  json_key(w, "interval");
  json_write_array(w);
  json_write_array(w);
  json_write_raw(w, start.text, start.length);
  json_write_raw(w, end.text, end.length);
  json_end_array(w);
  json_end_array(w);
  json_end_object(w);
}

static void write_asset(struct json_writer *w, const struct exchange *exchange, const struct job *job, int64_t expires)
{
  const struct piece metadata = member(stored_result(job), "metadata");
  struct result_file file;
  json_key(w, "assets");
  json_write_object(w);
  if (strcmp(job->status, "finished") == 0 && result_file_read(job, &file) == 0) {
    char href[2 * BASE_URL_SIZE];
    signed_href(exchange, job, file.name, expires, href);
    json_key(w, file.name);
    json_write_object(w);
    json_kv_string(w, "href", href);
    json_kv_string(w, "type", file.media_type);
    json_kv_string(w, "title", file.name);
    json_key(w, "roles");
    json_write_raw(w, "[\"data\"]", 8);
    const struct piece size = member(stored_result(job), "size");
    json_key(w, "file:size");
    json_write_raw(w, size.text != NULL ? size.text : "0", size.text != NULL ? size.length : 1);
    write_member(w, "proj:epsg", metadata);
    write_member(w, "bands", metadata);
    json_end_object(w);
  }
  json_end_object(w);
}

static void write_links(struct json_writer *w, const struct exchange *exchange, const struct job *job, int64_t expires)
{
  char href[2 * BASE_URL_SIZE], path[128];
  json_key(w, "links");
  json_write_array(w);
  signed_href(exchange, job, RESULT_DOCUMENT_NAME, expires, href);
  write_link(w, "canonical", href, "", "application/json", "This document, by a signed link");
  snprintf(path, sizeof path, "/jobs/%s/results", job->id);
  write_link(w, "self", exchange->base, path, "application/json", NULL);
  snprintf(path, sizeof path, "/jobs/%s/logs", job->id);
  write_link(w, "monitor", exchange->base, path, "application/json", "Logs");
  json_end_array(w);
}

static const char *result_status(const struct job *job)
{
  return strcmp(job->status, "queued") == 0 || strcmp(job->status, "created") == 0 ? "running" : job->status;
}

int result_document_write(const struct exchange *exchange, const struct job *job, struct buffer *out,
                          struct error *error)
{
  const struct piece metadata = member(stored_result(job), "metadata");
  const int64_t expires = store_now() / 1000 + RESULT_LINK_SECONDS;
  struct json_writer w = {.out = out};
  json_write_object(&w);
  json_kv_string(&w, "type", "Collection");
  json_kv_string(&w, "stac_version", "1.0.0");
  json_key(&w, "stac_extensions");
  json_write_array(&w);
  if (member(metadata, "cube:dimensions").text != NULL)
    json_write_string(&w, "https://stac-extensions.github.io/datacube/v2.2.0/schema.json");
  if (member(metadata, "proj:epsg").text != NULL)
    json_write_string(&w, "https://stac-extensions.github.io/projection/v1.1.0/schema.json");
  json_write_string(&w, "https://stac-extensions.github.io/file/v2.1.0/schema.json");
  json_end_array(&w);
  json_kv_string(&w, "id", job->id);
  if (job->title != NULL && job->title[0])
    json_kv_string(&w, "title", job->title);
  json_kv_string(&w, "description",
                 job->description != NULL && job->description[0] ? job->description : "Results of a batch job.");
  json_kv_string(&w, "license", "proprietary");
  json_key(&w, "extent");
  json_write_object(&w);
  write_spatial(&w, metadata);
  write_temporal(&w, job, metadata);
  json_end_object(&w);
  write_member(&w, "cube:dimensions", metadata);
  write_time(&w, "created", job->created);
  write_time(&w, "updated", job->updated);
  write_time(&w, "expires", expires * 1000);
  json_kv_string(&w, "openeo:status", result_status(job));
  write_asset(&w, exchange, job, expires);
  write_links(&w, exchange, job, expires);
  json_end_object(&w);
  return out->failed ? error_memory(error) : 0;
}
