/* There is one file: a synchronous request answers its result node's data. */
#include "server/workers/worker_file.h"

#include "server/store/folder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct http_response *worker_file_response(const char *folder, const struct worker_reply *worker)
{
  struct reply_file file;
  const char *metadata;
  uint64_t size = 0, at = 0;
  int fd = -1;
  if (worker_reply_next(worker, &at, &file, &metadata))
    fd = folder_open_file(folder, file.path, &size);
  struct http_response *response = fd < 0 ? NULL : http_response_new(200);
  if (response == NULL) {
    if (fd >= 0)
      close(fd);
    return NULL;
  }
  unlink(file.path);
  const char *name = strrchr(file.path, '/');
  response->fd = fd;
  response->fd_size = size;
  snprintf(response->media_type, sizeof response->media_type, "%s", file.media_type);
  http_response_header(response, "Content-Disposition", "inline; filename=\"%.200s\"", name ? name + 1 : "result");
  return response;
}
