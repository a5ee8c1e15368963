/* The list of uploads under one lock, and a second one that is held while a tree changes. */
#include "server/files/upload.h"

#include "datacube/base/disk_room.h"
#include "datacube/base/logger.h"
#include "datacube/base/write_fully.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_UPLOADS = 64, MOST_OF_A_USER = 8 };
static const uint64_t sync_step = UINT64_C(32) << 20; /* bytes that may wait to be written to the disk */

struct uploads {
  const char *data, *temporary;
  const struct server_limits *limits;
  pthread_mutex_t lock; /* guards the list and the sizes in it */
  struct upload *first;
  pthread_mutex_t tree; /* held while a tree is changed */
};

struct uploads *uploads_new(const char *data, const char *temporary, const struct server_limits *limits)
{
  struct uploads *uploads = calloc(1, sizeof *uploads);
  if (uploads == NULL)
    return NULL;
  uploads->data = data;
  uploads->temporary = temporary;
  uploads->limits = limits;
  pthread_mutex_init(&uploads->lock, NULL);
  pthread_mutex_init(&uploads->tree, NULL);
  return uploads;
}

void uploads_free(struct uploads *uploads)
{
  if (uploads == NULL)
    return;
  pthread_mutex_destroy(&uploads->lock);
  pthread_mutex_destroy(&uploads->tree);
  free(uploads);
}

/* ---- room ------------------------------------------------------------------------------------------------------- */

static int check_disk(const struct uploads *uploads, uint64_t bytes, struct error *error)
{
  struct disk_room disk;
  if (!disk_room_read(uploads->data, &disk) || (double)bytes <= disk.free - disk.reserve)
    return 0;
  return error_set(error, ERROR_StorageFailure, "the disk has no room for %" PRIu64 " bytes more", bytes);
}

/* Whether a user who keeps `kept` bytes may add so many. */
static int check_quota(const struct uploads *uploads, uint64_t kept, uint64_t bytes, struct error *error)
{
  const uint64_t most = uploads->limits->user_files;
  if (bytes > most)
    return error_set(error, ERROR_FileSizeExceeded, "the file has more than the %" PRIu64 " bytes that a user may keep",
                     most);
  if (kept > most - bytes)
    return error_set(error, ERROR_StorageQuotaExceeded,
                     "%" PRIu64 " bytes are left of the %" PRIu64 " that a user may keep; the file needs %" PRIu64,
                     kept < most ? most - kept : 0, most, bytes);
  return 0;
}

/* Bytes of a user's files but the one that is to be replaced. */
static int kept_bytes(int root, const char *path, uint64_t *out, struct error *error)
{
  struct file_listing list;
  bool is_new = true;
  int status = file_tree_list(root, &list, error);
  *out = list.bytes;
  for (size_t i = 0; i < list.count; i++)
    if (strcmp(list.entries[i].path, path) == 0) {
      *out -= list.entries[i].size;
      is_new = false;
    }
  if (status == 0 && is_new && list.count >= FILE_TREE_MOST)
    status = error_set(error, ERROR_StorageQuotaExceeded, "a user may keep %d files", (int)FILE_TREE_MOST);
  file_listing_free(&list);
  return status;
}

/* Counts bytes that come, and what all uploads of the user have brought so far. */
static uint64_t count_bytes(struct upload *upload, size_t bytes)
{
  struct uploads *uploads = upload->uploads;
  uint64_t sum = 0;
  pthread_mutex_lock(&uploads->lock);
  upload->size += bytes;
  for (const struct upload *other = uploads->first; other != NULL; other = other->next)
    if (strcmp(other->folder, upload->folder) == 0)
      sum += other->size;
  pthread_mutex_unlock(&uploads->lock);
  return sum;
}

/* ---- a body ----------------------------------------------------------------------------------------------------- */

static int write_all(struct upload *upload, const char *data, size_t length)
{
  return write_fully(upload->fd, data, length) == 0
             ? 0
             : error_set(&upload->error, ERROR_StorageFailure, "the file cannot be stored: %s", strerror(errno));
}

/* Part by part, so that the end of a long upload does not wait for all of it. */
static int sync_file(struct upload *upload)
{
  if (fdatasync(upload->fd) != 0)
    return error_set(&upload->error, ERROR_StorageFailure, "the file cannot be stored: %s", strerror(errno));
  upload->synced = upload->size;
  return 0;
}

/* One that was refused takes no room from the others. */
static int refuse(struct upload *upload)
{
  pthread_mutex_lock(&upload->uploads->lock);
  upload->size = 0;
  pthread_mutex_unlock(&upload->uploads->lock);
  if (ftruncate(upload->fd, 0) != 0)
    log_message(LOG_DEBUG, "an upload that was refused keeps its room until it ends");
  return -1;
}

