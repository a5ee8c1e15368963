/* A handler of GDAL's virtual file system. A file has no siblings, so that no side file (.aux.xml, .ovr, .msk) costs a
 * question; what GDAL asks for at once (blocks of a window) is fetched at once. A failure is told by CPLError. */
#include "datacube/remote/remote_vsi.h"

#include "datacube/remote/remote_file.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_vsi.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct open_file {
  struct remote_file *file;
  vsi_l_offset at;
  bool is_past; /* a read went past the end */
};

static void tell(const struct error *error)
{
  CPLError(CE_Failure, CPLE_FileIO, "%s", error->message);
}

static void *vsi_open(void *data, const char *name, const char *access)
{
  struct error error = {0};
  (void)data;
  if (strpbrk(access, "wa+")) {
    errno = EACCES;
    return NULL;
  }
  struct open_file *opened = calloc(1, sizeof *opened);
  if (!opened || remote_open(name, &opened->file, &error) != 0) {
    free(opened);
    tell(&error);
    errno = ENOENT;
    return NULL;
  }
  return opened;
}

static int vsi_close(void *handle)
{
  struct open_file *opened = handle;
  remote_close(opened->file);
  free(opened);
  return 0;
}

static vsi_l_offset vsi_tell(void *handle)
{
  return ((const struct open_file *)handle)->at;
}

static int vsi_seek(void *handle, vsi_l_offset offset, int whence)
{
  struct open_file *opened = handle;
  const vsi_l_offset base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? opened->at : remote_size(opened->file);
  opened->at = base + offset;
  opened->is_past = false;
  return 0;
}

static int vsi_eof(void *handle)
{
  return ((const struct open_file *)handle)->is_past;
}

/* The bytes that are there of those wanted; what lies behind the end is missing. */
static size_t read_bytes(struct remote_file *file, vsi_l_offset offset, size_t length, char *to)
{
  size_t done = 0;
  while (done < length) {
    const ssize_t got = remote_read(file, to + done, length - done, offset + done);
    if (got > 0)
      done += (size_t)got;
    else if (got == 0 || errno != EINTR)
      break;
  }
  return done;
}

static size_t vsi_read(void *handle, void *to, size_t size, size_t count)
{
  struct open_file *opened = handle;
  const uint64_t length = remote_size(opened->file);
  const uint64_t left = opened->at < length ? length - opened->at : 0;
  size_t wanted;
  if (size == 0 || __builtin_mul_overflow(size, count, &wanted))
    return 0;
  opened->is_past = wanted > left;
  wanted = wanted > left ? (size_t)left : wanted;
  struct error error = {0};
  const struct remote_range range = {opened->at, wanted};
  if (wanted > 0 && remote_need(opened->file, &range, 1, &error) != 0) {
    tell(&error);
    return 0;
  }
  const size_t got = read_bytes(opened->file, opened->at, wanted, to);
  opened->at += got;
  return got / size;
}

static int vsi_read_ranges(void *handle, int count, void **to, const vsi_l_offset *offsets, const size_t *sizes)
{
  struct open_file *opened = handle;
  struct error error = {0};
  const size_t n = (size_t)count;
  struct remote_range *ranges = calloc(n ? n : 1, sizeof *ranges);
  bool is_fine = ranges != NULL;
  for (size_t i = 0; i < n && is_fine; i++) {
    ranges[i] = (struct remote_range){offsets[i], sizes[i]};
    is_fine = offsets[i] <= remote_size(opened->file) && sizes[i] <= remote_size(opened->file) - offsets[i];
  }
  if (is_fine && remote_need(opened->file, ranges, n, &error) != 0) {
    tell(&error);
    is_fine = false;
  }
  for (size_t i = 0; i < n && is_fine; i++)
    is_fine = read_bytes(opened->file, offsets[i], sizes[i], to[i]) == sizes[i];
  free(ranges);
  return is_fine ? 0 : -1;
}

static int vsi_stat(void *data, const char *name, VSIStatBufL *out, int flags)
{
  struct remote_file *file;
  struct error error = {0};
  (void)data, (void)flags;
  if (remote_open(name, &file, &error) != 0)
    return -1;
  memset(out, 0, sizeof *out);
  out->st_size = (off_t)remote_size(file);
  out->st_mode = S_IFREG | 0444;
  remote_close(file);
  return 0;
}

/* None, which is GDAL's to free. */
static char **vsi_siblings(void *data, const char *name)
{
  (void)data, (void)name;
  return CPLCalloc(1, sizeof(char *));
}

void remote_vsi_install(void)
{
  VSIFilesystemPluginCallbacksStruct *callbacks = VSIAllocFilesystemPluginCallbacksStruct();
  if (!callbacks)
    return;
  callbacks->open = vsi_open;
  callbacks->close = vsi_close;
  callbacks->tell = vsi_tell;
  callbacks->seek = vsi_seek;
  callbacks->read = vsi_read;
  callbacks->read_multi_range = vsi_read_ranges;
  callbacks->eof = vsi_eof;
  callbacks->stat = vsi_stat;
  callbacks->sibling_files = vsi_siblings;
  VSIInstallPluginHandler(REMOTE_PREFIX, callbacks);
  VSIFreeFilesystemPluginCallbacksStruct(callbacks);
}
