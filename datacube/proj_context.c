/* PROJ contexts that keep to PROJ's own folder.
 *
 * A CRS may name files: datum grids, initialisation files, parameter files of WKT. PROJ would open whatever path it is
 * given, a FIFO or a device too. All that its folders hold lies beside their proj.db, so that is what tells them. */
#include "datacube/proj_context.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_regular(const char *path)
{
  struct stat status;
  return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_own_file(const char *path)
{
  char beside[PATH_MAX];
  const char *slash = strrchr(path, '/');
  if (*path != '/' || strstr(path, "/../"))
    return false;
  int length = snprintf(beside, sizeof beside, "%.*s/proj.db", (int)(slash - path), path);
  return length > 0 && (size_t)length < sizeof beside && is_regular(beside) && is_regular(path);
}

static PROJ_FILE_HANDLE *open_own(PJ_CONTEXT *context, const char *path, PROJ_OPEN_ACCESS access, void *unused)
{
  (void)context;
  (void)unused;
  if (access != PROJ_OPEN_ACCESS_READ_ONLY || !is_own_file(path))
    return NULL;
  return (PROJ_FILE_HANDLE *)fopen(path, "rbe");
}

static size_t read_own(PJ_CONTEXT *context, PROJ_FILE_HANDLE *file, void *to, size_t size, void *unused)
{
  (void)context;
  (void)unused;
  return fread(to, 1, size, (FILE *)file);
}

static size_t write_nothing(PJ_CONTEXT *context, PROJ_FILE_HANDLE *file, const void *from, size_t size, void *unused)
{
  (void)context, (void)file, (void)from, (void)size, (void)unused;
  return 0;
}

static int seek_own(PJ_CONTEXT *context, PROJ_FILE_HANDLE *file, long long offset, int whence, void *unused)
{
  (void)context;
  (void)unused;
  return fseeko((FILE *)file, offset, whence) == 0;
}

static unsigned long long tell_own(PJ_CONTEXT *context, PROJ_FILE_HANDLE *file, void *unused)
{
  (void)context;
  (void)unused;
  return (unsigned long long)ftello((FILE *)file);
}

static void close_own(PJ_CONTEXT *context, PROJ_FILE_HANDLE *file, void *unused)
{
  (void)context;
  (void)unused;
  fclose((FILE *)file);
}

static int exists_own(PJ_CONTEXT *context, const char *path, void *unused)
{
  (void)context;
  (void)unused;
  return is_own_file(path);
}

static int refuse(PJ_CONTEXT *context, const char *path, void *unused)
{
  (void)context, (void)path, (void)unused;
  return 0;
}

static int refuse_rename(PJ_CONTEXT *context, const char *from, const char *to, void *unused)
{
  (void)context, (void)from, (void)to, (void)unused;
  return 0;
}

static const PROJ_FILE_API own_files = {.version = 1,
                                        .open_cbk = open_own,
                                        .read_cbk = read_own,
                                        .write_cbk = write_nothing,
                                        .seek_cbk = seek_own,
                                        .tell_cbk = tell_own,
                                        .close_cbk = close_own,
                                        .exists_cbk = exists_own,
                                        .mkdir_cbk = refuse,
                                        .unlink_cbk = refuse,
                                        .rename_cbk = refuse_rename};

PJ_CONTEXT *proj_context_confined(void)
{
  PJ_CONTEXT *context = proj_context_create();
  if (!context)
    return NULL;
  proj_log_level(context, PJ_LOG_NONE);
  proj_context_set_enable_network(context, 0);
  proj_context_set_fileapi(context, &own_files, NULL);
  return context;
}
