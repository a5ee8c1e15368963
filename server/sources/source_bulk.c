#include "server/sources/source_bulk.h"

#include "server/fetch/fetch_here.h"

#include "datacube/remote/remote_file.h"
#include "stac/search/stored_prune.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const uint64_t longest = UINT64_C(8) << 30, kept = UINT64_C(16) << 30; /* bytes: of a file; of all here */

struct taken {
  size_t count;
  json_t *ids; /* by collection; NULL: not wanted */
};

bool source_is_bulk(const char *address)
{
  char path[REMOTE_URL_SIZE];
  snprintf(path, sizeof path, "%.*s", (int)strcspn(address, "?#"), address);
  return bulk_is_file(path);
}

static int note(void *data, const char *collection, const char *id)
{
  struct taken *taken = data;
  taken->count++;
  if (!taken->ids)
    return 0;
  json_t *list = json_object_get(taken->ids, collection);
  if (!list && json_object_set_new(taken->ids, collection, list = json_object()) != 0)
    return -1;
  return json_object_set_new(list, id, json_true());
}

static bool is_listed(void *data, const char *id)
{
  return json_object_get(data, id) != NULL;
}

/* Items of the file's collections that it has no longer go. */
static int prune(const struct source_load *what, const json_t *ids, size_t *removed, struct error *error)
{
  const char *collection;
  json_t *list;
  json_object_foreach((json_t *)(uintptr_t)ids, collection, list)
  {
    size_t some = 0;
    if (catalogue_prune_items(what->catalogue, collection, is_listed, list, &some, error) != 0)
      return -1;
    *removed += some;
  }
  return 0;
}

static int load(const struct source_load *what, const char *place, struct buffer *report, struct error *error)
{
  struct taken taken = {.ids = what->replaces ? json_object() : NULL};
  struct bulk_load with = *what->load;
  size_t removed = 0;
  with.name = what->address;
  with.note = note;
  with.note_data = &taken;
  buffer_printf(report, "%s: ", what->name);
  int status = catalogue_load_items(what->catalogue, &with, place, report, error);
  if (status == 0 && taken.ids)
    status = prune(what, taken.ids, &removed, error);
  json_decref(taken.ids);
  if (status == 0 && taken.count == 0 && removed == 0)
    status = error_parameter(error, ERROR_NoDataAvailable, "path", "%.200s holds no item", what->address);
  if (removed > 0 && report->length > 0) {
    report->length--; /* the end of the line */
    buffer_printf(report, ", %zu gone\n", removed);
  }
  return status;
}

static int fetch_and_load(const struct source_load *what, struct buffer *report, struct error *error)
{
  struct remote_file *file;
  struct buffer path = {0};
  buffer_printf(&path, "%s%s", REMOTE_PREFIX, what->address);
  int status = path.failed ? error_memory(error) : remote_open_whole(path.data, longest, &file, error);
  buffer_free(&path);
  if (status != 0)
    return -1;
  const char *place = remote_place(file, error);
  status = place ? load(what, place, report, error) : -1;
  remote_close(file);
  return status;
}

int source_bulk(struct source_load *what, const struct source_session *session, struct buffer *report,
                struct error *error)
{
  struct fetch_here *fetcher;
  if (fetch_here_start(session->access, kept, session->cancel, &fetcher, error) != 0)
    return -1;
  const int status = fetch_and_load(what, report, error);
  fetch_here_stop(fetcher);
  return status;
}
