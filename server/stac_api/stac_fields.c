/* Which members of a document are wanted: see the header. */
#include "server/stac_api/stac_fields.h"

#include "server/stac_api/stac_query.h"

#include <string.h>

/* Each dot of a path is a place where a name may end, looked up in every document that is found. */
enum { FIELDS_MOST = 256, PATH_BYTES_MOST = 512, PATH_DOTS_MOST = 32 };

/* What is given in place of nothing, and what comes with whatever is. */
static const char *const standard_fields[] = {"type", "stac_version", "id",     "collection",         "geometry",
                                              "bbox", "links",        "assets", "properties.datetime"};
static const char *const kept_fields[] = {"type", "stac_version", "id", "collection"};

/* ---- paths ------------------------------------------------------------------------------------------------------ */

/* The member that a path begins with, by its longest name, and where the path goes on behind it. */
static json_t *first_member(const json_t *object, const char *path, size_t *name_length)
{
  for (size_t length = strlen(path); length > 0; length--) {
    if (path[length] != '\0' && path[length] != '.')
      continue;
    json_t *member = json_object_getn(object, path, length);
    if (member != NULL) {
      *name_length = length;
      return member;
    }
  }
  return NULL;
}

const json_t *stac_path_get(const json_t *document, const char *path)
{
  while (document != NULL && *path != '\0') {
    size_t length = 0;
    document = first_member(document, path, &length);
    path += length + (path[length] == '.');
  }
  return document;
}

/* Whether a path is another one or leads to what holds it. */
static bool path_holds(const char *path, const char *other)
{
  const size_t length = strlen(path);
  return strncmp(path, other, length) == 0 && (other[length] == '\0' || other[length] == '.');
}

/* ---- including and excluding ------------------------------------------------------------------------------------ */

/* Copies what lies at a path, with the objects around it. */
static int include_path(json_t *out, const json_t *from, const char *path)
{
  for (;;) {
    size_t length = 0;
    json_t *member = first_member(from, path, &length);
    if (member == NULL)
      return 0;
    if (path[length] == '\0')
      return json_object_setn_new(out, path, length, json_deep_copy(member));
    json_t *inner = json_object_getn(out, path, length);
    if (!json_is_object(member) || (inner != NULL && !json_is_object(inner)))
      return 0;
    if (inner == NULL && json_object_setn_new(out, path, length, inner = json_object()) != 0)
      return -1;
    out = inner;
    from = member;
    path += length + 1;
  }
}

static void exclude_path(json_t *out, const char *path)
{
  for (;;) {
    size_t length = 0;
    json_t *member = first_member(out, path, &length);
    if (member == NULL)
      return;
    if (path[length] == '\0') {
      json_object_deln(out, path, length);
      return;
    }
    out = member;
    path += length + 1;
  }
}

static int include_all(json_t *out, const json_t *from, const char *const *paths, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (include_path(out, from, paths[i]) != 0)
      return -1;
  return 0;
}

/* Of what is included below what is excluded the former counts. */
static void exclude_all(const struct stac_fields *fields, json_t *out)
{
  for (size_t i = 0; i < json_array_size(fields->exclude); i++) {
    const char *path = json_string_value(json_array_get(fields->exclude, i));
    bool is_included = false;
    for (size_t j = 0; j < json_array_size(fields->include) && !is_included; j++)
      is_included = path_holds(path, json_string_value(json_array_get(fields->include, j)));
    if (!is_included)
      exclude_path(out, path);
  }
}

static int include_given(const struct stac_fields *fields, const json_t *document, json_t *out)
{
  for (size_t i = 0; i < json_array_size(fields->include); i++)
    if (include_path(out, document, json_string_value(json_array_get(fields->include, i))) != 0)
      return -1;
  return include_all(out, document, kept_fields, sizeof kept_fields / sizeof kept_fields[0]);
}

json_t *stac_fields_pick(const struct stac_fields *fields, const json_t *document)
{
  const bool has_include = json_array_size(fields->include) > 0;
  json_t *out = has_include || fields->wants_standard ? json_object() : json_deep_copy(document);
  int status = out == NULL ? -1 : 0;
  if (status == 0 && has_include)
    status = include_given(fields, document, out);
  else if (status == 0 && fields->wants_standard)
    status = include_all(out, document, standard_fields, sizeof standard_fields / sizeof standard_fields[0]);
  if (status == 0)
    exclude_all(fields, out);
  if (status == 0)
    return out;
  json_decref(out);
  return NULL;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool is_path(const char *text)
{
  size_t dots = 0;
  for (const char *dot = text; (dot = strchr(dot, '.')) != NULL; dot++)
    dots++;
  return strlen(text) <= PATH_BYTES_MOST && dots <= PATH_DOTS_MOST;
}

static int take_paths(const json_t *given, const char *name, const json_t **out, struct error *error)
{
  const json_t *one;
  size_t i;
  if (stac_query_texts(given, name, out, error) < 0 || json_array_size(*out) > FIELDS_MOST)
    return -1;
  json_array_foreach(*out, i, one)
  {
    if (!is_path(json_string_value(one)))
      return -1;
  }
  if (!json_is_array(*out))
    *out = NULL;
  return 0;
}

int stac_fields_read(const json_t *query, struct stac_fields *out, struct error *error)
{
  const json_t *given = json_object_get(query, "fields");
  struct error inner = {0};
  *out = (struct stac_fields){NULL, NULL, false};
  if (given == NULL)
    return 0;
  if (json_is_object(given) && take_paths(given, "include", &out->include, &inner) == 0 &&
      take_paths(given, "exclude", &out->exclude, &inner) == 0) {
    const bool says_nothing = json_array_size(out->exclude) == 0;
    out->wants_standard = says_nothing || json_object_get(given, "include") != NULL;
    return 1;
  }
  return error_parameter(error, ERROR_QueryParameterInvalid, "fields",
                         "wants an object of `include` and `exclude`, each an array of at most %d paths of at most %d "
                         "bytes and %d dots",
                         (int)FIELDS_MOST, (int)PATH_BYTES_MOST, (int)PATH_DOTS_MOST);
}
