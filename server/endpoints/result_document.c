/* The document of results: what the files' metadata tell is put together, and nothing else. */
#include "server/endpoints/result_document.h"

#include "server/endpoints/job_link.h"
#include "server/http/json_text.h"

#include "datacube/base/instant.h"
#include "datacube/lonlat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- stored texts ----------------------------------------------------------------------------------------------- */

/* Pieces are copied as they are, so numbers keep their digits. */
static struct json_piece member(struct json_piece object, const char *name)
{
  struct json_piece found = {0};
  if (object.text != NULL)
    found.text = json_text_member(object.text, object.length, name, &found.length);
  if (found.text != NULL && found.length == 4 && memcmp(found.text, "null", 4) == 0)
    found.text = NULL;
  return found;
}

/* A string without escapes, such as a file's name or a date. */
static void piece_text(struct json_piece piece, char *out, size_t room)
{
  bool is_text = piece.text != NULL && piece.length >= 2 && piece.text[0] == '"';
  snprintf(out, room, "%.*s", is_text ? (int)(piece.length - 2) : 0, is_text ? piece.text + 1 : "");
}

static struct json_piece result_member(const struct job *job, const char *name)
{
  return member((struct json_piece){job->result, job->result != NULL ? strlen(job->result) : 0}, name);
}

bool stored_file_next(const struct job *job, size_t *at, struct stored_file *out)
{
  const struct json_piece result = {job->result, job->result != NULL ? strlen(job->result) : 0};
  const struct json_piece files = member(result, "files");
  struct json_piece file = {0};
  if (files.text != NULL)
    file.text = json_text_element(files.text, files.length, at, &file.length);
  else if (member(result, "file").text != NULL && (*at)++ == 0)
    file = result; /* a row of version 0.1.0: one file */
  if (file.text == NULL)
    return false;
  piece_text(member(file, "file"), out->name, sizeof out->name);
  piece_text(member(file, "type"), out->media_type, sizeof out->media_type);
  out->node = member(file, "node");
  out->size = member(file, "size");
  out->metadata = member(file, "metadata");
  return true;
}

static void write_piece(struct json_writer *w, const char *key, struct json_piece value)
{
  if (value.text == NULL)
    return;
  json_key(w, key);
  json_write_raw(w, value.text, value.length);
}

/* ---- what the files tell together ------------------------------------------------------------------------------- */

struct summary_of_files {
  size_t files;
  struct stored_file first;
  size_t places, dates;
  struct extent place; /* normal (lonlat.h) */
  int64_t start, end;  /* Unix milliseconds */
  bool has_dimensions, has_projection;
};

static int read_box(struct json_piece bbox, double box[4])
{
  size_t at = 0, length;
  for (int i = 0; i < 4; i++) {
    const char *number = bbox.text != NULL ? json_text_element(bbox.text, bbox.length, &at, &length) : NULL;
    if (number == NULL)
      return -1;
    box[i] = strtod(number, NULL); /* ends at the comma or bracket */
  }
  return 0;
}

static void add_place(struct summary_of_files *sum, struct json_piece metadata)
{
  double edges[4];
  if (read_box(member(metadata, "bbox"), edges) != 0)
    return;
  struct extent box = {edges[0], edges[1], edges[2] + (edges[0] > edges[2] ? 360 : 0), edges[3], NULL};
  box = lonlat_normal(&box);
  sum->place = sum->places++ == 0 ? box : lonlat_union(&sum->place, &box);
}

static bool read_date(struct json_piece metadata, const char *name, int64_t *out)
{
  char text[40];
  piece_text(member(metadata, name), text, sizeof text);
  return text[0] != '\0' && instant_parse(text, CALENDAR_GREGORIAN, out) == 0;
}

static void add_dates(struct summary_of_files *sum, struct json_piece metadata)
{
  int64_t start, end;
  if (read_date(metadata, "datetime", &start))
    end = start;
  else if (!read_date(metadata, "start_datetime", &start) || !read_date(metadata, "end_datetime", &end))
    return;
  bool first = sum->dates++ == 0;
  sum->start = first || start < sum->start ? start : sum->start;
  sum->end = first || end > sum->end ? end : sum->end;
}

