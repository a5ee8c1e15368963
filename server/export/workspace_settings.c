#include "server/export/workspace_settings.h"

#include "server/config/config_members.h"
#include "server/export/send_parts.h"
#include "server/fetch/fetch_account.h"
#include "server/fetch/fetch_s3.h"
#include "server/store/store.h"

#include "stac/json_tree.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {"folder", "s3", "webdav", "stac", NULL};

const char *place_kind_name(enum place_kind kind)
{
  return kinds[kind];
}

const struct named_workspace *named_workspace_find(const struct workspace_settings *settings, const char *name)
{
  for (size_t i = 0; i < settings->count; i++)
    if (strcmp(settings->rows[i].name, name) == 0)
      return &settings->rows[i];
  return NULL;
}

bool named_workspace_is_for(const struct named_workspace *workspace, const char *user)
{
  return workspace->users == NULL || json_tree_has_text(workspace->users, user);
}

/* Names of users' own workspaces begin with "w-". */
static bool is_name(const char *name)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";
  return strlen(name) < WORKSPACE_NAME_SIZE && name[strspn(name, plain)] == '\0' && strncmp(name, "w-", 2) != 0;
}

/* With exactly one slash at its end, or none. */
static int take_address(const char *text, bool has_slash, char out[WORKSPACE_URL_SIZE])
{
  size_t length = strlen(text);
  while (length > 1 && text[length - 1] == '/')
    length--;
  return snprintf(out, WORKSPACE_URL_SIZE, "%.*s%s", (int)(length < WORKSPACE_URL_SIZE ? length : WORKSPACE_URL_SIZE),
                  text, has_slash ? "/" : "") < WORKSPACE_URL_SIZE
             ? 0
             : -1;
}

static int take_url(struct named_workspace *out, const char *url, const char *place, struct error *error)
{
  struct error reason = {0};
  const bool is_folder = out->kind == PLACE_FOLDER;
  if (url == NULL)
    return config_wrong(error, place, "url", "is wanted");
  if (is_folder && url[0] != '/')
    return config_wrong(error, place, "url", "wants the whole path of a folder");
  if (!is_folder && (out->kind == PLACE_S3) != fetch_s3_is(url))
    return config_wrong(error, place, "url",
                        "wants s3://BUCKET/START where the kind is s3, else an address of the web");
  if (!is_folder && fetch_prefix_check(url, &reason) != 0)
    return config_wrong(error, place, "url", reason.message);
  return take_address(url, !is_folder, out->url) == 0 ? 0 : config_wrong(error, place, "url", "is too long");
}

static int take_href(struct named_workspace *out, const char *href, const char *place, struct error *error)
{
  if (href == NULL) {
    snprintf(out->href, sizeof out->href, "%s", out->kind == PLACE_FOLDER ? "" : out->url);
    return 0;
  }
  if (strstr(href, "://") == NULL || strpbrk(href, "?#") != NULL || take_address(href, true, out->href) != 0)
    return config_wrong(error, place, "href", "wants an address without ? and #, of at most 500 bytes");
  return 0;
}

static int check_users(const json_t *users, const char *place, struct error *error)
{
  const json_t *one;
  size_t i;
  json_array_foreach(users, i, one)
  {
    if (!user_name_is_valid(json_string_value(one)))
      return config_wrong(error, place, "users", "wants names of users");
  }
  return 0;
}

static int take_part(struct named_workspace *out, const json_t *value, const char *place, struct error *error)
{
  const json_int_t part = value != NULL ? json_integer_value(value) : SEND_PART_MIB;
  out->part_mib = (unsigned)part;
  if (value != NULL && out->kind != PLACE_S3)
    return config_wrong(error, place, "part_mib", "goes with the kind s3");
  return part >= SEND_PART_MIB_LEAST && part <= SEND_PART_MIB_MOST
             ? 0
             : config_wrong(error, place, "part_mib", "wants a whole number from 5 to 5120");
}

