#include "processes/udf/udf_source.h"

#include "datacube/remote/remote_file.h"
#include "processes/load/user_file.h"
#include "stac/href.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SOURCE_MOST = 1 << 20 };

/* `name`: as the user wrote it. */
static int read_source(struct call *call, const char *path, const char *name, const char **out)
{
  FILE *file = fopen(path, "rbe");
  struct stat state;
  if (!file || fstat(fileno(file), &state) != 0) {
    if (file)
      fclose(file);
    return error_parameter(call->error, ERROR_FileNotFound, "udf", "there is no file '%s' that can be read", name);
  }
  const bool is_long = state.st_size > SOURCE_MOST;
  char *text = is_long ? NULL : ARENA_ARRAY(call->arena, char, (size_t)state.st_size + 1);
  const size_t length = text ? fread(text, 1, (size_t)state.st_size, file) : 0;
  fclose(file);
  if (is_long)
    return error_parameter(call->error, ERROR_FileSizeExceeded, "udf", "'%s' is longer than %d bytes", name,
                           SOURCE_MOST);
  if (!text)
    return error_memory(call->error);
  if (memchr(text, '\0', length))
    return error_parameter(call->error, ERROR_FileContentInvalid, "udf", "'%s' is no source code", name);
  text[length] = '\0';
  *out = text;
  return 0;
}

static int read_remote(struct call *call, const char *url, const char **out)
{
  struct remote_file *file;
  if (!remote_is_connected())
    return error_parameter(call->error, ERROR_FeatureUnsupported, "udf",
                           "'%s' is on another host, and none is read here: give the source code itself, or upload it",
                           url);
  const char *whole = href_resolve(call->arena, url, url);
  const char *path = whole ? arena_printf(call->arena, REMOTE_PREFIX "%s", whole) : NULL;
  if (!path)
    return error_memory(call->error);
  if (remote_open_document(path, SOURCE_MOST, &file, call->error) != 0)
    return error_at_parameter(call->error, "udf");
  const char *place = remote_place(file, call->error);
  const int status = place ? read_source(call, place, url, out) : -1;
  remote_close(file);
  return status;
}

int udf_source_read(struct call *call, const char **out)
{
  const char *udf, *path;
  if (call_text(call, "udf", &udf) != 0)
    return -1;
  if (strpbrk(udf, "\r\n")) {
    *out = udf;
    return 0;
  }
  if (href_is_web(udf))
    return read_remote(call, udf, out);
  return user_file_find(call, "udf", udf, &path) == 0 ? read_source(call, path, udf, out) : -1;
}