static int take(struct http_sink *sink, const struct buffer *piece)
{
  struct upload *upload = (struct upload *)sink;
  struct error *error = &upload->error;
  const uint64_t coming = count_bytes(upload, piece->length);
  if (check_quota(upload->uploads, 0, upload->size, error) != 0 ||
      check_quota(upload->uploads, upload->kept, coming, error) != 0 ||
      check_disk(upload->uploads, piece->length, error) != 0 || write_all(upload, piece->data, piece->length) != 0 ||
      (upload->size - upload->synced >= sync_step && sync_file(upload) != 0))
    return refuse(upload);
  return 0;
}

static void end(struct pump_item *item)
{
  struct upload *upload = (struct upload *)(void *)((char *)item - offsetof(struct upload, sink.ending));
  struct uploads *uploads = upload->uploads;
  pthread_mutex_lock(&uploads->lock);
  struct upload **at = &uploads->first;
  while (*at != NULL && *at != upload)
    at = &(*at)->next;
  if (*at != NULL)
    *at = upload->next;
  pthread_mutex_unlock(&uploads->lock);
  if (upload->temporary[0] != '\0')
    unlink(upload->temporary);
  if (upload->fd >= 0)
    close(upload->fd);
  free(upload);
}

/* ---- from begin to end ------------------------------------------------------------------------------------------ */

static int join(struct uploads *uploads, struct upload *upload, struct error *error)
{
  unsigned all = 0, own = 0;
  pthread_mutex_lock(&uploads->lock);
  for (const struct upload *other = uploads->first; other != NULL; other = other->next) {
    all++;
    own += strcmp(other->folder, upload->folder) == 0;
  }
  const bool joins = all < MOST_UPLOADS && own < MOST_OF_A_USER;
  if (joins) {
    upload->next = uploads->first;
    uploads->first = upload;
  }
  pthread_mutex_unlock(&uploads->lock);
  if (joins)
    return 0;
  if (own >= MOST_OF_A_USER)
    return error_set(error, ERROR_TooManyRequests, "%u uploads are under way; please wait for one to end", own);
  return error_set(error, ERROR_InfrastructureBusy, "too many uploads are under way; please try again");
}

static int open_temporary(struct upload *upload, struct error *error)
{
  unsigned char random[16];
  char name[2 * sizeof random + 1];
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(name, sizeof name, random, sizeof random);
  snprintf(upload->temporary, sizeof upload->temporary, "%.1000s/upload-%s", upload->uploads->temporary, name);
  upload->fd = open(upload->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (upload->fd >= 0)
    return 0;
  upload->temporary[0] = '\0';
  return error_set(error, ERROR_StorageFailure, "the file cannot be stored: %s", strerror(errno));
}

static int check_begin(struct upload *upload, uint64_t announced, struct error *error)
{
  int root;
  if (file_tree_make(upload->uploads->data, upload->folder, &root, error) != 0)
    return -1;
  int status = kept_bytes(root, upload->path, &upload->kept, error);
  close(root);
  if (status != 0 || check_quota(upload->uploads, upload->kept, announced, error) != 0)
    return -1;
  return check_disk(upload->uploads, announced, error);
}

int upload_begin(struct uploads *uploads, const char *folder, const char *path, uint64_t announced, struct upload **out,
                 struct error *error)
{
  struct upload *upload = calloc(1, sizeof *upload);
  if (upload == NULL)
    return error_memory(error);
  upload->sink.take = take;
  upload->sink.ending.work = end;
  upload->uploads = uploads;
  upload->fd = -1;
  snprintf(upload->folder, sizeof upload->folder, "%s", folder);
  snprintf(upload->path, sizeof upload->path, "%s", path);
  if (join(uploads, upload, error) != 0 || check_begin(upload, announced, error) != 0 ||
      open_temporary(upload, error) != 0) {
    end(&upload->sink.ending);
    return -1;
  }
  *out = upload;
  return 0;
}

/* With the trees' lock held. */
static int put(struct upload *upload, int root, struct file_entry *out, struct error *error)
{
  uint64_t kept = 0;
  if (kept_bytes(root, upload->path, &kept, error) != 0 ||
      check_quota(upload->uploads, kept, upload->size, error) != 0 ||
      file_tree_put(root, upload->path, upload->temporary, out, error) != 0)
    return -1;
  upload->temporary[0] = '\0';
  return 0;
}

int upload_publish(struct upload *upload, struct file_entry *out, struct error *error)
{
  struct uploads *uploads = upload->uploads;
  if (error_is_set(&upload->error) || sync_file(upload) != 0) {
    *error = upload->error;
    return -1;
  }
  const int root = file_tree_open(uploads->data, upload->folder);
  if (root < 0)
    return error_set(error, ERROR_StorageFailure, "the user's folder is gone");
  pthread_mutex_lock(&uploads->tree);
  int status = put(upload, root, out, error);
  pthread_mutex_unlock(&uploads->tree);
  close(root);
  return status;
}

int uploads_remove(struct uploads *uploads, int root, const char *path, struct error *error)
{
  pthread_mutex_lock(&uploads->tree);
  int status = file_tree_remove(root, path, error);
  pthread_mutex_unlock(&uploads->tree);
  return status;
}
