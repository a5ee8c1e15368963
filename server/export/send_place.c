#include "server/export/send_place.h"

#include "server/export/send_parts.h"

#include "datacube/base/rooted_path.h"
#include "datacube/base/write_fully.h"
#include "stac/href.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 1 << 20 };
static const char temporary[] = ".exporting";

static int failed(const char *what, struct error *error)
{
  return error_set(error, errno == ENOSPC || errno == EDQUOT ? ERROR_StorageQuotaExceeded : ERROR_StorageFailure,
                   "%s: %s", what, strerror(errno));
}

int send_place_open(struct send_place *place, struct error *error)
{
  place->root = -1;
  if (place->kind != PLACE_FOLDER)
    return 0;
  place->root = open(place->url, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return place->root >= 0 ? 0 : failed("the workspace's folder cannot be opened", error);
}

void send_place_close(struct send_place *place)
{
  if (place->root >= 0)
    close(place->root);
  place->root = -1;
}

/* ---- folders of this machine ------------------------------------------------------------------------------------- */

/* For others to read, as files are: the workspace is the operator's, who closes it where it is to be closed. */
static int make_folder(const struct send_place *place, const char *path, struct error *error)
{
  const char *name;
  const int folder = rooted_parent(place->root, path, false, &name);
  const bool is_made = folder >= 0 && (mkdirat(folder, name, 0755) == 0 || errno == EEXIST);
  const int status = is_made ? 0 : failed("no folder can be made in the workspace", error);
  if (folder >= 0)
    close(folder);
  return status;
}

static int read_file(int fd, struct buffer *out, struct error *error)
{
  char part[65536];
  ssize_t got;
  out->limit = SEND_ANSWER_MOST;
  while ((got = read(fd, part, sizeof part)) > 0)
    buffer_add(out, part, (size_t)got);
  if (got < 0)
    return failed("a document of the workspace cannot be read", error);
  return out->failed ? error_set(error, ERROR_FileSizeExceeded, "a document of the workspace is too long") : 0;
}

static int get_file(const struct send_place *place, const char *path, struct buffer *out, bool *is_there,
                    struct error *error)
{
  const int fd = rooted_open(place->root, path, O_RDONLY | O_NONBLOCK);
  *is_there = fd >= 0;
  if (fd < 0)
    return errno == ENOENT ? 0 : failed("a document of the workspace cannot be opened", error);
  const int status = read_file(fd, out, error);
  close(fd);
  return status;
}

static int copy_file(const struct send_place *place, const struct send_body *body, int to, struct error *error)
{
  static char part[STEP]; /* the sender has one thread */
  for (uint64_t at = 0; at < body->size;) {
    const ssize_t got = pread(body->fd, part, sizeof part, (off_t)at);
    if (got <= 0)
      return error_set(error, ERROR_StorageFailure, "a result cannot be read");
    if (write_fully(to, part, (size_t)got) != 0)
      return failed("a result cannot be written to the workspace", error);
    at += (uint64_t)got;
    if (sender_is_over(place->sender))
      return error_set(error, ERROR_RequestTimeout, "the export was given up");
  }
  return 0;
}

static int fill_temporary(const struct send_place *place, int folder, const struct send_body *body, struct error *error)
{
  unlinkat(folder, temporary, 0);
  const int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0)
    return failed("the workspace cannot be written", error);
  int status = 0;
  if (body->fd >= 0)
    status = copy_file(place, body, fd, error);
  else if (write_fully(fd, body->text, body->size) != 0)
    status = failed("the workspace cannot be written", error);
  if (status == 0 && fsync(fd) != 0)
    status = failed("the workspace cannot be written", error);
  close(fd);
  return status;
}

/* Under the lock of its folder nobody changes what was read: a document is replaced, other files are new. */
static int put_file(const struct send_place *place, const char *path, const struct send_body *body, bool replaces,
                    bool *is_taken, struct error *error)
{
  const char *name;
  const int folder = rooted_parent(place->root, path, false, &name);
  if (folder < 0)
    return failed("the workspace cannot be written", error);
  int status = fill_temporary(place, folder, body, error);
  if (status == 0 && replaces && renameat(folder, temporary, folder, name) != 0)
    status = failed("the workspace cannot be written", error);
  if (status == 0 && !replaces && linkat(folder, temporary, folder, name, 0) != 0) {
    *is_taken = errno == EEXIST;
    status = *is_taken ? 0 : failed("the workspace cannot be written", error);
  }
  unlinkat(folder, temporary, 0);
  close(folder);
  return status;
}