static struct summary_of_files sum_up(const struct job *job)
{
  struct summary_of_files sum = {0};
  struct stored_file file;
  size_t at = 0;
  while (strcmp(job->status, "finished") == 0 && stored_file_next(job, &at, &file)) {
    if (sum.files++ == 0)
      sum.first = file;
    add_place(&sum, file.metadata);
    add_dates(&sum, file.metadata);
    sum.has_dimensions = sum.has_dimensions || member(file.metadata, "cube:dimensions").text != NULL;
    sum.has_projection = sum.has_projection || member(file.metadata, "proj:code").text != NULL ||
                         member(file.metadata, "proj:shape").text != NULL;
  }
  return sum;
}

/* ---- parts of the document -------------------------------------------------------------------------------------- */

/* `link` is begun. */
static void signed_href(const struct exchange *exchange, const struct job *job, const char *name,
                        const struct job_link *link, char out[2 * BASE_URL_SIZE])
{
  char signature[SIGNATURE_SIZE];
  struct job_link named = *link;
  if (exchange == NULL) {
    snprintf(out, 2 * BASE_URL_SIZE, "./%s", name);
    return;
  }
  named.name = name;
  job_link_sign(exchange, job->id, &named, signature);
  snprintf(out, 2 * BASE_URL_SIZE, "%s/download/%s/%" PRId64 "/%s/%s", exchange->base, job->id, link->expires,
           signature, name);
}

static void write_asset(struct json_writer *w, const struct exchange *exchange, const struct job *job,
                        const struct stored_file *file, const struct job_link *link)
{
  static const char *const copied[] = {"bbox",      "datetime",   "start_datetime", "end_datetime",
                                       "proj:code", "proj:shape", "proj:transform", "cube:dimensions",
                                       "bands",     "data_type",  "nodata"};
  char href[2 * BASE_URL_SIZE];
  signed_href(exchange, job, file->name, link, href);
  json_key(w, file->name);
  json_write_object(w);
  json_kv_string(w, "href", href);
  json_kv_string(w, "type", file->media_type);
  write_piece(w, "title", file->node);
  json_key(w, "roles");
  json_write_raw(w, "[\"data\"]", 8);
  write_piece(w, "file:size", file->size);
  for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++)
    write_piece(w, copied[i], member(file->metadata, copied[i]));
  json_end_object(w);
}

static void write_assets(struct json_writer *w, const struct exchange *exchange, const struct job *job,
                         const struct job_link *link)
{
  struct stored_file file;
  size_t at = 0;
  json_key(w, "assets");
  json_write_object(w);
  while (strcmp(job->status, "finished") == 0 && stored_file_next(job, &at, &file))
    write_asset(w, exchange, job, &file, link);
  json_end_object(w);
}

/* A multihash, as the file extension wants it: the code of SHA-256, its 32 bytes, the digest. */
static void write_checksum(struct json_writer *w, struct json_piece sha256)
{
  char digest[65], hash[sizeof digest + 4];
  piece_text(sha256, digest, sizeof digest);
  snprintf(hash, sizeof hash, "1220%s", digest);
  json_kv_string(w, "file:checksum", hash);
}

/* The processes of the web that were used, and what their documents were then. */
static void write_definitions(struct json_writer *w, const struct job *job)
{
  const struct json_piece definitions = result_member(job, "definitions");
  struct json_piece used = {0};
  size_t at = 0;
  while (definitions.text != NULL &&
         (used.text = json_text_element(definitions.text, definitions.length, &at, &used.length)) != NULL) {
    json_write_object(w);
    json_kv_string(w, "rel", "processing-expression");
    write_piece(w, "href", member(used, "href"));
    json_kv_string(w, "type", "application/json");
    write_piece(w, "title", member(used, "process"));
    write_checksum(w, member(used, "sha256"));
    json_end_object(w);
  }
}

