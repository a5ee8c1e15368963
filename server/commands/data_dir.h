/* The data folder: catalogue, users, jobs and results lie in it. */
#ifndef TWINCUBE_SERVER_COMMANDS_DATA_DIR_H
#define TWINCUBE_SERVER_COMMANDS_DATA_DIR_H

#include "datacube/base/error.h"

#include <stddef.h>

enum { DATA_DIR_SIZE = 4096 };

/* The folder when --data is not given: $TWINCUBE_DATA, else $XDG_DATA_HOME/twincube, else ~/.local/share/twincube.
 * 0, or -1 where none of them is known or the name does not fit. */
int data_dir_default(char *out, size_t room);

/* The value of --data, or the default where it is NULL. Error StorageFailure. */
int data_dir_find(const char *option, char out[DATA_DIR_SIZE], struct error *error);
/* The same, and makes the folder where there is none, readable by the owner alone. */
int data_dir_make(const char *option, char out[DATA_DIR_SIZE], struct error *error);

/* Where the store is: the value of --store, else $TWINCUBE_STORE, else the data folder. Error ServerConfigInvalid where
 * it is no database's address. */
int store_place_find(const char *option, const char *data, const char **out, struct error *error);
/* The database of a shared catalogue: the value of --catalogue, else $TWINCUBE_CATALOGUE, else NULL: the catalogue is
 * the folder's own. Error ServerConfigInvalid, likewise. */
int shared_catalogue_find(const char *option, const char **out, struct error *error);

#endif