int send_place_lock(const struct send_place *place, const char *path, struct error *error)
{
  if (place->kind != PLACE_FOLDER)
    return 0;
  const int fd = rooted_open(place->root, path, O_RDONLY | O_DIRECTORY); /* open until the process ends */
  return fd >= 0 && flock(fd, LOCK_EX) == 0 ? 0 : failed("the workspace cannot be locked", error);
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

/* The address of a path: keys of S3 stand as they are. To be freed. */
static char *address_of(const struct send_place *place, const char *path, bool is_folder)
{
  struct buffer out = {0};
  char piece[ROOTED_PATH_SIZE];
  buffer_text(&out, place->url);
  if (place->kind == PLACE_S3)
    buffer_text(&out, path);
  else
    for (const char *at = path;; at++) {
      const size_t length = strcspn(at, "/");
      snprintf(piece, sizeof piece, "%.*s", (int)length, at);
      href_encode(piece, &out);
      at += length;
      if (*at == '\0')
        break;
      buffer_text(&out, "/");
    }
  if (is_folder)
    buffer_text(&out, "/");
  if (!out.failed)
    return out.data;
  buffer_free(&out);
  return NULL;
}

static bool is_success(long status)
{
  return status >= 200 && status < 300;
}

/* Asks for a path; the status is the caller's to judge. */
static int ask_at(const struct send_place *place, const char *path, bool is_folder, struct send_request *request,
                  struct send_answer *answer, struct error *error)
{
  char *url = address_of(place, path, is_folder);
  request->url = url;
  const int status = url != NULL ? send_request(place->sender, request, answer, error) : error_memory(error);
  if (status == 0 && !is_success(answer->status))
    send_refused(request, answer, error);
  free(url);
  request->url = NULL;
  return status;
}

static int ask(const struct send_place *place, const char *path, struct send_request *request,
               struct send_answer *answer, struct error *error)
{
  return ask_at(place, path, false, request, answer, error);
}

/* 405: it is there. */
static int make_collection(const struct send_place *place, const char *path, struct error *error)
{
  struct send_request request = {.method = "MKCOL", .fd = -1};
  struct send_answer answer;
  struct error reason = {0};
  int status = ask_at(place, path, true, &request, &answer, &reason);
  if (status == 0)
    buffer_free(&answer.body);
  if (status == 0 && !is_success(answer.status) && answer.status != 405)
    status = -1;
  if (status != 0)
    *error = reason;
  return status;
}

static int get_address(const struct send_place *place, const char *path, struct buffer *out, char etag[SEND_ETAG_SIZE],
                       bool *is_there, struct error *error)
{
  struct send_request request = {.method = "GET", .fd = -1};
  struct send_answer answer;
  struct error reason = {0};
  int status = ask(place, path, &request, &answer, &reason);
  *is_there = status == 0 && is_success(answer.status);
  if (status == 0 && !*is_there && answer.status != 404 && answer.status != 410)
    status = -1;
  if (status != 0) {
    *error = reason;
    return -1;
  }
  if (*is_there) {
    *out = answer.body;
    snprintf(etag, SEND_ETAG_SIZE, "%s", answer.etag);
  } else {
    buffer_free(&answer.body);
  }
  return 0;
}

static int put_parts(const struct send_place *place, const char *path, struct send_request *request,
                     struct error *error)
{
  char *url = address_of(place, path, false);
  request->url = url;
  const int status = url != NULL ? send_parts(place->sender, request, place->part, error) : error_memory(error);
  free(url);
  return status;
}

static int put_address(const struct send_place *place, const char *path, const struct send_body *body,
                       const char *match, bool *is_taken, struct error *error)
{
  struct send_request request = {
      .method = "PUT", .type = body->type, .fd = body->fd, .text = body->text, .size = body->size, .match = match};
  struct send_answer answer;
  struct error reason = {0};
  *is_taken = false;
  if (place->kind == PLACE_S3 && match == NULL && body->size > place->part)
    return put_parts(place, path, &request, error);
  int status = ask(place, path, &request, &answer, &reason);
  if (status == 0)
    buffer_free(&answer.body);
  *is_taken = status == 0 && match != NULL && (answer.status == 412 || answer.status == 409);
  if (status == 0 && !is_success(answer.status) && !*is_taken)
    status = -1;
  if (status != 0)
    *error = reason;
  return status;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

int send_place_folder(const struct send_place *place, const char *path, struct error *error)
{
  char part[ROOTED_PATH_SIZE];
  for (size_t length = 0; place->kind != PLACE_S3 && path[length] != '\0';) {
    length += path[length] == '/';
    length += strcspn(path + length, "/");
    snprintf(part, sizeof part, "%.*s", (int)length, path);
    if ((place->kind == PLACE_FOLDER ? make_folder : make_collection)(place, part, error) != 0)
      return -1;
  }
  return 0;
}

int send_place_get(const struct send_place *place, const char *path, struct buffer *out, char etag[SEND_ETAG_SIZE],
                   bool *is_there, struct error *error)
{
  etag[0] = '\0';
  *out = (struct buffer){0};
  return place->kind == PLACE_FOLDER ? get_file(place, path, out, is_there, error)
                                     : get_address(place, path, out, etag, is_there, error);
}

int send_place_put(const struct send_place *place, const char *path, const struct send_body *body, const char *match,
                   bool *is_taken, struct error *error)
{
  *is_taken = false;
  if (place->kind == PLACE_FOLDER)
    return put_file(place, path, body, match == NULL || match[0] != '\0', is_taken, error);
  return put_address(place, path, body, match, is_taken, error);
}

void send_place_remove(const struct send_place *place, const char *path, bool is_folder)
{
  struct send_request request = {.method = "DELETE", .fd = -1};
  struct send_answer answer;
  struct error ignored = {0};
  const char *name;
  if (place->kind == PLACE_FOLDER) {
    const int folder = rooted_parent(place->root, path, false, &name);
    if (folder >= 0) {
      unlinkat(folder, name, is_folder ? AT_REMOVEDIR : 0);
      close(folder);
    }
  } else if ((!is_folder || place->kind == PLACE_WEBDAV) &&
             ask_at(place, path, is_folder, &request, &answer, &ignored) == 0) {
    buffer_free(&answer.body);
  }
}
