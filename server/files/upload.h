/* Uploads: a body on its way to a file of its user.
 *
 * Bytes go to a temporary file as they come and become visible by one rename, so nothing half is ever seen, whatever is
 * killed meanwhile. The room of the user and of the disk is asked for when the length is known, at every piece, and
 * once more, exactly, before the rename: all changes of trees go one after the other. */
#ifndef TWINCUBE_SERVER_FILES_UPLOAD_H
#define TWINCUBE_SERVER_FILES_UPLOAD_H

#include "server/files/file_tree.h"
#include "server/http/http.h"
#include "server/jobs/server_limits.h"
#include "server/store/store_files.h"

#include "datacube/base/rooted_path.h"

struct uploads; /* all that are under way in the server */

/* All is borrowed; `temporary` is a folder on the file system of `data`. NULL when out of memory. */
struct uploads *uploads_new(const char *data, const char *temporary, const struct server_limits *limits);
void uploads_free(struct uploads *uploads); /* after the last upload has ended */

struct upload {
  struct http_sink sink; /* first member */
  struct uploads *uploads;
  struct upload *next;
  char folder[USER_FOLDER_SIZE]; /* of the user */
  char path[ROOTED_PATH_SIZE];
  char temporary[1200];
  int fd;
  uint64_t size;      /* bytes so far */
  uint64_t synced;    /* … that are on the disk */
  uint64_t kept;      /* bytes of the user's other files when it began */
  struct error error; /* why the sink refused, or no error */
};

/* Begins one of `announced` bytes (0: not known). Ended by its sink's `ending`, which removes what was not published.
 * Errors: FileSizeExceeded, StorageQuotaExceeded, StorageFailure, TooManyRequests, InfrastructureBusy. */
int upload_begin(struct uploads *uploads, const char *folder, const char *path, uint64_t announced, struct upload **out,
                 struct error *error);
/* Makes it the file. Errors: also FilePathInvalid. */
int upload_publish(struct upload *upload, struct file_entry *out, struct error *error);

/* Removes a file, in turn with what is published. Errors of file_tree_remove. */
int uploads_remove(struct uploads *uploads, int root, const char *path, struct error *error);

#endif
