/* Folders of interpreters: each has one, for as long as it runs. */
#ifndef TWINCUBE_SERVER_UDF_SCRATCH_FOLDER_H
#define TWINCUBE_SERVER_UDF_SCRATCH_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Makes a new folder in `parent`, of that user where uid is not -1. -1 with errno. */
int scratch_folder_make(const char *parent, uid_t uid, gid_t gid, char *out, size_t size);
/* Removes it with all in it, however deep. */
void scratch_folder_remove(const char *path);
/* Whether it holds more bytes, or more files and folders, than that; with files that the process has open still, but
 * without a name any more. What cannot be counted is too much: files mapped without a name that are not open, and
 * folders that cannot be read. */
bool scratch_folder_exceeds(const char *path, pid_t pid, size_t bytes, size_t files);

#endif
