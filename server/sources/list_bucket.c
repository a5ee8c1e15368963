/* The objects of a bucket: ListObjectsV2, page by page. */
#include "server/sources/source_kind.h"
#include "server/sources/xml_tree.h"

#include "server/fetch/fetch_s3.h"
#include "stac/href.h"

#include <stdlib.h>
#include <string.h>

struct bucket {
  const char *address;      /* s3://BUCKET/START */
  const char *name, *start; /* in it: "BUCKET", "START" */
  size_t name_length;
  char *token; /* of the next page, owned; NULL: none */
};

/* The parameters in the order of their names, as signatures want them. */
static int page_query(const struct bucket *bucket, struct buffer *out, struct error *error)
{
  if (bucket->token) {
    buffer_text(out, "continuation-token=");
    href_encode(bucket->token, out);
    buffer_text(out, "&");
  }
  buffer_text(out, "list-type=2&prefix=");
  href_encode(bucket->start, out);
  return out->failed ? error_memory(error) : 0;
}

/* What ends with a slash stands for a folder. Names are what goes on behind the last slash of what all begin with. */
static int take_object(const struct bucket *bucket, const struct xml_element *object, struct source_listing *listing,
                       struct error *error)
{
  const char *key = xml_child_text(object, "Key"), *size = xml_child_text(object, "Size");
  const char *etag = xml_child_text(object, "ETag"), *slash = strrchr(bucket->start, '/');
  const size_t folder = slash ? (size_t)(slash - bucket->start) + 1 : 0;
  if (!key || key[0] == '\0' || key[strlen(key) - 1] == '/')
    return 0;
  if (strncmp(key, bucket->start, strlen(bucket->start)) != 0)
    return error_set(error, ERROR_FileContentInvalid, "%.200s: other objects are listed than were asked for",
                     bucket->address);
  const char *address = arena_printf(listing->arena, "s3://%.*s/%s", (int)bucket->name_length, bucket->name, key);
  if (!address)
    return error_memory(error);
  const struct listed_file file = {.name = key + folder,
                                   .address = address,
                                   .stamp = etag ? etag : xml_child_text(object, "LastModified"),
                                   .size = size ? strtoull(size, NULL, 10) : 0};
  if (fetch_s3_is_sound(address, false))
    return source_listing_add(listing, &file, error);
  listing->left_out++;
  return 0;
}

static int take_page(struct bucket *bucket, const struct xml_element *page, struct source_listing *listing,
                     struct error *error)
{
  if (strcmp(page->name, "ListBucketResult") != 0)
    return error_set(error, ERROR_FileContentInvalid, "%.200s: the answer is no listing of a bucket", bucket->address);
  for (const struct xml_element *at = xml_child(page, "Contents"); at; at = xml_further(at, "Contents"))
    if (take_object(bucket, at, listing, error) != 0)
      return -1;
  const char *more = xml_child_text(page, "IsTruncated"), *token = xml_child_text(page, "NextContinuationToken");
  const bool is_last = !more || strcmp(more, "true") != 0;
  if (!is_last && (!token || (bucket->token && strcmp(token, bucket->token) == 0)))
    return error_set(error, ERROR_FileContentInvalid, "%.200s: a page of the listing leads to no other one",
                     bucket->address);
  free(bucket->token);
  bucket->token = is_last ? NULL : strdup(token);
  return is_last || bucket->token ? 0 : error_memory(error);
}

static int read_page(struct source_session *session, struct bucket *bucket, struct source_listing *listing,
                     struct error *error)
{
  struct buffer query = {0};
  struct source_answer answer = {0};
  struct arena *arena = arena_new(0);
  int status = arena ? page_query(bucket, &query, error) : error_memory(error);
  if (status == 0)
    status =
        source_ask(session, &(struct source_question){.url = bucket->address, .query = query.data}, &answer, error);
  const struct xml_element *page = NULL;
  if (status == 0 && !(page = xml_parse(arena, answer.body.data ? answer.body.data : "", answer.body.length, error)))
    status = -1;
  if (page)
    status = take_page(bucket, page, listing, error);
  source_answer_free(&answer);
  buffer_free(&query);
  arena_free(arena);
  return status;
}

int list_bucket(struct source_session *session, const char *address, struct source_listing *listing,
                struct error *error)
{
  struct bucket bucket = {.address = address, .name = address + strlen("s3://")};
  if (!fetch_s3_is_sound(address, true))
    return error_parameter(error, ERROR_ProcessParameterInvalid, "path",
                           "'%.200s' is no address such as "
                           "s3://BUCKET/START",
                           address);
  bucket.name_length = strcspn(bucket.name, "/");
  bucket.start = bucket.name + bucket.name_length;
  bucket.start += *bucket.start == '/';
  int status;
  do
    status = read_page(session, &bucket, listing, error);
  while (status == 0 && bucket.token);
  free(bucket.token);
  return status;
}
