/* The features of a collection of OGC API Features, page by page, as one GeoJSON file of this machine: what lies there
 * is no file, and a vector cube needs all of it. The file is named by its content; that of the listing before stays for
 * those who read it. */
#include "server/sources/source_kind.h"

#include "datacube/base/hash.h"
#include "stac/href.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FEATURES_MOST = 2000000, EMPTY_PAGES_MOST = 20, PAGE_FEATURES = 1000 };
static const uint64_t copy_bytes = UINT64_C(4) << 30;

struct feature_copy {
  struct source_session *session;
  const char *address;
  FILE *file;
  uint64_t bytes;
  size_t count;
  unsigned empty_pages;
  struct hash sum;
  json_t *seen; /* addresses of pages */
};

static int write_feature(struct feature_copy *copy, const json_t *feature, struct error *error)
{
  const json_t *type = json_object_get(feature, "type");
  if (!json_is_string(type) || strcmp(json_string_value(type), "Feature") != 0)
    return error_set(error, ERROR_FileContentInvalid, "%.200s: feature %zu is none", copy->address, copy->count + 1);
  char *text = json_dumps(feature, JSON_COMPACT);
  if (!text)
    return error_memory(error);
  const size_t length = strlen(text);
  hash_bytes(&copy->sum, text, length);
  copy->bytes += length + 2;
  const bool fits = copy->bytes < copy_bytes && copy->count < FEATURES_MOST;
  const bool is_written = fits && fprintf(copy->file, "%s%s", copy->count ? ",\n" : "", text) > 0;
  free(text);
  copy->count++;
  if (!fits)
    return error_set(error, ERROR_FileSizeExceeded, "%.200s has more than %d features, or %d GB of them", copy->address,
                     (int)FEATURES_MOST, (int)(copy_bytes >> 30));
  return is_written ? 0 : error_set(error, ERROR_StorageFailure, "a copy cannot be written: %s", strerror(errno));
}

/* Where the next page is, in the session's arena; NULL: this is the last one. */
static int find_next(struct feature_copy *copy, const json_t *page, const char *url, const char **next,
                     struct error *error)
{
  const json_t *links = json_object_get(page, "links");
  *next = NULL;
  for (size_t i = 0; i < json_array_size(links) && !*next; i++) {
    const char *rel = json_string_value(json_object_get(json_array_get(links, i), "rel"));
    const char *href = json_string_value(json_object_get(json_array_get(links, i), "href"));
    if (rel && href && strcmp(rel, "next") == 0)
      *next = href_resolve(copy->session->arena, url, href);
  }
  if (*next && json_object_get(copy->seen, *next))
    return error_set(error, ERROR_FileContentInvalid, "%.200s: its pages lead in a circle", copy->address);
  return 0;
}

static int take_page(struct feature_copy *copy, const struct source_answer *answer, const char **next,
                     struct error *error)
{
  json_t *page = json_loadb(answer->body.data ? answer->body.data : "", answer->body.length, 0, NULL);
  const json_t *features = json_object_get(page, "features");
  const size_t count = json_array_size(features);
  int status = json_is_array(features) ? 0
                                       : error_set(error, ERROR_FileContentInvalid,
                                                   "%.200s: the answer is no collection of features", answer->url);
  for (size_t i = 0; i < count && status == 0; i++)
    status = write_feature(copy, json_array_get(features, i), error);
  copy->empty_pages = count > 0 ? 0 : copy->empty_pages + 1;
  if (status == 0 && copy->empty_pages > EMPTY_PAGES_MOST)
    status = error_set(error, ERROR_FileContentInvalid, "%.200s: page after page holds no feature", copy->address);
  if (status == 0)
    status = find_next(copy, page, answer->url, next, error);
  json_decref(page);
  return status;
}

static int read_pages(struct feature_copy *copy, struct error *error)
{
  char query[32];
  snprintf(query, sizeof query, "limit=%d", (int)PAGE_FEATURES);
  const char *more = strstr(copy->address, "limit=") ? NULL : query, *next = copy->address;
  while (next) {
    const struct source_question question = {.url = next, .query = more, .accept = "application/geo+json"};
    struct source_answer answer;
    if (json_object_set_new(copy->seen, next, json_true()) != 0)
      return error_memory(error);
    if (source_ask(copy->session, &question, &answer, error) != 0)
      return -1;
    const int status = take_page(copy, &answer, &next, error);
    source_answer_free(&answer);
    if (status != 0)
      return -1;
    more = NULL; /* a link is taken as it is */
  }
  return 0;
}

