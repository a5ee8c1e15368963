/* The folders of users' files: DIR/files/<folder>, named at random when the first file comes, so that a name that is
 * given to somebody else later on does not lead to what its former owner left. */
#ifndef TWINCUBE_SERVER_STORE_STORE_FILES_H
#define TWINCUBE_SERVER_STORE_STORE_FILES_H

#include "server/store/store.h"

enum { USER_FOLDER_SIZE = 40 };

/* The tables, for store_open. */
extern const char store_files_schema[];

/* The folder's name; "" where the user has none and `makes` does not ask for one. */
int store_user_folder(struct store *store, const char *user, bool makes, char out[USER_FOLDER_SIZE],
                      struct error *error);
/* A folder whose user is gone: "" where there is none. store_folder_forget when it has been removed. */
int store_folder_dropped(struct store *store, char out[USER_FOLDER_SIZE], struct error *error);
int store_folder_forget(struct store *store, const char *folder, struct error *error);

#endif
