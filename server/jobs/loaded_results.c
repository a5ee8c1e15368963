/* Folders are gone through by descriptors, and no link is followed: a worker may have put one there. */
#include "server/jobs/loaded_results.h"

#include "server/endpoints/result_document.h"
#include "server/jobs/job_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the address ------------------------------------------------------------------------------------------------ */

/* The piece of a path behind `before`, up to the next slash; where the rest of the path begins, or NULL. */
static const char *take_piece(const char *path, const char *before, char out[JOB_ID_SIZE])
{
  const char *found = strstr(path, before);
  const size_t length = found != NULL ? strcspn(found + strlen(before), "/?#") : 0;
  if (length == 0 || length >= JOB_ID_SIZE)
    return NULL;
  memcpy(out, found + strlen(before), length);
  out[length] = '\0';
  return found + strlen(before) + length;
}

static bool ends_with(const char *path, size_t length, const char *end)
{
  return length >= strlen(end) && strncmp(path + length - strlen(end), end, strlen(end)) == 0;
}

/* …/jobs/ID/results, or the signed …/download/ID/EXPIRES/SIGNATURE/~stac.json; a query says nothing new. */
static bool read_url(const char *url, char id[JOB_ID_SIZE])
{
  const char *path = strstr(url, "/openeo/");
  const char *rest = path != NULL ? take_piece(path, "/jobs/", id) : NULL;
  if (rest != NULL)
    return strcspn(rest, "?#") == strlen("/results") && strncmp(rest, "/results", strlen("/results")) == 0;
  rest = path != NULL ? take_piece(path, "/download/", id) : NULL;
  return rest != NULL && ends_with(rest, strcspn(rest, "?#"), "/" RESULT_DOCUMENT_NAME);
}

/* ---- the job ---------------------------------------------------------------------------------------------------- */

static int check_job(const struct job *job, struct error *error)
{
  if (strcmp(job->status, "error") == 0)
    return error_set(error, ERROR_NoDataAvailable, "job '%s' ended with an error: it has no results", job->id);
  if (strcmp(job->status, "finished") != 0)
    return error_set(error, ERROR_JobNotFinished, "job '%s' is %s; its results are there when it is finished", job->id,
                     job->status);
  if (job->result == NULL)
    return error_set(error, ERROR_ResultLinkExpired, "the results of job '%s' were not kept", job->id);
  return 0;
}

/* ---- folders ---------------------------------------------------------------------------------------------------- */

static int failed(const char *what, struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "the results cannot be made ready (%s): %s", what, strerror(errno));
}

/* A folder in the folder `at`, made where it is missing; *is_new may be NULL. Whoever computes may read it. */
static int make_folder(int at, const char *name, bool *is_new)
{
  const bool made = mkdirat(at, name, 0755) == 0;
  if (!made && errno != EEXIST)
    return -1;
  if (is_new != NULL)
    *is_new = made;
  const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && made && fchmod(fd, 0755) != 0) { /* whatever the umask */
    close(fd);
    return -1;
  }
  return fd;
}

static int write_document(int folder, const struct job *job, struct error *error)
{
  struct buffer text = {0};
  int status = result_document_write(NULL, job, &text, error);
  const int fd = status == 0 ? openat(folder, "stac.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)
                             : -1;
  if (status == 0 && (fd < 0 || fchmod(fd, 0644) != 0 || write(fd, text.data, text.length) != (ssize_t)text.length))
    status = failed("document", error);
  if (fd >= 0)
    close(fd);
  buffer_free(&text);
  return status;
}

static int link_files(int folder, const char *data, const struct job *job, struct error *error)
{
  char path[JOB_FOLDER_SIZE];
  struct stored_file file;
  size_t at = 0;
  job_result_folder(data, job, path);
  const int results = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int status = results >= 0 ? 0 : failed("folder", error);
  while (status == 0 && stored_file_next(job, &at, &file))
    if (linkat(results, file.name, folder, file.name, 0) != 0)
      status = failed(file.name, error);
  if (results >= 0)
    close(results);
  return status;
}

int loaded_results_folder(const char *folder, struct error *error)
{
  const int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int all = root >= 0 ? make_folder(root, LOADED_RESULTS_FOLDER, NULL) : -1;
  if (all < 0)
    failed("folder", error);
  if (root >= 0)
    close(root);
  return all;
}

static int fill_folder(int all, const char *data, const struct job *job, struct error *error)
{
  bool is_new = false;
  const int folder = make_folder(all, job->id, &is_new);
  int status = folder >= 0 ? 0 : failed("folder", error);
  if (status == 0 && is_new) /* else an earlier node named the same */
    status = link_files(folder, data, job, error) == 0 ? write_document(folder, job, error) : -1;
  if (folder >= 0)
    close(folder);
  return status;
}

static int place(const struct loaded_results *wanted, const struct job *job, struct buffer *path, struct error *error)
{
  if (check_job(job, error) != 0)
    return -1;
  const int all = loaded_results_folder(wanted->folder, error);
  if (all < 0)
    return -1;
  int status = fill_folder(all, wanted->data, job, error);
  close(all);
  if (status == 0)
    buffer_printf(path, "%s" LOADED_RESULTS_FOLDER "/%s/stac.json", wanted->folder, job->id);
  return status;
}

int loaded_results_place(const struct loaded_results *wanted, struct store *store, const char *url,
                         struct buffer *path, struct error *error)
{
  char id[JOB_ID_SIZE];
  struct job job = {0};
  if (!read_url(url, id))
    return 0;
  int status = store_job_get(store, wanted->user, id, &job, error);
  if (status == 0)
    status = place(wanted, &job, path, error);
  job_free(&job);
  return status;
}
