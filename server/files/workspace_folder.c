/* The user's folder has the name of that of the uploads, which nobody gets again. */
#include "server/files/workspace_folder.h"

#include "server/store/folder.h"

#include <stdio.h>

static int user_path(struct store *store, const char *root, const char *user, bool makes, char out[FILE_TREE_PATH],
                     struct error *error)
{
  char folder[USER_FOLDER_SIZE];
  out[0] = '\0';
  if (root == NULL)
    return 0;
  if (store_user_folder(store, user, makes, folder, error) != 0)
    return -1;
  if (folder[0] != '\0')
    snprintf(out, FILE_TREE_PATH, "%.1000s/%.100s", root, folder);
  return 0;
}

int workspace_folder(struct store *store, const char *root, const char *user, char out[FILE_TREE_PATH],
                     struct error *error)
{
  return user_path(store, root, user, false, out, error);
}

int workspace_folder_make(struct store *store, const char *root, const char *user, const char *id, struct error *error)
{
  char all[FILE_TREE_PATH], path[FILE_TREE_PATH + 64];
  if (user_path(store, root, user, true, all, error) != 0)
    return -1;
  snprintf(path, sizeof path, "%s/%.60s", all, id);
  return folder_make(path, error);
}

int workspace_folder_remove(struct store *store, const char *root, const char *user, const char *id,
                            struct error *error)
{
  char all[FILE_TREE_PATH], path[FILE_TREE_PATH + 64];
  if (user_path(store, root, user, false, all, error) != 0)
    return -1;
  snprintf(path, sizeof path, "%s/%.60s", all, id);
  if (all[0] != '\0')
    folder_remove(path);
  return 0;
}
