/* A file of random letters in each folder: server.id in a server's own, jobs/store.id in the one that all share; the
 * latter's letters stand in the store, too. */
#include "server/jobs/shared_folder.h"

#include "server/store/folder.h"
#include "server/store/store_servers.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Up to room - 1 bytes of a file; "" where there is none. */
static int read_file(const char *path, char *out, size_t room, struct error *error)
{
  out[0] = '\0';
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return 0;
  const ssize_t length = fd < 0 ? -1 : read(fd, out, room - 1);
  if (fd >= 0)
    close(fd);
  if (length < 0)
    return error_set(error, ERROR_StorageFailure, "%s cannot be read: %s", path, strerror(errno));
  out[length] = '\0';
  return 0;
}

/* A new file; error where one is there. */
static int write_file(const char *path, const char *text, struct error *error)
{
  const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const size_t length = strlen(text);
  const bool is_written = fd >= 0 && write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
  if (!is_written)
    error_set(error, ERROR_StorageFailure, "%s cannot be written: %s", path, strerror(errno));
  if (fd >= 0)
    close(fd);
  return is_written ? 0 : -1;
}

int server_name_read(const char *data, char out[SERVER_NAME_SIZE], struct error *error)
{
  char path[2048], id[33], host[65] = "", text[2304];
  unsigned char hash[16];
  snprintf(path, sizeof path, "%.2000s/server.id", data);
  if (read_file(path, id, sizeof id, error) != 0)
    return -1;
  if (id[0] == '\0') {
    randombytes_buf(hash, sizeof hash);
    sodium_bin2hex(id, sizeof id, hash, sizeof hash);
    if (write_file(path, id, error) != 0)
      return -1;
  }
  gethostname(host, sizeof host - 1);
  snprintf(text, sizeof text, "%s\n%s\n%s", id, host, data);
  crypto_generichash(hash, sizeof hash, (const unsigned char *)text, strlen(text), NULL, 0);
  sodium_bin2hex(id, sizeof id, hash, 8);
  snprintf(out, SERVER_NAME_SIZE, "%.64s-%.16s", host, id);
  return 0;
}

int shared_folder_check(const char *folder, struct store *store, struct error *error)
{
  char path[2048], found[FOLDER_MARK_SIZE], mark[FOLDER_MARK_SIZE];
  bool is_new = false;
  snprintf(path, sizeof path, "%.2000s/jobs/store.id", folder);
  if (store_folder_mark(store, mark, &is_new, error) != 0 || read_file(path, found, sizeof found, error) != 0)
    return -1;
  if (strcmp(found, mark) == 0)
    return 0;
  if (is_new && found[0] == '\0')
    return write_file(path, mark, error);
  return error_set(error, ERROR_StorageFailure,
                   "the jobs of this store do not lie in %s/jobs: %s. All servers of a store need the same folder, "
                   "given by --shared DIR",
                   folder, found[0] == '\0' ? "its file store.id is missing" : "its file store.id is another store's");
}
