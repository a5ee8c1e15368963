/* References: see the header. The document is read as a tree, which goes once the table stands. */
#include "datacube/source/zarr_references.h"

#include "datacube/base/base64.h"
#include "datacube/base/hash.h"
#include "datacube/base/rooted_path.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/block_cache.h"
#include "datacube/source/zarr_place.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct table_reading {
  struct arena *arena, *passing; /* of the table; of the tree */
  struct zarr_references *table;
  const struct zarr_json *templates;
  const char *real;                  /* the folder without links, with a slash at the end; NULL of another host */
  const char *last_text, *last_used; /* the target that came before, as written and as kept: they come in runs */
  struct error *error;
};

static int wrong(const struct table_reading *r, const char *key, const char *what)
{
  return error_set(r->error, ERROR_FileContentInvalid, "the reference '%.100s' %s", key, what);
}

/* ---- what is one ------------------------------------------------------------------------------------------------- */

static bool begins_as_one(const char *head)
{
  static const char *const firsts[] = {"\"refs\"", "\"templates\"", "\"gen\""};
  head += strspn(head, " \t\r\n");
  if (*head++ != '{')
    return false;
  head += strspn(head, " \t\r\n");
  for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
    if (strncmp(head, firsts[i], strlen(firsts[i])) == 0)
      return true;
  if (strncmp(head, "\"version\"", 9) != 0) /* which elsewhere is a text */
    return false;
  head += 9 + strspn(head + 9, " \t\r\n:");
  return isdigit((unsigned char)*head);
}

bool zarr_references_is(const char *path)
{
  static const char end[] = ".json", remote_end[] = ".json/";
  char head[257];
  const size_t length = strlen(path), tail = remote_is(path) ? sizeof remote_end - 1 : sizeof end - 1;
  if (length < tail || strcasecmp(path + length - tail, remote_is(path) ? remote_end : end) != 0)
    return false;
  if (remote_is(path))
    return true;
  const int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const ssize_t got = file >= 0 ? read(file, head, sizeof head - 1) : -1;
  if (file >= 0)
    close(file);
  head[got > 0 ? got : 0] = '\0';
  return begins_as_one(head);
}

/* ---- where a target is ------------------------------------------------------------------------------------------- */

/* Puts what they stand for in the place of "{{name}}". NULL where that cannot be, and the error says why. */
static const char *expand(const struct table_reading *r, const char *key, const char *text)
{
  const char *out = text;
  for (const char *open; (open = strstr(out, "{{"));) {
    const char *name = open + 2 + strspn(open + 2, " "), *end = name + strcspn(name, " }");
    const char *close = end + strspn(end, " ");
    const char *plain = arena_strndup(r->passing, name, (size_t)(end - name));
    const char *value = plain ? zarr_json_text(r->templates, plain) : NULL;
    if (strncmp(close, "}}", 2) != 0 || !value || strstr(value, "{{")) {
      error_set(r->error, ERROR_FeatureUnsupported,
                "the reference '%.100s' has a template that is no plain name of one, which is not supported", key);
      return NULL;
    }
    out = arena_printf(r->passing, "%.*s%s%s", (int)(open - out), out, value, close + 2);
    if (!out || strlen(out) >= REMOTE_URL_SIZE) {
      wrong(r, key, "leads to a name that is too long");
      return NULL;
    }
  }
  return out;
}

static bool is_clean_address(const char *url)
{
  for (const char *c = url; *c; c++)
    if ((unsigned char)*c <= ' ' || *c == 127 || *c == '#' || *c == '\\')
      return false;
  return !strstr(url, "/../") && !strstr(url, "/./") && strlen(url) + sizeof REMOTE_PREFIX < REMOTE_URL_SIZE;
}

