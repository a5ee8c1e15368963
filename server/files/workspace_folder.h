/* Where workspaces lie: ROOT/<folder of the user>/<id>, ROOT being the operator's (serve --workspaces). */
#ifndef TWINCUBE_SERVER_FILES_WORKSPACE_FOLDER_H
#define TWINCUBE_SERVER_FILES_WORKSPACE_FOLDER_H

#include "server/files/file_tree.h"

/* The folder of all workspaces of a user; "" where there is none, or no ROOT (NULL). */
int workspace_folder(struct store *store, const char *root, const char *user, char out[FILE_TREE_PATH],
                     struct error *error);
/* Makes the folder of a new workspace. Error StorageFailure. */
int workspace_folder_make(struct store *store, const char *root, const char *user, const char *id, struct error *error);
/* Removes it with all that is in it. */
int workspace_folder_remove(struct store *store, const char *root, const char *user, const char *id,
                            struct error *error);

#endif
