/* See the header. */
#include "processes/load/stored_cube.h"

#include "processes/load/document_bounds.h"
#include "stac/items_query.h"
#include "stac/search/search.h"

enum { MOST_ITEMS = 10000, MOST_FILES = 50000, MOST_BYTES = 512 << 20, DOCUMENT_BYTES = 64 << 20 };

static int add_item(void *data, const struct found_item *item, struct error *error)
{
  struct buffer *text = data;
  (void)error;
  if (text->data[text->length - 1] != '[')
    buffer_text(text, ",");
  buffer_add(text, item->document, item->length);
  return text->failed;
}

/* The items that the request may want, as an ItemCollection. The caller frees the text. */
static int find_items(struct call *call, const char *collection, const struct load_request *request, struct buffer *out)
{
  static const struct item_sort by_date = {"datetime", false};
  struct item_search search = {.collections = &collection,
                               .collection_count = 1,
                               .has_start = request->has_start,
                               .start = request->start,
                               .has_end = request->has_end,
                               .end = request->end - request->has_end, /* its last instant */
                               .sort = &by_date,
                               .sort_count = 1,
                               .limit = MOST_ITEMS,
                               .cancel = call_cancel(call)};
  struct item_page page = {.data = out, .take = add_item};
  search.has_box = items_box(request, &search.box);
  buffer_text(out, "{\"type\":\"FeatureCollection\",\"features\":[");
  if (out->failed)
    return error_memory(call->error);
  const int result = item_search_page(call->catalogue, &search, &page, call->error);
  const bool has_more = page.token.length > 0;
  buffer_free(&page.token);
  buffer_text(out, "]}");
  if (result != 0)
    return -1;
  if (has_more || out->failed)
    return error_set(call->error, ERROR_ProcessGraphComplexity,
                     "more than %d items of collection '%s' lie in the extents, or more than %d MiB of them: ask for a "
                     "smaller extent",
                     MOST_ITEMS, collection, MOST_BYTES >> 20);
  return page.count > 0 ? 0
                        : error_set(call->error, ERROR_NoDataAvailable,
                                    "collection '%s' has no item for the given extents", collection);
}

int stored_cube(struct call *call, const char *collection, struct cube_request *request, struct value *result)
{
  struct buffer text = {.limit = MOST_BYTES}, description = {.limit = DOCUMENT_BYTES};
  struct catalogue *catalogue = NULL;
  struct catalogue_bounds bounds;
  struct catalogue_added added;
  int status = find_items(call, collection, &request->load, &text);
  if (status == 0)
    status = catalogue_collection_json(call->catalogue, collection, "", &description, call->error);
  if (status == 0)
    status = document_bounds(call, NULL, &bounds);
  if (status == 0) {
    bounds.files = MOST_FILES;
    bounds.document_bytes = DOCUMENT_BYTES;
    bounds.text = text.data;
    bounds.text_length = text.length;
    bounds.collection_text = description.data;
    status = catalogue_open_in_memory(&catalogue, call->error);
  }
  if (status == 0)
    status = catalogue_add_document(catalogue, &bounds, "/items.json", &added, call->error);
  request->load.names = &added.names;
  if (status == 0)
    status = catalogue_cube(call, catalogue, added.id, request, result);
  document_hide_folder(call->files, call->error->message);
  catalogue_close(catalogue);
  buffer_free(&description);
  buffer_free(&text);
  return status;
}
