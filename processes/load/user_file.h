/* Files of the user's own, which graphs name by their path below the user's folder. */
#ifndef TWINCUBE_PROCESSES_LOAD_USER_FILE_H
#define TWINCUBE_PROCESSES_LOAD_USER_FILE_H

#include "processes/process.h"

struct user_file {
  const char *path; /* absolute */
  const char *name; /* as the user wrote it */
};

/* The absolute path of a regular file. "/folder/file", "folder/file" and "./folder/file" are the same. Error
 * FileNotFound, naming the parameter, also for what leads out of the folder, through a link, or to a folder. */
int user_file_find(struct call *call, const char *parameter, const char *path, const char **out);

#endif
