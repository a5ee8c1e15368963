/* What every worker may read: the system's libraries and tables, and the folders in which the catalogue's scenes lie.
 */
#ifndef TWINCUBE_SERVER_CONFINE_READ_FOLDERS_H
#define TWINCUBE_SERVER_CONFINE_READ_FOLDERS_H

#include "server/confine/path_list.h"

#include "datacube/base/error.h"
#include "datacube/base/hash.h"

/* Libraries, tables of GDAL and PROJ (also where the environment says they are), time zones, the machine's numbers. */
int read_folders_system(struct path_list *out);

/* Folders of the catalogue in folder `data`; where there are very many, some above them. None of them holds the data
 * folder itself: of a folder that does, its files are named one by one. Error StorageFailure. */
int read_folders_scenes(const char *data, struct path_list *out, struct error *error);

/* Changes when the catalogue does. */
struct hash catalogue_stamp(const char *data);

#endif
