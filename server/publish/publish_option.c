#include "server/publish/publish_option.h"

#include "stac/json_tree.h"

#include <string.h>

const json_t *publish_option_find(const json_t *options)
{
  const json_t *of_job = json_object_get(json_object_get(options, "job_options"), PUBLISH_OPTION);
  const json_t *found = of_job != NULL ? of_job : json_object_get(options, PUBLISH_OPTION);
  return json_is_null(found) ? NULL : found;
}

int publish_read_audience(const json_t *body, const char *parameter, enum publication_audience *out,
                          struct error *error)
{
  const json_t *is_public = json_object_get(body, "public");
  if (is_public != NULL && !json_is_boolean(is_public))
    return error_parameter(error, ERROR_RequestBodyInvalid, parameter, "\"public\" wants to be true or false");
  *out = json_is_true(is_public) ? PUBLISH_FOR_ALL : PUBLISH_FOR_OWNER;
  return 0;
}

static int check_members(const json_t *option, struct error *error)
{
  static const char *const texts[] = {"collection", "title", "description", "license"};
  const char *name;
  json_t *member;
  json_object_foreach((json_t *)(uintptr_t)option, name, member)
  {
    bool is_text = false;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
      is_text = is_text || strcmp(name, texts[i]) == 0;
    if (!is_text && strcmp(name, "public") != 0)
      return error_parameter(error, ERROR_RequestBodyInvalid, PUBLISH_OPTION, "has no member '%.100s'", name);
    if (is_text && !json_is_string(member))
      return error_parameter(error, ERROR_RequestBodyInvalid, PUBLISH_OPTION, "\"%s\" wants to be a text", name);
  }
  return 0;
}

int publish_option_read(const json_t *option, struct publication *out, struct error *error)
{
  const bool is_whole = json_is_object(option);
  out->adds = true;
  out->audience = PUBLISH_AS_BEFORE;
  out->body = is_whole ? option : NULL;
  out->id = is_whole ? json_tree_text(option, "collection") : json_string_value(option);
  if (out->id == NULL)
    return error_parameter(error, ERROR_RequestBodyInvalid, PUBLISH_OPTION,
                           "wants to be the id of a collection, or an object with it as \"collection\"");
  if (!is_whole)
    return 0;
  if (check_members(option, error) != 0)
    return -1;
  return json_object_get(option, "public") != NULL
             ? publish_read_audience(option, PUBLISH_OPTION, &out->audience, error)
             : 0;
}
