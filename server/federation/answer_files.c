#include "server/federation/answer_files.h"

#include "processes/local_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_write(struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "what a back-end computed cannot be kept: %s", strerror(errno));
}

/* The name of the file of a number, from 1 on. */
static void name_file(const struct answer_files *files, size_t number, struct buffer *out)
{
  buffer_text(out, files->name);
  if (number > 1)
    buffer_printf(out, LOADED_NEXT_END, number);
}

/* A new file, which workers may read; NULL, with errno. */
static FILE *make_file(int folder, const char *name)
{
  const int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  FILE *file = fd >= 0 && fchmod(fd, 0644) == 0 ? fdopen(fd, "w") : NULL;
  if (file == NULL && fd >= 0)
    close(fd);
  return file;
}

int answer_files_end(struct answer_files *files, struct error *error)
{
  FILE *file = files->file;
  files->file = NULL;
  if (file == NULL)
    return 0;
  const long length = ftell(file);
  files->bytes += length > 0 ? (uint64_t)length : 0;
  return fclose(file) == 0 ? 0 : cannot_write(error);
}

int answer_files_next(struct answer_files *files, struct error *error)
{
  struct buffer name = {0};
  if (answer_files_end(files, error) != 0)
    return -1;
  name_file(files, files->count + 1, &name);
  files->file = name.failed ? NULL : make_file(files->folder, name.data);
  const int status = files->file != NULL ? 0 : name.failed ? error_memory(error) : cannot_write(error);
  files->count += status == 0;
  buffer_free(&name);
  return status;
}

void answer_files_remove(struct answer_files *files)
{
  struct error ignored = {0};
  answer_files_end(files, &ignored);
  for (; files->count > 0; files->count--) {
    struct buffer name = {0};
    name_file(files, files->count, &name);
    if (!name.failed)
      unlinkat(files->folder, name.data, 0);
    buffer_free(&name);
  }
}

void answer_files_tell(const struct answer_files *files, const struct buffer *logs)
{
  struct buffer beside = {0};
  buffer_printf(&beside, "%s" LOADED_LOGS_END, files->name);
  FILE *file = logs->length > 0 && !logs->failed && !beside.failed ? make_file(files->folder, beside.data) : NULL;
  if (file != NULL) {
    fwrite(logs->data, 1, logs->length, file);
    fclose(file);
  }
  buffer_free(&beside);
}
