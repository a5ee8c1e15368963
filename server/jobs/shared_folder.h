/* What servers that share a store must know of themselves and of their folders. */
#ifndef TWINCUBE_SERVER_JOBS_SHARED_FOLDER_H
#define TWINCUBE_SERVER_JOBS_SHARED_FOLDER_H

#include "server/store/store.h"

enum { SERVER_NAME_SIZE = 96 };

/* The name of the server whose own data folder this is: the same after a restart, another one for a copy of the folder
 * elsewhere. Error StorageFailure. */
int server_name_read(const char *data, char out[SERVER_NAME_SIZE], struct error *error);

/* Makes sure that `folder` is the one in which the jobs of this store lie, and takes it for that where the store has
 * none. Error StorageFailure. */
int shared_folder_check(const char *folder, struct store *store, struct error *error);

#endif
