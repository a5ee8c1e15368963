/* The files that a search of ESGF finds (esg-search, and what bridges to its successor): pages of JSON, whose documents
 * name each file's services. Of the copies of one file the first counts. */
#include "server/sources/source_kind.h"

#include "stac/href.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_FILES = 500 };

/* The question without what is ours to say. */
static const char *plain_address(struct arena *arena, const char *address)
{
  static const char *const ours[] = {"format=", "type=", "limit=", "offset="};
  const char *query = strchr(address, '?');
  struct buffer out = {0};
  if (!query)
    return address;
  buffer_add(&out, address, (size_t)(query - address));
  char between = '?';
  for (const char *at = query + 1; *at; at += strspn(at, "&")) {
    const size_t length = strcspn(at, "&");
    bool is_ours = false;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
      is_ours = is_ours || strncmp(at, ours[i], strlen(ours[i])) == 0;
    if (!is_ours) {
      buffer_printf(&out, "%c%.*s", between, (int)length, at);
      between = '&';
    }
    at += length;
  }
  const char *text = out.failed ? NULL : arena_strdup(arena, out.data);
  buffer_free(&out);
  return text;
}

/* "ADDRESS|MEDIA TYPE|SERVICE" */
static const char *file_address(struct arena *arena, const json_t *document)
{
  const json_t *urls = json_object_get(document, "url");
  for (size_t i = 0; i < json_array_size(urls); i++) {
    const char *row = json_string_value(json_array_get(urls, i)), *service = row ? strrchr(row, '|') : NULL;
    if (service && strcmp(service, "|HTTPServer") == 0 && href_is_web(row))
      return arena_strndup(arena, row, strcspn(row, "|"));
  }
  return NULL;
}

static const char *text_of(const json_t *document, const char *key)
{
  const json_t *value = json_object_get(document, key);
  return json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);
}

static int take_document(const json_t *document, json_t *seen, struct source_listing *listing, struct error *error)
{
  const char *title = text_of(document, "title"), *same = text_of(document, "instance_id");
  const char *address = file_address(listing->arena, document);
  const json_int_t size = json_integer_value(json_object_get(document, "size"));
  if (!title || !address) {
    listing->left_out++;
    return 0;
  }
  same = same ? same : title;
  if (json_object_get(seen, same))
    return 0;
  if (json_object_set_new(seen, same, json_true()) != 0)
    return error_memory(error);
  return source_listing_add(listing,
                            &(struct listed_file){.name = title,
                                                  .address = address,
                                                  .stamp = text_of(document, "checksum"),
                                                  .size = size > 0 ? (uint64_t)size : 0},
                            error);
}

/* The number of documents that there are in all, in *found; of those of the page, in *count. */
static int take_page(const struct source_answer *answer, json_t *seen, struct source_listing *listing, size_t *count,
                     json_int_t *found, struct error *error)
{
  json_t *page = json_loadb(answer->body.data ? answer->body.data : "", answer->body.length, 0, NULL);
  const json_t *response = json_object_get(page, "response"), *documents = json_object_get(response, "docs");
  int status = json_is_array(documents) ? 0
                                        : error_set(error, ERROR_FileContentInvalid,
                                                    "%.200s: the answer is none of a search of ESGF", answer->url);
  *found = json_integer_value(json_object_get(response, "numFound"));
  *count = json_array_size(documents);
  for (size_t i = 0; i < *count && status == 0; i++)
    status = take_document(json_array_get(documents, i), seen, listing, error);
  json_decref(page);
  return status;
}

int list_esgf(struct source_session *session, const char *address, struct source_listing *listing, struct error *error)
{
  const char *url = plain_address(session->arena, address);
  json_t *seen = json_object();
  json_int_t found = 1;
  int status = url && seen ? 0 : error_memory(error);
  for (size_t offset = 0, count; status == 0 && (json_int_t)offset < found; offset += count) {
    char query[128];
    struct source_answer answer;
    snprintf(query, sizeof query, "format=application%%2Fsolr%%2Bjson&type=File&limit=%d&offset=%zu", (int)PAGE_FILES,
             offset);
    if ((status = source_ask(session, &(struct source_question){.url = url, .query = query}, &answer, error)) != 0)
      break;
    status = take_page(&answer, seen, listing, &count, &found, error);
    source_answer_free(&answer);
    if (status == 0 && count == 0 && (json_int_t)offset < found)
      status = error_set(error, ERROR_FileContentInvalid, "%.200s: a page in the middle has no file", url);
  }
  json_decref(seen);
  return status;
}