/* A link, not an asset: clients take a job's only asset for its result. */
static void write_preview(struct json_writer *w, const struct exchange *exchange, const struct job *job,
                          const struct job_link *link)
{
  char href[2 * BASE_URL_SIZE];
  signed_href(exchange, job, RESULT_THUMBNAIL_NAME, link, href);
  write_link(w, "preview", href, "", "image/png", "A small picture of the results");
}

static void write_links_here(struct json_writer *w, const struct exchange *exchange, const struct job *job,
                             const struct job_link *link)
{
  char href[2 * BASE_URL_SIZE], path[128];
  signed_href(exchange, job, RESULT_DOCUMENT_NAME, link, href);
  write_link(w, "canonical", href, "", "application/json", "This document, by a signed link");
  snprintf(path, sizeof path, "/jobs/%s/results", job->id);
  write_link(w, "self", exchange->base, path, "application/json", NULL);
  snprintf(path, sizeof path, "/jobs/%s/logs", job->id);
  write_link(w, "monitor", exchange->base, path, "application/json", "Logs");
}

static void write_links(struct json_writer *w, const struct exchange *exchange, const struct job *job,
                        const struct summary_of_files *sum, const struct job_link *link)
{
  json_key(w, "links");
  json_write_array(w);
  if (exchange != NULL)
    write_links_here(w, exchange, job, link);
  if (exchange != NULL && sum->places > 0 && sum->has_projection)
    write_preview(w, exchange, job, link);
  write_definitions(w, job);
  json_end_array(w);
}

static void write_head(struct json_writer *w, const struct job *job, const struct summary_of_files *sum)
{
  json_kv_string(w, "type", sum->places > 0 ? "Collection" : "Feature");
  json_kv_string(w, "stac_version", "1.1.0");
  json_key(w, "stac_extensions");
  json_write_array(w);
  if (sum->has_dimensions)
    json_write_string(w, "https://stac-extensions.github.io/datacube/v2.2.0/schema.json");
  if (sum->has_projection)
    json_write_string(w, "https://stac-extensions.github.io/projection/v2.0.0/schema.json");
  json_write_string(w, "https://stac-extensions.github.io/processing/v1.2.0/schema.json");
  if (sum->files > 0)
    json_write_string(w, "https://stac-extensions.github.io/file/v2.1.0/schema.json");
  json_end_array(w);
  json_kv_string(w, "id", job->id);
}

/* How the files came about: the graph, and the program that computed it. */
static void write_processing(struct json_writer *w, const struct job *job)
{
  json_key(w, "processing:expression");
  json_write_object(w);
  json_kv_string(w, "format", "openeo");
  json_key(w, "expression");
  json_write_raw(w, job->process, strlen(job->process));
  json_end_object(w);
  json_key(w, "processing:software");
  json_write_object(w);
  json_kv_string(w, "twincube", TWINCUBE_VERSION);
  json_end_object(w);
}

/* Of a Collection it belongs to who processed. */
static void write_processor(struct json_writer *w, const struct job *job)
{
  json_key(w, "providers");
  json_write_array(w);
  json_write_object(w);
  json_kv_string(w, "name", "twincube");
  json_key(w, "roles");
  json_write_raw(w, "[\"processor\"]", strlen("[\"processor\"]"));
  write_processing(w, job);
  json_end_object(w);
  json_end_array(w);
}

/* Title, description, times of the job, state: of a Collection at the top, of an Item among its properties. */
static void write_about(struct json_writer *w, const struct job *job, int64_t expires)
{
  const char *description = job->description;
  const bool waits = strcmp(job->status, "queued") == 0 || strcmp(job->status, "created") == 0;
  if (job->title != NULL && job->title[0])
    json_kv_string(w, "title", job->title);
  json_kv_string(w, "description", description != NULL && description[0] ? description : "Results of a batch job.");
  json_kv_string(w, "license", "other");
  write_time(w, "created", job->created);
  write_time(w, "updated", job->updated);
  write_time(w, "expires", expires * 1000);
  json_kv_string(w, "openeo:status", waits ? "running" : job->status);
}

