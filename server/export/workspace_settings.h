/* Workspaces that an operator names: places to which graphs may export results by that name, never by address.
 *
 *   [[workspace]]
 *   name = "archive"
 *   kind = "s3"                                # folder, s3, webdav or stac
 *   url = "s3://bucket/results/"               # a folder's path; else what addresses begin with
 *   href = "https://archive.example.org/"      # where readers find its files; without it they are told `url`
 *   part_mib = 64                              # s3: files that are longer go in parts of so many MiB, 5 to 5120
 *   files = "archive"                          # stac: the workspace in which the files of its items lie
 *   users = ["alice"]                          # who may write; without it all users
 *
 * Accounts are those of [[remote]] (server/fetch/account_settings.h), and so are private networks. */
#ifndef TWINCUBE_SERVER_EXPORT_WORKSPACE_SETTINGS_H
#define TWINCUBE_SERVER_EXPORT_WORKSPACE_SETTINGS_H

#include "datacube/base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { NAMED_WORKSPACES_MOST = 64, WORKSPACE_NAME_SIZE = 65, WORKSPACE_URL_SIZE = 512 };

enum place_kind { PLACE_FOLDER, PLACE_S3, PLACE_WEBDAV, PLACE_STAC };

struct named_workspace {                  /* texts lie in the settings' document */
  const char *name, *title, *description; /* the last two may be NULL */
  enum place_kind kind;
  char url[WORKSPACE_URL_SIZE];  /* of a folder without, of others with a slash at its end */
  char href[WORKSPACE_URL_SIZE]; /* likewise with a slash; "": of a folder that nobody reaches by address */
  unsigned part_mib;             /* of S3 */
  const char *files;             /* of a STAC API; else NULL */
  const json_t *users;           /* names; NULL: all users */
};

struct workspace_settings { /* all zero: there are none */
  json_t *document;         /* owned */
  struct named_workspace rows[NAMED_WORKSPACES_MOST];
  size_t count;
};

/* Reads an array of such tables, and of "NAME=ADDRESS". To be freed in any case. Error ServerConfigInvalid, which
 * begins with the place: "workspace[0].url: …". */
int workspace_settings_read(json_t *document, struct workspace_settings *out, struct error *error);
void workspace_settings_free(struct workspace_settings *settings);

/* As it is told to clients: "folder", "s3", "webdav", "stac". */
const char *place_kind_name(enum place_kind kind);
/* The one of that name; NULL where there is none. */
const struct named_workspace *named_workspace_find(const struct workspace_settings *settings, const char *name);
bool named_workspace_is_for(const struct named_workspace *workspace, const char *user);

#endif