/* Of a file of this machine, the path below the folder; else a remote path. */
static int place_target(struct table_reading *r, const char *key, const char *text, const char **out)
{
  char plain[ROOTED_PATH_SIZE];
  struct error ignored = {0};
  const char *colon = strstr(text, "://");
  const bool is_here = strncmp(text, "file://", 7) == 0;
  if (colon && !is_here) {
    if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0 && strncmp(text, "s3://", 5) != 0)
      return error_set(r->error, ERROR_FeatureUnsupported,
                       "the reference '%.100s' leads to '%.100s': only http, https and s3 are supported", key, text);
    if (!is_clean_address(text))
      return wrong(r, key, "leads to what is no plain address");
    *out = arena_printf(r->arena, "%s%s", REMOTE_PREFIX, text);
    return *out ? 0 : error_memory(r->error);
  }
  text += is_here ? 7 : 0;
  const char *below = text;
  if (*text == '/' && r->real) {
    const char *const folders[] = {r->table->folder, r->real};
    for (size_t i = 0; i < 2 && below == text; i++)
      if (strncmp(text, folders[i], strlen(folders[i])) == 0)
        below = text + strlen(folders[i]);
  }
  if (*below == '/' || (is_here && !r->real) || rooted_path_read(below, plain, &ignored) != 0)
    return wrong(r, key, "leads out of the folder of its document");
  if (!r->real && (strpbrk(plain, "?#") || strlen(r->table->folder) + strlen(plain) >= REMOTE_URL_SIZE))
    return wrong(r, key, "leads to what is no plain address");
  *out = arena_printf(r->arena, "%s%s", r->real ? "" : r->table->folder, plain);
  return *out ? 0 : error_memory(r->error);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static int read_inline(const struct table_reading *r, const char *text, struct zarr_reference *out)
{
  static const char prefix[] = "base64:";
  const size_t begin = strncmp(text, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0, length = strlen(text);
  unsigned char *bytes = arena_alloc(r->arena, begin ? base64_most(length) : length + 1);
  if (!bytes)
    return error_memory(r->error);
  if (!begin)
    memcpy(bytes, text, length);
  out->bytes = bytes;
  out->length = begin ? base64_read(text + begin, length - begin, bytes) : length;
  return out->length != SIZE_MAX ? 0 : wrong(r, out->key, "has bytes that are no base64");
}

/* [target], [target, offset, length] */
static int read_range(struct table_reading *r, const struct zarr_json *list, struct zarr_reference *out)
{
  const struct zarr_json *target = list->first, *at = target ? target->next : NULL, *length = at ? at->next : NULL;
  bool negative = false, is_below = false;
  out->length = UINT64_MAX;
  if (!zarr_json_is(target, ZARR_JSON_TEXT) || (length && length->next) ||
      (at && (!zarr_json_integer(at, &out->at, &negative) || negative ||
              !zarr_json_integer(length, &out->length, &is_below) || is_below || out->length > INT64_MAX)))
    return wrong(r, out->key, "is neither text nor [target], nor [target, offset, length]");
  if (!r->last_text || strcmp(r->last_text, target->text) != 0) {
    const char *text = expand(r, out->key, target->text);
    if (!text || place_target(r, out->key, text, &r->last_used) != 0)
      return -1;
    r->last_text = target->text;
  }
  out->target = r->last_used;
  return 0;
}

static int read_reference(struct table_reading *r, const struct zarr_json *value)
{
  char plain[ROOTED_PATH_SIZE];
  struct error ignored = {0};
  struct zarr_reference *out = &r->table->rows[r->table->count];
  if (rooted_path_read(value->key, plain, &ignored) != 0 || strcmp(plain, value->key) != 0)
    return wrong(r, value->key, "has a key that is no path");
  *out = (struct zarr_reference){.key = arena_strdup(r->arena, plain), .place = r->table->count};
  if (!out->key)
    return error_memory(r->error);
  r->table->count++;
  if (zarr_json_is(value, ZARR_JSON_TEXT))
    return read_inline(r, value->text, out);
  if (zarr_json_is(value, ZARR_JSON_ARRAY))
    return read_range(r, value, out);
  return wrong(r, out->key, "is neither text nor a list");
}

static int compare_keys(const void *a, const void *b)
{
  return strcmp(((const struct zarr_reference *)a)->key, ((const struct zarr_reference *)b)->key);
}

void zarr_references_sort(struct zarr_references *references)
{
  qsort(references->rows, references->count, sizeof *references->rows, compare_keys);
}

static int read_table(struct table_reading *r, const struct zarr_json *document)
{
  const struct zarr_json *refs = zarr_json_member(document, "refs"), *gen = zarr_json_member(document, "gen");
  size_t version, count = 0;
  if (!zarr_json_size(zarr_json_member(document, "version"), &version) || version != 1)
    return error_set(r->error, ERROR_FeatureUnsupported, "only references of version 1 are supported");
  if (gen && !(zarr_json_is(gen, ZARR_JSON_ARRAY) && !gen->first))
    return error_set(r->error, ERROR_FeatureUnsupported, "references that are generated (gen) are not supported");
  if (!zarr_json_is(refs, ZARR_JSON_OBJECT))
    return error_set(r->error, ERROR_FileContentInvalid, "it has no references");
  for (const struct zarr_json *v = refs->first; v; v = v->next)
    count++;
  if (count > ZARR_REFERENCES_MOST)
    return error_set(r->error, ERROR_FileContentInvalid, "it has more than %d references", ZARR_REFERENCES_MOST);
  r->templates = zarr_json_member(document, "templates");
  r->table->rows = ARENA_ARRAY(r->arena, struct zarr_reference, count + 1);
  if (!r->table->rows)
    return error_memory(r->error);
  for (const struct zarr_json *v = refs->first; v; v = v->next)
    if (read_reference(r, v) != 0)
      return -1;
  zarr_references_sort(r->table);
  for (size_t i = 1; i < count; i++)
    if (compare_keys(&r->table->rows[i - 1], &r->table->rows[i]) == 0)
      return wrong(r, r->table->rows[i].key, "is there twice");
  return 0;
}

/* ---- the document ------------------------------------------------------------------------------------------------ */

/* Opens it; of another host as a file of its folder. */
static int open_document(struct table_reading *r, const char *path, struct zarr_file *out)
{
  if (!r->real) {
    const struct zarr_place place = {.root = -1, .path = r->table->folder};
    const char *name = path + strlen(r->table->folder);
    const char *plain = arena_strndup(r->passing, name, strlen(name) - 1);
    const int found = plain ? zarr_file_open(&place, plain, ZARR_REFERENCES_BYTES, out, r->error) : -1;
    return found == 1 ? 0 : error_set(r->error, ERROR_FileNotFound, "there are no references, or none to be read");
  }
  const int found = zarr_file_open_path(path, out, r->error);
  return found == 1 ? 0 : error_set(r->error, ERROR_FileContentInvalid, "it cannot be opened");
}

static int read_document(struct table_reading *r, const struct zarr_file *file)
{
  if (file->size > ZARR_REFERENCES_BYTES)
    return error_set(r->error, ERROR_FileContentInvalid, "its references are longer than %d MiB",
                     ZARR_REFERENCES_BYTES >> 20);
  char *bytes = arena_alloc(r->passing, (size_t)file->size + 1);
  if (!bytes)
    return error_memory(r->error);
  r->table->state = file->state;
  if (!zarr_file_read(file, 0, (size_t)file->size, bytes, r->error))
    return error_set(r->error, ERROR_FileContentInvalid, "it cannot be read");
  const struct zarr_json *document = zarr_json_read(r->passing, bytes, (size_t)file->size);
  if (!zarr_json_is(document, ZARR_JSON_OBJECT))
    return error_set(r->error, ERROR_FileContentInvalid, "it is no document of JSON");
  return read_table(r, document);
}

static int find_folder(struct table_reading *r, const char *path)
{
  char real[PATH_MAX];
  size_t end = strlen(path) - (remote_is(path) ? 1 : 0); /* a slash is the last byte of a remote one */
  while (end > 0 && path[end - 1] != '/')
    end--;
  r->table->folder = end > 0 ? arena_strndup(r->arena, path, end) : arena_strdup(r->arena, "./");
  if (!r->table->folder)
    return error_memory(r->error);
  if (remote_is(path))
    return 0;
  if (!realpath(r->table->folder, real))
    return error_set(r->error, ERROR_FileContentInvalid, "its folder cannot be opened: %s", strerror(errno));
  r->real = arena_printf(r->passing, "%s%s", real, strcmp(real, "/") == 0 ? "" : "/");
  return r->real ? 0 : error_memory(r->error);
}

int zarr_references_read(struct arena *arena, const char *path, const struct zarr_references **out, struct error *error)
{
  struct zarr_file file = {.descriptor = -1};
  struct table_reading r = {.arena = arena, .passing = arena_new(0), .error = error};
  r.table = r.passing ? ARENA_NEW(arena, struct zarr_references) : NULL;
  int status = r.table ? find_folder(&r, path) : error_memory(error);
  if (status == 0)
    status = open_document(&r, path, &file);
  if (status == 0)
    status = read_document(&r, &file);
  zarr_file_close(&file);
  arena_free(r.passing);
  *out = r.table;
  return status;
}

const struct zarr_reference *zarr_references_find(const struct zarr_references *references, const char *key)
{
  const struct zarr_reference wanted = {.key = key};
  return bsearch(&wanted, references->rows, references->count, sizeof wanted, compare_keys);
}

/* ---- documents of nodes ------------------------------------------------------------------------------------------ */

static bool is_document(const char *key)
{
  const char *slash = strrchr(key, '/'), *name = slash ? slash + 1 : key;
  return strcmp(name, ".zarray") == 0 || strcmp(name, ".zattrs") == 0;
}

static int compare_places(const void *a, const void *b)
{
  const size_t x = (*(const struct zarr_reference *const *)a)->place;
  const size_t y = (*(const struct zarr_reference *const *)b)->place;
  return (x > y) - (x < y);
}

/* The rows that are documents, in their order; NULL: out of memory. */
static const struct zarr_reference **find_documents(struct arena *arena, const struct zarr_references *references,
                                                    size_t *count)
{
  *count = 0;
  for (size_t i = 0; i < references->count; i++)
    *count += is_document(references->rows[i].key);
  const struct zarr_reference **out = ARENA_ARRAY(arena, const struct zarr_reference *, *count + 1);
  size_t used = 0;
  for (size_t i = 0; out && i < references->count; i++)
    if (is_document(references->rows[i].key))
      out[used++] = &references->rows[i];
  if (out)
    qsort(out, used, sizeof *out, compare_places);
  return out;
}

static struct zarr_json *read_node(struct arena *arena, const struct zarr_reference *row)
{
  const struct zarr_json *read =
      row->bytes ? zarr_json_read(arena, (const char *)row->bytes, (size_t)row->length) : NULL;
  struct zarr_json *own = zarr_json_is(read, ZARR_JSON_OBJECT) ? arena_copy(arena, read, sizeof *read) : NULL;
  if (own)
    own->key = row->key;
  return own;
}

const struct zarr_json *zarr_references_metadata(struct arena *arena, const struct zarr_references *references,
                                                 struct error *error)
{
  size_t count;
  struct zarr_json *root = ARENA_NEW(arena, struct zarr_json), *metadata = ARENA_NEW(arena, struct zarr_json);
  const struct zarr_reference **documents = find_documents(arena, references, &count);
  if (!root || !metadata || !documents) {
    error_memory(error);
    return NULL;
  }
  if (zarr_references_find(references, "zarr.json")) {
    error_set(error, ERROR_FeatureUnsupported, "references of Zarr version 3 are not supported");
    return NULL;
  }
  *root = (struct zarr_json){.kind = ZARR_JSON_OBJECT, .first = metadata};
  *metadata = (struct zarr_json){.kind = ZARR_JSON_OBJECT, .key = "metadata"};
  const struct zarr_json **link = &metadata->first;
  for (size_t i = 0; i < count; i++) {
    struct zarr_json *node = read_node(arena, documents[i]);
    if (!node) {
      error_set(error, ERROR_FileContentInvalid, "%.100s is no document of Zarr within the references",
                documents[i]->key);
      return NULL;
    }
    *link = node;
    link = (const struct zarr_json **)&node->next;
  }
  return root;
}