static void write_instant(struct json_writer *w, int64_t instant)
{
  char text[40];
  instant_format(instant, CALENDAR_GREGORIAN, text);
  json_write_string(w, text);
}

static void write_interval(struct json_writer *w, const struct summary_of_files *sum)
{
  json_key(w, "temporal");
  json_write_object(w);
  json_key(w, "interval");
  json_write_array(w);
  json_write_array(w);
  if (sum->dates > 0) {
    write_instant(w, sum->start);
    write_instant(w, sum->end);
  } else {
    json_write_null(w);
    json_write_null(w);
  }
  json_end_array(w);
  json_end_array(w);
  json_end_object(w);
}

static void write_extent(struct json_writer *w, const struct summary_of_files *sum)
{
  double box[4];
  lonlat_edges(&sum->place, box);
  json_key(w, "extent");
  json_write_object(w);
  json_key(w, "spatial");
  json_write_object(w);
  json_key(w, "bbox");
  json_write_array(w);
  json_write_array(w);
  for (int i = 0; i < 4; i++)
    json_write_number(w, box[i]);
  json_end_array(w);
  json_end_array(w);
  json_end_object(w);
  write_interval(w, sum);
  json_end_object(w);
}

static void write_collection(struct json_writer *w, const struct job *job, const struct summary_of_files *sum,
                             int64_t expires)
{
  write_about(w, job, expires);
  write_processor(w, job);
  write_extent(w, sum);
  if (sum->files == 1)
    write_piece(w, "cube:dimensions", member(sum->first.metadata, "cube:dimensions"));
}

static void write_date(struct json_writer *w, const char *key, bool is_known, int64_t instant)
{
  json_key(w, key);
  if (is_known)
    write_instant(w, instant);
  else
    json_write_null(w);
}

static void write_item(struct json_writer *w, const struct job *job, const struct summary_of_files *sum,
                       int64_t expires)
{
  const bool is_instant = sum->dates > 0 && sum->start == sum->end;
  json_key(w, "geometry");
  json_write_null(w);
  json_key(w, "properties");
  json_write_object(w);
  write_date(w, "datetime", is_instant, sum->start);
  if (!is_instant) {
    write_date(w, "start_datetime", sum->dates > 0, sum->start);
    write_date(w, "end_datetime", sum->dates > 0, sum->end);
  }
  write_about(w, job, expires);
  write_processing(w, job);
  if (sum->files == 1)
    write_piece(w, "cube:dimensions", member(sum->first.metadata, "cube:dimensions"));
  json_end_object(w);
}

/* Unix seconds: of the links, or earlier where the results are not kept as long. */
static int64_t expiry(const struct exchange *exchange, const struct job *job)
{
  const int64_t links = store_now() / 1000 + RESULT_LINK_SECONDS;
  const int64_t days = exchange != NULL ? exchange->server->limits.keep_days : 0;
  const int64_t results = (job->ended > 0 ? job->ended : job->updated) / 1000 + days * 24 * 3600;
  return days > 0 && strcmp(job->status, "finished") == 0 && results < links ? results : links;
}

int result_document_write(const struct exchange *exchange, const struct job *job, struct buffer *out,
                          struct error *error)
{
  const struct summary_of_files sum = sum_up(job);
  struct job_link link = {.expires = expiry(exchange, job)};
  struct json_writer w = {.out = out};
  if (exchange != NULL && job_link_begin(exchange, job, job->run, &link, error) != 0)
    return -1;
  json_write_object(&w);
  write_head(&w, job, &sum);
  if (sum.places > 0)
    write_collection(&w, job, &sum, link.expires);
  else
    write_item(&w, job, &sum, link.expires);
  write_assets(&w, exchange, job, &link);
  write_links(&w, exchange, job, &sum, &link);
  json_end_object(&w);
  return out->failed ? error_memory(error) : 0;
}
