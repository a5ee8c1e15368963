/* load_stac: a STAC document becomes a catalogue of its own, in memory, and that is loaded from as any other. */
#include "processes/load/catalogue_cube.h"
#include "processes/load/user_file.h"
#include "processes/local_files.h"
#include "stac/href.h"

#include <string.h>

enum { MOST_FILES = 20000, MOST_DOCUMENT_BYTES = 64 << 20 };

/* The user's own files go first, as those names are theirs to choose. */
static int find_document(struct call *call, const char *url, const char **out)
{
  struct error ignored = {0};
  struct call quiet = *call;
  quiet.error = &ignored;
  if (href_is_remote(url))
    return error_parameter(call->error, ERROR_FeatureUnsupported, "url",
                           "'%s' is on another host: STAC documents are read from files so far", url);
  if (call->files && user_file_find(&quiet, "url", url, out) == 0)
    return 0;
  *out = local_files_find(call->local, call->arena, url);
  if (*out)
    return 0;
  return error_parameter(call->error, ERROR_FileNotFound, "url", "'%s' does not exist%s", url,
                         call->local && call->local->all ? ""
                                                         : ", or lies outside the folders that graphs may read here");
}

/* Where the user's folder lies is the server's own affair: paths in a message begin behind it. */
static void hide_folder(const struct call *call, char *text)
{
  size_t length = call->files ? strlen(call->files) : 0;
  for (char *at = text; length > 0 && (at = strstr(at, call->files)) != NULL;)
    memmove(at, at + length, strlen(at + length) + 1);
}

static void say(void *data, const char *message)
{
  const struct call *call = data;
  char *text = arena_strdup(call->arena, message);
  if (!text)
    return;
  hide_folder(call, text);
  call_log(call, &(struct log_entry){.level = LOG_WARNING, .message = text});
}

/* All that the document may lead to. */
static int set_bounds(struct call *call, struct catalogue_bounds *out)
{
  const struct local_files *local = call->local;
  *out = (struct catalogue_bounds){.files = MOST_FILES,
                                   .document_bytes = MOST_DOCUMENT_BYTES,
                                   .cancel = call_cancel(call),
                                   .warn = say,
                                   .data = call};
  if (local && local->all)
    return 0;
  size_t count = local ? local->folder_count : 0;
  const char **folders = ARENA_ARRAY(call->arena, const char *, count + 1);
  if (!folders)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++)
    folders[i] = local->folders[i];
  if (call->files)
    folders[count++] = call->files;
  out->folders = folders;
  out->folder_count = count;
  return 0;
}

static int load_document(struct call *call, struct catalogue *catalogue, const char *path, struct cube_request *request,
                         struct value *result)
{
  struct catalogue_bounds bounds;
  struct catalogue_added added;
  if (set_bounds(call, &bounds) != 0)
    return -1;
  if (catalogue_add_document(catalogue, &bounds, path, &added, call->error) != 0)
    return error_at_parameter(call->error, "url");
  if (request->load.filter && !added.has_properties)
    return error_parameter(call->error, ERROR_PropertiesUnsupported, "properties",
                           "nothing in %s has properties: its data are not described by items", path);
  return catalogue_cube(call, catalogue, added.id, request, result);
}

static int load_stac_call(struct call *call, struct value *result)
{
  struct cube_request request;
  struct catalogue *catalogue = NULL;
  const char *url, *path;
  if (call_text(call, "url", &url) != 0 || cube_request_read(call, &request) != 0 ||
      find_document(call, url, &path) != 0 || catalogue_open_in_memory(&catalogue, call->error) != 0)
    return -1;
  int status = load_document(call, catalogue, path, &request, result);
  hide_folder(call, call->error->message);
  catalogue_close(catalogue);
  return status;
}

const struct process process_load_stac = {.id = "load_stac", .shape = PROCESS_CUBE, .call = load_stac_call};