/* "NAME=ADDRESS": of which kind, the address says. */
static int read_text(const char *text, struct named_workspace *out, json_t *texts, const char *place,
                     struct error *error)
{
  const char *equals = strchr(text, '=');
  json_t *name = equals != NULL ? json_stringn(text, (size_t)(equals - text)) : NULL;
  out->name = json_string_value(name); /* lies in the document, as others do */
  if (name == NULL || json_array_append_new(texts, name) != 0 || !is_name(out->name))
    return error_set(error, ERROR_ServerConfigInvalid, "%s wants NAME=ADDRESS, or a table", place);
  out->kind = equals[1] == '/' ? PLACE_FOLDER : fetch_s3_is(equals + 1) ? PLACE_S3 : PLACE_WEBDAV;
  out->part_mib = SEND_PART_MIB;
  return take_url(out, equals + 1, place, error) == 0 ? take_href(out, NULL, place, error) : -1;
}

static int read_table(const json_t *table, struct named_workspace *out, const char *place, struct error *error)
{
  const char *url = NULL, *href = NULL;
  unsigned kind = PLACE_FOLDER;
  const json_t *part = NULL;
  const struct config_member members[] = {{"name", MEMBER_TEXT, &out->name, NULL},
                                          {"title", MEMBER_TEXT, &out->title, NULL},
                                          {"description", MEMBER_TEXT, &out->description, NULL},
                                          {"kind", MEMBER_CHOICE, &kind, kinds},
                                          {"url", MEMBER_TEXT, &url, NULL},
                                          {"href", MEMBER_TEXT, &href, NULL},
                                          {"part_mib", MEMBER_VALUE, &part, NULL},
                                          {"files", MEMBER_TEXT, &out->files, NULL},
                                          {"users", MEMBER_TEXTS, &out->users, NULL},
                                          {NULL, MEMBER_VALUE, NULL, NULL}};
  if (config_read_object(table, members, place, error) != 0)
    return -1;
  out->kind = (enum place_kind)kind;
  if (out->name == NULL || !is_name(out->name))
    return config_wrong(error, place, "name", "wants letters, digits, - _ . and ~, at most 64, and begins not with w-");
  if ((out->kind == PLACE_STAC) != (out->files != NULL))
    return config_wrong(error, place, "files", "goes with the kind stac: the name of the workspace for its files");
  return take_url(out, url, place, error) == 0 && take_href(out, href, place, error) == 0 &&
                 take_part(out, part, place, error) == 0
             ? check_users(out->users, place, error)
             : -1;
}

/* The files of a STAC API lie where somebody can reach them. */
static int check_files(const struct workspace_settings *settings, size_t i, struct error *error)
{
  char place[32];
  const char *name = settings->rows[i].files;
  const struct named_workspace *files = name != NULL ? named_workspace_find(settings, name) : NULL;
  snprintf(place, sizeof place, "workspace[%zu]", i);
  if (name == NULL || (files != NULL && files->kind != PLACE_STAC && files->href[0] != '\0'))
    return 0;
  return config_wrong(error, place, "files", "wants the name of a workspace of S3 or WebDAV, or of a folder with href");
}

int workspace_settings_read(json_t *document, struct workspace_settings *out, struct error *error)
{
  *out = (struct workspace_settings){.document = json_is_array(document) ? json_pack("[O]", document)
                                                                         : json_pack("[[O]]", document)};
  document = json_array_get(out->document, 0);
  if (!json_is_array(document) || json_array_size(document) > NAMED_WORKSPACES_MOST)
    return error_set(error, ERROR_ServerConfigInvalid, "workspace wants NAME=ADDRESS or tables, at most %d of them",
                     (int)NAMED_WORKSPACES_MOST);
  for (size_t i = 0; i < json_array_size(document); i++) {
    char place[32];
    snprintf(place, sizeof place, "workspace[%zu]", i);
    const json_t *one = json_array_get(document, i);
    const int status = json_is_string(one)
                           ? read_text(json_string_value(one), &out->rows[i], out->document, place, error)
                           : read_table(one, &out->rows[i], place, error);
    if (status != 0)
      return -1;
    if (named_workspace_find(out, out->rows[i].name) != NULL)
      return config_wrong(error, place, "name", "is another one's, too");
    out->count++;
  }
  for (size_t i = 0; i < out->count; i++)
    if (check_files(out, i, error) != 0)
      return -1;
  return 0;
}

void workspace_settings_free(struct workspace_settings *settings)
{
  json_decref(settings->document);
  *settings = (struct workspace_settings){0};
}