/* "…/collections/ID/items": the collection's name, unless the operator has given one. */
static int choose_id(struct source_session *session, const char *address, struct error *error)
{
  size_t end = strcspn(address, "?#");
  while (end > 0 && address[end - 1] == '/')
    end--;
  if (end > 6 && strncmp(address + end - 6, "/items", 6) == 0)
    end -= 6;
  size_t start = end;
  while (start > 0 && address[start - 1] != '/')
    start--;
  if (!session->id && !(session->id = arena_strndup(session->arena, address + start, end - start)))
    return error_memory(error);
  return 0;
}

/* Older copies go, but for the one that is newest among them. */
static void remove_older(const char *folder, const char *start, const char *kept)
{
  DIR *entries = opendir(folder);
  char newest[512] = "";
  time_t latest = 0;
  for (unsigned pass = 0; pass < 2 && entries; pass++, rewinddir(entries))
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
      char path[1024];
      struct stat status;
      snprintf(path, sizeof path, "%.500s/%.400s", folder, entry->d_name);
      if (strncmp(entry->d_name, start, strlen(start)) != 0 || strcmp(entry->d_name, kept) == 0 ||
          stat(path, &status) != 0)
        continue;
      if (pass == 0 && status.st_mtime >= latest) {
        latest = status.st_mtime;
        snprintf(newest, sizeof newest, "%.500s", entry->d_name);
      } else if (pass == 1 && strcmp(entry->d_name, newest) != 0)
        unlink(path);
    }
  if (entries)
    closedir(entries);
}

/* The whole copy gets its name, which tells its content. */
static int settle(struct feature_copy *copy, const char *temporary, struct source_listing *listing, struct error *error)
{
  struct arena *arena = copy->session->arena;
  char *start = arena_printf(arena, "%s.", copy->session->id);
  for (char *c = start; c && *c; c++)
    *c = *c == '/' ? '_' : *c;
  const char *name =
      start ? arena_printf(arena, "%s%016" PRIx64 "%016" PRIx64 ".geojson", start, copy->sum.a, copy->sum.b) : NULL;
  const char *path = name ? arena_printf(arena, "%s/%s", copy->session->folder, name) : NULL;
  if (!path)
    return error_memory(error);
  if (rename(temporary, path) != 0)
    return error_set(error, ERROR_StorageFailure, "%s: %s", path, strerror(errno));
  remove_older(copy->session->folder, start, name);
  return source_listing_add(listing, &(struct listed_file){.name = name, .address = path, .size = copy->bytes}, error);
}

static int make_copy(struct feature_copy *copy, const char *temporary, struct error *error)
{
  if (fputs("{\"type\":\"FeatureCollection\",\"features\":[\n", copy->file) < 0 || read_pages(copy, error) != 0)
    return error_set(error, ERROR_StorageFailure, "%s: %s", temporary, strerror(errno));
  if (copy->count == 0)
    return error_parameter(error, ERROR_NoDataAvailable, "path", "%.200s has no feature", copy->address);
  if (fputs("\n]}\n", copy->file) < 0 || fflush(copy->file) != 0)
    return error_set(error, ERROR_StorageFailure, "%s: %s", temporary, strerror(errno));
  return 0;
}

int list_features(struct source_session *session, const char *address, struct source_listing *listing,
                  struct error *error)
{
  struct feature_copy copy = {.session = session, .address = address, .seen = json_object()};
  char *temporary = arena_printf(session->arena, "%s/.features-XXXXXX", session->folder);
  if (!temporary || !copy.seen || choose_id(session, address, error) != 0) {
    json_decref(copy.seen);
    return error_is_set(error) ? -1 : error_memory(error);
  }
  mkdir(session->folder, 0777);
  const int fd = mkstemp(temporary);
  copy.file = fd >= 0 ? fdopen(fd, "w") : NULL;
  int status = copy.file ? make_copy(&copy, temporary, error)
                         : error_set(error, ERROR_StorageFailure, "%s: %s", temporary, strerror(errno));
  if (copy.file && fclose(copy.file) != 0 && status == 0)
    status = error_set(error, ERROR_StorageFailure, "%s: %s", temporary, strerror(errno));
  if (status == 0)
    status = chmod(temporary, 0644) == 0 ? settle(&copy, temporary, listing, error)
                                         : error_set(error, ERROR_StorageFailure, "%s: %s", temporary, strerror(errno));
  if (fd >= 0)
    unlink(temporary);
  json_decref(copy.seen);
  return status;
}
