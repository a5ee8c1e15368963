/* load_stac: a STAC document becomes a catalogue of its own, in memory, and that is loaded from as any other. */
#include "processes/load/catalogue_cube.h"
#include "processes/load/document_bounds.h"
#include "processes/load/property_filter.h"
#include "processes/load/user_file.h"
#include "processes/local_files.h"
#include "datacube/remote/remote_file.h"
#include "stac/href.h"
#include "stac/items_query.h"

#include <string.h>

enum { MOST_FILES = 20000, MOST_DOCUMENT_BYTES = 64 << 20 };

struct stac_document {
  const char *path;
  const char *folder; /* of results that this server publishes, all of which may be read; or NULL */
};

/* On another host. Whether it may be asked, the fetcher decides. */
static int find_remote(struct call *call, const char *url, struct stac_document *out)
{
  if (!remote_is_connected() || !href_is_web(url))
    return error_parameter(call->error, ERROR_FeatureUnsupported, "url",
                           "'%s' is on another host, and none is read here: STAC documents are read from files, and "
                           "results of jobs from here",
                           url);
  const char *whole = href_resolve(call->arena, url, url);
  out->path = whole ? arena_printf(call->arena, REMOTE_PREFIX "%s", whole) : NULL;
  return out->path ? 0 : error_memory(call->error);
}

/* What this server publishes itself needs no request. */
static int find_published(struct call *call, const char *url, struct stac_document *out)
{
  const struct local_files *local = call->local;
  if (local && local->find_published &&
      local->find_published(local->context, call->arena, url, &out->path, call->error) != 0)
    return error_at_parameter(call->error, "url");
  if (!out->path)
    return find_remote(call, url, out);
  out->folder = arena_printf(call->arena, "%.*s", (int)(strrchr(out->path, '/') - out->path), out->path);
  return out->folder ? 0 : error_memory(call->error);
}

/* The user's own files go first, as those names are theirs to choose. */
static int find_document(struct call *call, const char *url, struct stac_document *out)
{
  struct error ignored = {0};
  struct call quiet = *call;
  quiet.error = &ignored;
  if (href_is_remote(url))
    return find_published(call, url, out);
  if (call->files && user_file_find(&quiet, "url", url, &out->path) == 0)
    return 0;
  out->path = local_files_find(call->local, call->arena, url);
  if (out->path)
    return 0;
  return error_parameter(call->error, ERROR_FileNotFound, "url", "'%s' does not exist%s", url,
                         call->local && call->local->all ? ""
                                                         : ", or lies outside the folders that graphs may read here");
}

/* What an API is asked for. A text with a backslash may mean another one to it, which takes that for an escape: then
 * all items come, and the conditions are decided here alone. */
static int set_query(struct call *call, const struct cube_request *request, struct catalogue_bounds *bounds)
{
  const struct cql2_filter *filter = request->load.needed;
  bounds->items_query = items_query(call->arena, &request->load);
  if (!bounds->items_query)
    return error_memory(call->error);
  if (!filter)
    return 0;
  struct buffer text = {0};
  cql2_write_text(filter, &text);
  const bool is_plain = !text.failed && strchr(text.data, '\\') == NULL;
  bounds->items_filter = is_plain ? arena_strdup(call->arena, text.data) : NULL;
  const bool is_made = !text.failed && (!is_plain || bounds->items_filter);
  buffer_free(&text);
  return is_made ? 0 : error_memory(call->error);
}

static int load_document(struct call *call, struct catalogue *catalogue, const struct stac_document *document,
                         struct cube_request *request, struct value *result)
{
  struct catalogue_bounds bounds;
  struct catalogue_added added;
  if (document_bounds(call, document->folder, &bounds) != 0 || set_query(call, request, &bounds) != 0)
    return -1;
  bounds.files = MOST_FILES;
  bounds.document_bytes = MOST_DOCUMENT_BYTES;
  if (catalogue_add_document(catalogue, &bounds, document->path, &added, call->error) != 0)
    return error_at_parameter(call->error, "url");
  if (request->load.filter && !added.has_properties)
    return error_parameter(call->error, ERROR_PropertiesUnsupported, "properties",
                           "nothing in %s has properties: its data are not described by items", document->path);
  request->load.names = &added.names;
  return catalogue_cube(call, catalogue, added.id, request, result);
}

static int load_stac_call(struct call *call, struct value *result)
{
  struct cube_request request;
  struct catalogue *catalogue = NULL;
  struct stac_document document = {0};
  const char *url;
  if (call_text(call, "url", &url) != 0 || cube_request_read(call, &request) != 0 ||
      find_document(call, url, &document) != 0 || catalogue_open_in_memory(&catalogue, call->error) != 0)
    return -1;
  int status = load_document(call, catalogue, &document, &request, result);
  document_hide_folder(call->files, call->error->message);
  document_hide_folder(document.folder, call->error->message);
  catalogue_close(catalogue);
  return status;
}

const struct process process_load_stac = {.id = "load_stac", .shape = PROCESS_CUBE, .call = load_stac_call};
